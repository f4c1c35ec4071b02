"""The processes around the application: doors that drain, and what is done beside them.

What asks operators, keeps the orders and tells alerts is a process of its own (`work`), so that no
notification waits for it (docs/adr/0010). A door is a uvicorn server; so is what serves any other
application, alone or beside ours. uvicorn alone closes the port at once, hangs on open streams and
ends by the signal's own exit code; here SIGTERM means: not ready, still serving for `drain_delay`,
port closed, requests in flight answered, feeds left, log flushed, exit 0 (DESIGN §4). SIGHUP reads
listener.toml again.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import uvicorn
from uvicorn.loops import auto

from app import errors, http1, main, processes, runtime as runtimes, settings as config, telemetry
from app.runtime import Runtime

GRACE = 30
"""Seconds that requests in flight are given once the port is closed."""

LINGER = 0.3
"""Seconds before and after the port closes in which what still comes is answered, with
`Connection: close`, so that senders end their connections themselves."""

SWITCH_INTERVAL = 0.0003
"""Seconds a thread may wait for the GIL. The writer takes it back after each of its statements; at
Python's 5 ms it waited longer for that than for the disk (docs/adr/0002)."""

COLLECT_AFTER = 20_000
"""Objects more than were let go of before the garbage collector looks at the young ones."""

KEEP_ALIVE = 65
BACKLOG = 2048
CONFIGURATION = 2

Application = Callable[..., Any]
"""An ASGI application."""

Beside = Literal["all", "no feeds", "nothing"]
"""What a process beside the doors does: follow the log, tell alerts, ask operators."""

HASTE = 1
"""Seconds that requests in flight at an application that does not drain are given."""

STARTING = 10.0
"""Seconds until an application beside ours must serve."""


class Plain(uvicorn.Server):
    """uvicorn's server that says when it serves and, told to stop, ends by returning: exit 0."""

    def __init__(self, configuration: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(configuration)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._settle_in()
            self._announce()

    def _settle_in(self) -> None:
        """What is to be done once it serves, before that is told."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take SIGINT and SIGTERM where this is the main thread; a clean stop ends by returning."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handled = (signal.SIGINT, signal.SIGTERM)
        before = {sig: signal.signal(sig, self.handle_exit) for sig in handled}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)


class Server(Plain):
    """A server with our draining."""

    def __init__(
        self,
        configuration: uvicorn.Config,
        runtime: Runtime,
        announce: Callable[[], None],
        family: processes.Family,
    ) -> None:
        super().__init__(configuration, announce)
        self._runtime = runtime
        self._family = family

    def _settle_in(self) -> None:
        _tune_interpreter()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload)

    def _reload(self) -> None:
        _reload(self._runtime)
        self._family.tell(signal.SIGHUP)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain: not ready but serving, then the port closes, then what is in flight ends."""
        log = telemetry.logger("server")
        log.info("draining", seconds=self._runtime.settings.drain_delay)
        self._family.cut()
        self._runtime.draining = True
        await asyncio.sleep(self._runtime.settings.drain_delay)
        self._runtime.drain.set()
        self.server_state.default_headers.append((b"connection", b"close"))
        await asyncio.sleep(LINGER)
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LINGER
        while self.server_state.connections and loop.time() < deadline:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)
        log.info("stopped")


def _reload(runtime: Runtime) -> None:
    log = telemetry.logger("server")
    try:
        runtime.reload()
    except errors.ListenerError as error:
        log.error("reload_refused", reason=error.message, kept="the configuration in force")  # noqa: TRY400 - the message says it all
    else:
        log.info("reloaded", sources=len(runtime.configuration.sources))


def _tune_interpreter() -> None:
    """Fit the interpreter to many short requests beside one writer thread.

    What was made while starting lives as long as the process: frozen, the collector no longer walks
    it, which stopped every request for 110 ms [M].
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 100)
    sys.setswitchinterval(SWITCH_INTERVAL)


def serve(
    settings: config.Settings,
    *,
    workers: int = 1,
    beside: Beside = "all",
    announce: Callable[[], None] = lambda: None,
) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code. `workers`: doors, each a process.

    Raises `errors.ConfigurationError`: what is configured cannot be served, several workers on
    SQLite included.
    """
    if workers > 1 and settings.is_sqlite():
        msg = (
            "--workers needs PostgreSQL: SQLite has one writer; "
            "set LISTENER_DATABASE_URL=postgresql://… or leave --workers out"
        )
        raise errors.ConfigurationError(msg)
    working = [processes.Member("work", _as_work, (settings, beside == "all"))]
    members = [] if beside == "nothing" else working
    with bind(settings.host, settings.port) as listening, _metrics_directory(settings):
        if workers == 1:
            return _alone(settings, listening, announce, members)
        door = partial(processes.Member, "door", _as_door, (settings, listening), CONFIGURATION)
        return _several(settings, [*(door() for _ in range(workers)), *members], announce)


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to `host` and `port` (0: any that is free).

    Raises `errors.ConfigurationError` where it is taken, not ours, or not of this machine.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        msg = (
            f"cannot listen on {host}:{port}: {error.strerror}; "
            "choose another with --port or LISTENER_PORT"
        )
        raise errors.ConfigurationError(msg) from error
    return listening


def address(listening: socket.socket) -> str:
    """The URL of what is served on `listening`, as seen from this machine."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a look-up
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve_plain(
    app: Application, listening: socket.socket, *, announce: Callable[[], None] = lambda: None
) -> int:
    """Serve `app`, which drains nothing, until SIGTERM or SIGINT; gives the exit code."""
    server = Plain(_configuration(app, grace=HASTE), announce)
    server.run(sockets=[listening])
    return 0 if server.started else 1


@contextlib.contextmanager
def beside(app: Application, listening: socket.socket) -> Generator[None, None, None]:
    """Serve `app` in a thread of its own while inside.

    Raises `errors.ConfigurationError` where it does not begin to serve.
    """
    ready = threading.Event()
    server = Plain(_configuration(app, grace=HASTE), ready.set)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listening]}, name="beside", daemon=True
    )
    thread.start()
    try:
        if not ready.wait(STARTING):
            raise errors.ConfigurationError("what is served beside the listener did not start")
        yield
    finally:
        server.should_exit = True
        thread.join(HASTE + STARTING)


def _configuration(app: Application, *, grace: int, **more: Any) -> uvicorn.Config:
    """What every server of ours is: our HTTP and log lines; it ends in `grace` seconds."""
    return uvicorn.Config(
        app,
        http=http1.Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=grace,
        **more,
    )


def work(
    settings: config.Settings, *, feeds: bool = True, lifeline: processes.Lifeline | None = None
) -> None:
    """Do what is done behind the doors until SIGTERM, SIGINT or the end of `lifeline`.

    `feeds`: whether operators are asked too. Raises `errors.ConfigurationError`.
    """
    telemetry.configure(settings.log_level, settings.log_format)
    runtime = runtimes.build(settings)
    with (
        contextlib.closing(runtime),
        asyncio.Runner(loop_factory=auto.auto_loop_factory()) as runner,
    ):
        runner.run(_work(runtime, feeds, lifeline))


async def _work(
    runtime: Runtime,
    feeds: bool,  # noqa: FBT001 - as in `work`
    lifeline: processes.Lifeline | None,
) -> None:
    ended = asyncio.Event()
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, ended.set)
    running.add_signal_handler(signal.SIGHUP, _reload, runtime)
    if lifeline is not None:
        lifeline.on_cut(lambda: os.kill(os.getpid(), signal.SIGTERM))
    runtime.start()
    async with main.working(runtime, feeds=feeds):
        _tune_interpreter()
        telemetry.logger("work").info("working")
        await ended.wait()
    telemetry.logger("work").info("stopped")


# ── the processes ────────────────────────────────────────────────────────────────────────────────


def _run(
    settings: config.Settings,
    listening: socket.socket,
    announce: Callable[[], None],
    family: processes.Family,
) -> int:
    telemetry.configure(settings.log_level, settings.log_format)
    app = main.create_app(settings)
    configuration = _configuration(
        app,
        grace=GRACE,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    server = Server(configuration, app.state.runtime, announce, family)
    server.run(sockets=[listening])
    return 0 if server.started else 1


def _alone(
    settings: config.Settings,
    listening: socket.socket,
    announce: Callable[[], None],
    beside: Sequence[processes.Member],
) -> int:
    """This process is the door; what is `beside` it starts once it serves and ends with it."""
    family = processes.Family(beside)
    watching = threading.Thread(target=family.watch, name="processes", daemon=True)

    def begin() -> None:
        announce()
        family.start()
        watching.start()

    try:
        return _run(settings, listening, begin, family)
    finally:
        family.cut()
        if watching.is_alive():
            watching.join()
        family.stop(GRACE)


def _several(
    settings: config.Settings, members: Sequence[processes.Member], announce: Callable[[], None]
) -> int:
    """This process starts the others, replaces what dies and passes signals on."""
    telemetry.configure(settings.log_level, settings.log_format)
    family = processes.Family(members)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: family.cut())
    signal.signal(signal.SIGHUP, lambda _number, _frame: family.tell(signal.SIGHUP))
    family.start()
    announce()
    code = family.watch()
    family.stop(GRACE + settings.drain_delay + 5)
    return code


def _as_door(
    lifeline: processes.Lifeline, settings: config.Settings, listening: socket.socket
) -> None:
    """A door among several: `_run`, with the exit code of its kind of failure."""
    lifeline.on_cut(lambda: os.kill(os.getpid(), signal.SIGTERM))
    _ended(lambda: _run(settings, listening, lambda: None, processes.Family(())))


def _as_work(lifeline: processes.Lifeline, settings: config.Settings, feeds: bool) -> None:  # noqa: FBT001 - a process is given it by position
    """What is beside the doors: `work`, with the exit code of its kind of failure."""
    _ended(lambda: work(settings, feeds=feeds, lifeline=lifeline))


def _ended(doing: Callable[[], int | None]) -> None:
    try:
        code = doing()
    except errors.ConfigurationError as error:
        telemetry.logger("server").error("not_usable", reason=error.message)
        code = CONFIGURATION
    raise SystemExit(code)


@contextlib.contextmanager
def _metrics_directory(settings: config.Settings) -> Generator[None, None, None]:
    """Give the processes one directory for their counters, wiped first (DESIGN §11)."""
    directory = settings.metrics_dir
    made = directory is None
    path = Path(tempfile.mkdtemp(prefix="listener-metrics-")) if directory is None else directory
    path.mkdir(parents=True, exist_ok=True)
    for stale in path.glob("*.db"):
        stale.unlink()
    telemetry.count_in(path)
    try:
        yield
    finally:
        telemetry.count_in(None)
        if made:
            shutil.rmtree(path, ignore_errors=True)

"""One uvicorn server around an application: ours, a door that drains, or any other.

uvicorn alone closes the port at once, hangs on open streams and ends by the signal's own exit code;
here SIGTERM means: not ready, still serving for `drain_delay`, port closed, requests in flight
answered, log flushed, exit 0 (DESIGN §4). SIGHUP reads listener.toml again. Not here: which
processes there are (`launch`).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Generator
from typing import Any

import uvicorn

from app import (
    errors,
    http1,
    interpreter,
    main,
    processes,
    runtime as runtimes,
    settings as config,
    telemetry,
)

GRACE = 30
"""Seconds that requests in flight are given once the port is closed."""

LINGER = 0.3
"""Seconds before and after the port closes in which what still comes is answered, with
`Connection: close`, so that senders end their connections themselves."""

KEEP_ALIVE = 65
BACKLOG = 2048

Application = Callable[..., Any]
"""An ASGI application."""

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
        runtime: runtimes.Runtime,
        announce: Callable[[], None],
        family: processes.Family,
    ) -> None:
        super().__init__(configuration, announce)
        self._runtime = runtime
        self._family = family

    def _settle_in(self) -> None:
        interpreter.tune()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload)

    def _reload(self) -> None:
        runtimes.reload(self._runtime)
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


def run(
    settings: config.Settings,
    listening: socket.socket,
    announce: Callable[[], None],
    family: processes.Family,
) -> int:
    """Be a door on `listening` until SIGTERM; gives the exit code.

    `announce` is called once it serves, `family` ends and reloads with it. Raises
    `errors.ConfigurationError` where it cannot serve.
    """
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

"""Which processes there are, and what each does: doors, and the work beside them.

What asks operators, keeps the orders and tells alerts (`behind`) is a process of its own, so that
no notification waits for it (docs/adr/0010). One door is this process itself; several are started,
and replaced, by it. Not here: what a door is (`server`), how processes are kept (`processes`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Literal

from app import behind, errors, processes, server, settings as config, telemetry

GRACE: Final = 5
"""Seconds that processes are given to end, beside what a door needs for its requests."""

METRICS: Final = "listener-metrics-"
"""What the folder of the counters is called, where it is a temporary one."""

Beside = Literal["all", "no feeds", "nothing"]
"""What a process beside the doors does: follow the log, tell alerts, ask operators."""


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
    working = [processes.Member("work", behind.as_member, (settings, beside == "all"))]
    members = [] if beside == "nothing" else working
    with server.bind(settings.host, settings.port) as listening, _metrics_directory(settings):
        if workers == 1:
            return _alone(settings, listening, announce, members)
        handed = listening.fileno()
        door = partial(
            processes.Member,
            "door",
            _as_door,
            (settings, handed),
            processes.CONFIGURATION,
            (handed,),
        )
        return _several(settings, [*(door() for _ in range(workers)), *members], announce)


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
        return server.run(settings, listening, begin, family)
    finally:
        family.cut()
        if watching.is_alive():
            watching.join()
        family.stop(server.GRACE)


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
    family.stop(server.GRACE + settings.drain_delay + GRACE)
    return code


def _as_door(lifeline: processes.Lifeline, settings: config.Settings, handed: int) -> None:
    """A door among several: `server.run`, with the exit code of its kind of failure.

    `handed`: the number of the socket it listens on.
    """
    lifeline.on_cut(lambda: os.kill(os.getpid(), signal.SIGTERM))
    with socket.socket(fileno=handed) as listening:
        processes.ended(lambda: server.run(settings, listening, lambda: None, processes.Family(())))


@contextlib.contextmanager
def _metrics_directory(settings: config.Settings) -> Generator[None, None, None]:
    """Give the processes one directory for their counters, wiped first (DESIGN §11)."""
    directory = settings.metrics_dir
    made = directory is None
    path = _temporary() if directory is None else directory
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


def _temporary() -> Path:
    """A new folder that bears our process id; those of processes that were killed are removed."""
    for old in Path(tempfile.gettempdir()).glob(f"{METRICS}*"):
        owner = old.name.removeprefix(METRICS).partition("-")[0]
        with contextlib.suppress(OSError):
            if old.stat().st_uid == os.getuid() and not _lives(owner):
                shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{METRICS}{os.getpid()}-"))


def _lives(pid: str) -> bool:
    """Whether the process of this id is another one that lives; of what is no id it is believed."""
    if not pid.isdecimal():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return int(pid) != os.getpid()

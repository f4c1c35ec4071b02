"""Processes beside this one: started, replaced when they die, ended with it.

    family = Family([Member("work", target, arguments)])
    family.start()
    …
    family.stop(seconds)

A member is called with a `Lifeline` before its own arguments: the end of this process, however it
ends, is the end of theirs. Not here: what they do (`server`).
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Any, Final

from app import telemetry

LOOK: Final = 0.5
"""Seconds at most between two looks at how the members are."""

FIRST: Final = 0.5
LONGEST: Final = 60.0
"""Seconds before one that died is replaced: half the first time after a while, and at the most."""

_SPAWN: Final = multiprocessing.get_context("spawn")


class Lifeline:
    """Held by a member: tells when the process that started it has ended or wants it to."""

    def __init__(self, end: connection.Connection) -> None:
        self._end = end

    def on_cut(self, tell: Callable[[], None]) -> None:
        """Have `tell` called, by a thread, once it is cut."""
        threading.Thread(target=self._watch, args=(tell,), name="lifeline", daemon=True).start()

    def _watch(self, tell: Callable[[], None]) -> None:
        with contextlib.suppress(EOFError, OSError):
            self._end.recv_bytes()
        tell()


@dataclass(eq=False)
class Member:
    """One process: its name in log lines, what it calls, with which arguments.

    `gives_up`: the exit code that says that no other try would help, where that ends all of them.
    """

    name: str
    target: Callable[..., None]
    arguments: tuple[Any, ...] = ()
    gives_up: int | None = None
    process: Any = field(default=None, init=False)
    line: connection.Connection | None = field(default=None, init=False)
    deaths: int = field(default=0, init=False)
    began_at: float = field(default=0.0, init=False)
    again_at: float | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it, or start it again. Ctrl-C is for this process alone: it cuts the lifeline."""
        theirs, self.line = _SPAWN.Pipe(duplex=False)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        with theirs:
            self.process = _SPAWN.Process(
                target=self.target, args=(Lifeline(theirs), *self.arguments), name=self.name
            )
            self.process.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.began_at, self.again_at = time.monotonic(), None

    def died(self) -> None:
        """Note that it did, tell of it, and settle when to start it again."""
        now = time.monotonic()
        self.deaths = 0 if now - self.began_at > LONGEST else self.deaths + 1
        rest = min(FIRST * 2**self.deaths, LONGEST)
        self.again_at = now + rest
        telemetry.forget(self.process.pid)
        telemetry.logger("processes").error(
            "process_died", process=self.name, exit_code=self.process.exitcode, again_in=rest
        )

    def cut(self) -> None:
        """Have it end."""
        if self.line is not None:
            self.line.close()


class Family:
    """`Member`s that live as long as this process; each that dies is replaced after a moment."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start all of them."""
        for member in self._members:
            member.start()

    def watch(self) -> int:
        """Replace what dies until it is `cut` (0), or a member gives up (its code)."""
        while not self._stopping.is_set():
            alive = [one.process.sentinel for one in self._members if one.again_at is None]
            if alive:
                connection.wait(alive, timeout=LOOK)
            else:
                self._stopping.wait(LOOK)
            for member in self._members:
                if self._stopping.is_set() or member.process.is_alive():
                    continue
                if member.gives_up is not None and member.process.exitcode == member.gives_up:
                    return member.gives_up
                if member.again_at is None:
                    member.died()
                elif time.monotonic() >= member.again_at:
                    member.start()
        return 0

    def tell(self, number: signal.Signals) -> None:
        """Send all of them a signal."""
        for member in self._members:
            if member.process is not None and member.process.is_alive():
                os.kill(member.process.pid, number)

    def cut(self) -> None:
        """Have all of them end, and replace none any more; does not wait."""
        self._stopping.set()
        for member in self._members:
            member.cut()

    def stop(self, seconds: float) -> None:
        """End all of them; those that have not ended after `seconds` are killed."""
        self.cut()
        ends = time.monotonic() + seconds
        for member in self._members:
            if member.process is None:
                continue
            member.process.join(max(ends - time.monotonic(), 0.1))
            if member.process.is_alive():
                member.process.kill()
                member.process.join()

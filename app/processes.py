"""Processes beside this one: started, replaced when they die, ended with it.

    family = Family([Member("work", target, arguments)])
    family.start()
    …
    family.stop(seconds)

Each is a fresh interpreter that calls its target with a `Lifeline` before its own arguments: the
end of this process, however it ends, is the end of theirs. Not here: what they do (`launch`).
"""

from __future__ import annotations

import contextlib
import gc
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final

from app import errors, telemetry

LOOK: Final = 0.25
"""Seconds between two looks at how the members are."""

FIRST: Final = 0.5
LONGEST: Final = 60.0
"""Seconds before one that died is replaced: half the first time after a while, and at the most."""

CONFIGURATION: Final = 2
"""The exit code of what cannot serve as it is configured: to try again would not help."""

_BEGIN: Final = "from app import processes; processes.begin()"


class Lifeline:
    """Held by a member: tells when the process that started it has ended or wants it to."""

    def __init__(self, end: IO[bytes]) -> None:
        self._end = end

    def on_cut(self, tell: Callable[[], None]) -> None:
        """Have `tell` called, by a thread, once it is cut."""
        threading.Thread(target=self._watch, args=(tell,), name="lifeline", daemon=True).start()

    def _watch(self, tell: Callable[[], None]) -> None:
        with contextlib.suppress(OSError):
            self._end.read()
        tell()


def ended(doing: Callable[[], int | None]) -> None:
    """Do it and end this process, a member, with the exit code it gives.

    `CONFIGURATION` where it raises `errors.ConfigurationError`.
    """
    try:
        code = doing()
    except errors.ConfigurationError as error:
        telemetry.logger("processes").error("not_usable", reason=error.message)
        code = CONFIGURATION
    raise SystemExit(code)


def begin() -> None:
    """What a member's interpreter does: it is told by its parent what to call, and calls it."""
    gc.disable()  # nothing that is loaded now is garbage
    target, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own parent wrote it
    gc.freeze()
    gc.enable()
    target(Lifeline(sys.stdin.buffer), *arguments)


@dataclass(eq=False)
class Member:
    """One process: its name in log lines, what it calls, with which arguments.

    `target` is a function of a module. `gives_up`: the exit code that says that no other try would
    help, where that ends all of them. `files`: descriptors it is handed, under the same numbers.
    """

    name: str
    target: Callable[..., None]
    arguments: tuple[Any, ...] = ()
    gives_up: int | None = None
    files: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    deaths: int = field(default=0, init=False)
    began_at: float = field(default=0.0, init=False)
    again_at: float | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it, or start it again. Ctrl-C is for this process alone: it cuts the lifeline."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-c", _BEGIN, self.name],
                stdin=subprocess.PIPE,
                pass_fds=self.files,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        with contextlib.suppress(BrokenPipeError):  # it is dead already: that is looked at
            self._line.write(pickle.dumps((self.target, self.arguments)))
            self._line.flush()
        self.began_at, self.again_at = time.monotonic(), None

    @property
    def _line(self) -> IO[bytes]:
        assert self.process is not None  # noqa: S101 - `start` came first
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        return self.process.stdin

    @property
    def exit_code(self) -> int | None:
        """Null while it lives, or has not begun."""
        return None if self.process is None else self.process.poll()

    def died(self, exit_code: int) -> None:
        """Note that it did, tell of it, and settle when to start it again."""
        assert self.process is not None  # noqa: S101 - what died was started
        now = time.monotonic()
        self.deaths = 1 if now - self.began_at > LONGEST else self.deaths + 1
        rest = min(FIRST * 2**self.deaths, LONGEST)
        self.again_at = now + rest
        self.cut()
        telemetry.forget(self.process.pid)
        telemetry.logger("processes").error(
            "process_died", process=self.name, exit_code=exit_code, again_in=rest
        )

    def cut(self) -> None:
        """Have it end."""
        if self.process is not None:
            with contextlib.suppress(BrokenPipeError):
                self._line.close()

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, where it lives."""
        if self.process is not None:
            self.process.send_signal(number)

    def end(self, seconds: float) -> None:
        """Wait until it has ended; kill it where that takes longer."""
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


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
        while not self._stopping.wait(LOOK):
            for member in self._members:
                code = member.exit_code
                if code is None:
                    continue
                if code == member.gives_up:
                    return code
                if member.again_at is None:
                    member.died(code)
                elif time.monotonic() >= member.again_at:
                    member.start()
        return 0

    def tell(self, number: signal.Signals) -> None:
        """Send all of them a signal."""
        for member in self._members:
            member.tell(number)

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
            member.end(max(ends - time.monotonic(), 0.1))

"""The one writer thread: group commit for arrivals, and every other write of the process.

Many requests wait, one transaction commits them all; while it runs, the next batch gathers. A unit
is never split. Only a data error makes the batch retry unit by unit; lost connections answer all
with `Unavailable`. Ingest goes first: other writes (`run`), a few in one transaction while they are
quick, are followed by a pause at least as long as they took, as long as arrivals come, here or to
another process on the same file (DESIGN §4).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine

from app import errors
from app.store import append, engine as engines, faults, leases, pages, quarantine

Result = TypeVar("Result")
Entry = append.Candidate | quarantine.Hold
Outcome = append.Decision | str
"""What became of an entry: a decision of the log, or the id of its quarantine row."""

UnitResult = list[Outcome] | Exception
"""What a unit's waiter gets: an outcome an entry, or why there are none."""

Decide = Callable[[Sequence[append.Candidate], append.Found], list[append.Decision]]
Beside = Callable[[Connection, list[Outcome]], object]
Job = tuple[Callable[[Connection], object], Future[object]]
"""Another write, and who waits for it."""

BATCH_UNITS = 512
BATCH_BYTES = 4 * 1024 * 1024
TOGETHER = 0.004
"""Seconds after which no more of the other writes that wait are taken into their transaction."""

BUSY = 0.1
"""Seconds after a batch in which arrivals are taken to be flowing, so that other writes pause."""


class DataFault(errors.ListenerError):
    """The database refuses these rows whatever the state of the connection."""


class Observer(Protocol):
    """What the writer tells of itself (metrics)."""

    def committed(self, seconds: float, units: int) -> None:
        """A batch of `units` was committed in `seconds`."""
        ...


@dataclass(slots=True, eq=False)
class Unit:
    """What is committed together or not at all: one push, or a page with its entries.

    `future` (of the loop that waits) gets one outcome an entry, in order, or the exception. `page`
    is what a page of a feed commits beside its entries; `beside`: any other write that goes with
    them, told the outcomes. What it raises is raised, and nothing of the unit is kept.
    """

    entries: tuple[Entry, ...]
    size: int
    future: asyncio.Future[list[Outcome]]
    page: pages.Page | None = None
    beside: Beside | None = None


class Writer:
    """Owns the process's writing connection and its thread.

    `decide` is pure: what was found and the candidates in, one decision a candidate out. `nudge`
    is called after each commit that appended (the tail's wake-up).
    """

    def __init__(
        self,
        engine: Engine,
        decide: Decide,
        *,
        observer: Observer,
        nudge: Callable[[], None] = lambda: None,
        queue_units: int = 2000,
        queue_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._engine = engine
        self._decide = decide
        self._observer = observer
        self._nudge = nudge
        self._limits = (queue_units, queue_bytes)
        self._units: deque[Unit] = deque()
        self._bytes = 0
        self._jobs: deque[Job] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._connection: Connection | None = None
        self._version = 0
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    # --- for the other threads --------------------------------------------------------------

    def start(self) -> None:
        """Start the thread; the connection is made when there is something to write."""
        self._thread.start()

    def close(self, timeout: float = 30.0) -> None:
        """Commit what waits, then end the thread. What comes later is refused as `Unavailable`."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def submit(self, unit: Unit) -> None:
        """Queue `unit` for the next batch.

        Raises `errors.OverCapacity` where the queue is full and `errors.Unavailable` when closing.
        """
        with self._wake:
            if self._closing:
                raise errors.Unavailable
            units, size = self._limits
            if len(self._units) >= units or self._bytes + unit.size > size:
                raise errors.OverCapacity
            self._units.append(unit)
            self._bytes += unit.size
            self._wake.notify()

    def run(self, job: Callable[[Connection], Result]) -> Future[Result]:
        """Do any other write, all of it or nothing; keep it under 5 ms.

        Quick ones that wait share a transaction, so that each does not wait for the disk alone.
        """
        future: Future[Result] = Future()
        with self._wake:
            if self._closing:
                raise errors.Unavailable
            self._jobs.append((job, future))  # type: ignore[arg-type]
            self._wake.notify()
        return future

    def queued(self) -> tuple[int, int]:
        """How many units wait, and their bytes."""
        return len(self._units), self._bytes

    # --- the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        pause_until = ingested = 0.0
        while True:
            batch, job = self._next(pause_until)
            if batch:
                self._write(batch)
                ingested = time.monotonic()
            if job is not None:
                began = self._do(job)
                ended = time.monotonic()
                crowded = ended - ingested < BUSY or self._others_wrote()
                pause_until = 2 * ended - began if crowded else 0.0
            if not batch and job is None:
                break
        self._disconnect()

    def _next(self, pause_until: float) -> tuple[list[Unit], Job | None]:
        with self._wake:
            while not (self._units or self._closing):
                rest = pause_until - time.monotonic()
                if self._jobs and rest <= 0:
                    break
                self._wake.wait(rest if self._jobs else None)
            batch: list[Unit] = []
            size = 0
            while self._units and len(batch) < BATCH_UNITS and size < BATCH_BYTES:
                unit = self._units.popleft()
                size += unit.size
                batch.append(unit)
            self._bytes -= size
            job = None
            if self._jobs and (self._closing or time.monotonic() >= pause_until):
                job = self._jobs.popleft()
            return batch, job

    def _write(self, batch: list[Unit]) -> None:
        started = time.monotonic()
        try:
            results = self._commit(batch)
        except errors.Unavailable as error:
            self._disconnect()
            results = [error] * len(batch)
        except Exception:  # noqa: BLE001 - the writer's batch is where our bugs must stop
            results = self._one_by_one(batch)
        else:
            self._observer.committed(time.monotonic() - started, len(batch))
            self._nudge()
        _resolve(batch, results)

    def _one_by_one(self, batch: list[Unit]) -> list[UnitResult]:
        results: list[UnitResult] = []
        for unit in batch:
            try:
                results += self._commit([unit], entrywise=unit.page is not None)
            except errors.Unavailable as error:
                self._disconnect()
                results.append(error)
            except Exception as error:  # noqa: BLE001 - as above
                results.append(_fault(error))
        self._nudge()
        return results

    def _commit(self, batch: list[Unit], *, entrywise: bool = False) -> list[UnitResult]:
        """One transaction for the whole batch. Raises `errors.Unavailable` if it cannot be had.

        Units whose fence is stale leave the batch first. `entrywise` gives each entry of a page a
        savepoint: what the database refuses goes to quarantine, the rest and the cursor commit.
        """
        try:
            connection = self._connected()
            with connection.begin():
                fences = {unit.page.fence for unit in batch if unit.page is not None}
                stale = leases.check(connection, fences)
                live = [unit for unit in batch if unit.page is None or unit.page.fence not in stale]
                write = self._write_entrywise if entrywise else self._write_together
                outcomes: list[UnitResult] = [*write(connection, live)]
        except faults.DRIVER as error:
            if faults.is_transient(error):
                raise errors.Unavailable from error
            raise
        if not stale:
            return outcomes
        written = iter(outcomes)
        return [
            pages.StaleFence() if unit.page and unit.page.fence in stale else next(written)
            for unit in batch
        ]

    def _write_together(self, connection: Connection, batch: list[Unit]) -> list[list[Outcome]]:
        entries = [entry for unit in batch for entry in unit.entries]
        candidates = [e for e in entries if isinstance(e, append.Candidate)]
        holds = [e for e in entries if isinstance(e, quarantine.Hold)]
        decisions: list[append.Decision] = []
        if candidates:
            decisions = self._decide(candidates, append.find(connection, candidates))
        # after the append lock, as whoever releases a row: two orders of locks would be a deadlock
        held = iter(quarantine.hold(connection, holds) if holds else ())
        decided = iter(decisions)
        outcomes = [
            [next(decided) if isinstance(e, append.Candidate) else next(held) for e in unit.entries]
            for unit in batch
        ]
        for unit, told in zip(batch, outcomes, strict=True):
            _beside(connection, unit, told)
        if candidates:
            append.insert(connection, candidates, decisions)
        return outcomes

    def _write_entrywise(self, connection: Connection, batch: list[Unit]) -> list[list[Outcome]]:
        return [self._write_page(connection, unit, unit.page) for unit in batch if unit.page]

    def _write_page(self, connection: Connection, unit: Unit, page: pages.Page) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for entry, fallback in zip(unit.entries, page.fallbacks, strict=True):
            try:
                with connection.begin_nested():
                    outcomes.append(self._write_one(connection, entry))
            except faults.DRIVER as error:
                if faults.is_transient(error):
                    raise
                outcomes += quarantine.hold(connection, [fallback])
        _beside(connection, unit, outcomes)
        return outcomes

    def _write_one(self, connection: Connection, entry: Entry) -> Outcome:
        if isinstance(entry, quarantine.Hold):
            return quarantine.hold(connection, [entry])[0]
        (decision,) = self._decide([entry], append.find(connection, [entry]))
        append.insert(connection, [entry], [decision], commit=False)
        return decision

    def _do(self, job: Job) -> float:
        """Do `job`, and what waits behind it while that is quick, in one transaction.

        Gives the moment from which it held others up.
        """
        began = time.monotonic()
        if not job[1].set_running_or_notify_cancel():
            return began
        results: dict[Future[object], object] = {job[1]: None}
        try:
            connection = self._connected()
            with connection.begin():
                began = time.monotonic()
                self._do_together(connection, job, results)
        except Exception as error:  # noqa: BLE001 - the callers' futures carry it
            fault = error
            if isinstance(error, faults.DRIVER) and faults.is_transient(error):
                self._disconnect()
                fault = errors.Unavailable()
            for future in results:
                future.set_exception(fault)
        else:
            for future, result in results.items():
                future.set_result(result)
        return began

    def _do_together(
        self, connection: Connection, job: Job, results: dict[Future[object], object]
    ) -> None:
        """Fill `results`; those after the first fail alone."""
        ends = time.monotonic() + TOGETHER
        results[job[1]] = job[0](connection)
        while time.monotonic() < ends and (following := self._another()) is not None:
            act, future = following
            if not future.set_running_or_notify_cancel():
                continue
            results[future] = None
            try:
                with connection.begin_nested():
                    results[future] = act(connection)
            except Exception as error:
                if isinstance(error, faults.DRIVER) and faults.is_transient(error):
                    raise
                del results[future]
                future.set_exception(error)

    def _another(self) -> Job | None:
        with self._wake:
            return self._jobs.popleft() if self._jobs else None

    def _others_wrote(self) -> bool:
        """Whether another connection has committed to the SQLite file since the last call."""
        if self._connection is None or self._connection.dialect.name != "sqlite":
            return False
        before = self._version
        with contextlib.suppress(*faults.DRIVER):
            driver: Any = self._connection.connection.driver_connection
            (self._version,) = driver.execute("PRAGMA data_version").fetchone()
        return before != self._version

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = self._engine.connect()
            try:
                engines.prepare_writer(connection)
            except BaseException:
                connection.invalidate()
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(*faults.DRIVER):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None


def _beside(connection: Connection, unit: Unit, outcomes: list[Outcome]) -> None:
    """Write what goes with the entries of `unit`."""
    if unit.page is not None:
        pages.advance(connection, unit.page, outcomes)
    if unit.beside is not None:
        unit.beside(connection, outcomes)


def _fault(error: Exception) -> Exception:
    if isinstance(error, faults.DRIVER):
        fault = DataFault()
        fault.__cause__ = error
        return fault
    return error


def _resolve(batch: list[Unit], results: Sequence[UnitResult]) -> None:
    """Wake the waiters: one hop to each loop, whatever the size of the batch."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Unit, UnitResult]]] = {}
    for unit, result in zip(batch, results, strict=True):
        by_loop.setdefault(unit.future.get_loop(), []).append((unit, result))
    for loop, settled in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, settled)


def _settle(settled: list[tuple[Unit, UnitResult]]) -> None:
    for unit, result in settled:
        if unit.future.done():
            continue
        if isinstance(result, Exception):
            unit.future.set_exception(result)
        else:
            unit.future.set_result(result)

"""The one writer thread: group commit for arrivals, and every other write of the process.

Many requests wait, one transaction commits them all; while it runs, the next batch gathers. A unit
is never split. Only a data error makes the batch retry unit by unit; lost connections answer all
with `Unavailable`. Ingest goes first: another write (`run`) is followed by a pause at least as long
as it took, as long as arrivals come, here or to another process on the same file (DESIGN §4).
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import psycopg
import sqlalchemy.exc
from sqlalchemy import Connection, Engine

from app import errors
from app.store import append, engine as engines, leases, pages, quarantine

Result = TypeVar("Result")
Entry = append.Candidate | quarantine.Hold
Outcome = append.Decision | str
"""What became of an entry: a decision of the log, or the id of its quarantine row."""

UnitResult = list[Outcome] | Exception
"""What a unit's waiter gets: an outcome an entry, or why there are none."""

Decide = Callable[[Sequence[append.Candidate], append.Found], list[append.Decision]]

BATCH_UNITS = 512
BATCH_BYTES = 4 * 1024 * 1024
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
    is what a page of a feed commits beside its entries.
    """

    entries: tuple[Entry, ...]
    size: int
    future: asyncio.Future[list[Outcome]]
    page: pages.Page | None = None


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
        self._jobs: deque[tuple[Callable[[Connection], object], Future[object]]] = deque()
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
        """Do any other write in a transaction of its own; keep it under 5 ms."""
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
                started = time.monotonic()
                self._do(*job)
                ended = time.monotonic()
                crowded = ended - ingested < BUSY or self._others_wrote()
                pause_until = 2 * ended - started if crowded else 0.0
            if not batch and job is None:
                break
        self._disconnect()

    def _next(
        self, pause_until: float
    ) -> tuple[list[Unit], tuple[Callable[[Connection], object], Future[object]] | None]:
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
        except _DRIVER_ERRORS as error:
            if _is_transient(error):
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
        held = iter(quarantine.hold(connection, holds) if holds else ())
        decisions: list[append.Decision] = []
        if candidates:
            decisions = self._decide(candidates, append.find(connection, candidates))
        decided = iter(decisions)
        outcomes = [
            [next(decided) if isinstance(e, append.Candidate) else next(held) for e in unit.entries]
            for unit in batch
        ]
        for unit, told in zip(batch, outcomes, strict=True):
            if unit.page is not None:
                pages.advance(connection, unit.page, told)
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
            except _DRIVER_ERRORS as error:
                if _is_transient(error):
                    raise
                outcomes += quarantine.hold(connection, [fallback])
        pages.advance(connection, page, outcomes)
        return outcomes

    def _write_one(self, connection: Connection, entry: Entry) -> Outcome:
        if isinstance(entry, quarantine.Hold):
            return quarantine.hold(connection, [entry])[0]
        (decision,) = self._decide([entry], append.find(connection, [entry]))
        append.insert(connection, [entry], [decision], commit=False)
        return decision

    def _do(self, job: Callable[[Connection], object], future: Future[object]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            connection = self._connected()
            with connection.begin():
                result = job(connection)
        except _DRIVER_ERRORS as error:
            if _is_transient(error):
                self._disconnect()
                future.set_exception(errors.Unavailable())
            else:
                future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - the caller's future carries it
            future.set_exception(error)
        else:
            future.set_result(result)

    def _others_wrote(self) -> bool:
        """Whether another connection has committed to the SQLite file since the last call."""
        if self._connection is None or self._connection.dialect.name != "sqlite":
            return False
        before = self._version
        with contextlib.suppress(*_DRIVER_ERRORS):
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
            with contextlib.suppress(*_DRIVER_ERRORS):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None


_DRIVER_ERRORS = (
    sqlalchemy.exc.DBAPIError,
    sqlalchemy.exc.InvalidRequestError,
    sqlite3.Error,
    psycopg.Error,
)
_TRANSIENT_CLASSES = ("08", "25", "40", "53", "55", "57", "58")
"""SQLSTATE classes that are about the server or the moment, not about these rows."""


def _is_transient(error: BaseException) -> bool:
    """True for trouble with the connection, the lock, the disk or the server: 503, not our rows."""
    if isinstance(error, sqlalchemy.exc.InvalidRequestError):
        return True
    original = getattr(error, "orig", None) or error
    if isinstance(original, sqlite3.Error):
        return isinstance(original, sqlite3.OperationalError)
    if isinstance(original, psycopg.Error):
        return original.sqlstate is None or original.sqlstate[:2] in _TRANSIENT_CLASSES
    return False


def _fault(error: Exception) -> Exception:
    if isinstance(error, _DRIVER_ERRORS):
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

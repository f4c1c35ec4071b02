"""The one reader a process of the log's end: it wakes whoever waits for what comes next.

Woken by our own commit (`nudge`), by NOTIFY on PostgreSQL, by `PRAGMA data_version` every 50 ms on
SQLite, and every 5 s regardless (DESIGN §4). While nobody waits it looks once a second only.

Not here: what a waiter then reads (`log.page`).
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import psycopg
import sqlalchemy.exc
from sqlalchemy import Connection, Engine

from app import telemetry
from app.store import engine as engines, log

CHANNEL = "listener_log"
"""What the writer, and whoever changes credentials, NOTIFYs on PostgreSQL."""

POLL = 0.05
IDLE = 1.0
REGARDLESS = 5.0
"""Seconds between two looks on SQLite, between two while nobody waits, and at the most."""

_TROUBLE = (sqlalchemy.exc.SQLAlchemyError, psycopg.Error, OSError)


def wake(connection: Connection) -> None:
    """Have the tails of all processes look, once the transaction is committed."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")


class _Signal(Protocol):
    """How the database says that something was committed; made and used by the tail's thread."""

    def changed(self) -> bool:
        """Whether anything was committed since the last call."""
        ...

    def sockets(self) -> list[Any]:
        """What becomes readable when something is; nothing where that has to be asked for."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class _DataVersion:
    """SQLite counts the commits of all other connections."""

    def __init__(self, engine: Engine) -> None:
        self._pooled = engine.raw_connection()
        self._seen: tuple[object, ...] | None = None

    def changed(self) -> bool:
        cursor = self._pooled.cursor()
        cursor.execute("PRAGMA data_version")
        before, self._seen = self._seen, cursor.fetchone()
        cursor.close()
        return before != self._seen

    def sockets(self) -> list[Any]:
        return []

    def close(self) -> None:
        self._pooled.close()


class _Notified:
    """PostgreSQL tells who listens, on a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        pooled = engine.raw_connection()
        driver = pooled.driver_connection
        pooled.detach()
        if not isinstance(driver, psycopg.Connection):
            raise TypeError("the tail listens by psycopg")
        self._connection: psycopg.Connection[Any] = driver
        try:
            self._connection.autocommit = True
            self._connection.execute(f"LISTEN {CHANNEL}")
        except psycopg.Error:
            self._connection.close()
            raise
        self._first = True

    def changed(self) -> bool:
        notified = len(list(self._connection.notifies(timeout=0)))
        changed = self._first or notified > 0
        self._first = False
        return changed

    def sockets(self) -> list[Any]:
        return [self._connection]

    def close(self) -> None:
        self._connection.close()


class Tail:
    """Follows the end of the log in a thread of its own; nothing happens before `start`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engines.reading(engine)
        self._callbacks: list[Callable[[], object]] = []
        self._news = threading.Condition()
        self._head = 0
        self._waiting = 0
        self._closing = False
        self._poke, self._poked = socket.socketpair()
        for end in (self._poke, self._poked):
            end.settimeout(0)
        self._thread = threading.Thread(target=self._run, name="tail", daemon=True)

    def on_wake(self, callback: Callable[[], object]) -> None:
        """Have `callback` called soon after each commit of any process.

        At most once in `IDLE` seconds and at least once in `REGARDLESS`, on the tail's thread;
        one that finds the database away is called again.
        """
        self._callbacks.append(callback)

    def start(self) -> None:
        """Start the thread. A database that is away is asked again every `IDLE` seconds."""
        self._thread.start()

    def close(self) -> None:
        """End the thread; whoever waits returns. Safe to call twice, or before `start`."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        self._wake_thread()
        if self._thread.is_alive():
            self._thread.join()
        self._poke.close()
        self._poked.close()

    def nudge(self) -> None:
        """Say that this process has just committed to the log. Cheap; from any thread."""
        if self._waiting:
            self._wake_thread()

    def wait(self, after_seq: int, timeout: float) -> int:
        """Wait until the log's head is beyond `after_seq`, at most `timeout` seconds.

        Answers the head as far as it is known, which is `after_seq` or less when the time ran out
        or the tail closes.
        """
        with self._news:
            if self._head > after_seq:
                return self._head
            self._waiting += 1
            try:
                self._wake_thread()
                self._news.wait_for(lambda: self._head > after_seq or self._closing, timeout)
            finally:
                self._waiting -= 1
            return self._head

    def _wake_thread(self) -> None:
        with contextlib.suppress(OSError):  # full: it is awake anyway; closed: nobody is left
            self._poke.send(b".")

    # --- the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing:
            try:
                self._follow()
            except _TROUBLE as trouble:
                why = type(trouble).__name__
                telemetry.logger("tail").warning("tail_lost_the_database", error=why)
                self._rest([], IDLE)

    def _follow(self) -> None:
        """Look and tell until closed; raises what the database raises."""
        signal = self._signal()
        looked = called = float("-inf")
        pending = False
        try:
            while not self._closing:
                poked = self._drain()
                now = time.monotonic()
                changed = signal.changed()
                pending = pending or changed
                if changed or poked or now - looked >= REGARDLESS:
                    self._look()
                    looked = now
                if now - called >= (IDLE if pending else REGARDLESS):
                    pending = False
                    self._call()
                    called = now
                self._rest_until_news(signal)
        finally:
            with contextlib.suppress(*_TROUBLE):
                signal.close()

    def _signal(self) -> _Signal:
        if self._engine.dialect.name == "postgresql":
            return _Notified(self._engine)
        return _DataVersion(self._engine)

    def _look(self) -> None:
        with self._engine.connect() as connection:
            head = log.head(connection)
        with self._news:
            self._head = head
            self._news.notify_all()

    def _call(self) -> None:
        for callback in self._callbacks:
            callback()

    def _rest_until_news(self, signal: _Signal) -> None:
        if not self._waiting:
            self._rest([], IDLE)
        elif sockets := signal.sockets():
            self._rest(sockets, IDLE)
        else:
            self._rest([], POLL)

    def _rest(self, sockets: list[Any], seconds: float) -> None:
        """Until poked, until one of `sockets` is readable, or for `seconds`."""
        poll = select.poll()  # select() ends at file descriptor 1024
        for one in (self._poked, *sockets):
            poll.register(one, select.POLLIN)
        poll.poll(seconds * 1000)

    def _drain(self) -> bool:
        try:
            return bool(self._poked.recv(65536))
        except BlockingIOError:
            return False

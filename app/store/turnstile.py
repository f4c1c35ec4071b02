"""One SQLite file, several processes that write: whoever waits goes before whoever just wrote.

SQLite lets a waiter sleep up to 100 ms before it asks for the lock again, while the writer that let
go of it asks at once: two transactions of 20 ms, one after the other, kept others out for good
[M, DESIGN §4]. So who wants to write queues at a second lock, a file beside the database, and holds
it until the write lock is theirs: the last writer cannot pass. The kernel frees both locks of a
process that dies; one that is stopped holds others up until they run out of patience, as SQLite's
own lock does.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from typing import Final

NAP: Final = 0.0003
"""Seconds between two tries: a tenth of what a follower's transaction takes."""

SUFFIX: Final = "-turn"
"""Of the file that is queued at, as SQLite's own are `-wal` and `-shm`."""


class Turnstile:
    """Where one connection to the SQLite file at `path` queues; it keeps the queue's file open.

    The connection itself never waits while it writes, for whoever waits here is not to be passed by
    one that sleeps there; while it reads, it is as patient as it was made. Each of these settings
    is a statement, and each statement gives the GIL away: they are sent where they change.
    """

    def __init__(self, path: str) -> None:
        self._queue = os.open(path + SUFFIX, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._waits = True

    def close(self) -> None:
        """Let go of the file; the connection begins no more."""
        os.close(self._queue)

    def begin(self, connection: sqlite3.Connection, patience: float) -> None:
        """Begin a transaction that writes; in turn among all processes.

        Raises `sqlite3.OperationalError` where it could not be had within `patience` seconds.
        """
        ends = time.monotonic() + patience
        self._wait(connection, 0)
        _until(ends, lambda: fcntl.flock(self._queue, fcntl.LOCK_EX | fcntl.LOCK_NB))
        try:
            _until(ends, lambda: connection.execute("BEGIN IMMEDIATE"))
        finally:
            fcntl.flock(self._queue, fcntl.LOCK_UN)

    def be_patient(self, connection: sqlite3.Connection, patience: float) -> None:
        """Before a transaction that reads: it waits only where the file is being mended."""
        self._wait(connection, patience)

    def _wait(self, connection: sqlite3.Connection, seconds: float) -> None:
        if self._waits != (seconds > 0):
            connection.execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")
            self._waits = seconds > 0


def _until(ends: float, lock: Callable[[], object]) -> None:
    """Try to `lock` until it works. Raises `sqlite3.OperationalError` where time is over."""
    while True:
        try:
            lock()
        except (BlockingIOError, sqlite3.OperationalError) as error:
            if not _is_taken(error):
                raise
            if time.monotonic() > ends:
                message = "database is locked"
                raise sqlite3.OperationalError(message) from error
        else:
            return
        time.sleep(NAP)


def _is_taken(error: Exception) -> bool:
    """Whether somebody else has the lock; else it is about something that waiting does not mend."""
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return True

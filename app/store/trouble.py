"""Trouble with the database in our own words, for rooms that do not know a driver's exceptions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy.exc

from app import errors

ERRORS: Final = (
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    sqlalchemy.exc.TimeoutError,
)
"""What reading raises where the database is away, and now and then for a fault of ours."""

_OURS: Final = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_RANGE})


def is_away(error: BaseException) -> bool:
    """Whether one of `ERRORS` is about the database, which is away or locked, not about us.

    SQLite tells of a missing table in the class of errors in which it tells of a lock.
    """
    original = getattr(error, "orig", None)
    code = getattr(original, "sqlite_errorcode", None)
    return isinstance(error, ERRORS) and code not in _OURS


@contextmanager
def told() -> Iterator[None]:
    """What is done within raises `errors.Unavailable` where the database is away or locked."""
    try:
        yield
    except (sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError) as error:
        (first, *_) = str(error.orig or error).splitlines() or [type(error).__name__]
        msg = f"the database does not answer: {first.strip()}"
        raise errors.Unavailable(msg) from error

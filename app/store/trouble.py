"""Trouble with the database in our own words, for rooms that do not know a driver's exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy.exc

from app import errors


@contextmanager
def told() -> Iterator[None]:
    """What is done within raises `errors.Unavailable` where the database is away or locked."""
    try:
        yield
    except (sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError) as error:
        (first, *_) = str(error.orig or error).splitlines() or [type(error).__name__]
        msg = f"the database does not answer: {first.strip()}"
        raise errors.Unavailable(msg) from error

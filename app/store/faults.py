"""What the errors of the database are about: these rows, or the connection and the moment.

Not here: what is done about them (`writer`).
"""

from __future__ import annotations

import sqlite3
from typing import Final

import psycopg
import sqlalchemy.exc

DRIVER: Final = (
    sqlalchemy.exc.DBAPIError,
    sqlalchemy.exc.InvalidRequestError,
    sqlite3.Error,
    psycopg.Error,
)
TRANSIENT_CLASSES: Final = ("08", "25", "40", "53", "55", "57", "58")
"""SQLSTATE classes that are about the server or the moment, not about these rows."""


def is_transient(error: BaseException) -> bool:
    """True for trouble with the connection, the lock, the disk or the server: 503, not our rows."""
    if isinstance(error, sqlalchemy.exc.InvalidRequestError):
        return True
    original = getattr(error, "orig", None) or error
    if isinstance(original, sqlite3.Error):
        return isinstance(original, sqlite3.OperationalError)
    if isinstance(original, psycopg.Error):
        return original.sqlstate is None or original.sqlstate[:2] in TRANSIENT_CLASSES
    return False

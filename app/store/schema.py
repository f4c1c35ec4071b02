"""Which schema the database has, which this program needs, and the way from one to the other.

The steps are alembic's, under `migrations/`. They run by themselves on SQLite and by
`listener db upgrade` on PostgreSQL; a start on an old schema is refused (`check`). Each runs whole
in one transaction, one process at a time. Not here: making them (`migrating`), which is loaded
where there is one to make: alembic takes longer to load than all that is looked up here.
"""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

import sqlalchemy
from sqlalchemy import Connection, Engine

from app import errors

STEPS = Path(__file__).parent / "migrations" / "versions"
UPGRADE_LOCK = 7_237_106_621
"""Advisory lock key: one process at a time changes the schema on PostgreSQL."""

OLDEST = {"postgresql": (14,), "sqlite": (3, 38)}
"""SQLite 3.38 has the JSON operators and RETURNING that appends are made of."""


@cache
def revisions() -> tuple[str, ...]:
    """Every revision this program knows, the oldest first: the numbers its steps' files begin with.

    There is one line of them, each step with the number after that of the step before it.
    """
    return tuple(sorted(step.name.partition("_")[0] for step in STEPS.glob("[0-9]*_*.py")))


def head() -> str:
    """The revision this program needs."""
    return revisions()[-1]


def current(connection: Connection) -> str | None:
    """The revision the database is at; null when it has none of our tables."""
    if not sqlalchemy.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
    revision: str | None = found.scalar_one_or_none()
    return revision


def upgrade(engine: Engine) -> None:
    """Bring the schema to `head()`: safe when two processes do it at once, harmless when repeated.

    Raises `errors.ConfigurationError` where the database server or the schema is not one this
    program can use.
    """
    with engine.begin() as connection:
        _check_version(connection)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")
        if _known(connection) != head():
            importlib.import_module("app.store.migrating").migrate(connection)


def check(engine: Engine) -> None:
    """Raise `errors.ConfigurationError`, naming what to do, unless the schema is at `head()`."""
    with engine.connect() as connection:
        _check_version(connection)
        found = _known(connection)
    if found != head():
        was = f"at revision {found}" if found else "empty"
        msg = f"the database is {was}, this program needs {head()}: run `listener db upgrade`"
        raise errors.ConfigurationError(msg)


def _check_version(connection: Connection) -> None:
    name = connection.dialect.name
    found = connection.dialect.server_version_info or ()
    if found < OLDEST[name]:
        need = ".".join(map(str, OLDEST[name]))
        msg = f"the database is {name} {'.'.join(map(str, found))}; {need} or newer is needed"
        raise errors.ConfigurationError(msg)


def _known(connection: Connection) -> str | None:
    """The revision the database is at; raises where this program knows no such one."""
    found = current(connection)
    if found is not None and found not in revisions():
        msg = (
            f"the database is at revision {found}, newer than this program, which needs {head()}: "
            "start the program that upgraded it, or a later one"
        )
        raise errors.ConfigurationError(msg)
    return found

"""Which tables the database has, which this program needs, and the way from one to the other.

The steps are alembic's, under `migrations/`. They run by themselves on SQLite and by
`listener db upgrade` on PostgreSQL; a start on an old schema is refused (`check`). Each runs whole
in one transaction, one process at a time.
"""

from __future__ import annotations

import re
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from app import errors
from app.store import feed_tables, order_tables, search_tables, tables, work_tables

_DECLARED = (
    tables.LOG,
    feed_tables.FEED,
    order_tables.ORDERS,
    search_tables.SEARCH_TEXT,
    work_tables.OPENING,
)  # one of each module of tables
METADATA = _DECLARED[0].metadata
UPGRADE_LOCK = 7_237_106_621
"""Advisory lock key: one process at a time changes the schema on PostgreSQL."""

OLDEST = {"postgresql": (14,), "sqlite": (3, 38)}
"""SQLite 3.38 has the JSON operators and RETURNING that appends are made of."""

_OWN = re.compile(r"payload_p\d+|search_words\w*")


def head() -> str:
    """The revision this program needs."""
    return ScriptDirectory.from_config(_config()).get_heads()[0]


def current(connection: Connection) -> str | None:
    """The revision the database is at; null when it has none of our tables."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Bring the schema to `head()`: safe when two processes do it at once, harmless when repeated.

    Raises `errors.ConfigurationError` where the database server or the schema is not one this
    program can use.
    """
    with engine.begin() as connection:
        _check_version(connection)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")
        _check_known(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(engine: Engine) -> None:
    """Raise `errors.ConfigurationError`, naming what to do, unless the schema is at `head()`."""
    with engine.connect() as connection:
        _check_version(connection)
        _check_known(connection)
        found = current(connection)
    if found != head():
        was = f"at revision {found}" if found else "empty"
        msg = f"the database is {was}, this program needs {head()}: run `listener db upgrade`"
        raise errors.ConfigurationError(msg)


def is_declared(name: str | None, _kind: str, _parents: object) -> bool:
    """Whether alembic compares the object with the declared tables.

    All but what each engine has of its own: partitions of `payload`, the index of `search_text`.
    """
    return name is None or not _OWN.fullmatch(name)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _check_version(connection: Connection) -> None:
    name = connection.dialect.name
    found = connection.dialect.server_version_info or ()
    if found < OLDEST[name]:
        need = ".".join(map(str, OLDEST[name]))
        msg = f"the database is {name} {'.'.join(map(str, found))}; {need} or newer is needed"
        raise errors.ConfigurationError(msg)


def _check_known(connection: Connection) -> None:
    found = current(connection)
    known = {step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        msg = (
            f"the database is at revision {found}, newer than this program, which needs {head()}: "
            "start the program that upgraded it, or a later one"
        )
        raise errors.ConfigurationError(msg)

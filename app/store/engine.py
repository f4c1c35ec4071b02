"""Engines that are safe by construction: SQLite loses no update, PostgreSQL waits for the disk.

`create` gives the writing engine: on SQLite each of its transactions begins IMMEDIATE, for
without that SQLAlchemy loses updates silently (facts/dependencies §0.1). `reading` gives the same
pool with transactions that only read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import ConnectionPoolEntry

from app import errors
from app.store import turnstile

PATIENCE = 5.0
"""Seconds that a transaction waits for SQLite's write lock."""

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={int(PATIENCE * 1000)}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-65536",
    "PRAGMA journal_size_limit=67108864",
)
WRITER_SETTINGS = {
    "synchronous_commit": "on",
    "lock_timeout": "2500",
    "idle_in_transaction_session_timeout": "5000",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""What the connection that appends to the log sets on PostgreSQL; times in ms (DESIGN §4).

It only ever looks a few rows up by their keys. Left to itself the planner, which prepared the
statement while the tables were small, read the whole ledger for every batch until the next ANALYZE.
"""

TRANSACTION_TIMEOUT_SINCE = 170000

TURNSTILE = "turnstile"
"""What a connection's own is found by in what the pool notes of it."""

Database = Engine
"""What other rooms call an engine; they do not import SQLAlchemy."""


def create(url: str) -> Engine:
    """An engine on `url` (`sqlite:///…` or `postgresql+psycopg://…`) whose transactions may write.

    Raises `errors.ConfigurationError` for a URL of another database or one that cannot be read.
    """
    try:
        parsed = make_url(url)
    except sqlalchemy.exc.ArgumentError as error:
        msg = "LISTENER_DATABASE_URL is no database URL; expected sqlite:///FILE or postgresql://…"
        raise errors.ConfigurationError(msg) from error
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(url, parsed.database)
        case "postgresql":
            return _postgresql(url)
        case other:
            msg = f"LISTENER_DATABASE_URL names {other}; expected sqlite or postgresql"
            raise errors.ConfigurationError(msg)


def dispose(engine: Engine) -> None:
    """Close all connections: those that are lent as soon as they are given back.

    SQLAlchemy leaves the latter open until the collector finds them.
    """

    def close(_connection: object, lent: ConnectionPoolEntry) -> None:
        lent.close()

    event.listen(engine.pool, "checkin", close)
    engine.dispose()


def writes_one_at_a_time(engine: Engine) -> bool:
    """Whether a transaction that writes holds up all others that do: on SQLite."""
    return engine.dialect.name == "sqlite"


def reading(engine: Engine) -> Engine:
    """The same pool, for transactions that only read: they take no write lock on SQLite."""
    return engine.execution_options(reading=True)


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """A connection in one read transaction: everything asked in it sees the same log."""
    with reading(engine).connect() as connection:
        yield connection


def _sqlite(url: str, database: str | None) -> Engine:
    file = database if database and database != ":memory:" else None
    if file is not None:
        _make_private(Path(file))
    engine = sqlalchemy.create_engine(
        url,
        pool_size=10,
        max_overflow=40,
        connect_args={"timeout": PATIENCE, "cached_statements": 256},
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        for pragma in SQLITE_PRAGMAS:
            connection.execute(pragma)

    if file is not None:
        _queue(engine, file)

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reading", False)
        if file is not None:
            _in_turn(connection, reads=reads)
        if reads or file is None:
            connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _queue(engine: Engine, file: str) -> None:
    """Give each connection its place to queue at."""

    @event.listens_for(engine, "connect")
    def _on_connect(_connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        record.info[TURNSTILE] = turnstile.Turnstile(file)

    @event.listens_for(engine, "close")
    def _on_close(_connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        turn = record.info.pop(TURNSTILE, None)
        if turn is not None:
            turn.close()


def _in_turn(connection: Connection, *, reads: bool) -> None:
    """Begin what writes when it is its turn; let what reads wait as it always does."""
    driver: Any = connection.connection.driver_connection
    turn: turnstile.Turnstile = connection.connection.info[TURNSTILE]
    try:
        (turn.be_patient if reads else turn.begin)(driver, PATIENCE)
    except (sqlite3.OperationalError, OSError) as error:
        raise sqlalchemy.exc.OperationalError("BEGIN IMMEDIATE", None, error) from error


def _make_private(path: Path) -> None:
    """Make the database's file for its owner alone, unless it is there: it holds bodies."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)


def _postgresql(url: str) -> Engine:
    return sqlalchemy.create_engine(
        url,
        pool_size=10,
        max_overflow=40,
        pool_pre_ping=True,
        connect_args={
            "application_name": "tmf-listener",
            "connect_timeout": 3,
            "tcp_user_timeout": 5000,
            "keepalives_idle": 30,
        },
    )


def prepare_writer(connection: Connection) -> None:
    """Set on the writer's own connection what keeps one stopped process from holding up the rest.

    `transaction_timeout` frees a lock held by a stopped client mid-pipeline, on PostgreSQL ≥ 17.
    Does nothing on SQLite.
    """
    if connection.dialect.name != "postgresql":
        return
    settings = dict(WRITER_SETTINGS)
    version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
    if int(version) >= TRANSACTION_TIMEOUT_SINCE:
        settings["transaction_timeout"] = "5000"
    for name, value in settings.items():
        connection.exec_driver_sql(f"SET SESSION {name} = {value}")
    connection.commit()

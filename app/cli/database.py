"""The database as a command opens it: at the right schema, its trouble told, its acts recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from app import clock, settings
from app.cli import failure, opening
from app.store import audit, engine, schema, trouble


@contextmanager
def opened(found: settings.Settings) -> Iterator[engine.Database]:
    """The database, at the schema this program needs.

    Raises `errors.ConfigurationError` where the schema is another, `errors.Unavailable` where the
    database is away, `CommandFailed` where SQLite has no file yet.
    """
    must_be_there(found)
    with using(engine.create(found.url())) as made:
        schema.check(engine.reading(made))
        yield made


def must_be_there(found: settings.Settings) -> None:
    """Raises `CommandFailed` where SQLite has no file yet: what is asked about is elsewhere."""
    missing = opening.missing_file(found)
    if missing is not None:
        msg = f"there is no database yet at {missing}"
        raise failure.CommandFailed(
            msg, "make it by serving (listener serve), or name its folder in LISTENER_DATA_DIR"
        )


@contextmanager
def using(made: engine.Database) -> Iterator[engine.Database]:
    """Let go of `made` afterwards. Raises `errors.Unavailable` where the database is away."""
    try:
        with trouble.told():
            yield made
    finally:
        made.dispose()


def record(
    connection: engine.Connection, action: str, target: str, *, at: datetime, **detail: str | bool
) -> None:
    """Write an act of the one at the keyboard into the audit trail, in the act's transaction."""
    audit.record(
        connection,
        id_=clock.new_id(),
        at=at,
        principal=opening.operator(),
        action=action,
        target=target,
        detail=detail,
    )

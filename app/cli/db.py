"""`listener db …`: the schema and the state of the database, and the word after a failover."""

from __future__ import annotations

from typing import Annotated

import typer

from app import clock, settings
from app.cli import acts, database, failure, opening, screen
from app.store import engine, epochs, log, schema, stats

UPGRADE_EXAMPLES = ("listener db upgrade",)
CHECK_EXAMPLES = ("listener db check",)
PROMOTED_EXAMPLES = ("listener db promoted --yes",)
INFO_EXAMPLES = ("listener db info", "listener db info --json")


def upgrade() -> None:
    """Bring the schema to what this program needs; harmless when done again.

    SQLite does it by itself when serving; PostgreSQL only by this command.
    """
    with database.using(engine.create(settings.load().url())) as opened:
        schema.upgrade(opened)
    screen.done(f"the schema is at {schema.head()}")


def check() -> None:
    """Say whether the schema is the one this program needs; exit code 2 if not."""
    with database.opened(settings.load()):
        screen.done(f"the schema is at {schema.head()}, as this program needs it")


def promoted(
    *, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False
) -> None:
    """Begin a new epoch of the log, after a failover or a restore.

    Every cursor handed out before answers 410 from then on, so that no reader misses a row
    without noticing.
    """
    if not yes and not typer.confirm("Begin a new epoch? Every cursor handed out becomes void"):
        msg = "nothing was changed"
        raise failure.CommandFailed(msg, "repeat with --yes to begin a new epoch")
    with database.opened(settings.load()) as opened, opened.begin() as connection:
        now = clock.SystemClock().now()
        epoch = epochs.begin(connection, "promoted", now)
        database.record(connection, "db.promoted", epoch, at=now)
    screen.done(f"the log is in epoch {epoch}")


def info(
    *, as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a list.")] = False
) -> None:
    """Show where the database is, its schema, its epoch and what it holds."""
    found = settings.load()
    with database.opened(found) as opened, engine.read(opened) as connection:
        told = {
            "database": opening.shown_url(found.url()),
            "schema": schema.current(connection),
            "epoch": epochs.current(connection),
            "head": log.head(connection),
            **stats.counts(connection),
        }
    if as_json:
        screen.json_line(told)
    else:
        screen.fields(told)


ACTS = (
    acts.Act(upgrade, UPGRADE_EXAMPLES),
    acts.Act(check, CHECK_EXAMPLES),
    acts.Act(promoted, PROMOTED_EXAMPLES),
    acts.Act(info, INFO_EXAMPLES),
)

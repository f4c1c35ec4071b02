"""`listener quarantine …`: refused bodies, looked at, released into the log, or discarded.

A release goes through the same intake as every arrival, in this process.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any

import typer

from app import clock, errors, intake, runtime as runtimes, settings
from app.cli import acts, choice, clearing, database, failure, opening, screen
from app.doors import acts as doing
from app.store import engine, quarantine

LIST_EXAMPLES = (
    "listener quarantine list",
    "listener quarantine list --source orange --state released --json",
)
SHOW_EXAMPLES = ("listener quarantine show ID", "listener quarantine show ID --raw > body.json")
RELEASE_EXAMPLES = (
    "listener quarantine release ID",
    "listener quarantine release ID --force",
    "listener quarantine release --source orange --code 100",
)
DISCARD_EXAMPLES = (
    "listener quarantine discard ID ID",
    "listener quarantine discard --all --yes",
)
COLUMNS = ("id", "source", "code", "count", "received_at", "state", "message")

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="As the list shows them.")]
All = Annotated[bool, typer.Option("--all", help="All that are open now.")]
OfSource = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="All that are open, of this source.")
]
OfCode = Annotated[
    int | None,
    typer.Option("--code", metavar="CODE", help="All that are open, refused with this code."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it to many without asking.")]


class State(StrEnum):
    """What became of a refused body."""

    OPEN = "open"
    RELEASED = "released"
    DISCARDED = "discarded"


def listing(
    *,
    state: Annotated[
        State, choice.option(tuple(State), "STATE", "What became of them")
    ] = State.OPEN,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Of this source.")] = None,
    code: Annotated[
        int | None, typer.Option(metavar="CODE", help="Refused with this code.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, max=500, help="How many.")
    ] = 20,
    before: Annotated[str | None, typer.Option(metavar="ID", help="Older than this.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line a body.")] = False,
) -> None:
    """List refused bodies, newest first."""
    with database.opened(settings.load()) as opened, engine.read(opened) as connection:
        rows = quarantine.page(
            connection, state=state.value, source=source, code=code, after_id=before, limit=limit
        )
    if as_json:
        for row in rows:
            screen.json_line({**row, "raw_digest": row["raw_digest"].hex()})
    elif rows:
        screen.table(
            COLUMNS,
            ([row[name] for name in COLUMNS] for row in rows),
            numbers=("code", "count"),
        )
    else:
        screen.remark(f"none is {state.value}")


def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Only the bytes that are kept.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a list.")] = False,
) -> None:
    """Show one refused body: why it was refused, every fault, and what is kept of it."""
    with database.opened(settings.load()) as opened:
        row = _row(opened, id_)
    if raw:
        if row["body"] is None:
            msg = f"no bytes of {id_} are kept"
            raise failure.CommandFailed(msg, "see why: the same without --raw")
        sys.stdout.buffer.write(row["body"])
        return
    told = {**row, "raw_digest": row["raw_digest"].hex()}
    if as_json:
        screen.json_line(told)
    else:
        screen.fields(told)


def release(
    ids: Ids = None,
    *,
    every: All = False,
    source: OfSource = None,
    code: OfCode = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take what is still refused as kind other.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Validate bodies again with today's configuration and put them into the log."""
    if not _named(ids, every=every, source=source, code=code):
        action = doing.FORCE if force else doing.RELEASE
        clearing.clear(action, source=source, code=code, yes=yes)
        return
    with _running(settings.load()) as live:
        refused = [id_ for id_ in ids or () if not _release(live, id_, force=force)]
    if refused:
        msg = f"{len(refused)} of {len(ids or ())} still refused"
        raise failure.CommandFailed(msg, clearing.HELPS)


def discard(
    ids: Ids = None,
    *,
    every: All = False,
    source: OfSource = None,
    code: OfCode = None,
    yes: Yes = False,
) -> None:
    """Let go of refused bodies; that they came, and why they were refused, stays known."""
    if not _named(ids, every=every, source=source, code=code):
        clearing.clear(doing.DISCARD, source=source, code=code, yes=yes)
        return
    who, now = opening.operator(), clock.SystemClock().now()
    with database.opened(settings.load()) as opened:
        for id_ in ids or ():
            with opened.begin() as connection:
                if not quarantine.mark(connection, id_, State.DISCARDED.value, who, now):
                    msg = f"no open row of the quarantine has the id {id_!r}"
                    raise failure.CommandFailed(msg, clearing.LIST_THEM)
                database.record(connection, "quarantine.discard", id_, at=now)
            screen.done(f"{id_} is discarded")


def _named(ids: list[str] | None, *, every: bool, source: str | None, code: int | None) -> bool:
    """Whether rows are named one by one. Raises `CommandFailed` where it is neither or both."""
    many = every or source is not None or code is not None
    if bool(ids) is many:
        msg = "it is not clear which are meant"
        raise failure.usage(msg, "name their ids; or all at once: --all, --source NAME, --code N")
    return not many


@contextmanager
def _running(found: settings.Settings) -> Iterator[runtimes.Runtime]:
    """A runtime whose writer writes, for as long as the command lasts."""
    database.must_be_there(found)
    live = runtimes.build(found)
    try:
        live.start()
        yield live
    finally:
        live.close()


def _release(live: runtimes.Runtime, id_: str, *, force: bool) -> bool:
    """Release one row and tell what became of it; false where it is not released."""
    try:
        receipt = asyncio.run(doing.release(live, id_, by=opening.operator(), force=force))
    except errors.NotFound as error:
        raise failure.CommandFailed(error.message, clearing.LIST_THEM) from error
    except errors.Conflict as error:
        screen.fault(f"{id_}: {error.message}")
        return False
    told = f"{id_} is released: notification {receipt.seq}, {receipt.id}"
    if isinstance(receipt, intake.Conflicted):
        told += f", in conflict with {receipt.conflict_of}"
    screen.done(told)
    return True


def _row(opened: engine.Database, id_: str) -> dict[str, Any]:
    with engine.read(opened) as connection:
        row = quarantine.one(connection, id_)
    if row is None:
        msg = f"no row of the quarantine has the id {id_!r}"
        raise failure.CommandFailed(msg, clearing.LIST_THEM)
    return row


ACTS = (
    acts.Act(listing, LIST_EXAMPLES, name="list"),
    acts.Act(show, SHOW_EXAMPLES),
    acts.Act(release, RELEASE_EXAMPLES),
    acts.Act(discard, DISCARD_EXAMPLES),
)

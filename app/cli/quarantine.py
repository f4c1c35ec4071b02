"""`listener quarantine …`: refused bodies, looked at, released into the log, or discarded.

A release goes through the same intake as every arrival, in this process.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any, assert_never

import typer

from app import clock, intake, runtime as runtimes, settings
from app.cli import failure, opening, screen
from app.notifications import notification as canonical
from app.store import engine, quarantine

LIST_EXAMPLES = (
    "listener quarantine list",
    "listener quarantine list --source orange --status released --json",
)
SHOW_EXAMPLES = ("listener quarantine show ID", "listener quarantine show ID --raw > body.json")
RELEASE_EXAMPLES = ("listener quarantine release ID", "listener quarantine release ID --force")
DISCARD_EXAMPLES = ("listener quarantine discard ID ID",)
COLUMNS = ("id", "source", "code", "count", "received_at", "status", "message")
LIST_THEM = "see which there are: listener quarantine list"

Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="As the list shows them.")]


class Status(StrEnum):
    """What became of a refused body."""

    OPEN = "open"
    RELEASED = "released"
    DISCARDED = "discarded"


def listing(
    *,
    status: Annotated[Status, typer.Option(help="What became of them.")] = Status.OPEN,
    source: Annotated[str | None, typer.Option(help="Of this source.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many.")] = 20,
    before: Annotated[str | None, typer.Option(metavar="ID", help="Older than this.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line a body.")] = False,
) -> None:
    """List refused bodies, newest first."""
    with opening.database(settings.load()) as opened, engine.read(opened) as connection:
        rows = quarantine.page(
            connection, status=status.value, source=source, after_id=before, limit=limit
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
        screen.remark(f"none is {status.value}")


def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Only the bytes that are kept.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a list.")] = False,
) -> None:
    """Show one refused body: why it was refused, every fault, and what is kept of it."""
    with opening.database(settings.load()) as opened:
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
    ids: Ids,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Take what is still refused as kind other.")
    ] = False,
) -> None:
    """Validate bodies again with today's configuration and put them into the log."""
    with _running(settings.load()) as live:
        refused = [id_ for id_ in ids if not _release(live, id_, force=force)]
    if refused:
        msg = f"{len(refused)} of {len(ids)} still refused"
        raise failure.CommandFailed(
            msg, "admit them in listener.toml, or take them as they are with --force"
        )


def discard(ids: Ids) -> None:
    """Let go of refused bodies; that they came, and why they were refused, stays known."""
    who, now = opening.operator(), clock.SystemClock().now()
    with opening.database(settings.load()) as opened:
        for id_ in ids:
            with opened.begin() as connection:
                if not quarantine.mark(connection, id_, Status.DISCARDED.value, who, now):
                    msg = f"no open row of the quarantine has the id {id_!r}"
                    raise failure.CommandFailed(msg, LIST_THEM)
                opening.record(connection, "quarantine.discard", id_, at=now)
            screen.done(f"{id_} is discarded")


@contextmanager
def _running(found: settings.Settings) -> Iterator[runtimes.Runtime]:
    """A runtime whose writer writes, for as long as the command lasts."""
    live = runtimes.build(found)
    try:
        live.start()
        yield live
    finally:
        live.close()


def _release(live: runtimes.Runtime, id_: str, *, force: bool) -> bool:
    """Release one row and tell what became of it; false where it is still refused."""
    row = _row(live.engine, id_)
    if row["status"] != Status.OPEN:
        msg = f"{id_} is {row['status']} already"
        raise failure.CommandFailed(msg, LIST_THEM)
    declared = {source.name: source for source in live.configuration.sources}
    source = declared.get(row["source"])
    if source is None:
        msg = f"the source {row['source']} of {id_} is not configured any more"
        raise failure.usage(msg, "declare it in listener.toml, at least until it is released")
    outcome = asyncio.run(
        live.intake.release(row, source, live.reading(source), new_id=live.new_id(), force=force)
    )
    match outcome:
        case canonical.Refusal():
            screen.fault(f"{id_} is still refused: {outcome.code} {outcome.message}")
            for fault in outcome.faults:
                screen.remark(f"    {fault}")
            return False
        case intake.Quarantined():
            screen.fault(f"{id_} could not be stored: {outcome.refusal.message}")
            return False
        case intake.Appended(seq, told) | intake.Repeated(seq, told):
            _mark(live, id_, told, force=force)
            screen.done(f"{id_} is released: notification {seq}, {told}")
            return True
        case intake.Conflicted(seq, told, earlier):
            _mark(live, id_, told, force=force)
            screen.done(
                f"{id_} is released: notification {seq}, {told}, in conflict with {earlier}"
            )
            return True
        case _:
            assert_never(outcome)


def _mark(live: runtimes.Runtime, id_: str, told: str, *, force: bool) -> None:
    now = live.clock.now()

    def mark(connection: engine.Connection) -> None:
        quarantine.mark(connection, id_, Status.RELEASED.value, opening.operator(), now, told)
        opening.record(connection, "quarantine.release", id_, at=now, force=force)

    live.writer.run(mark).result()


def _row(opened: engine.Database, id_: str) -> dict[str, Any]:
    with engine.read(opened) as connection:
        row = quarantine.one(connection, id_)
    if row is None:
        msg = f"no row of the quarantine has the id {id_!r}"
        raise failure.CommandFailed(msg, LIST_THEM)
    return row

"""`listener attention …`: the work list, and what is done about it by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from app import errors, runtime as runtimes, settings
from app.cli import acting, acts, choice, database, failure, opening, screen
from app.doors import work
from app.notifications.notification import Attention
from app.store import attention, engine

LIST_EXAMPLES = (
    "listener attention list",
    "listener attention list --source covage --attention buyer_action",
    "listener attention list --state all --json",
)
ASSIGN_EXAMPLES = (
    "listener attention assign 0198… greta",
    "listener attention assign 0198… --nobody",
)
NOTE_EXAMPLES = ('listener attention note 0198… "called them, they ring back on Monday"',)
CLOSE_EXAMPLES = ("listener attention close 0198…",)

COLUMNS = ("notification_id", "since", "source", "order_id", "attention", "assignee", "message")
STATES = ("open", "closed", "cleared", "all")
LIST_THEM = "list what is open: listener attention list"

Id = Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")]


def listing(
    *,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Of this source.")] = None,
    what: Annotated[
        Attention | None,
        choice.option(tuple(Attention), "ATTENTION", "Of this sort", "--attention"),
    ] = None,
    state: Annotated[str, choice.option(STATES, "STATE", "What became of it")] = "open",
    assignee: Annotated[str | None, typer.Option(metavar="WHO", help="Taken by them.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, max=10_000, help="How many.")
    ] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON document a line.")] = False,
) -> None:
    """Show what orders need somebody for, oldest first."""
    wanted = attention.Wanted(state, source, what, assignee=assignee)  # type: ignore[arg-type]
    with database.opened(settings.load()) as opened, engine.read(opened) as connection:
        rows = attention.page(connection, wanted, after_id=None, limit=limit)
    if as_json:
        for row in rows:
            screen.json_line(row)
    elif rows:
        screen.table(COLUMNS, ([row[name] for name in COLUMNS] for row in rows))
    else:
        screen.remark("nothing is left to do" if state == "open" else f"none is {state}")


def assign(
    id_: Id,
    who: Annotated[str | None, typer.Argument(metavar="WHO", help="Who takes it.")] = None,
    *,
    nobody: Annotated[bool, typer.Option("--nobody", help="Give it back.")] = False,
) -> None:
    """Give a row of the work list to somebody, or to nobody."""
    if (who is None) != nobody:
        raise failure.usage("it is not clear to whom", "name somebody, or give it back: --nobody")
    _do(lambda live: work.assign(live, id_, who, by=opening.operator()))
    screen.done(f"{id_} is {'nobody' if who is None else who}'s")


def note(
    id_: Id, text: Annotated[str, typer.Argument(metavar="TEXT", help="What to note.")]
) -> None:
    """Add a note to a row of the work list."""
    if not text.strip() or len(text) > attention.LONGEST_NOTE or "\0" in text:
        msg = f"a note has 1 to {attention.LONGEST_NOTE} characters, not only blanks and no NUL"
        raise failure.usage(msg, 'write a line or two: listener attention note ID "TEXT"')
    _do(lambda live: work.note(live, id_, text, by=opening.operator()))
    screen.done(f"{id_} is noted")


def close(id_: Id) -> None:
    """Close a row of the work list by hand: it is seen to, whatever the operator says."""
    _do(lambda live: work.close(live, id_, by=opening.operator()))
    screen.done(f"{id_} is closed")


def _do(act: Callable[[runtimes.Runtime], Awaitable[Any]]) -> None:
    database.must_be_there(settings.load())
    live = acting.quiet()

    async def done() -> None:
        await act(live)

    try:
        live.start()
        asyncio.run(done())
    except errors.Refused as error:
        raise failure.CommandFailed(error.message, LIST_THEM) from error
    finally:
        live.close()


ACTS = (
    acts.Act(listing, LIST_EXAMPLES, name="list"),
    acts.Act(assign, ASSIGN_EXAMPLES),
    acts.Act(note, NOTE_EXAMPLES),
    acts.Act(close, CLOSE_EXAMPLES),
)

"""`listener command …`: what we do at operators: ask for it, follow it, try it again, cancel it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from app import clock, errors, runtime as runtimes, settings
from app.cli import acting, acts, choice, database, failure, opening, screen
from app.doors import outbox
from app.store import commands, engine

SEND_EXAMPLES = (
    "listener command send guide O-1 set_status --argument status=active",
    'listener command send covage 1i0cvu4c events/info --argument message="Hello there"',
)
LIST_EXAMPLES = ("listener command list", "listener command list --state unknown --json")
RETRY_EXAMPLES = ("listener command retry ID",)
CANCEL_EXAMPLES = ("listener command cancel ID",)
COLUMNS = (
    "id", "source", "order_id", "command", "state", "attempts", "asked_at", "due_at", "error",
)  # fmt: skip
LIST_THEM = "see which there are: listener command list"
PATIENCE = 60.0
"""Seconds that `send` waits for the end."""


class State(StrEnum):
    """How far a command is."""

    QUEUED = "queued"
    RUNNING = "running"
    UNKNOWN = "unknown"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


def send(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Whose operator.")],
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The order's id.")],
    command: Annotated[str, typer.Argument(metavar="COMMAND", help="As the kind calls it.")],
    *,
    argument: Annotated[
        list[str] | None,
        typer.Option("--argument", "-a", metavar="NAME=VALUE", help="May be given more than once."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="The same key again is the same command, not another."),
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait for its end.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a list.")] = False,
) -> None:
    """Do something at an operator, once: also where the answer is lost."""
    told = asyncio.run(_send(source, order, command, _arguments(argument or []), key, wait=wait))
    if as_json:
        screen.json_line(_shown(told))
    else:
        screen.fields(_shown(told))
    if told.state == State.FAILED:
        msg = f"{command} failed: {told.error}"
        raise failure.CommandFailed(msg, f"try it again: listener command retry {told.id}")
    if told.state not in {State.DONE, State.FAILED}:
        screen.remark(f"it is {told.state}; follow it: listener command list --source {source}")


def listing(
    *,
    source: Annotated[str | None, typer.Option(help="Of this source.")] = None,
    order: Annotated[str | None, typer.Option(metavar="ID", help="To this order.")] = None,
    state: Annotated[State | None, choice.option(tuple(State), "STATE", "How far it is")] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, max=500, help="How many.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line a command.")] = False,
) -> None:
    """List what we did at operators and what waits to be done, newest first."""
    with database.opened(settings.load()) as opened, engine.read(opened) as connection:
        rows = commands.page(
            connection,
            source=source,
            order_id=order,
            state=state.value if state is not None else None,
            limit=limit,
        )
    if as_json:
        for row in rows:
            screen.json_line(_shown(row))
    elif rows:
        table = [[getattr(row, name) for name in COLUMNS] for row in rows]
        screen.table(COLUMNS, table, numbers=("attempts",))
    else:
        screen.remark("there is none")


def retry(id_: Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")]) -> None:
    """Do a failed or cancelled command after all; look now at one that waits."""
    at = clock.SystemClock().now()
    _change(id_, "retry", lambda connection: commands.retry(connection, id_, at))
    screen.done(f"{id_} is looked at as soon as its feed is turned")


def cancel(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")],
) -> None:
    """Take back a command that was not begun yet."""
    at = clock.SystemClock().now()
    reason = f"cancelled by {opening.operator()}"
    _change(id_, "cancel", lambda connection: commands.cancel(connection, id_, at, reason))
    screen.done(f"{id_} is cancelled")


def _change(id_: str, action: str, change: Callable[[engine.Connection], bool]) -> None:
    with database.opened(settings.load()) as opened, opened.begin() as connection:
        found = commands.one(connection, id_)
        if found is None:
            msg = f"there is no command {id_!r}"
            raise failure.CommandFailed(msg, LIST_THEM)
        if not change(connection):
            msg = f"command {id_} is {found.state}: no {action} any more"
            raise failure.CommandFailed(msg, LIST_THEM)
        database.record(connection, f"command.{action}", id_, at=clock.SystemClock().now())


def _arguments(given: list[str]) -> dict[str, Any]:
    """`NAME=VALUE` as arguments; a value that is JSON other than a number counts as JSON."""
    found: dict[str, Any] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not name or not equals:
            raise failure.usage(f"{one!r} is no argument", "write it as NAME=VALUE")
        found[name] = json.loads(value) if value in {"true", "false", "null"} else value
    return found


async def _send(
    source: str,
    order: str,
    command: str,
    arguments: dict[str, Any],
    key: str | None,
    *,
    wait: bool,
) -> commands.Command:
    async with acting.at(source) as live:
        asked = outbox.Wanted(source, order, command, arguments, key or live.new_id())
        kept = await _kept(live, asked)

        def over(connection: engine.Connection) -> commands.Command | None:
            found = commands.one(connection, kept.id)
            return found if found is not None and found.finished_at is not None else None

        done = await acting.until(live, over, seconds=PATIENCE) if wait else None
        with engine.read(live.engine) as connection:
            return done or commands.one(connection, kept.id) or kept


async def _kept(live: runtimes.Runtime, asked: outbox.Wanted) -> commands.Command:
    """The command's row. Raises `CommandFailed` with what would be right."""
    try:
        return await outbox.ask(live, asked, by=opening.operator())
    except errors.InvalidValue as error:
        raise failure.usage(
            error.message, "see it by example: listener command send --help"
        ) from error
    except errors.Conflict as error:
        raise failure.usage(error.message, "give another command another --key") from error


def _shown(command: commands.Command) -> dict[str, Any]:
    told = asdict(command)
    del told["token"]
    return told


ACTS = (
    acts.Act(send, SEND_EXAMPLES),
    acts.Act(listing, LIST_EXAMPLES, name="list"),
    acts.Act(retry, RETRY_EXAMPLES),
    acts.Act(cancel, CANCEL_EXAMPLES),
)

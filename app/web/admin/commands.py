"""`/admin/commands`: what we do at operators: asked for, listed, tried again, cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal, cast

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app import errors
from app.doors import acts, deps, paging
from app.notifications.notification import Channel
from app.runtime import Runtime
from app.security import access
from app.sources import base
from app.store import commands, engine, epochs
from app.web.admin import answers

router = APIRouter(prefix="/admin/commands")

ACCEPTED: Final = 202
SCOPE: Final = "commands"
ASKS: Final = (Depends(deps.principal(SCOPE)), Depends(deps.once))
Commander = Annotated[access.Principal, Depends(deps.principal(SCOPE))]

Word = Annotated[str, Field(min_length=1, max_length=255, pattern=paging.PRINTABLE)]


class Filters(paging.Page):
    """Which commands to list."""

    source: paging.Source = None
    order_id: paging.Wanted | None = None
    state: Literal["queued", "running", "unknown", "done", "failed", "cancelled"] | None = None


class Asked(BaseModel):
    """A command. The same `idempotency_key` again is the same command, not another."""

    model_config = ConfigDict(extra="forbid", strict=True)

    source: Annotated[str, Field(pattern=base.NAME_PATTERN)]
    order_id: Word
    command: Word
    arguments: dict[str, Any] = {}
    idempotency_key: Word


@router.get("", dependencies=deps.READS)
def listing(runtime: deps.The, asked: Annotated[Filters, Query()]) -> Response:
    """One page of the commands, newest first."""
    with engine.read(runtime.engine) as connection:
        epoch = epochs.current(connection)
        rows = commands.page(
            connection,
            source=asked.source,
            order_id=asked.order_id,
            state=asked.state,
            after_id=paging.identifier(asked, epoch),
            limit=asked.limit + 1,
        )
    return answers.give(paging.page([_told(row) for row in rows], asked.limit, epoch, by="id"))


@router.get("/{identifier}", dependencies=deps.READS)
def one(runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing) -> Response:
    """One command."""
    with engine.read(runtime.engine) as connection:
        return answers.give(_told(_found(connection, identifier)))


@router.post("", dependencies=ASKS)
async def ask(
    runtime: deps.The, who: Commander, _: deps.Nothing, asked: Annotated[Asked, Body()]
) -> Response:
    """Have a command carried out; answers its row, which is an older one for a key used before.

    Raises `errors.Conflict` where that one is another command.
    """
    made = _command(runtime, who, asked)

    def write(connection: engine.Connection) -> commands.Command:
        kept = commands.ask(connection, made)
        if kept is made:
            acts.record(runtime, connection, by=who.subject, action="command.ask", target=made.id)
        return kept

    kept = await asyncio.wrap_future(runtime.writer.run(write))
    same = ("order_id", "command", "arguments")
    if any(getattr(kept, name) != getattr(made, name) for name in same):
        raise errors.Conflict(f"idempotency_key: used before, by another command, {kept.id}")
    return answers.give(_told(kept), status=ACCEPTED)


@router.post("/{identifier}/retry", dependencies=ASKS)
async def retry(
    runtime: deps.The, who: Commander, identifier: paging.Identifier, _: deps.Nothing
) -> Response:
    """Have a failed or cancelled command done after all, or a waiting one looked at now."""
    at = runtime.clock.now()
    return await _change(
        runtime, who, identifier, "retry", lambda c: commands.retry(c, identifier, at)
    )


@router.post("/{identifier}/cancel", dependencies=ASKS)
async def cancel(
    runtime: deps.The, who: Commander, identifier: paging.Identifier, _: deps.Nothing
) -> Response:
    """Take back a command that was not begun yet."""
    at = runtime.clock.now()
    reason = f"cancelled by {who.subject}"
    return await _change(
        runtime, who, identifier, "cancel", lambda c: commands.cancel(c, identifier, at, reason)
    )


async def _change(
    runtime: Runtime,
    who: access.Principal,
    identifier: str,
    action: str,
    change: Callable[[engine.Connection], bool],
) -> Response:
    def write(connection: engine.Connection) -> commands.Command:
        before = _found(connection, identifier)
        if not change(connection):
            raise errors.Conflict(f"command {identifier} is {before.state}: no {action} any more")
        acts.record(
            runtime, connection, by=who.subject, action=f"command.{action}", target=identifier
        )
        return _found(connection, identifier)

    return answers.give(_told(await asyncio.wrap_future(runtime.writer.run(write))))


def _command(runtime: Runtime, who: access.Principal, asked: Asked) -> commands.Command:
    """The command, if its source's kind knows it.

    Raises `errors.NotFound` for the source, `errors.InvalidValue` for the rest.
    """
    source = runtime.source(asked.source)
    if source is None or runtime.kinds[source.kind].channel is not Channel.PULL:
        raise errors.NotFound(f"source: {asked.source} is no source that takes commands")
    kind = cast("base.PullKind", runtime.kinds[source.kind])
    try:
        request = kind.command(source.feed, asked.order_id, asked.command, asked.arguments, None)
    except errors.InvalidParameter as error:
        raise errors.InvalidValue(error.message) from error
    at = runtime.clock.now()
    return commands.Command(
        id=runtime.new_id(),
        source=asked.source,
        order_id=asked.order_id,
        command=asked.command,
        arguments=asked.arguments,
        idempotency_key=asked.idempotency_key,
        harmful=request.changes_state,
        asked_by=who.subject,
        asked_at=at,
        due_at=at,
    )


def _found(connection: engine.Connection, identifier: str) -> commands.Command:
    found = commands.one(connection, identifier)
    if found is None:
        raise errors.NotFound(f"there is no command {identifier}")
    return found


def _told(command: commands.Command) -> dict[str, Any]:
    told = asdict(command)
    del told["token"]
    return told

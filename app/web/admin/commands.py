"""`/admin/commands`: what we do at operators: asked for, listed, tried again, cancelled."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app import scopes
from app.doors import bodies, deps, filters, lists, outbox, paging
from app.security import access
from app.sources import base
from app.store import commands, engine
from app.web.admin import answers

router = APIRouter(prefix="/admin/commands")

ACCEPTED: Final = 202
ASKS: Final = (Depends(deps.principal(scopes.COMMANDS)), Depends(deps.once))
Commander = Annotated[access.Principal, Depends(deps.principal(scopes.COMMANDS))]

Word = Annotated[str, Field(min_length=1, max_length=255, pattern=paging.PRINTABLE)]


class Asked(BaseModel):
    """A command. The same `idempotency_key` again is the same command, not another."""

    model_config = ConfigDict(extra="forbid", strict=True)

    source: Annotated[str, Field(pattern=base.NAME_PATTERN)]
    order_id: Word
    command: Word
    arguments: dict[str, Any] = {}
    idempotency_key: Word


@router.get("", dependencies=deps.READS)
def listing(runtime: deps.The, asked: Annotated[filters.Commands, Query()]) -> Response:
    """One page of the commands, newest first."""
    with engine.read(runtime.engine) as connection:
        page = lists.commands(connection, asked)
    return answers.give({**page, "items": [_told(row) for row in page["items"]]})


@router.get("/{identifier}", dependencies=deps.READS)
def one(runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing) -> Response:
    """One command."""
    with engine.read(runtime.engine) as connection:
        return answers.give(_told(outbox.found(connection, identifier)))


@router.post("", dependencies=ASKS)
async def ask(
    runtime: deps.The,
    who: Commander,
    _: deps.Nothing,
    asked: Annotated[Asked, Depends(bodies.of(Asked))],
) -> Response:
    """Have a command carried out; answers its row, which is an older one for a key used before.

    Raises `errors.Conflict` where that one is another command.
    """
    wanted = outbox.Wanted(**asked.model_dump())
    return answers.give(_told(await outbox.ask(runtime, wanted, by=who.subject)), status=ACCEPTED)


@router.post("/{identifier}/retry", dependencies=ASKS)
async def retry(
    runtime: deps.The, who: Commander, identifier: paging.Identifier, _: deps.Nothing
) -> Response:
    """Have a failed or cancelled command done after all, or a waiting one looked at now."""
    return answers.give(_told(await outbox.retry(runtime, identifier, by=who.subject)))


@router.post("/{identifier}/cancel", dependencies=ASKS)
async def cancel(
    runtime: deps.The, who: Commander, identifier: paging.Identifier, _: deps.Nothing
) -> Response:
    """Take back a command that was not begun yet."""
    return answers.give(_told(await outbox.cancel(runtime, identifier, by=who.subject)))


def _told(command: commands.Command) -> dict[str, Any]:
    told = asdict(command)
    del told["token"]
    return told

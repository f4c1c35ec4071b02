"""`/admin/attention`: the work list. Who takes what, what was noted, what is closed by hand."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from app import errors
from app.doors import bodies, deps, filters, lists, paging, work
from app.store import attention, engine
from app.web.admin import answers

router = APIRouter(prefix="/admin/attention")


class Assignment(BaseModel):
    """Whom to give it to; null: to nobody."""

    model_config = ConfigDict(extra="forbid", strict=True)

    assignee: paging.Wanted | None


class Note(BaseModel):
    """What to note."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: work.NoteText


@router.get("", dependencies=deps.READS)
def listing(runtime: deps.The, asked: Annotated[filters.Attention, Query()]) -> Response:
    """One page of what orders need somebody for, oldest first."""
    with engine.read(runtime.engine) as connection:
        return answers.give(lists.attention(connection, asked))


@router.get("/{identifier}", dependencies=deps.READS)
def one(runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing) -> Response:
    """One row of the work list, by the notification that opened it."""
    with engine.read(runtime.engine) as connection:
        found = attention.one(connection, identifier)
    if found is None:
        raise errors.NotFound(f"the work list has no {identifier}")
    return answers.give(found)


@router.post("/{identifier}/assign", dependencies=deps.ACTS)
async def assign(
    runtime: deps.The,
    who: deps.Admin,
    identifier: paging.Identifier,
    _: deps.Nothing,
    asked: Annotated[Assignment, Depends(bodies.of(Assignment))],
) -> Response:
    """Give it to somebody, or to nobody."""
    return answers.give(await work.assign(runtime, identifier, asked.assignee, by=who.subject))


@router.post("/{identifier}/close", dependencies=deps.ACTS)
async def close(
    runtime: deps.The, who: deps.Admin, identifier: paging.Identifier, _: deps.Nothing
) -> Response:
    """Close it by hand: it is seen to, whatever the operator says."""
    return answers.give(await work.close(runtime, identifier, by=who.subject))


@router.post("/{identifier}/note", dependencies=deps.ACTS)
async def note(
    runtime: deps.The,
    who: deps.Admin,
    identifier: paging.Identifier,
    _: deps.Nothing,
    asked: Annotated[Note, Depends(bodies.of(Note))],
) -> Response:
    """Add a note to it."""
    return answers.give(await work.note(runtime, identifier, asked.text, by=who.subject))

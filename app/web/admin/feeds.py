"""`/admin/feeds`: how the feeds stand, and what may be asked of them. An act is a job."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.doors import acts, bodies, deps, paging
from app.runtime import Runtime
from app.security import access
from app.store import engine, feeds
from app.web.admin import answers

router = APIRouter(prefix="/admin/feeds")

ACCEPTED = 202


class Rewind(BaseModel):
    """Where to go back to; `dry_run`: tell the plan, do nothing."""

    model_config = ConfigDict(extra="forbid")

    to: Literal["beginning"] | date = "beginning"
    dry_run: Annotated[bool, Field(strict=True)] = False


class Backfill(BaseModel):
    """Whose history to read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    object_type: Literal["order", "service", "event"]
    object_id: Annotated[str, Field(min_length=1, max_length=255, pattern=paging.PRINTABLE)]


@router.get("", dependencies=deps.READS)
def listing(runtime: deps.The, _: deps.Nothing) -> Response:
    """Every feed of the configuration in force, in its order."""
    with engine.read(runtime.engine) as connection:
        known = {feed.name: feed for feed in feeds.listing(connection)}
    asked = [source for source in runtime.configuration.sources if source.feed is not None]
    items = [acts.feed_told(runtime, source, known.get(source.name)) for source in asked]
    return answers.give({"items": items})


@router.get("/{name}", dependencies=deps.READS)
def one(runtime: deps.The, name: paging.Identifier, _: deps.Nothing) -> Response:
    """One feed and its last turns, those that brought something or failed, newest first."""
    source = acts.feed_source(runtime, name)
    with engine.read(runtime.engine) as connection:
        found = feeds.one(connection, name)
        turns = feeds.turns(connection, name)
    shown = (
        "id",
        "at",
        "seconds",
        "requests",
        "entries",
        "appended",
        "quarantined",
        "cause",
        "error",
    )
    rows = [{key: getattr(turn, key) for key in shown} for turn in turns]
    return answers.give({**acts.feed_told(runtime, source, found), "turns": rows})


@router.post("/{name}/rewind", dependencies=deps.ACTS)
async def rewind(
    runtime: deps.The,
    who: deps.Admin,
    name: paging.Identifier,
    _: deps.Nothing,
    asked: Annotated[Rewind, Depends(bodies.of(Rewind, needed=False))],
) -> Response:
    """Have the feed go on from an earlier place; what is known already is not stored twice."""
    arguments = {"to": str(asked.to), "dry_run": asked.dry_run}
    return await _ask(runtime, who, name, "rewind", arguments)


@router.post("/{name}/backfill", dependencies=deps.ACTS)
async def backfill(
    runtime: deps.The,
    who: deps.Admin,
    name: paging.Identifier,
    _: deps.Nothing,
    asked: Annotated[Backfill, Depends(bodies.of(Backfill))],
) -> Response:
    """Have the history of one object read into the log."""
    return await _ask(runtime, who, name, "backfill", asked.model_dump())


@router.post("/{name}/poll", dependencies=deps.ACTS)
async def poll(
    runtime: deps.The, who: deps.Admin, name: paging.Identifier, _: deps.Nothing
) -> Response:
    """Have the feed polled now."""
    return await _ask(runtime, who, name, "poll", {})


@router.post("/{name}/pause", dependencies=deps.ACTS)
async def pause(
    runtime: deps.The, who: deps.Admin, name: paging.Identifier, _: deps.Nothing
) -> Response:
    """Have the feed wait until it is resumed."""
    return await _ask(runtime, who, name, "pause", {})


@router.post("/{name}/resume", dependencies=deps.ACTS)
async def resume(
    runtime: deps.The, who: deps.Admin, name: paging.Identifier, _: deps.Nothing
) -> Response:
    """Have a paused feed go on."""
    return await _ask(runtime, who, name, "resume", {})


@router.post("/{name}/audit", dependencies=deps.ACTS)
async def audit_feed(
    runtime: deps.The, who: deps.Admin, name: paging.Identifier, _: deps.Nothing
) -> Response:
    """Have the log held against the operator's own list."""
    return await _ask(runtime, who, name, "audit", {})


async def _ask(
    runtime: Runtime, who: access.Principal, name: str, action: str, arguments: dict[str, Any]
) -> Response:
    job = await acts.ask_feed(runtime, name, action, arguments, by=who.subject)
    return answers.give({"job": job}, status=ACCEPTED)

"""`/admin/quarantine`: refused bodies; release one into the log, or discard it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from app import errors
from app.doors import deps, problems
from app.store import audit, engine, epochs, quarantine
from app.web.admin import answers, paging

router = APIRouter(prefix="/admin/quarantine")


class Filters(paging.Page):
    """Which rows to list; those that are open, unless another state or `all` is asked for."""

    state: Literal["open", "released", "discarded", "all"] = "open"
    source: paging.Source = None


class Release(BaseModel):
    """`force`: append the bytes as kind `other`, though they are still refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    force: bool = False


@router.get("", dependencies=deps.READS)
def listing(runtime: deps.The, asked: Annotated[Filters, Query()]) -> Response:
    """One page of the refused bodies, newest first."""
    with engine.read(runtime.engine) as connection:
        epoch = epochs.current(connection)
        rows = quarantine.page(
            connection,
            state=None if asked.state == "all" else asked.state,
            source=asked.source,
            after_id=paging.identifier(asked, epoch),
            limit=asked.limit + 1,
        )
    return answers.give(paging.page([_told(row) for row in rows], asked.limit, epoch, by="id"))


@router.get("/{identifier}", dependencies=deps.READS)
def one(runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing) -> Response:
    """One refused body with its faults and, where they were kept, its bytes."""
    with engine.read(runtime.engine) as connection:
        found = quarantine.one(connection, identifier)
    if found is None:
        raise errors.NotFound(f"there is no quarantine row {identifier}")
    body, encoding = answers.readable(found["body"])
    return answers.give({**_told(found), "body": body, "body_encoding": encoding})


@router.post("/{identifier}/release", dependencies=deps.ACTS)
async def release(
    runtime: deps.The,
    who: deps.Admin,
    identifier: paging.Identifier,
    _: deps.Nothing,
    asked: Annotated[Release | None, Body()] = None,
) -> Response:
    """Validate a refused body again with today's configuration and append it to the log.

    Raises `errors.Conflict` with the reason where it is still refused.
    """
    force = asked is not None and asked.force
    receipt = await runtime.release(identifier, by=who.subject, force=force)
    outcome = type(receipt).__name__.lower()
    return answers.give({"outcome": outcome, "seq": receipt.seq, "notification_id": receipt.id})


@router.post("/{identifier}/discard", dependencies=deps.ACTS)
async def discard(
    runtime: deps.The,
    who: deps.Admin,
    identifier: paging.Identifier,
    _: deps.Nothing,
) -> Response:
    """Put a refused body away; raises `errors.Conflict` where it is not open any more."""
    at = runtime.clock.now()

    def act(connection: engine.Connection) -> bool:
        if quarantine.one(connection, identifier) is None:
            raise errors.NotFound(f"there is no quarantine row {identifier}")
        done = quarantine.mark(connection, identifier, "discarded", who.subject, at)
        if done:
            audit.record(
                connection,
                id_=runtime.new_id(),
                at=at,
                principal=who.subject,
                action="quarantine.discard",
                target=identifier,
            )
        return done

    if not await asyncio.wrap_future(runtime.writer.run(act)):
        raise errors.Conflict(f"quarantine row {identifier} is not open any more")
    return answers.give({"id": identifier, "state": "discarded"})


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is given out: the digest as hexadecimal text, the HTTP status of its code."""
    return {
        **row,
        "status": problems.TABLE[row["code"]].status,
        "reason": problems.TABLE[row["code"]].reason,
        "raw_digest": bytes(row["raw_digest"]).hex(),
    }

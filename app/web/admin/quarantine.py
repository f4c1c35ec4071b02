"""`/admin/quarantine`: refused bodies; release one into the log, or discard it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from app import errors
from app.doors import acts, bodies, deps, filters, lists, paging, problems
from app.notifications import forms
from app.store import engine, quarantine
from app.web.admin import answers

router = APIRouter(prefix="/admin/quarantine")


class Release(BaseModel):
    """`force`: append the bytes as kind `other`, though they are still refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    force: bool = False


@router.get("", dependencies=deps.READS)
def listing(runtime: deps.The, asked: Annotated[filters.Quarantine, Query()]) -> Response:
    """One page of the refused bodies, newest first."""
    with engine.read(runtime.engine) as connection:
        page = lists.quarantine(connection, asked)
    return answers.give({**page, "items": [_told(row) for row in page["items"]]})


@router.get("/{identifier}", dependencies=deps.READS)
def one(runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing) -> Response:
    """One refused body with its faults and, where they were kept, its bytes."""
    with engine.read(runtime.engine) as connection:
        found = quarantine.one(connection, identifier)
    if found is None:
        raise errors.NotFound(f"there is no quarantine row {identifier}")
    body, encoding = forms.readable(found["body"])
    return answers.give({**_told(found), "body": body, "body_encoding": encoding})


@router.post("/{identifier}/release", dependencies=deps.ACTS)
async def release(
    runtime: deps.The,
    who: deps.Admin,
    identifier: paging.Identifier,
    _: deps.Nothing,
    asked: Annotated[Release, Depends(bodies.of(Release, needed=False))],
) -> Response:
    """Validate a refused body again with today's configuration and append it to the log.

    Raises `errors.Conflict` with the reason where it is still refused.
    """
    receipt = await acts.release(runtime, identifier, by=who.subject, force=asked.force)
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
    await acts.discard(runtime, identifier, by=who.subject)
    return answers.give({"id": identifier, "state": "discarded"})


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is given out: the digest as hexadecimal text, the HTTP status of its code."""
    return {
        **row,
        "status": problems.TABLE[row["code"]].status,
        "reason": problems.TABLE[row["code"]].reason,
        "raw_digest": bytes(row["raw_digest"]).hex(),
    }

"""`/admin/alerts`: where alerts are told, what is open there; and the test button."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app import channels, errors
from app.doors import acts, deps
from app.outbound import guard
from app.sources import base
from app.store import alerts, engine, jobs
from app.web.admin import answers

router = APIRouter(prefix="/admin/alerts")

ACCEPTED = 202


class Trial(BaseModel):
    """Which channel to test; null: all."""

    model_config = ConfigDict(extra="forbid", strict=True)

    channel: Annotated[str | None, Field(pattern=base.NAME_PATTERN)] = None


@router.get("", dependencies=deps.READS)
def listing(runtime: deps.The, _: deps.Nothing) -> Response:
    """The channels of the configuration in force, and what is open or not told yet."""
    with engine.read(runtime.engine) as connection:
        rows = alerts.listing(connection)
    told = [_channel(one) for one in runtime.configuration.alerts]
    return answers.give({"channels": told, "open": [asdict(row) for row in rows]})


@router.post("/test", dependencies=deps.ACTS)
async def try_out(
    runtime: deps.The,
    who: deps.Admin,
    _: deps.Nothing,
    asked: Annotated[Trial | None, Body()] = None,
) -> Response:
    """Have a test message sent.

    Raises `errors.Conflict` where no channel is configured, `errors.NotFound` for an unknown one.
    """
    name = None if asked is None else asked.channel
    known = [channel.name for channel in runtime.configuration.alerts]
    if not known:
        raise errors.Conflict("no channel is configured: give listener.toml an [[alert]]")
    if name is not None and name not in known:
        raise errors.NotFound(f"there is no channel {name}; there are: {', '.join(known)}")
    job = jobs.Job(
        runtime.new_id(),
        jobs.NO_SOURCE,
        "alert.test",
        {"channel": name},
        who.subject,
        runtime.clock.now(),
    )

    def write(connection: engine.Connection) -> None:
        jobs.ask(connection, job)
        acts.record(
            runtime, connection, by=who.subject, action=job.action, target=name or "all",
            detail={"job": job.id},
        )  # fmt: skip

    await asyncio.wrap_future(runtime.writer.run(write))
    return answers.give({"job": job.id}, status=ACCEPTED)


def _channel(channel: channels.AlertConfig) -> dict[str, Any]:
    """A channel without anything that is secret: a webhook's URL may be a key."""
    webhook, mail = channel.webhook, channel.mail
    host = guard.host_of(webhook.url) if webhook is not None else mail.host if mail else ""
    return {
        "name": channel.name,
        "type": "webhook" if webhook is not None else "mail",
        "host": host,
        "sources": None if channel.sources is None else sorted(channel.sources),
        "severities": sorted(channel.severities),
        "after_seconds": channel.after.total_seconds(),
    }

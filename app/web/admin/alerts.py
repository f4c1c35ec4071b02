"""`/admin/alerts`: where alerts are told, what is open there; and the test button."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.doors import acts, bodies, deps
from app.sources import base
from app.store import alerted, alerts, engine
from app.web.admin import answers

router = APIRouter(prefix="/admin/alerts")

ACCEPTED = 202
LATELY = 100
"""Messages that are given out, the newest of those that are remembered."""


class Trial(BaseModel):
    """Which channel to test; null: all."""

    model_config = ConfigDict(extra="forbid", strict=True)

    channel: Annotated[str | None, Field(pattern=base.NAME_PATTERN)] = None


@router.get("", dependencies=deps.READS)
def listing(runtime: deps.The, _: deps.Nothing) -> Response:
    """The channels of the configuration in force, what is open, and what was told."""
    with engine.read(runtime.engine) as connection:
        rows = alerts.listing(connection)
        told = alerted.latest(connection, LATELY)
    return answers.give(
        {
            "channels": [channel.shown() for channel in runtime.configuration.alerts],
            "open": [asdict(row) for row in rows],
            "told": [asdict(row) for row in told],
        }
    )


@router.post("/test", dependencies=deps.ACTS)
async def try_out(
    runtime: deps.The,
    who: deps.Admin,
    _: deps.Nothing,
    asked: Annotated[Trial, Depends(bodies.of(Trial, needed=False))],
) -> Response:
    """Have a test message sent.

    Raises `errors.Conflict` where no channel is configured, `errors.NotFound` for an unknown one.
    """
    job = await acts.test_alerts(runtime, asked.channel, by=who.subject)
    return answers.give({"job": job}, status=ACCEPTED)

"""`/admin/stats`: how many of what."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from app.doors import deps
from app.store import engine, stats
from app.web.admin import answers

router = APIRouter(prefix="/admin/stats", dependencies=deps.READS)


@router.get("")
def counts(runtime: deps.The, _: deps.Nothing) -> Response:
    """Notifications in all, by source and by kind; open rows of the quarantine."""
    with engine.read(runtime.engine) as connection:
        return answers.give(stats.counts(connection))

"""`/admin/export`: all notifications of a filter as NDJSON, CSV or CloudEvents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from app import scopes
from app.doors import deps, exports, filters

router = APIRouter(prefix="/admin/export", dependencies=deps.READS)


@router.get("")
async def export(
    runtime: deps.The, who: deps.Reader, asked: Annotated[filters.Export, Query()]
) -> StreamingResponse:
    """The file, as it is read; bytes and what else is personal with the scope `personal` only."""
    if asked.personal == "true":
        runtime.access.require(who, scopes.PERSONAL)
    return await exports.answer(runtime, asked, by=who.subject)

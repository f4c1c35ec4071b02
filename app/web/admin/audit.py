"""`/admin/audit`: who did what, when."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.doors import deps, paging
from app.store import audit, engine, epochs
from app.web.admin import answers

router = APIRouter(prefix="/admin/audit", dependencies=deps.READS)


@router.get("")
def trail(runtime: deps.The, asked: Annotated[paging.Page, Query()]) -> Response:
    """One page of the acts of administrators, newest first."""
    with engine.read(runtime.engine) as connection:
        epoch = epochs.current(connection)
        after = paging.identifier(asked, epoch)
        rows = audit.page(connection, after_id=after, limit=asked.limit + 1)
    return answers.give(paging.page(rows, asked.limit, epoch, by="id"))

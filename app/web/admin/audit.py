"""`/admin/audit`: who did what, when."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from app.doors import deps
from app.store import audit, cursors, engine, epochs
from app.web.admin import answers, paging

router = APIRouter(prefix="/admin/audit", dependencies=deps.READS)


@router.get("")
def trail(runtime: deps.The, page: paging.Asked) -> Response:
    """One page of the acts of administrators, newest first."""
    with engine.read(runtime.engine) as connection:
        epoch = epochs.current(connection)
        after = page.after and cursors.decode_id(page.after, epoch)
        rows = audit.page(connection, after_id=after, limit=page.limit + 1)
    return answers.give(paging.page(rows, page.limit, epoch, by="id"))

"""`/admin/search`: notifications by an id somebody holds in hand, whole or its beginning."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from app.doors import deps
from app.store import cursors, engine, epochs, log
from app.web.admin import answers, paging

router = APIRouter(prefix="/admin/search", dependencies=deps.READS)


@router.get("")
def search(runtime: deps.The, page: paging.Asked, q: paging.Wanted) -> Response:
    """One page of the notifications one of whose ids is, or begins with, `q`; newest first."""
    with engine.read(runtime.engine) as connection:
        epoch = epochs.current(connection)
        after = page.after and cursors.decode(page.after, epoch, log.head(connection))
        rows = log.page(
            connection,
            log.Filter(q=q),
            after_seq=after,
            limit=page.limit + 1,
            ascending=False,
        )
    return answers.give(paging.page(rows, page.limit, epoch, by="seq"))

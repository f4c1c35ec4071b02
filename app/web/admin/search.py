"""`/admin/search`: notifications by what somebody holds in hand: an id, a reference, words."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.doors import deps, paging
from app.store import engine, epochs, log
from app.web.admin import answers

router = APIRouter(prefix="/admin/search", dependencies=deps.READS)


class Sought(paging.Page):
    """What to look for."""

    q: paging.Wanted


@router.get("")
def search(runtime: deps.The, asked: Annotated[Sought, Query()]) -> Response:
    """One page of the notifications that `q` finds by an id or by words; newest first."""
    with engine.read(runtime.engine) as connection:
        epoch = epochs.current(connection)
        after = paging.place(asked, epoch, log.head(connection))
        rows = log.page(
            connection,
            log.Filter(q=asked.q),
            after_seq=after,
            limit=asked.limit + 1,
            ascending=False,
        )
    return answers.give(paging.page(rows, asked.limit, epoch, by="seq"))

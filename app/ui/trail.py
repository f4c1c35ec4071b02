"""The audit trail as a page: who did what, when."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app.doors import deps, paging
from app.store import audit, engine, epochs
from app.ui import shell

HERE: Final = "/ui/audit"
router = shell.router(HERE)


@router.get("")
def listing(
    request: Request, runtime: deps.The, asked: Annotated[paging.Page, Query()]
) -> Response:
    """One part of the acts, newest first."""
    with engine.read(runtime.engine) as connection:
        epoch = epochs.current(connection)
        after = paging.identifier(asked, epoch)
        rows = audit.page(connection, after_id=after, limit=asked.limit + 1)
    page = paging.page(rows, asked.limit, epoch, by="id")
    return shell.render(request, "audit.html", **shell.part(HERE, asked, page))

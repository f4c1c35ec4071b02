"""The work list: what orders need somebody for; taken, noted and closed here."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app.doors import deps, filters, paging, work
from app.notifications import notification as canonical
from app.store import attention, engine, epochs
from app.ui import shell, visit

HERE = "/ui/attention"

router = shell.router(HERE)


@router.get("")
def listing(
    request: Request, runtime: deps.The, asked: Annotated[filters.Attention, Query()]
) -> Response:
    """One part of the work list, oldest first."""
    with engine.read(runtime.engine) as connection:
        epoch = epochs.current(connection)
        rows = attention.page(
            connection,
            asked.wanted(),
            after_id=paging.identifier(asked, epoch),
            limit=asked.limit + 1,
        )
    page = paging.page(rows, asked.limit, epoch, by="notification_id")
    given = asked.model_dump(exclude_defaults=True, exclude={"after"})
    further = {**given, "after": page["next"]}
    return shell.render(
        request,
        "attention.html",
        items=page["items"],
        asked=asked,
        given=given,
        here=HERE + shell.query(**given),
        next=HERE + shell.query(**further) if page["next"] else None,
        sources=[source.name for source in runtime.configuration.sources],
        attentions=list(canonical.Attention),
    )


@router.post("/{identifier}/take")
async def take(runtime: deps.The, seen_by: visit.Admin, identifier: paging.Identifier) -> Response:
    """Take it."""
    await work.assign(runtime, identifier, seen_by.who.subject, by=seen_by.who.subject)
    return shell.go(HERE, "It is yours.")


@router.post("/{identifier}/close")
async def close(runtime: deps.The, seen_by: visit.Admin, identifier: paging.Identifier) -> Response:
    """Close it by hand."""
    await work.close(runtime, identifier, by=seen_by.who.subject)
    return shell.go(HERE, "Closed.")


@router.post("/{identifier}/note")
async def note(
    request: Request, runtime: deps.The, seen_by: visit.Admin, identifier: paging.Identifier
) -> Response:
    """Add a note to it."""
    text = str((await request.form()).get("text", "")).strip()[: attention.LONGEST_NOTE]
    if text:
        await work.note(runtime, identifier, text.replace("\0", ""), by=seen_by.who.subject)
    return shell.go(HERE, "Noted." if text else "Nothing was written.", tone="good")

"""Giving out all notifications or orders of a filter as a file, streamed.

Not here: who may (`deps`), the forms (`notifications.forms`), reading the log (`store.export`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from starlette.responses import StreamingResponse

from app.doors import acts, filters
from app.notifications import forms
from app.runtime import Runtime
from app.store import engine, export, orders

HEADERS: Final = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "referrer-policy": "no-referrer",
}


async def answer(runtime: Runtime, asked: filters.Export, *, by: str) -> StreamingResponse:
    """The file, up to the notification that is the newest now, oldest first.

    What is personal leaves only after the audit trail says to whom.
    """
    personal = asked.personal == "true"
    wanted = asked.wanted()
    upto = await asyncio.to_thread(export.head, runtime.engine)
    if personal:
        told = asked.model_dump(exclude_none=True, mode="json")
        await runtime.write(
            lambda connection: acts.record(
                runtime, connection, by=by, action="export.personal", target="log", detail=told
            )
        )
    pages = export.pages(runtime.engine, wanted, upto=upto, personal=personal)
    fields = export.PERSONAL_FIELDS if personal else export.FIELDS
    return _file("notifications", asked.format, pages, fields)


def of_orders(runtime: Runtime, asked: filters.OrdersExport) -> StreamingResponse:
    """The orders as rows, by their ids, each as it stands when it is read."""
    with engine.read(runtime.engine) as connection:
        wanted = asked.wanted(runtime.clock.now(), runtime.patience(connection))
    pages = export.orders_pages(runtime.engine, wanted)
    return _file("orders", asked.format, pages, orders.FIELDS)


def _file(
    name: str, written_as: forms.Name, pages: forms.Pages, fields: Sequence[str]
) -> StreamingResponse:
    form = forms.FORMS[written_as]
    disposition = f'attachment; filename="{name}.{form.suffix}"'
    headers = {**HEADERS, "content-disposition": disposition}
    return StreamingResponse(form.write(pages, fields), media_type=form.media_type, headers=headers)

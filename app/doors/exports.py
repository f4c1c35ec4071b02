"""Giving out all notifications of a filter as a file, streamed: the same by JSON door and by page.

Not here: who may (`deps`), the forms (`notifications.forms`), reading the log (`store.export`).
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.responses import StreamingResponse

from app.doors import acts, filters
from app.notifications import forms
from app.runtime import Runtime
from app.store import export

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
    form = forms.FORMS[asked.format]
    pages = export.pages(runtime.engine, wanted, upto=upto, personal=personal)
    fields = export.PERSONAL_FIELDS if personal else export.FIELDS
    name = f'attachment; filename="notifications.{form.suffix}"'
    headers = {**HEADERS, "content-disposition": name}
    return StreamingResponse(form.write(pages, fields), media_type=form.media_type, headers=headers)

"""All notifications of a filter as a file, by a page: what it will hold is told beforehand.

Not here: the file itself (`doors.exports`), its forms (`notifications.forms`).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app import errors, scopes
from app.doors import deps, exports, filters
from app.notifications import forms
from app.store import engine, export
from app.ui import shell, visit

HERE: Final = "/ui/export"

FORMS: Final = (
    (forms.Name.NDJSON, "NDJSON: a JSON document a line, all fields"),
    (forms.Name.CSV, "CSV: a table for a spreadsheet, a row a notification"),
    (forms.Name.CLOUDEVENTS, "CloudEvents: a batch of CloudEvents 1.0, one JSON list"),
)
"""What may be chosen, in words."""

router = shell.router(HERE)


class Plain(filters.Wanted):
    """Which notifications, in which form; nothing that is personal."""

    format: forms.Name = forms.Name.NDJSON


@router.get("")
def plan(
    request: Request,
    runtime: deps.The,
    seen_by: visit.Reader,
    asked: Annotated[Plain, Query()],
) -> Response:
    """What the file would hold, and how many."""
    with engine.read(runtime.engine) as connection:
        size = export.size(connection, asked.wanted())
    given = asked.model_dump(exclude_none=True, exclude={"format"}, mode="json")
    return shell.render(
        request,
        "export.html",
        given=given,
        size=size,
        forms=FORMS,
        format=asked.format,
        list=f"/ui/notifications{shell.query(**given)}",
        personal=seen_by.sees_personal,
    )


@router.get("/file")
async def plain(
    runtime: deps.The, seen_by: visit.Reader, asked: Annotated[Plain, Query()]
) -> Response:
    """The file without what is personal, as it is read."""
    wanted = filters.Export(**asked.model_dump())
    return await exports.answer(runtime, wanted, by=seen_by.who.subject)


@router.get("/orders")
def of_orders(runtime: deps.The, asked: Annotated[filters.OrdersExport, Query()]) -> Response:
    """The orders of a filter as rows."""
    return exports.of_orders(runtime, asked)


@router.post("/file")
async def personal(
    request: Request,
    runtime: deps.The,
    seen_by: Annotated[visit.Visit, Depends(visit.acting(scopes.PERSONAL))],
) -> Response:
    """The file with the bytes, as it is read; who took it is in the audit trail.

    Raises `errors.InvalidValue`.
    """
    form = await request.form()
    given: dict[str, Any] = {name: form[name] for name in form if name != visit.TOKEN}
    try:
        wanted = filters.Export(**given, personal="true")
    except ValidationError as error:
        raise errors.InvalidValue(f"{error.errors()[0]['loc'][0]}: not as expected") from error
    return await exports.answer(runtime, wanted, by=seen_by.who.subject)

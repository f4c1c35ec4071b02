"""`/admin/notifications`: the log, one notification, its exact bytes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from app import errors
from app.doors import deps, filters, lists, paging
from app.notifications import forms
from app.store import engine, log
from app.web.admin import answers

router = APIRouter(prefix="/admin/notifications", dependencies=deps.READS)

SAFE_TYPE: Final = re.compile(
    r"(?:application/(?:[a-z0-9.-]+\+)?json|text/plain)(?:;\s*charset=\"?[a-z0-9-]+\"?)?",
    re.IGNORECASE,
)


@router.get("")
def listing(runtime: deps.The, asked: Annotated[filters.Notifications, Query()]) -> Response:
    """One page of the log, newest first unless `order=asc`."""
    with engine.read(runtime.engine) as connection:
        return answers.give(lists.notifications(connection, asked))


@router.get("/{identifier}")
def one(runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing) -> Response:
    """One notification with its summary, its bytes and its sightings. Raises `errors.NotFound`."""
    with engine.read(runtime.engine) as connection:
        found = log.one(connection, identifier)
    if found is None:
        raise errors.NotFound(f"there is no notification {identifier}")
    return answers.give(_whole(found))


@router.get("/{identifier}/raw")
def raw(runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing) -> Response:
    """The exact bytes, never as something a browser would run.

    Raises `errors.NotFound`, and `errors.Gone` where they are not kept any more.
    """
    with engine.read(runtime.engine) as connection:
        found = log.raw(connection, identifier)
        known = found is not None or log.one(connection, identifier) is not None
    if not known:
        raise errors.NotFound(f"there is no notification {identifier}")
    if found is None:
        raise errors.Gone(f"the bytes of notification {identifier} are not kept any more")
    content, content_type = found
    headers = {
        **answers.HEADERS,
        "content-type": safe_type(content_type),
        "content-disposition": f'attachment; filename="{identifier}.json"',
    }
    return Response(content, headers=headers)


def safe_type(content_type: str | None) -> str:
    """The sender's content type where it is a JSON or plain text one, else `octet-stream`."""
    if content_type is not None and SAFE_TYPE.fullmatch(content_type.strip()):
        return content_type.strip()
    return "application/octet-stream"


def _whole(found: dict[str, Any]) -> dict[str, Any]:
    text, encoding = forms.readable(found["raw"])
    return {**found, "raw": text, "raw_encoding": encoding}

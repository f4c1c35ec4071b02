"""`/admin/notifications`: the log, one notification, its exact bytes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from app import errors
from app.doors import deps
from app.notifications import notification as canonical, states
from app.store import cursors, engine, epochs, log
from app.web.admin import answers, paging

router = APIRouter(prefix="/admin/notifications", dependencies=deps.READS)

SAFE_TYPE: Final = re.compile(
    r"(?:application/(?:[a-z0-9.-]+\+)?json|text/plain)(?:;\s*charset=\"?[a-z0-9-]+\"?)?", re.IGNORECASE
)


@router.get("")
def listing(  # noqa: PLR0913 - each is one documented filter
    runtime: deps.The,
    page: paging.Asked,
    order: Literal["asc", "desc"] = "desc",
    source: paging.Source = None,
    kind: canonical.Kind | None = None,
    state: Annotated[str | None, Query()] = None,
    order_id: paging.Wanted | None = None,
    event_id: paging.Wanted | None = None,
    external_id: paging.Wanted | None = None,
    flavour: canonical.Flavour | None = None,
    channel: canonical.Channel | None = None,
    attention: canonical.Attention | None = None,
    conflict: Literal["true", "false"] | None = None,
    q: paging.Wanted | None = None,
) -> Response:
    """One page of the log, newest first unless `order=asc`."""
    if state is not None and state not in states.STATES:
        raise errors.InvalidParameter(f"state: expected one of {', '.join(states.STATES)}")
    wanted = log.Filter(
        source=source,
        kind=kind,
        state=state,
        order_id=order_id,
        event_id=event_id,
        external_id=external_id,
        flavour=flavour,
        channel=channel,
        attention=attention,
        conflict=None if conflict is None else conflict == "true",
        q=q,
    )
    with engine.read(runtime.engine) as connection:
        epoch = epochs.current(connection)
        after = page.after and cursors.decode(page.after, epoch, log.head(connection))
        rows = log.page(
            connection, wanted, after_seq=after, limit=page.limit + 1, ascending=order == "asc"
        )
    return answers.give(paging.page(rows, page.limit, epoch, by="seq"))


@router.get("/{id}")
def one(runtime: deps.The, identifier: paging.Identifier) -> Response:
    """One notification with its summary, its bytes and its sightings. Raises `errors.NotFound`."""
    with engine.read(runtime.engine) as connection:
        found = log.one(connection, identifier)
    if found is None:
        raise errors.NotFound(f"there is no notification {identifier}")
    return answers.give(_whole(found))


@router.get("/{id}/raw")
def raw(runtime: deps.The, identifier: paging.Identifier) -> Response:
    """The exact bytes, never as something a browser would run.

    Raises `errors.NotFound`, and `errors.Gone` once retention has taken them.
    """
    with engine.read(runtime.engine) as connection:
        found = log.raw(connection, identifier)
    if found is None:
        raise errors.NotFound(f"there is no notification {identifier}")
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
    text, encoding = answers.readable(found["raw"])
    return {**found, "raw": text, "raw_encoding": encoding}

"""The log as pages: the list with its live tail, and one notification whole."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app import errors
from app.doors import deps, filters, lists, live, paging
from app.notifications import event_types, notification as canonical, states, warnings
from app.runtime import Runtime
from app.store import engine, files, log
from app.ui import shell, visit, words

AT_ONCE: Final = 200
"""Most rows that are read for a stream at a time."""

STREAM: Final = {
    **shell.HEADERS,
    "x-accel-buffering": "no",
}
PING: Final = ": still here\n\n"

FAR: Final = 5000
"""Who is behind by more of the log looks at the list anew, instead of being told it row by row."""

LOAD_AGAIN: Final = "event: far\ndata: load the list again\n\n"

HERE: Final = "/ui/notifications"
router = shell.router(HERE)


class Tailed(filters.Notifications):
    """What a stream shows: rows that fit, beyond the seq `from`."""

    from_: Annotated[int, Field(alias="from", ge=0)] = 0


@router.get("")
def listing(
    request: Request,
    runtime: deps.The,
    asked: Annotated[filters.Notifications, Query()],
) -> Response:
    """One part of the log, newest first unless `order=asc`."""
    with engine.read(runtime.engine) as connection:
        page, head = lists.notifications(connection, asked), log.head(connection)
    part = shell.part(HERE, asked, page)
    is_newest = asked.after is None and asked.order == "desc"
    return shell.render(
        request,
        "notifications.html",
        **part,
        export="/ui/export" + shell.query(**_filter(asked)),
        stream=f"{HERE}/stream{shell.query(**part['given'])}" if is_newest else None,
        head=head,
        sources=[source.name for source in runtime.configuration.sources],
        kinds=list(canonical.Kind),
        states=list(states.STATES),
        flavours=list(canonical.Flavour),
        attentions=list(canonical.Attention),
    )


@router.get("/stream")
async def stream(
    request: Request,
    runtime: deps.The,
    seen_by: visit.Reader,
    asked: Annotated[Tailed, Query()],
) -> Response:
    """New rows as they are committed (server-sent events): each event is the HTML of one row."""
    last = request.headers.get("last-event-id", "")
    begin = int(last) if last.isascii() and last.isdigit() else asked.from_
    following: live.Live = request.app.state.live
    return StreamingResponse(
        _rows(runtime, following, asked.wanted(), begin, seen_by.session.claims.expires_at),
        media_type="text/event-stream",
        headers=STREAM,
    )


@router.get("/{identifier}")
def one(
    request: Request,
    runtime: deps.The,
    seen_by: visit.Reader,
    identifier: paging.Identifier,
    _: deps.Nothing,
) -> Response:
    """One notification. Raises `errors.NotFound`."""
    with engine.read(runtime.engine) as connection:
        found = log.one(connection, identifier)
        if found is None:
            raise errors.NotFound(f"there is no notification {identifier}")
        held = files.of_notification(connection, identifier)
    raw = found["raw"]
    return shell.render(
        request,
        "notification.html",
        told=found,
        warnings=[(name, warnings.TABLE.get(name)) for name in found["warnings"]],
        text=None if raw is None else words.text_of(raw),
        indented=None if raw is None else words.indented(raw),
        curl=_curl(runtime, found),
        files=held if seen_by.sees_personal else [],
        hidden_files=0 if seen_by.sees_personal else len(held),
    )


@router.get("/{identifier}/raw")
def raw(runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing) -> Response:
    """The exact bytes, to be kept as a file. Raises `errors.NotFound`."""
    with engine.read(runtime.engine) as connection:
        found = log.raw(connection, identifier)
    if found is None:
        raise errors.NotFound(f"there are no bytes of notification {identifier}")
    headers = {
        **shell.HEADERS,
        "content-type": "application/octet-stream",
        "content-disposition": f'attachment; filename="{identifier}.json"',
    }
    return Response(found[0], headers=headers)


async def _rows(
    runtime: Runtime,
    following: live.Live,
    wanted: log.Filter,
    begin: int,
    until: datetime,
) -> AsyncIterator[str]:
    """Events for as long as the session lasts and the process does not stop."""
    seen = begin
    yield PING
    while not runtime.drain.is_set() and runtime.clock.now() < until:
        head = await following.news(seen)
        if head <= seen:
            yield PING
            continue
        if head - seen > FAR:
            yield LOAD_AGAIN
            return
        rows = await asyncio.to_thread(_beyond, runtime, wanted, seen)
        for row in rows:
            yield _event(row, runtime)
        seen = rows[-1]["seq"] if len(rows) == AT_ONCE else max(head, seen)


def _beyond(runtime: Runtime, wanted: log.Filter, seen: int) -> list[dict[str, Any]]:
    with engine.read(runtime.engine) as connection:
        return log.page(connection, wanted, after_seq=seen, limit=AT_ONCE, ascending=True)


def _event(row: dict[str, Any], runtime: Runtime) -> str:
    told = shell.fragment("notification_row.html", told=row, now=runtime.clock.now())
    lines = "".join(f"data: {line}\n" for line in told.splitlines() if line.strip())
    return f"id: {row['seq']}\n{lines}\n"


def _filter(asked: filters.Wanted) -> dict[str, Any]:
    """What is asked of a notification, wherever the list begins."""
    return asked.model_dump(include=set(filters.Wanted.model_fields))


def _curl(runtime: Runtime, told: dict[str, Any]) -> str:
    """A command that sends the notification once more; of one we asked for, that fetches it."""
    base = shell.own_url(runtime)
    bearer = 'Authorization: Bearer $(listener token --source "$SOURCE")'
    text = words.text_of(told["raw"] or b"")
    if told["channel"] != canonical.Channel.PUSH or not text:
        bearer = "Authorization: Bearer $(listener token)"
        return f'curl -H "{bearer}" {base}/admin/notifications/{told["id"]}/raw'
    path = event_types.SHARED_PATH
    mount = event_types.MOUNTS.get(told["flavour"])
    if mount is not None and told["event_type"] in mount.events:
        path = f"{mount.prefix}/{told['event_type']}"
    return (
        f"SOURCE={shlex.quote(told['source'])}\n"
        f"curl -i {base}{path} \\\n"
        f'  -H "{bearer}" \\\n'
        f"  -H {shlex.quote('Content-Type: ' + (told['content_type'] or 'application/json'))} \\\n"
        f"  --data-binary {shlex.quote(text)}"
    )

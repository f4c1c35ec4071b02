"""Reading again, as pages: the plan of a rewind and of a backfill, told before either is asked for.

A plan changes nothing: it is worked out of the configuration and of where the feed stands. Not
here: the other acts and how a feed stands (`feeds`), doing it (`app.feeds`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal, cast
from zoneinfo import ZoneInfo

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app import errors
from app.doors import acts, deps, paging
from app.runtime import Runtime
from app.sources import base
from app.store import engine, feeds, log, pulse, stats
from app.ui import shell, visit

KNOWN: Final = 100
"""Notifications of one order that are counted."""

OBJECTS: Final = {"order": "Order", "service": "Service", "event": "Event"}
"""Whose history may be read, with its name."""

router = shell.router("/ui/feeds")


class Place(deps.Parameters):
    """Where to begin: `beginning`, or a day."""

    to: Literal["beginning"] | date


class Object(deps.Parameters):
    """Whose history to read."""

    object_type: Literal["order", "service", "event"]
    object_id: paging.Wanted


def offered(runtime: Runtime, source: base.SourceConfig) -> dict[str, Any]:
    """What the kind of `source` can read again: whether from a day, and the history of what."""
    kind = _kind(runtime, source)
    return {
        "by_day": _takes(lambda: kind.rewound(source.feed, date(2026, 1, 1))),
        "objects": {
            type_: name
            for type_, name in OBJECTS.items()
            if _takes(lambda one=type_: kind.backfill(source.feed, one, "1"))
        },
        "today": runtime.clock.now().date(),
    }


@router.get("/{name}/rewind")
def plan(
    request: Request, runtime: deps.The, name: paging.Identifier, asked: Annotated[Place, Query()]
) -> Response:
    """What a rewind would do. Raises `errors.NotFound`, `errors.InvalidParameter`."""
    source = acts.feed_source(runtime, name)
    now = runtime.clock.now()
    to = place(source, asked.to, now)
    cursor = _kind(runtime, source).rewound(source.feed, to)
    with engine.read(runtime.engine) as connection:
        found = feeds.one(connection, name)
        known = _known(connection, name, asked.to)
    return shell.render(
        request,
        "rewind.html",
        told=acts.feed_told(runtime, source, found),
        day=None if asked.to == "beginning" else asked.to,
        to=asked.to,
        cursor=cursor,
        known=known,
    )


@router.get("/{name}/backfill")
def backfill(
    request: Request, runtime: deps.The, name: paging.Identifier, asked: Annotated[Object, Query()]
) -> Response:
    """What a backfill would do. Raises `errors.NotFound`, `errors.InvalidParameter`."""
    source = acts.feed_source(runtime, name)
    _kind(runtime, source).backfill(source.feed, asked.object_type, asked.object_id)
    known: pulse.Waiting | None = None
    if asked.object_type == "order":
        wanted = log.Filter(source=name, order_id=asked.object_id)
        with engine.read(runtime.engine) as connection:
            rows = log.page(connection, wanted, after_seq=None, limit=KNOWN, ascending=False)
        known = pulse.Waiting(len(rows), None, more=len(rows) == KNOWN)
    return shell.render(
        request,
        "backfill.html",
        source=source,
        asked=asked,
        what=OBJECTS[asked.object_type].lower(),
        known=known,
    )


@router.post("/{name}/rewind")
async def rewind(
    request: Request, runtime: deps.The, seen_by: visit.Admin, name: paging.Identifier
) -> Response:
    """Rewind as planned; what becomes of it has a page. Raises as `plan` does."""
    source = acts.feed_source(runtime, name)
    to = _read(str((await request.form()).get("to", "")))
    there = place(source, to, runtime.clock.now())
    _kind(runtime, source).rewound(source.feed, there)
    arguments = {"to": str(there), "dry_run": False}
    id_ = await acts.ask_feed(runtime, name, "rewind", arguments, by=seen_by.who.subject)
    return shell.go(f"/ui/feeds/jobs/{id_}")


@router.post("/{name}/backfill")
async def fill(
    request: Request, runtime: deps.The, seen_by: visit.Admin, name: paging.Identifier
) -> Response:
    """Backfill as planned; what becomes of it has a page. Raises as `backfill` does."""
    source = acts.feed_source(runtime, name)
    form = await request.form()
    type_, id_ = str(form.get("object_type", "")), str(form.get("object_id", ""))
    _kind(runtime, source).backfill(source.feed, type_, id_)
    arguments = {"object_type": type_, "object_id": id_}
    job = await acts.ask_feed(runtime, name, "backfill", arguments, by=seen_by.who.subject)
    return shell.go(f"/ui/feeds/jobs/{job}")


def place(
    source: base.SourceConfig, to: Literal["beginning"] | date, now: datetime
) -> Literal["beginning"] | date:
    """The place of the operator's calendar that leaves nothing of the UTC day `to` out.

    A day begins at the operator's midnight: west of Greenwich that is within the UTC day, so the
    day before is taken. Raises `errors.InvalidParameter` for a day that is yet to come.
    """
    if to == "beginning":
        return to
    if to > now.date():
        raise errors.InvalidParameter("to: that day is yet to come; a rewind leads back")
    midnight = datetime(to.year, to.month, to.day, tzinfo=UTC)
    zone = ZoneInfo(source.zone) if source.zone else UTC
    behind = (midnight.astimezone(zone).utcoffset() or timedelta()) < timedelta()
    return to - timedelta(days=1) if behind else to


def _known(
    connection: engine.Connection, name: str, to: Literal["beginning"] | date
) -> pulse.Waiting:
    """What the log has of the feed since then, as far as it is counted."""
    if to == "beginning":
        return pulse.Waiting(stats.counts(connection)["by_source"].get(name, 0), None)
    since = datetime(to.year, to.month, to.day, tzinfo=UTC)
    return pulse.heard(connection, name, since)


def _kind(runtime: Runtime, source: base.SourceConfig) -> base.PullKind:
    return cast("base.PullKind", runtime.kinds[source.kind])


def _takes(question: Any) -> bool:
    try:
        question()
    except errors.InvalidParameter:
        return False
    return True


def _read(text: str) -> Literal["beginning"] | date:
    if text == "beginning":
        return "beginning"
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise errors.InvalidParameter("to: expected a day such as 2026-01-31") from error

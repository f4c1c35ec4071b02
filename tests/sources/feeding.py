"""What tests of feeds need: operators as pure functions, a log of what was told, and a turn.

The operators answer a `Request` with bytes, in the words of the seeds and with nothing of ours. The
`Inbox` decides what is new as the store does: by event id and content, or by counting snapshots.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from app.notifications.notification import Arrival, Channel, Notification, Reading, Refusal
from app.sources import base

NOW = datetime(2025, 3, 4, 16, 0, tzinfo=UTC)
GRANT = base.Grant("Bearer secret", NOW + timedelta(hours=1))
ENOUGH = 3000
"""Requests in a turn that are too many."""


def arrival(body: bytes, **fields: Any) -> Arrival:
    """An entry as the feeds hand it on."""
    return Arrival(
        id="0195-id",
        source="operator",
        channel=Channel.PULL,
        body=body,
        content_type="application/json",
        received_at=NOW,
        principal="feed:operator",
        **fields,
    )


# Every canonical field of a pulled notification; what a test does not name must be exactly this.
NOTHING: dict[str, Any] = {
    "seq": None,
    "id": "0195-id",
    "source": "operator",
    "channel": "pull",
    "event_id": None,
    "order_id": None,
    "about_order_id": None,
    "href": None,
    "external_id": None,
    "items": (),
    "service_id": None,
    "access_id": None,
    "refs": {},
    "state": None,
    "raw_state": None,
    "attention": None,
    "origin": "operator",
    "occurred_at": None,
    "occurred_at_raw": None,
    "received_at": NOW,
    "principal": "feed:operator",
    "remote_addr": None,
    "backfill": False,
    "appointment": None,
    "attention_clears": False,
    "conflict_of": None,
    "warnings": (),
    "summary": {},
    "content_type": "application/json",
}


def told(kind: base.PullKind, body: Any, **reading: Any) -> dict[str, Any]:
    """Every canonical field of what `body` says; the raw bytes must be as they came."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    read = kind.parse(arrival(raw, reading=Reading(**reading)))
    assert isinstance(read, Notification), read
    fields = read.model_dump()
    assert fields.pop("raw") == raw
    return fields


def refused(kind: base.PullKind, body: Any, **reading: Any) -> Refusal:
    """The refusal of `body`."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    read = kind.parse(arrival(raw, reading=Reading(**reading)))
    assert isinstance(read, Refusal), read
    return read


# ── the log ──────────────────────────────────────────────────────────────────────────────────────


class Inbox:
    """A log in memory: `told` is what was appended, `held` what was quarantined."""

    def __init__(self, kind: base.PullKind) -> None:
        self.kind = kind
        self.told: list[Notification] = []
        self.held: list[base.Entry] = []
        self.reread = 0
        self._known: set[tuple[str | None, bytes]] = set()
        self._snapshots: dict[str, tuple[int, bytes]] = {}

    def accept(self, entry: base.Entry) -> None:
        """Take an entry."""
        if entry.fault is not None:
            self.held.append(entry)
            return
        read = self.kind.parse(arrival(entry.body, backfill=entry.backfill))
        if isinstance(read, Refusal):
            self.held.append(entry)
            return
        content = self.kind.content(entry.body)
        key = self.kind.snapshot_key(read)
        known = self._counted(read, key, content) if key is not None else self._named(read, content)
        if known is None:
            self.reread += 1
        else:
            self.told.append(known)

    def _named(self, read: Notification, content: bytes) -> Notification | None:
        identity = (read.event_id, content)
        if identity in self._known:
            return None
        self._known.add(identity)
        return read

    def _counted(self, read: Notification, key: str, content: bytes) -> Notification | None:
        n, last = self._snapshots.get(key, (0, b""))
        if n and last == content:
            return None
        self._snapshots[key] = (n + 1, content)
        if n:
            read = self.kind.later(read)
        return read.model_copy(update={"event_id": f"{key}:{n + 1}"})

    @property
    def ids(self) -> list[str | None]:
        """The event ids of the log, in order."""
        return [one.event_id for one in self.told]


def chunked(body: bytes, size: int = 7) -> Iterator[bytes]:
    """`body` in small pieces."""
    for at in range(0, len(body), size):
        yield body[at : at + size]


def page(
    kind: base.PullKind, feed: Any, body: bytes, cursor: base.Cursor, now: datetime = NOW
) -> tuple[list[base.Entry], base.PageEnd]:
    """The entries of a page and its end."""
    *entries, end = kind.read_page(feed, chunked(body), cursor, now)
    assert isinstance(end, base.PageEnd)
    assert all(isinstance(entry, base.Entry) for entry in entries)
    json.dumps(end.cursor)
    return entries, end  # type: ignore[return-value]


def turn(
    operator: Any, inbox: Inbox, feed: Any, cursor: base.Cursor, now: datetime = NOW
) -> base.Cursor:
    """Read until dry, as the poller does; the cursor it leaves."""
    for _ in range(ENOUGH):
        request = inbox.kind.next_request(feed, cursor, now, GRANT)
        if request is None:
            return cursor
        entries, end = page(inbox.kind, feed, operator.answer(request), cursor, now)
        for entry in entries:
            inbox.accept(entry)
        if end.more:
            assert end.cursor != cursor, "the page says there is more and does not advance"
        cursor = end.cursor
        if not end.more:
            return cursor
    raise AssertionError("the feed is never dry")


# ── operators ────────────────────────────────────────────────────────────────────────────────────


def asked(request: base.Request) -> dict[str, str]:
    """The query of a request."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(request.url).query).items()}


class OnApiOperator:
    """A list that only grows, told whole or since an event."""

    def __init__(self, events: Iterable[Any] = ()) -> None:
        self.events = list(events)
        self.restarts = False

    def answer(self, request: base.Request) -> bytes:
        """The events after `since`; all, where it is unknown."""
        since = asked(request).get("since")
        ids = [event.get("event") if isinstance(event, dict) else None for event in self.events]
        known = since is not None and since in ids and not self.restarts
        start = ids.index(since) + 1 if known else 0
        return json.dumps(self.events[start:]).encode()


class CovageOperator:
    """Events sorted by creation_date; `cap` is the longest page, `turned` turns pages round."""

    def __init__(self, events: Iterable[Any] = (), cap: int = 1000) -> None:
        self.events = list(events)
        self.cap = cap
        self.turned = 0
        self.pages = 0

    def answer(self, request: base.Request) -> bytes:
        """A page after the moment in `after`."""
        self.pages += 1
        query = asked(request)
        falls = query["direction"] == "desc"
        listed = sorted(self.events, key=_created, reverse=falls)
        if "object_uuid" in query:
            listed = [one for one in listed if one["object_uuid"] == query["object_uuid"]]
        if "after" in query:
            after = json.loads(base64.b64decode(query["after"]))[0]
            listed = [one for one in listed if _created(one) > after]
        found = listed[: min(int(query["size"]), self.cap)]
        turned = self.turned % len(found) if found else 0
        return json.dumps(found[turned:] + found[:turned]).encode()


def _created(event: Any) -> str:
    return str(event["creation_date"]) if isinstance(event, dict) else "2025-03-04T00:00:00"


def written(at: datetime) -> str:
    """A moment in UTC as the newer shape writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def sort_value(created: str) -> str:
    """The sort value of an event created then."""
    return base64.b64encode(json.dumps([created]).encode()).decode()


def event(n: int, at: datetime, **fields: Any) -> dict[str, Any]:
    """A Covage event created at `at`, in the new shape."""
    created = written(at)
    return {
        "event_uuid": f"event-{n}",
        "type": "order-running",
        "object_type": "order",
        "object_uuid": "ord4x1ab",
        "creation_date": created,
        "modification_date": created,
        "event_date": created,
        "sort_value": sort_value(created),
        "data": {},
    } | fields


class GuideOperator:
    """Orders with a status and a log, in XML or JSON."""

    def __init__(self, rows: Sequence[dict[str, Any]] = ()) -> None:
        self.rows = {row["id"]: dict(row) for row in rows}
        self.infos: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, list[dict[str, Any]]] = {}
        self.calls: list[tuple[str, str]] = []

    def answer(self, request: base.Request) -> bytes:
        """What a method answers."""
        query = asked(request)
        method = query["method"]
        self.calls.append((method, query.get("id") or query.get("date", "")))
        if method == "orders":
            rows = [row for row in self.rows.values() if row["date"][:10] >= query["date"]]
            response: dict[str, Any] = {"order": rows}
        elif method == "order_info":
            response = {"order": self.rows[query["id"]] | self.infos.get(query["id"], {})}
        else:
            response = {"log": self.logs.get(query["id"], [])}
        answer = {"response": response, "status": "success"}
        if query.get("output_format") == "json":
            return json.dumps(answer).encode()
        return f"<{method}>{xml(answer)}</{method}>".encode()


def xml(value: Any) -> str:
    """A tree as XML elements."""
    if not isinstance(value, dict):
        return escape(str(value))
    return "".join(
        f"<{name}>{xml(one)}</{name}>"
        for name, inner in value.items()
        for one in (inner if isinstance(inner, list) else [inner])
    )

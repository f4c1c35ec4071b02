"""Covage (and Kosc): events of orders and services, asked for page by page.

Logins of version 1 (`JWT`, 24 h) and 2 (`Bearer`, 1 h, renewed), the list sorted by creation_date,
one event, one object's history, and messages to an order. Its words are in `words`, the paging in
`reach`. Source: seed 002, facts/wire.md §5, DESIGN §8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from pydantic import Field

from app import errors
from app.notifications import notification as canonical
from app.notifications.notification import Fault, rfc3339
from app.sources import base, feed_config, fields, offers, paging
from app.sources.covage import commands, logins, reach, words

SKIPPED_SIZE: Final = 1000
"""Events a page while all of them are older than `start`."""

NOTHING_BEFORE: Final = date(1970, 1, 1)
"""A day before which nothing was created; the first days there are have no time in UTC."""


class CovageFeed(logins.CovageLogin):
    """`look_back`: how far before the newest event a turn begins; `size`: events a page."""

    FLOOR = timedelta(seconds=30)

    every: feed_config.Span = timedelta(minutes=2)
    look_back: feed_config.Span = timedelta(hours=1)
    size: int = Field(default=100, ge=2, le=1000)


class Covage:
    """The kind."""

    name = "covage"
    title = "Covage and Kosc events of orders and services"
    channel = canonical.Channel.PULL
    feed_config: type[feed_config.FeedConfig] = CovageFeed
    offers: tuple[offers.Offer, ...] = commands.OFFERS
    limits: Mapping[str, timedelta] = MappingProxyType({commands.INFO: timedelta(minutes=5)})
    ordered = False

    # ── asking ───────────────────────────────────────────────────────────────────────────────────

    def login(
        self, feed: CovageFeed, _now: datetime, previous: base.Grant | None = None
    ) -> base.Request | None:
        """E-mail and password for a token; a token's renewal where `previous` has one."""
        return logins.request(feed, previous)

    def grant(
        self, feed: CovageFeed, body: bytes, now: datetime, previous: base.Grant | None = None
    ) -> base.Grant:
        """The token of either version. Raises `errors.SenderFault`."""
        return logins.grant(feed, body, now, previous)

    def next_request(
        self, feed: CovageFeed, cursor: base.Cursor, _now: datetime, grant: base.Grant | None
    ) -> base.Request | None:
        """`GET api/events/?sort=creation_date&direction=asc&size=…&after=…`."""
        if not cursor and feed.start == "now":
            return _list(feed, grant, {"direction": "desc", "size": 1})
        query: dict[str, Any] = {"direction": "asc", "size": _size(feed, cursor)}
        after = reach.mark_in(cursor.get("after"))
        if after is not None:
            query["after"] = after.sort_value
        if cursor.get("object"):
            query["object_type"], query["object_uuid"] = cursor["object"]
        return _list(feed, grant, query)

    def read_page(
        self, feed: CovageFeed, chunks: Iterator[bytes], cursor: base.Cursor, now: datetime
    ) -> Iterator[base.Entry | base.PageEnd]:
        """The events of a page; they are covered by the page's end."""
        if not cursor and feed.start == "now":
            yield _newest_only(feed, chunks)
            return
        cursor = cursor or _first(feed)
        zone, since = _zone(feed), cursor.get("from", "")
        went = reach.reach_of(cursor, feed.look_back)
        count = skipped = 0
        floor = reach.mark_in(cursor.get("floor"))
        for element in paging.json_list(chunks):
            count += 1
            mark = reach.mark_of(element.value, zone)
            if mark is not None:
                reach.check(cursor, mark)
                went.see(mark)
                if mark.at < since:
                    skipped += 1
                    floor = max(floor or mark, mark)
                    continue
            yield _entry(element, backfill=bool(cursor.get("first_pass")))
        if floor is not None:
            cursor = {**cursor, "floor": reach.written(floor)}
        on, more = reach.following(cursor, went, count, _size(feed, cursor), now)
        if more and skipped == count:
            on = {"size": SKIPPED_SIZE, **on}
        yield base.PageEnd(on, more=more)

    def refused(self, _feed: CovageFeed, _cursor: base.Cursor, _status: int) -> base.PageEnd | None:
        """An error like any."""
        return None

    def rewound(self, feed: CovageFeed, to: Literal["beginning"] | date) -> base.Cursor:
        """From the beginning, or all that was created since the day `to`."""
        return {"sort": reach.SORT} | ({} if to == "beginning" else _from(feed, to))

    def backfill(self, _feed: CovageFeed, object_type: str, object_id: str) -> base.Cursor:
        """The history of one order or service."""
        if object_type not in words.OBJECTS or not object_id.strip():
            raise errors.InvalidParameter("expected an order or a service, and its uuid")
        return {"object": [object_type, object_id.strip()], "first_pass": True}

    def entry_request(
        self, feed: CovageFeed, object_type: str, object_id: str, grant: base.Grant | None
    ) -> base.Request:
        """One event anew, by its event_uuid: the tokens of its links are fresh."""
        if object_type != "event" or not object_id.strip():
            raise errors.InvalidParameter("expected an event and its event_uuid")
        path = f"api/events/{quote(object_id.strip(), safe='')}/"
        return commands.get(feed, grant, path, "event")

    def read_entry(
        self, _feed: CovageFeed, body: bytes, _object_type: str, object_id: str
    ) -> base.Entry:
        """The event. Raises `errors.SenderFault`."""
        for element in paging.json_list(iter([b"[", body, b"]"])):
            if isinstance(element.value, dict):
                return _entry(element, backfill=True)
        raise errors.SenderFault(f"event {object_id} is no JSON object")

    # ── reading ──────────────────────────────────────────────────────────────────────────────────

    def parse(self, arrival: canonical.Arrival) -> canonical.Notification | canonical.Refusal:
        """Read one event. Bad input is a `Refusal`, never an exception."""
        return words.parse(arrival)

    def content(self, body: bytes) -> bytes:
        """All but sort_value, modification_date and the queries of URLs, which differ each time."""
        event = fields.object_of(body)
        return fields.view(words.content(event)) if event else body

    def snapshot_key(self, _notification: canonical.Notification) -> str | None:
        """None: events have ids."""
        return None

    def later(self, notification: canonical.Notification) -> canonical.Notification:
        """As it is: nothing is counted."""
        return notification

    def origin(
        self, notification: canonical.Notification, own_acts: Sequence[base.OwnAct]
    ) -> canonical.Origin:
        """Ours, where it is the message we sent to that order."""
        message = str(notification.summary.get("message", ""))
        ours = notification.event_type == words.INFO and any(
            (act.action, act.order_id) == (commands.INFO, notification.order_id)
            and act.text is not None
            and fields.same_words(message, str(fields.kept(message=act.text).get("message", "")))
            for act in own_acts
        )
        return canonical.Origin.SELF if ours else canonical.Origin.OPERATOR

    # ── doing ────────────────────────────────────────────────────────────────────────────────────

    def follow_ups(
        self, _feed: CovageFeed, _notification: canonical.Notification
    ) -> tuple[base.Step, ...]:
        """Nothing."""
        return ()

    def overtaken(
        self, _command: str, _told: canonical.Notification, _latest: canonical.Notification
    ) -> bool:
        """Never: nothing follows."""
        return False

    def command(
        self,
        feed: CovageFeed,
        order_id: str,
        command: str,
        arguments: Mapping[str, Any],
        grant: base.Grant | None,
    ) -> base.Request:
        """`events/info` {message, stop_deferred?}. Raises `errors.InvalidParameter`."""
        return commands.request(feed, order_id, command, arguments, grant)

    def command_result(
        self, _command: str, status: int, body: bytes, _order_id: str | None = None
    ) -> base.CommandResult:
        """What became of it: 403 fails the command, not the feed. Raises `errors.SenderFault`."""
        return commands.result(status, body)

    def check_request(
        self,
        feed: CovageFeed,
        order_id: str,
        _command: str,
        _arguments: Mapping[str, Any],
        _since: datetime,
        grant: base.Grant | None,
    ) -> base.Request | None:
        """The order's events, newest first."""
        query = {"direction": "desc", "size": 100, "object_type": "order", "object_uuid": order_id}
        return _list(feed, grant, query, "check")

    def was_done(
        self,
        _command: str,
        arguments: Mapping[str, Any],
        body: bytes,
        since: datetime,
        feed: CovageFeed | None = None,
    ) -> bool | None:
        """Whether a message of that text was created since. Raises `errors.SenderFault`."""
        listed = [element.value for element in paging.json_list(iter([body]))]
        zone = words.ZONE if feed is None else _zone(feed)
        return commands.was_done(arguments, listed, since, zone)

    def files(self, body: bytes) -> tuple[base.FileLink, ...]:
        """The files of an intervention report; their links live 30 minutes."""
        event = fields.object_of(body)
        data = event.get("data")
        if event.get("type") != words.CRI or not isinstance(data, dict):
            return ()
        return tuple(base.FileLink(label, url) for label, url in words.links(data))

    def personal(self, _body: bytes) -> dict[str, str]:
        """Nothing of a person."""
        return {}


def _zone(feed: CovageFeed) -> ZoneInfo:
    return ZoneInfo(feed.zone) if feed.zone else words.ZONE


def _size(feed: CovageFeed, cursor: base.Cursor) -> int:
    return int(cursor.get("size", feed.size))


def _first(feed: CovageFeed) -> base.Cursor:
    """The cursor of a first connection."""
    first = {"sort": reach.SORT, "first_pass": True}
    return first | (_from(feed, feed.start) if isinstance(feed.start, date) else {})


def _from(feed: CovageFeed, day: date) -> base.Cursor:
    day = max(day, NOTHING_BEFORE)
    midnight = datetime(day.year, day.month, day.day, tzinfo=_zone(feed))
    return {"from": rfc3339(midnight)}


def _newest_only(feed: CovageFeed, chunks: Iterator[bytes]) -> base.PageEnd:
    """Where a feed that starts now begins: after the newest event there is."""
    marks = [reach.mark_of(one.value, _zone(feed)) for one in paging.json_list(chunks)]
    newest = max((mark for mark in marks if mark is not None), default=None)
    if newest is None:
        if marks:
            raise errors.SenderFault("the newest event has no sort_value to go on from")
        return base.PageEnd({"sort": reach.SORT}, more=False)
    here = reach.written(newest)
    cursor = {"sort": reach.SORT, "sort_value": newest.sort_value, "at": newest.at}
    return base.PageEnd({**cursor, "after": here, "floor": here, "marks": [here]}, more=False)


def _entry(element: paging.Element, *, backfill: bool) -> base.Entry:
    fault = element.fault
    if fault is None and not isinstance(element.value, dict):
        fault = Fault("", "is no JSON object", "an event")
    return base.Entry(paging.canonical(element.value), paging.JSON, fault=fault, backfill=backfill)


def _list(
    feed: CovageFeed, grant: base.Grant | None, query: Mapping[str, Any], purpose: str = "page"
) -> base.Request:
    asked = urlencode({"sort": reach.SORT, **query})
    return commands.get(feed, grant, f"api/events/?{asked}", purpose)


KIND: Final = Covage()

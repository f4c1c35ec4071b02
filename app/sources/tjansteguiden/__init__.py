"""Tjänsteguiden (Eklundh/Atlas): a service guide whose orders are asked for by `?method=…`.

A feed of snapshots without event ids: what is new is what has changed. The answers are read in
`answers`, its words are in `words`, the methods in `calls`, the turn in `turns`.
Source: seed 001, facts/wire.md §4, DESIGN §8, §13.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from app import errors
from app.notifications import notification as canonical
from app.notifications.notification import Fault, rfc3339
from app.sources import base, feed_config, offers, paging
from app.sources.tjansteguiden import answers, calls, outcomes, turns, words
from app.sources.tjansteguiden.calls import TjansteguidenFeed

LIFETIME: Final = timedelta(minutes=20)
"""Of a hash."""


class Tjansteguiden:
    """The kind."""

    name = "tjansteguiden"
    title = "Tjänsteguiden: orders of a Swedish service guide"
    channel = canonical.Channel.PULL
    feed_config: type[feed_config.FeedConfig] = TjansteguidenFeed
    offers: tuple[offers.Offer, ...] = calls.OFFERS
    limits: Mapping[str, timedelta] = MappingProxyType({})
    ordered = False

    # ── asking ───────────────────────────────────────────────────────────────────────────────────

    def login(
        self, feed: TjansteguidenFeed, _now: datetime, _previous: base.Grant | None = None
    ) -> base.Request | None:
        """TL's user and key for a hash; KO has no login."""
        return calls.login(feed)

    def grant(
        self,
        _feed: TjansteguidenFeed,
        body: bytes,
        now: datetime,
        _previous: base.Grant | None = None,
    ) -> base.Grant:
        """The hash. Raises `errors.SenderFault`."""
        try:
            answer = answers.whole(iter([body]))
        except errors.StaleGrant as error:  # an error of the login itself
            raise errors.SenderFault(str(error)) from None
        value = words.text_of(answer.response, "hash_key")
        if value is None:
            raise errors.SenderFault("the login's answer has no hash_key")
        return base.Grant(value, now + LIFETIME)

    def next_request(
        self,
        feed: TjansteguidenFeed,
        cursor: base.Cursor,
        now: datetime,
        grant: base.Grant | None,
    ) -> base.Request | None:
        """The orders since a day, or one order's info or log."""
        if "ask" in cursor:
            method, order_id = cursor["ask"]
            return calls.call(feed, grant, method, {"id": order_id})
        if cursor.get("only"):
            return None
        start = feed.start if not cursor else "beginning"
        day = cursor.get("day") or turns.first_day(start, _zone(feed), now)
        return calls.call(feed, grant, words.ORDERS, {"date": day})

    def read_page(
        self,
        feed: TjansteguidenFeed,
        chunks: Iterator[bytes],
        cursor: base.Cursor,
        now: datetime,
    ) -> Iterator[base.Entry | base.PageEnd]:
        """What the orders, an order_info or an order_log tell."""
        if "ask" in cursor:
            yield from _reread(chunks, cursor)
        else:
            yield from _orders(feed, chunks, cursor, now)

    def refused(
        self, _feed: TjansteguidenFeed, cursor: base.Cursor, status: int
    ) -> base.PageEnd | None:
        """One order that cannot be had does not stop the others."""
        if "ask" not in cursor or status in outcomes.LOGIN_OR_RATE:
            return None
        lasting = status >= outcomes.SERVER_ERROR
        return turns.left_out(cursor, f"it was answered {status}", whole=lasting)

    def rewound(self, _feed: TjansteguidenFeed, to: Literal["beginning"] | date) -> base.Cursor:
        """From a day on; the beginning is 90 days ago."""
        return {"open": {}} | ({} if to == "beginning" else {"day": to.isoformat()})

    def backfill(self, _feed: TjansteguidenFeed, object_type: str, object_id: str) -> base.Cursor:
        """One order: its info and its log."""
        return {"only": True, "ask": [words.INFO, _order(object_type, object_id)]}

    def entry_request(
        self,
        feed: TjansteguidenFeed,
        object_type: str,
        object_id: str,
        grant: base.Grant | None,
    ) -> base.Request:
        """One order's info."""
        return calls.call(feed, grant, words.INFO, {"id": _order(object_type, object_id)})

    def read_entry(
        self, _feed: TjansteguidenFeed, body: bytes, _object_type: str, object_id: str
    ) -> base.Entry:
        """The order's info. Raises `errors.SenderFault`."""
        return outcomes.info(answers.whole(iter([body])), object_id.strip())[-1]

    # ── reading ──────────────────────────────────────────────────────────────────────────────────

    def parse(self, arrival: canonical.Arrival) -> canonical.Notification | canonical.Refusal:
        """Read one entry. Bad input is a `Refusal`, never an exception."""
        return words.parse(arrival)

    def content(self, body: bytes) -> bytes:
        """Of a row the status, of order_info what is no status, of a log line all."""
        return words.content(body)

    def snapshot_key(self, notification: canonical.Notification) -> str | None:
        """The order, for rows; the order and `info`, for order_info."""
        return words.snapshot_key(notification)

    def later(self, notification: canonical.Notification) -> canonical.Notification:
        """A change of status, where the row is not the order's first."""
        return words.later(notification)

    def origin(
        self, notification: canonical.Notification, own_acts: Sequence[base.OwnAct]
    ) -> canonical.Origin:
        """Ours, where it is the status we set, the message we sent, or the log line of either."""
        ours = any(outcomes.is_echo(notification, act) for act in own_acts)
        return canonical.Origin.SELF if ours else canonical.Origin.OPERATOR

    # ── doing ────────────────────────────────────────────────────────────────────────────────────

    def follow_ups(
        self, feed: TjansteguidenFeed, notification: canonical.Notification
    ) -> tuple[base.Step, ...]:
        """At an order's first sight: its info, its customer, and (write_back) `received`, last.

        Where taking an order over failed for good, and it is so configured: a message.
        """
        return outcomes.follow_ups(feed, notification)

    def overtaken(
        self, command: str, told: canonical.Notification, latest: canonical.Notification
    ) -> bool:
        """A `received` that answers a status the order no longer has: it would take it back."""
        return outcomes.overtaken(command, told, latest)

    def command(
        self,
        feed: TjansteguidenFeed,
        order_id: str,
        command: str,
        arguments: Mapping[str, Any],
        grant: base.Grant | None,
    ) -> base.Request:
        """set_status {status}, add_message {type, message}; order_info, order_log, customer_info.

        Raises `errors.InvalidParameter`.
        """
        return calls.command(feed, order_id, command, arguments, grant)

    def command_result(
        self, command: str, status: int, body: bytes, order_id: str | None = None
    ) -> base.CommandResult:
        """What became of it; of reading commands also what they told."""
        return outcomes.result(command, status, body, order_id)

    def check_request(
        self,
        feed: TjansteguidenFeed,
        order_id: str,
        command: str,
        _arguments: Mapping[str, Any],
        _since: datetime,
        grant: base.Grant | None,
    ) -> base.Request | None:
        """The order's log: what changes state leaves a line in it."""
        if command not in calls.CHANGING:
            return None
        return calls.call(feed, grant, words.LOG, {"id": order_id})

    def was_done(
        self,
        command: str,
        arguments: Mapping[str, Any],
        body: bytes,
        since: datetime,
        feed: TjansteguidenFeed | None = None,
    ) -> bool | None:
        """Whether the log has its line since. Raises `errors.SenderFault`, `errors.StaleGrant`."""
        zone = words.ZONE if feed is None else _zone(feed)
        return outcomes.was_done(command, arguments, body, since, zone)

    def files(self, _body: bytes) -> tuple[base.FileLink, ...]:
        """None."""
        return ()

    def personal(self, body: bytes) -> dict[str, str]:
        """The person of a customer_info. Raises `errors.SenderFault`, `errors.StaleGrant`."""
        return outcomes.personal(answers.whole(iter([body])))


def _zone(feed: TjansteguidenFeed) -> ZoneInfo:
    return ZoneInfo(feed.zone) if feed.zone else words.ZONE


def _order(object_type: str, object_id: str) -> str:
    if object_type != "order" or not object_id.strip():
        raise errors.InvalidParameter("expected an order and its id")
    return object_id.strip()


def _orders(
    feed: TjansteguidenFeed, chunks: Iterator[bytes], cursor: base.Cursor, now: datetime
) -> Iterator[base.Entry | base.PageEnd]:
    """The rows since a day, those before `from` left out."""
    zone, orders, is_first = _zone(feed), turns.Orders.of(cursor), not cursor
    if is_first and feed.start == "now":
        cursor = {"from": rfc3339(turns.earliest_of(now))}
    since = cursor.get("from", "")
    for row in answers.orders(chunks):
        came = turns.moment_of(words.text_of(row, "date"), zone)
        if came is not None and rfc3339(came) < since:
            continue
        order_id = words.text_of(row, "id")
        if order_id is not None:
            day = (came or now).astimezone(zone).date().isoformat()
            orders.see(order_id, words.text_of(row, "status"), day)
        fault = None if isinstance(row, dict) else Fault("", "has no fields", "an order")
        body = words.entry(words.ORDERS, order_id, row)
        yield base.Entry(body, paging.JSON, fault=fault, backfill=is_first)
    yield turns.after_orders(cursor, orders, zone, now, feed.recheck)


def _reread(chunks: Iterator[bytes], cursor: base.Cursor) -> Iterator[base.Entry | base.PageEnd]:
    """One order's info or log; what cannot be read is left out, for the others' sake."""
    method, order_id = cursor["ask"]
    try:
        answer = answers.whole(chunks)
        read = outcomes.info if method == words.INFO else outcomes.log
        entries = read(answer, order_id)
    except errors.StaleGrant:
        raise
    except errors.SenderFault as fault:
        yield turns.left_out(cursor, str(fault))
        return
    yield from entries
    orders = turns.Orders.of(cursor)
    if method == words.INFO and turns.is_final(outcomes.status_of(answer)):
        orders.remove(order_id)
    yield turns.after_reading(cursor, orders)


KIND: Final = Tjansteguiden()

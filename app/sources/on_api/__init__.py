"""ON-API: Swedish city networks that are asked for `orderevents` (2.3.1 and 2.4 to 2.6).

The list is immutable, oldest first, without times, in one answer however long; `since` names the
last event read. Its words are in `words`. Source: seed 000, facts/wire.md §3, DESIGN §8.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal
from urllib.parse import quote

from pydantic import SecretStr, field_validator

from app import errors
from app.notifications import notification as canonical
from app.notifications.notification import Fault
from app.sources import base, feed_config, offers, paging
from app.sources.on_api import words

CLIENT_ERRORS: Final = frozenset({400, 404, 410, 422})
"""How operators answer to a `since` they do not know (~: no contract says)."""

FORGOTTEN: Final = (
    "The operator does not know the last event we read any more; its list is read again from the "
    "start. What is known already is not stored twice; `listener feed audit` tells what changed."
)
RESTARTED: Final = (
    "The operator answered with its list from the start instead of what is new; it was read again. "
    "What is known already is not stored twice; `listener feed audit` tells what changed."
)


class OnApiFeed(feed_config.FeedConfig):
    """`url`: up to the version (`https://ko.example/api/2.3.1/`); user and password by Basic."""

    username: str
    password: SecretStr
    every: feed_config.Span = timedelta(seconds=30)

    @field_validator("username")
    @classmethod
    def _has_no_colon(cls, value: str) -> str:
        if not value or ":" in value:
            raise ValueError("expected a user name without a colon (RFC 7617)")
        return value

    @field_validator("start")
    @classmethod
    def _has_no_day(cls, value: str | date) -> str | date:
        if value not in {"now", "beginning"}:
            raise ValueError('this feed has no times; expected "now" or "beginning"')
        return value

    @field_validator("write_back")
    @classmethod
    def _is_only_read(cls, value: str) -> str:
        if value != "off":
            raise ValueError('there is nothing to write back to this operator; expected "off"')
        return value


class OnApi:
    """The kind. Cursor: `since` (last event read), `first` (of the list), `first_pass`; `order`."""

    name = "on_api"
    title = "ON-API order events of Swedish city networks (2.3.1, 2.4 to 2.6)"
    channel = canonical.Channel.PULL
    feed_config: type[feed_config.FeedConfig] = OnApiFeed
    offers: tuple[offers.Offer, ...] = ()
    limits: Mapping[str, timedelta] = MappingProxyType({})
    ordered = True

    # ── asking ───────────────────────────────────────────────────────────────────────────────────

    def login(
        self, _feed: OnApiFeed, _now: datetime, _previous: base.Grant | None = None
    ) -> base.Request | None:
        """None: every request bears user and password."""
        return None

    def grant(
        self, _feed: OnApiFeed, _body: bytes, _now: datetime, _previous: base.Grant | None = None
    ) -> base.Grant:
        """There is no login to be answered."""
        raise errors.SenderFault("ON-API has no login")

    def next_request(
        self, feed: OnApiFeed, cursor: base.Cursor, _now: datetime, _grant: base.Grant | None
    ) -> base.Request | None:
        """`GET orderevents/[?since=…]`, or one order as it is now."""
        if "order" in cursor:
            return _get(feed, _order_path(cursor["order"]), "order")
        since = cursor.get("since")
        query = f"?since={quote(str(since), safe='')}" if since else ""
        return _get(feed, f"orderevents/{query}")

    def read_page(
        self, feed: OnApiFeed, chunks: Iterator[bytes], cursor: base.Cursor, _now: datetime
    ) -> Iterator[base.Entry | base.PageEnd]:
        """The events in the list's order; each with its cursor, for the list only grows."""
        if "order" in cursor:
            yield self.read_entry(feed, b"".join(chunks), "order", cursor["order"])
            yield base.PageEnd(cursor, more=False)
            return
        since, first = cursor.get("since"), cursor.get("first")
        first_pass = not cursor or bool(cursor.get("first_pass"))
        skipped = not cursor and feed.start == "now"
        told = False
        last = since
        for n, element in enumerate(paging.json_list(chunks)):
            event = words.event_id(element.value)
            told = told or _is_again(event, n, since, first)
            first = first or event
            last = event or last
            if not skipped:
                yield base.Entry(
                    body=paging.canonical(element.value),
                    content_type=paging.JSON,
                    cursor=_cursor(event, first, first_pass=first_pass) if event else None,
                    fault=element.fault or _shape(element.value),
                    backfill=first_pass,
                )
        yield base.PageEnd(
            _cursor(last, first, first_pass=False),
            more=False,
            warnings=(RESTARTED,) if told else (),
        )

    def refused(self, _feed: OnApiFeed, cursor: base.Cursor, status: int) -> base.PageEnd | None:
        """A `since` that is not known any more: from the start, if that is answered."""
        if status not in CLIENT_ERRORS or not cursor.get("since"):
            return None
        first_pass = bool(cursor.get("first_pass"))
        begin = _cursor(None, cursor.get("first"), first_pass=first_pass)
        return base.PageEnd(begin, more=True, warnings=(FORGOTTEN,), tried=True)

    def rewound(self, _feed: OnApiFeed, to: Literal["beginning"] | date) -> base.Cursor:
        """From the start; there are no times to begin at."""
        if to != "beginning":
            raise errors.InvalidParameter("ON-API events have no times; expected beginning")
        return _cursor(None, None, first_pass=False)

    def backfill(self, _feed: OnApiFeed, object_type: str, object_id: str) -> base.Cursor:
        """One order as it is now, by its id or path: there is no history of one."""
        return {"order": _order(object_type, object_id)}

    def entry_request(
        self, feed: OnApiFeed, object_type: str, object_id: str, _grant: base.Grant | None
    ) -> base.Request:
        """The order as it is now, by its id or path."""
        return _get(feed, _order_path(_order(object_type, object_id)), "order")

    def read_entry(
        self, _feed: OnApiFeed, body: bytes, _object_type: str, object_id: str
    ) -> base.Entry:
        """The order as an entry without an event."""
        (element,) = (*paging.json_list(iter([b"[", body, b"]"])),) or (None,)
        if element is None or not isinstance(element.value, dict):
            raise errors.SenderFault(f"order {object_id} is no JSON object")
        return base.Entry(paging.canonical(element.value), paging.JSON, fault=element.fault)

    # ── reading ──────────────────────────────────────────────────────────────────────────────────

    def parse(self, arrival: canonical.Arrival) -> canonical.Notification | canonical.Refusal:
        """Read one event. Bad input is a `Refusal`, never an exception."""
        return words.parse(arrival)

    def content(self, body: bytes) -> bytes:
        """All of it: events are immutable."""
        return body

    def snapshot_key(self, _notification: canonical.Notification) -> str | None:
        """None: events have ids."""
        return None

    def later(self, notification: canonical.Notification) -> canonical.Notification:
        """As it is: nothing is counted."""
        return notification

    def origin(
        self, _notification: canonical.Notification, _own_acts: Sequence[base.OwnAct]
    ) -> canonical.Origin:
        """The operator's: we do nothing there."""
        return canonical.Origin.OPERATOR

    # ── doing ────────────────────────────────────────────────────────────────────────────────────

    def follow_ups(
        self, _feed: OnApiFeed, _notification: canonical.Notification
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
        _feed: OnApiFeed,
        _order_id: str,
        command: str,
        _arguments: Mapping[str, Any],
        _grant: base.Grant | None,
    ) -> base.Request:
        """There are none."""
        raise errors.InvalidParameter(f"ON-API has no command {command!r}; it has none at all")

    def command_result(
        self, command: str, _status: int, _body: bytes, _order_id: str | None = None
    ) -> base.CommandResult:
        """There are none."""
        return base.Failed(f"ON-API has no command {command!r}", again=False)

    def check_request(
        self,
        _feed: OnApiFeed,
        _order_id: str,
        _command: str,
        _arguments: Mapping[str, Any],
        _since: datetime,
        _grant: base.Grant | None,
    ) -> base.Request | None:
        """Nothing to check."""
        return None

    def was_done(
        self,
        _command: str,
        _arguments: Mapping[str, Any],
        _body: bytes,
        _since: datetime,
        _feed: OnApiFeed | None = None,
    ) -> bool | None:
        """Nothing to tell."""
        return None

    def files(self, _body: bytes) -> tuple[base.FileLink, ...]:
        """None."""
        return ()

    def personal(self, _body: bytes) -> dict[str, str]:
        """Nothing of a person."""
        return {}


def _order(object_type: str, object_id: str) -> str:
    order_id = words.last_segment(object_id)
    if object_type != "order" or not order_id:
        raise errors.InvalidParameter("ON-API has orders only; expected an order's id or path")
    return order_id


def _order_path(order_id: str) -> str:
    return f"orders/{quote(order_id, safe='')}"


def _get(feed: OnApiFeed, path: str, purpose: str = "page") -> base.Request:
    user = f"{feed.username}:{feed.password.get_secret_value()}".encode()
    return base.Request(
        method="GET",
        url=f"{feed.url.rstrip('/')}/{path}",
        headers={
            "Accept": "application/json",
            "Authorization": f"Basic {base64.b64encode(user).decode()}",
        },
        purpose=purpose,
    )


def _cursor(since: str | None, first: str | None, *, first_pass: bool) -> base.Cursor:
    made: base.Cursor = {"since": since, "first": first}
    return made | {"first_pass": True} if first_pass else made


def _is_again(event: str | None, n: int, since: str | None, first: str | None) -> bool:
    """Whether `event`, the `n`-th of a list after `since`, shows that the list began anew.

    A list that begins with `since` itself is merely inclusive.
    """
    if event is None or since is None:
        return False
    return (event == first and first != since) or (event == since and n > 0)


def _shape(value: Any) -> Fault | None:
    return None if isinstance(value, dict) else Fault("", "is no JSON object", "an event")


KIND: Final = OnApi()

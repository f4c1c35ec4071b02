"""What every kind of source offers (`SourceKind`, `PullKind`) and how one is configured.

Not here: any operator's words (its folder), how its senders prove who they are (`auths`)
and its feed is configured (`feed_config`), the store, the network. Source: DESIGN §7, §8, §13.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Literal, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from app.notifications import notification as canonical, states
from app.sources import auths, feed_config, hub_config, offers

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"

FeedConfig: TypeAlias = feed_config.FeedConfig
"""How a feed is asked; each pull kind has a subclass as `feed_config`."""


class SourceConfig(BaseModel):
    """One operator as listener.toml declares it (`[[source]]`). Unknown keys are errors.

    `zone`: IANA name for times without one. `allow`: networks the source may send from (empty =
    any). `rate`: most requests a minute, per process (null = no limit). `accept`: kinds it may
    send (null = all). `success_status`: overrides the status the path requires (200–299). `feed`:
    of a kind that is asked, else null; it is validated in the context `{"feeds": {name of a kind:
    its feed_config, or None where it pushes}}`. `hub`: the operator's, where we subscribe to it.
    `stuck_after`: by state (`none`: not told), how long without news an order may be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME_PATTERN)
    kind: str = "tmf"
    enabled: bool = True
    auth: tuple[auths.Auth, ...] = ()
    zone: str | None = None
    strict: bool = False
    unknown_event_types: Literal["refuse", "store"] = "refuse"
    accept: frozenset[canonical.Kind] | None = None
    event_id_unique: bool = True
    success_status: int | None = Field(default=None, ge=200, le=299)
    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    rate: int | None = Field(default=None, gt=0)
    tokens_not_before: datetime | None = None
    feed: FeedConfig | None = Field(default=None, validate_default=True)
    hub: hub_config.HubConfig | None = None
    stuck_after: Mapping[str, feed_config.Span] = Field(default_factory=dict)

    @field_validator("stuck_after")
    @classmethod
    def _are_states(cls, value: Mapping[str, timedelta]) -> Mapping[str, timedelta]:
        known = (*states.STATES, "none")
        for state in value:
            if state not in known:
                raise ValueError(f"there is no state {state!r}; expected {', '.join(known)}")
        return dict(value)

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str | None) -> str | None:
        return feed_config.existing_zone(value)

    @field_validator("feed", mode="before")
    @classmethod
    def _of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        """The table as its kind's own configuration; what is wrong in it keeps its place."""
        feeds: Mapping[str, type[FeedConfig] | None] = (info.context or {}).get("feeds", {})
        kind = info.data.get("kind", "")
        if kind not in feeds:  # told elsewhere, or a configuration that was made, not read
            return value if isinstance(value, FeedConfig) else None
        model = feeds[kind]
        if model is None:
            if value is not None:
                raise ValueError(f"a source of kind {kind} sends by itself; leave feed out")
            return None
        if value is None:
            raise ValueError(f"missing: a source of kind {kind} is asked; feed = {{ url = … }}")
        if isinstance(value, dict):
            value = {"zone": info.data.get("zone"), **value}
        return model.model_validate(value)

    def reading(self, *, max_depth: int) -> canonical.Reading:
        """How bodies of this source are read."""
        return canonical.Reading(
            zone=ZoneInfo(self.zone) if self.zone else None,
            strict=self.strict,
            unknown_event_types=self.unknown_event_types,
            max_depth=max_depth,
            accept=self.accept,
        )


class SourceKind(Protocol):
    """One way of speaking: a folder under `sources/` whose `__init__` has `KIND = …` like this."""

    name: str
    title: str
    channel: canonical.Channel

    def parse(self, arrival: canonical.Arrival) -> canonical.Notification | canonical.Refusal:
        """Read one body. Bad input is a `Refusal`, never an exception."""
        ...


# ── kinds that are asked ─────────────────────────────────────────────────────────────────────────

Cursor: TypeAlias = dict[str, Any]
"""Where a feed stands, as JSON; opaque outside its kind. `{}`: nothing read yet."""


@dataclass(frozen=True, slots=True)
class Request:
    """A question to an operator. `url` is absolute. URL, headers and body may hold secrets.

    `purpose`: login, page, or the name of a command. `changes_state`: never sent twice unasked,
    whatever its method.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    changes_state: bool = False
    purpose: str = "page"


@dataclass(frozen=True, slots=True)
class Grant:
    """A login's result. `value`: what further requests show. `refresh`: what renews it, if any."""

    value: str = field(repr=False)
    expires_at: datetime
    refresh: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a page, in the page's order.

    `cursor`: where to go on once it is committed (null: not before the page's end). `fault`: it
    cannot be read; quarantine `body` as it is. `backfill`: it was there before we connected.
    """

    body: bytes
    content_type: str
    cursor: Cursor | None = None
    fault: canonical.Fault | None = None
    backfill: bool = False


@dataclass(frozen=True, slots=True)
class PageEnd:
    """What follows the last entry of a page.

    `more`: ask again at once; else the feed is dry until its next turn. `warnings`: sentences for
    the one who looks after the feed. `tried`: the cursor is only a guess, to be forgotten where
    what is asked next is not answered.
    """

    cursor: Cursor
    more: bool
    warnings: tuple[str, ...] = ()
    tried: bool = False


@dataclass(frozen=True, slots=True)
class OwnAct:
    """What we did at the operator in the last 24 h; `text`: the status set or the message sent."""

    order_id: str | None
    action: str
    text: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """A command that follows on an appended notification, in its order."""

    command: str
    arguments: dict[str, Any]
    changes_state: bool


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file an entry leads to. `url` may hold a token that is short of life."""

    label: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """The command was carried out. `entries`: what it told; `personal`: of a person, kept apart."""

    message: str | None = None
    entries: tuple[Entry, ...] = ()
    personal: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The command was refused. `again`: it may be tried again, once `check_request` allows it."""

    message: str
    again: bool


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too early: try again after `wait`."""

    wait: timedelta


CommandResult: TypeAlias = Done | Failed | Throttled


class PullKind(SourceKind, Protocol):
    """A kind whose operator is asked. Pure: it makes questions and reads answers.

    `feed` is a `feed_config` of the kind's own. `offers`: the commands somebody may ask for.
    `limits`: least time between two of a name to one order. `ordered`: its list only grows, at its
    end. What builds a `Request` gets the `Grant` of the last login, if there is one.
    """

    feed_config: type[FeedConfig]
    offers: tuple[offers.Offer, ...]
    limits: Mapping[str, timedelta]
    ordered: bool

    def login(self, feed: Any, now: datetime, previous: Grant | None = None) -> Request | None:
        """How to log in, or to renew `previous`; None where there is no such step."""
        ...

    def grant(self, feed: Any, body: bytes, now: datetime, previous: Grant | None = None) -> Grant:
        """What a login answered. Raises `errors.SenderFault`."""
        ...

    def next_request(
        self, feed: Any, cursor: Cursor, now: datetime, grant: Grant | None
    ) -> Request | None:
        """What to ask next; None: nothing this turn."""
        ...

    def read_page(
        self, feed: Any, chunks: Iterator[bytes], cursor: Cursor, now: datetime
    ) -> Iterator[Entry | PageEnd]:
        """The entries of an answer as it streams in, then exactly one PageEnd.

        `cursor` is the one the request was made of. Raises `errors.SenderFault` for a page that is
        none (also after entries, whose cursors hold), `errors.StaleGrant` to log in again.
        """
        ...

    def refused(self, feed: Any, cursor: Cursor, status: int) -> PageEnd | None:
        """Where to go on after a page was refused with an HTTP 4xx; None: an error like any.

        So it is asked after an HTTP 5xx that came turn after turn.
        """
        ...

    def rewound(self, feed: Any, to: Literal["beginning"] | date) -> Cursor:
        """The cursor that reads again from `to`. Raises `errors.InvalidParameter`."""
        ...

    def backfill(self, feed: Any, object_type: str, object_id: str) -> Cursor:
        """A cursor of its own that reads the history of one object, then is dry.

        Never stored as the feed's. Raises `errors.InvalidParameter`.
        """
        ...

    def entry_request(
        self, feed: Any, object_type: str, object_id: str, grant: Grant | None
    ) -> Request:
        """One event or object anew; `read_entry` reads it. Raises `errors.InvalidParameter`."""
        ...

    def read_entry(self, feed: Any, body: bytes, object_type: str, object_id: str) -> Entry:
        """What `entry_request` was answered. Raises `errors.SenderFault`."""
        ...

    def content(self, body: bytes) -> bytes:
        """Of an entry, only what is content; its SHA-256 is the content digest. Never raises."""
        ...

    def snapshot_key(self, notification: canonical.Notification) -> str | None:
        """What the changes of a feed without event ids are counted under; None where it has ids.

        The store gives a change the event id `<key>:<n>`.
        """
        ...

    def later(self, notification: canonical.Notification) -> canonical.Notification:
        """The notification as it is where its snapshot is not the first one (n > 1)."""
        ...

    def origin(
        self, notification: canonical.Notification, own_acts: Sequence[OwnAct]
    ) -> canonical.Origin:
        """Whose act it was, given what we did."""
        ...

    def follow_ups(self, feed: Any, notification: canonical.Notification) -> tuple[Step, ...]:
        """What an appended notification asks us to do, in order."""
        ...

    def overtaken(
        self, command: str, told: canonical.Notification, latest: canonical.Notification
    ) -> bool:
        """Whether a `command` that follows on `told` comes too late, its order being at `latest`.

        `latest`: what the log says last of the order's state.
        """
        ...

    def command(
        self,
        feed: Any,
        order_id: str,
        command: str,
        arguments: Mapping[str, Any],
        grant: Grant | None,
    ) -> Request:
        """How to carry out a command. Raises `errors.InvalidParameter` (what would be right)."""
        ...

    def command_result(
        self, command: str, status: int, body: bytes, order_id: str | None = None
    ) -> CommandResult:
        """What became of a command by its answer.

        Raises `errors.StaleGrant`: it was not done; `errors.SenderFault`: that is not told.
        """
        ...

    def check_request(
        self,
        feed: Any,
        order_id: str,
        command: str,
        arguments: Mapping[str, Any],
        since: datetime,
        grant: Grant | None,
    ) -> Request | None:
        """How to learn whether a command whose answer was lost was carried out; None: no way."""
        ...

    def was_done(
        self,
        command: str,
        arguments: Mapping[str, Any],
        body: bytes,
        since: datetime,
        feed: Any = None,
    ) -> bool | None:
        """Whether the answer to `check_request` shows it done since; None: it cannot be told.

        Raises `errors.SenderFault` for an answer that is none: it is asked again.
        """
        ...

    def files(self, body: bytes) -> tuple[FileLink, ...]:
        """The files an entry leads to."""
        ...

    def personal(self, body: bytes) -> dict[str, str]:
        """What an answer tells of a person; kept apart, never in a notification."""
        ...

"""The canonical `Notification`, what comes in (`Arrival`), and the two ways reading it can end.

Not here: how any operator words things (the flavour modules and `sources`), and what becomes of a
notification in the log (`intake`, `store`). Source: DESIGN §5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer


class Kind(StrEnum):
    """What happened, in our words."""

    CREATED = "created"
    STATE_CHANGED = "state_changed"
    ITEM_STATE_CHANGED = "item_state_changed"
    VALUE_CHANGED = "value_changed"
    INFORMATION_REQUIRED = "information_required"
    REMOVED = "removed"
    CANCEL_CREATED = "cancel_created"
    CANCEL_STATE_CHANGED = "cancel_state_changed"
    CANCEL_INFORMATION_REQUIRED = "cancel_information_required"
    MILESTONE = "milestone"
    JEOPARDY = "jeopardy"
    ERROR_MESSAGE = "error_message"
    NOTE = "note"
    OTHER = "other"


class Flavour(StrEnum):
    """Which wire contract a body follows (DESIGN §13)."""

    TMF622_2015 = "tmf622_2015"
    TMF622_V4 = "tmf622_v4"
    TMF622_V5 = "tmf622_v5"
    TMF641_V3 = "tmf641_v3"
    TMF641_V4 = "tmf641_v4"
    ONAP = "onap"
    ON_API = "on_api"
    COVAGE = "covage"
    TJANSTEGUIDEN = "tjansteguiden"


class ResourceType(StrEnum):
    """What the notification is about."""

    PRODUCT_ORDER = "productOrder"
    SERVICE_ORDER = "serviceOrder"
    ORDER = "order"
    SERVICE = "service"
    CANCEL_ORDER = "cancelOrder"
    OTHER = "other"


class Channel(StrEnum):
    """Who began the conversation: the operator (push) or we (pull)."""

    PUSH = "push"
    PULL = "pull"


class Attention(StrEnum):
    """What a person has to do about it."""

    BUYER_ACTION = "buyer_action"
    ALARM = "alarm"
    FOLLOW_UP = "follow_up"


class Origin(StrEnum):
    """Whose act it was: the operator's, or our own write-back coming home."""

    OPERATOR = "operator"
    SELF = "self"


def rfc3339(moment: datetime) -> str:
    """`moment` (aware) as RFC 3339 in UTC with `Z` and 6 decimals: text that sorts as time does."""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')[:26]}Z"


Moment = Annotated[datetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]


class Item(BaseModel):
    """One item of an order, as far as the notification tells of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | None = None
    action: str | None = None
    state: str | None = None
    raw_state: str | None = None


class Appointment(BaseModel):
    """An agreed visit; `end` is null where the operator names none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Moment
    end: Moment | None = None


class Notification(BaseModel):
    """One thing an operator told us, in our words, with the bytes it came in.

    `seq` and `conflict_of` are null until the log has given them. `state` is always the *order's*
    canonical state (`states`), never an item's or a cancel task's. Times are aware, UTC.
    `content_digest` (`content.canonical_digest` of `raw`) is null where the reader of the body had
    no reason to make it; it is never written with the rest.
    Source of every field: DESIGN §5.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seq: int | None = None
    id: str
    source: str
    channel: Channel
    flavour: Flavour
    event_id: str | None = None
    event_type: str
    kind: Kind
    resource_type: ResourceType
    order_id: str | None = None
    about_order_id: str | None = None
    href: str | None = None
    external_id: str | None = None
    items: tuple[Item, ...] = ()
    service_id: str | None = None
    access_id: str | None = None
    refs: dict[str, str] = {}
    state: str | None = None
    raw_state: str | None = None
    attention: Attention | None = None
    origin: Origin = Origin.OPERATOR
    occurred_at: Moment | None = None
    occurred_at_raw: str | None = None
    received_at: Moment
    principal: str | None = None
    remote_addr: str | None = None
    backfill: bool = False
    appointment: Appointment | Literal["void"] | None = None
    attention_clears: bool = False
    conflict_of: str | None = None
    warnings: tuple[str, ...] = ()
    summary: dict[str, Any] = {}
    content_type: str | None = None
    raw: bytes = b""
    content_digest: bytes | None = Field(default=None, exclude=True, repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the bodies of one source are read (its part of listener.toml).

    `zone` is applied to times without one. `strict` makes every tolerance a refusal.
    `unknown_event_types`: refuse with code 24, or store as kind `other`. `max_depth` counts
    nested arrays and objects. `accept`: kinds the source may send (null = all; else 422/100).
    """

    zone: ZoneInfo | None = None
    strict: bool = False
    unknown_event_types: Literal["refuse", "store"] = "refuse"
    max_depth: int = 100
    accept: frozenset[Kind] | None = None


class Arrival(NamedTuple):
    """Bytes as they came, and who brought them.

    `id` is the id the notification will bear (UUIDv7). `event_name` is the last segment of a
    TM Forum listener path and `flavour` the flavour that path belongs to; both null on the shared
    listener path and for pulled entries.
    """

    id: str
    source: str
    channel: Channel
    body: bytes
    content_type: str | None
    received_at: datetime
    principal: str | None = None
    remote_addr: str | None = None
    event_name: str | None = None
    flavour: Flavour | None = None
    backfill: bool = False
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a body: where (`event.productOrder.id`), what, and what would be right."""

    path: str
    problem: str
    expected: str

    def __str__(self) -> str:
        """`path: problem; expected …`, as it is told to the sender."""
        return f"{self.path}: {self.problem}; expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A body that could not be taken: the code of DESIGN §6 (21-26, 100, …) and every fault."""

    code: int
    message: str
    faults: tuple[Fault, ...] = ()

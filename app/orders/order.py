"""The canonical `Order`: one order's whole story, and the parts it is told in.

Not here: how it is derived (`timeline`), and its row in the lists (`store.orders`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.notifications.notification import (
    Appointment,
    Attention,
    Channel,
    Kind,
    Notification,
    Origin,
    ResourceType,
)

FLAGS = ("out_of_order", "late", "conflicting", "changed_after_final", "removed")
"""What an order or an entry may be marked with, in the order it is told in (DESIGN §13).

`out_of_order`: it occurred before something that was stored already. `late`: received more than an
hour after it occurred, history that a feed began with left out. `conflicting`: other content under
an event id that was known. `changed_after_final`: said otherwise than a final state. `removed`: the
operator removed the order; its state is not touched.
"""

GRAVITY = (Attention.ALARM, Attention.BUYER_ACTION, Attention.FOLLOW_UP)
"""What a person has to do, the gravest first."""


class Key(NamedTuple):
    """Which order: ids are the source's own, and one id may name an order and a service of it."""

    source: str
    resource_type: ResourceType
    order_id: str


@dataclass(frozen=True, slots=True)
class Open:
    """Something a person has to see to, until it is cleared or closed by hand.

    Named by the notification that opened it; `since` is when that was received. `message` is null
    in a fold: what the operator wrote is payload, which the log does not keep.
    """

    notification_id: str
    attention: Attention
    since: datetime
    message: str | None
    source: str


@dataclass(frozen=True, slots=True)
class ItemState:
    """One item of the order as it was last told of.

    `disagrees`: the order is final, and what was said of the item then or later does not fit it
    (`lifecycles.AGREEING`).
    """

    id: str | None
    action: str | None
    state: str | None
    raw_state: str | None
    disagrees: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """A change of appointment: `made` or `voided`, which one, by which notification, and when."""

    change: str
    appointment: Appointment
    notification_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Milestone:
    """Something reached on the way: its event type as sent (the name is payload), and when."""

    notification_id: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FirstWord:
    """Who told first that the order was in `state`; `lag` as in `Entry`."""

    state: str
    source: str
    channel: Channel
    notification_id: str
    received_at: datetime
    lag: float | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One notification in the story, at its place by event time.

    `lag`: seconds from when it occurred to when it was received; null without a time of its own,
    negative where the sender's clock is ahead. `state` is the order's, as this notification says.
    """

    notification_id: str
    seq: int
    kind: Kind
    event_type: str
    resource_type: ResourceType
    state: str | None
    raw_state: str | None
    occurred_at: datetime | None
    received_at: datetime
    channel: Channel
    source: str
    origin: Origin
    flags: tuple[str, ...]
    attention: Attention | None
    attention_clears: bool
    appointment: Appointment | str | None
    items: tuple[ItemState, ...]
    lag: float | None


@dataclass(frozen=True, slots=True)
class Order:
    """One order as all its notifications tell it, in the order in which things occurred.

    `state` is null until told. `state_since` is when the order entered it, `occurred_at` the same
    where the operator said so. `first_news_at`, `last_news_at`: received. `external_id`,
    `access_id`, `service_id`, `about_order_id`: the last that was told. `folded_seq`: the newest
    notification that is in it. Source: DESIGN §9.
    """

    source: str
    resource_type: ResourceType
    order_id: str
    state: str | None
    raw_state: str | None
    final: bool
    flags: tuple[str, ...]
    attention: tuple[Open, ...]
    items: tuple[ItemState, ...]
    appointment: Appointment | None
    appointments: tuple[Visit, ...]
    milestones: tuple[Milestone, ...]
    told_first: tuple[FirstWord, ...]
    external_id: str | None
    access_id: str | None
    service_id: str | None
    about_order_id: str | None
    first_news_at: datetime
    last_news_at: datetime
    occurred_at: datetime | None
    state_since: datetime | None
    count: int
    folded_seq: int
    timeline: tuple[Entry, ...]

    @property
    def key(self) -> Key:
        """Which order it is."""
        return Key(self.source, self.resource_type, self.order_id)

    @property
    def open_attention(self) -> Attention | None:
        """The gravest of what is open."""
        kinds = {each.attention for each in self.attention}
        return next((attention for attention in GRAVITY if attention in kinds), None)


def keys(told: Notification) -> tuple[Key, ...]:
    """The orders whose story `told` is part of; none where it names none.

    A service told of without an order is named by its own id. A cancel task has a story of its own
    and is part of that of the order it cancels.
    """
    named = told.order_id
    if named is None and told.resource_type is ResourceType.SERVICE:
        named = told.service_id
    own = () if named is None else (Key(told.source, told.resource_type, named),)
    if told.about_order_id is None or told.resource_type is not ResourceType.CANCEL_ORDER:
        return own
    return (*own, Key(told.source, cancelled_by(told), told.about_order_id))


def cancelled_by(told: Notification) -> ResourceType:
    """What sort of order the cancel task `told` cancels: the task's flavour says."""
    service = told.flavour.value.startswith("tmf641")
    return ResourceType.SERVICE_ORDER if service else ResourceType.PRODUCT_ORDER

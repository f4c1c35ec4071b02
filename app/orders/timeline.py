"""`fold`: the notifications about an order in, its story out. Pure; of `log` rows alone.

What is said is told in the order in which it occurred (`occurred_at`, else `received_at`; then
`seq`), whatever the order of arrival, so that the same stored notifications always tell the same.
Only what the log keeps is looked at, never payload: what is erased there changes no story.
Not here: `silent`, which needs the time of day (the lists compute it). Source: DESIGN §9, §13.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from app.notifications.notification import (
    Appointment,
    Attention,
    Item,
    Kind,
    Notification,
    ResourceType,
)
from app.orders import lifecycles, order as orders

LATE: Final = timedelta(hours=1)
"""Received so long after it occurred is late."""


def fold(notifications: Iterable[Notification], *, key: orders.Key | None = None) -> orders.Order:
    """The order that `notifications` (stored, at least one, in any order) tell of.

    `key` says which order it is; without it, that of the oldest notification. Cancel tasks about it
    are part of its timeline alone. Notifications of several orders that are one story (linked by
    access id or own reference) may be folded together. Raises `ValueError` where there is none.
    """
    told = sorted(notifications, key=_place)
    if not told:
        raise ValueError("a story needs a notification")
    of = key or orders.keys(min(told, key=_seq))[0]
    story = _Story(of)
    overtaken = _overtaken(told)
    for one in told:
        story.hear(one, overtaken=_seq(one) in overtaken)
    return story.order(told)


def _seq(told: Notification) -> int:
    return told.seq or 0


def _moment(told: Notification) -> datetime:
    return told.occurred_at or told.received_at


def _place(told: Notification) -> tuple[datetime, int]:
    return (_moment(told), _seq(told))


def _overtaken(told: Sequence[Notification]) -> Collection[int]:
    """The seqs of those that occurred before something that was stored already."""
    found = set()
    newest: datetime | None = None
    for one in sorted(told, key=_seq):
        if one.occurred_at is None:
            continue
        if newest is not None and one.occurred_at < newest:
            found.add(_seq(one))
        else:
            newest = one.occurred_at
    return found


def _lag(told: Notification) -> float | None:
    if told.occurred_at is None:
        return None
    return (told.received_at - told.occurred_at).total_seconds()


class _Story:
    """What is known of the order `of` after what was heard so far."""

    def __init__(self, of: orders.Key) -> None:
        self._of = of
        self._is_task = of.resource_type is ResourceType.CANCEL_ORDER
        self._state: str | None = None
        self._raw_state: str | None = None
        self._final = False
        self._entered: Notification | None = None
        self._entered_at = 0
        self._open: dict[str, orders.Open] = {}
        self._items: dict[tuple[str, str | int], tuple[int, orders.ItemState]] = {}
        self._appointment: Appointment | None = None
        self._visits: list[orders.Visit] = []
        self._milestones: list[orders.Milestone] = []
        self._names: dict[str, str | None] = dict.fromkeys(_NAMES)
        self._entries: list[orders.Entry] = []

    def hear(self, told: Notification, *, overtaken: bool) -> None:
        """Take in the next notification by event time."""
        marks = _marks(told, overtaken=overtaken)
        if self._is_task or told.resource_type is not ResourceType.CANCEL_ORDER:
            contradicts = self._hear_state(told)
            if contradicts:
                marks.add("changed_after_final")
            self._hear_attention(told, contradicts=contradicts)
            self._hear_items(told)
            self._hear_appointment(told)
            self._hear_names(told)
            if told.kind is Kind.MILESTONE:
                at = _moment(told)
                self._milestones.append(orders.Milestone(told.id, told.event_type, at))
        self._entries.append(_entry(told, marks))

    def order(self, told: Sequence[Notification]) -> orders.Order:
        """The whole, of everything heard (`told`)."""
        received = [one.received_at for one in told]
        marks = {flag for entry in self._entries for flag in entry.flags}
        entered = self._entered
        return orders.Order(
            *self._of,
            state=self._state,
            raw_state=self._raw_state,
            final=self._final,
            flags=tuple(flag for flag in orders.FLAGS if flag in marks),
            attention=tuple(self._open.values()),
            items=tuple(self._judged(at, item) for at, item in self._items.values()),
            appointment=self._appointment,
            appointments=tuple(self._visits),
            milestones=tuple(self._milestones),
            told_first=_told_first(told),
            external_id=self._names["external_id"],
            access_id=self._names["access_id"],
            service_id=self._names["service_id"],
            about_order_id=self._names["about_order_id"],
            first_news_at=min(received),
            last_news_at=max(received),
            occurred_at=None if entered is None else entered.occurred_at,
            state_since=None if entered is None else _moment(entered),
            count=len(told),
            folded_seq=max(map(_seq, told)),
            timeline=tuple(self._entries),
        )

    def _hear_state(self, told: Notification) -> bool:
        """Take in the order's state; true where it says otherwise than a final one."""
        state = told.state
        if state is None:
            self._hear_word(told)
            return False
        if self._final and state not in lifecycles.FINAL:
            return True
        if state != self._state:
            self._entered, self._entered_at = told, len(self._entries)
        self._state, self._raw_state = state, told.raw_state
        self._final = state in lifecycles.FINAL
        if self._final:
            self._open.clear()
        return False

    def _hear_word(self, told: Notification) -> None:
        """The word for what has no canonical state: a service, a cancel task."""
        if self._state is not None or told.raw_state is None:
            return
        if told.raw_state != self._raw_state:
            self._entered = told
        self._raw_state = told.raw_state
        if self._is_task and lifecycles.ends_task(told.raw_state):
            self._final = True
            self._open.clear()

    def _hear_attention(self, told: Notification, *, contradicts: bool) -> None:
        if told.attention_clears:
            self._open.clear()
        wanted = Attention.ALARM if contradicts else told.attention
        if wanted is not None:
            opened = orders.Open(told.id, wanted, told.received_at, None, told.source)
            self._open[told.id] = opened

    def _hear_items(self, told: Notification) -> None:
        """Later words about an item complete and replace earlier ones; its place names one."""
        for n, item in enumerate(told.items):
            named = (told.source, item.id if item.id is not None else n)
            at, known = self._items.get(named, (0, None))
            if known is None or not _is_silent(item):
                at = len(self._entries)
            self._items[named] = (at, _merged(known, item))

    def _judged(self, at: int, item: orders.ItemState) -> orders.ItemState:
        """`item`, marked where what was said of it since the order ended does not fit that."""
        if at < self._entered_at or not lifecycles.disagrees(self._state, item.state):
            return item
        return orders.ItemState(item.id, item.action, item.state, item.raw_state, disagrees=True)

    def _hear_appointment(self, told: Notification) -> None:
        new, was, at = told.appointment, self._appointment, _moment(told)
        if new is None or new == was:
            return
        if was is not None:
            self._visits.append(orders.Visit("voided", was, told.id, at))
        self._appointment = None if new == "void" else new
        if self._appointment is not None:
            self._visits.append(orders.Visit("made", self._appointment, told.id, at))

    def _hear_names(self, told: Notification) -> None:
        for name in _NAMES:
            value = getattr(told, name)
            if value is not None:
                self._names[name] = value


_NAMES: Final = ("external_id", "access_id", "service_id", "about_order_id")


def _marks(told: Notification, *, overtaken: bool) -> set[str]:
    lag = _lag(told)
    found = {
        "out_of_order": overtaken,
        "late": lag is not None and lag > LATE.total_seconds() and not told.backfill,
        "conflicting": told.conflict_of is not None,
        "removed": told.kind is Kind.REMOVED,
    }
    return {flag for flag, holds in found.items() if holds}


def _is_silent(item: Item) -> bool:
    return item.state is None and item.raw_state is None


def _merged(known: orders.ItemState | None, item: Item) -> orders.ItemState:
    if known is None:
        return orders.ItemState(item.id, item.action, item.state, item.raw_state)
    silent = _is_silent(item)
    return orders.ItemState(
        item.id,
        item.action or known.action,
        known.state if silent else item.state,
        known.raw_state if silent else item.raw_state,
    )


def _told_first(told: Iterable[Notification]) -> tuple[orders.FirstWord, ...]:
    """Who told of each state first, by arrival; in the order in which they were told."""
    found: dict[str, orders.FirstWord] = {}
    for one in sorted(told, key=_seq):
        if one.state is not None and one.state not in found:
            found[one.state] = orders.FirstWord(
                one.state, one.source, one.channel, one.id, one.received_at, _lag(one)
            )
    return tuple(found.values())


def _entry(told: Notification, marks: Collection[str]) -> orders.Entry:
    return orders.Entry(
        notification_id=told.id,
        seq=_seq(told),
        kind=told.kind,
        event_type=told.event_type,
        resource_type=told.resource_type,
        state=told.state,
        raw_state=told.raw_state,
        occurred_at=told.occurred_at,
        received_at=told.received_at,
        channel=told.channel,
        source=told.source,
        origin=told.origin,
        flags=tuple(flag for flag in orders.FLAGS if flag in marks),
        attention=told.attention,
        attention_clears=told.attention_clears,
        appointment=told.appointment,
        items=tuple(_merged(None, item) for item in told.items),
        lag=_lag(told),
    )

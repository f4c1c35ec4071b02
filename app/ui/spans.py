"""What lasted in the story of an order, and from when to when: states, items, visits, attention.

Pure: an `Order` in, spans out, by event time as the story is. Not here: how they are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from app.notifications.notification import Attention, ResourceType
from app.orders import lifecycles, order as orders

VISIT: Final = timedelta(hours=1)
"""How long a visit is drawn whose end is not told."""


@dataclass(frozen=True, slots=True)
class Span:
    """`word` held from `start` to `end`, null where it still does; `note` says more of it."""

    word: str
    start: datetime
    end: datetime | None
    note: str = ""


def moment(entry: orders.Entry) -> datetime:
    """When it occurred, as far as that is known; else when it was received."""
    return entry.occurred_at or entry.received_at


def own(order: orders.Order) -> Iterator[orders.Entry]:
    """The entries that tell of `order` itself: a task to cancel it has a story of its own."""
    is_task = order.resource_type is ResourceType.CANCEL_ORDER
    for entry in order.timeline:
        if is_task or entry.resource_type is not ResourceType.CANCEL_ORDER:
            yield entry


def states(order: orders.Order) -> list[Span]:
    """The states the order was in, one after the other; the operator's words where it has none."""
    told: list[tuple[str, datetime]] = []
    for entry in own(order):
        word = entry.state or (entry.raw_state if order.state is None else None)
        if word is not None and "changed_after_final" not in entry.flags:
            told.append((word, moment(entry)))
    return _joined(told)


def items(order: orders.Order) -> dict[str, list[Span]]:
    """The states of every item, by its id (or place), in the order they were first told of."""
    told: dict[str, list[tuple[str, datetime]]] = {}
    for entry in own(order):
        for n, item in enumerate(entry.items):
            known = told.setdefault(item.id if item.id is not None else f"no. {n + 1}", [])
            word = item.state or item.raw_state
            if word is not None:
                known.append((word, moment(entry)))
    return {name: _joined(words) for name, words in told.items() if words}


def attention(order: orders.Order, closed: Mapping[str, datetime]) -> list[Span]:
    """What needed somebody: from what opened it to what cleared it, or `closed` it by hand.

    `closed`: when, by the notification that opened it.
    """
    found: dict[str, Span] = {}
    for entry in own(order):
        at = moment(entry)
        contradicts = "changed_after_final" in entry.flags
        if entry.attention_clears or (entry.state in lifecycles.FINAL and not contradicts):
            found = {id_: _ended(span, at, "cleared") for id_, span in found.items()}
        wanted = Attention.ALARM if contradicts else entry.attention
        if wanted is not None:
            found[entry.notification_id] = Span(wanted.value, at, None)
    still = {each.notification_id for each in order.attention}
    for id_, span in found.items():
        if id_ in closed:
            found[id_] = _ended(span, max(closed[id_], span.start), "closed by hand")
        elif id_ not in still:
            found[id_] = _ended(span, max(order.last_news_at, span.start), "cleared")
    return list(found.values())


def visits(order: orders.Order) -> list[Span]:
    """The appointments, each once: `kept` is the one that holds, `void` one that does not."""
    found: dict[tuple[datetime, datetime], Span] = {}
    for visit in order.appointments:
        start, end = visit.appointment.start, visit.appointment.end
        until = end if end is not None and end > start else start + VISIT
        word = "void" if visit.change == "voided" else "appointment"
        found[start, until] = Span(word, start, until)
    return list(found.values())


def _joined(told: Sequence[tuple[str, datetime]]) -> list[Span]:
    """What was said, each until something else was."""
    found: list[Span] = []
    for word, at in told:
        if found and found[-1].word == word:
            continue
        if found:
            found[-1] = replace(found[-1], end=at)
        found.append(Span(word, at, None))
    return found


def _ended(span: Span, at: datetime, note: str) -> Span:
    return span if span.end is not None else replace(span, end=at, note=note)

"""The story of one order as documents and pages tell it: folded from the log as it is now.

Not here: the fold (`orders.timeline`), the rows of lists (`store.orders`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from app.notifications.notification import Notification, ResourceType
from app.orders import order as orders, timeline
from app.store import attention, engine, orders as rows

Found = Mapping[orders.Key, list[Notification]]

FIRST: Final = (
    ResourceType.PRODUCT_ORDER,
    ResourceType.SERVICE_ORDER,
    ResourceType.ORDER,
    ResourceType.SERVICE,
    ResourceType.CANCEL_ORDER,
    ResourceType.OTHER,
)
"""Which is meant where one id names several and nobody says which."""


def of(connection: engine.Connection, source: str, order_id: str) -> Found:
    """All that goes by `order_id` at `source`, and what was told of each."""
    return rows.rows_of_order(connection, source, order_id)


def chosen(found: Found, resource_type: ResourceType | None) -> orders.Order | None:
    """The one of `found` that is meant, folded; null where there is none."""
    by_type = {key.resource_type: key for key in found}
    wanted = FIRST if resource_type is None else (resource_type,)
    key = next((by_type[each] for each in wanted if each in by_type), None)
    return None if key is None else timeline.fold(found[key], key=key)


def told(connection: engine.Connection, story: orders.Order) -> dict[str, Any]:
    """`story` as a document, with what operators wrote as far as it is kept.

    Every field of `orders.Order`; flags and tuples as lists, times as they are. What somebody
    closed by hand is not open.
    """
    closed = attention.closed(connection, [each.notification_id for each in story.attention])
    left = tuple(each for each in story.attention if each.notification_id not in closed)
    story = replace(story, attention=left)
    said = rows.messages(connection, [entry.seq for entry in story.timeline])
    by_id = {entry.notification_id: said.get(entry.seq) for entry in story.timeline}
    entries = [
        {**asdict(entry), "appointment": _visit(entry.appointment), "message": said.get(entry.seq)}
        for entry in story.timeline
    ]
    return {
        **{name: getattr(story, name) for name in _PLAIN},
        "open_attention": story.open_attention,
        "attention": [
            {**asdict(each), "message": by_id.get(each.notification_id)} for each in story.attention
        ],
        "items": [asdict(item) for item in story.items],
        "appointment": _visit(story.appointment),
        "appointments": [
            {**asdict(visit), "appointment": _visit(visit.appointment)}
            for visit in story.appointments
        ],
        "milestones": [asdict(each) for each in story.milestones],
        "told_first": [asdict(each) for each in story.told_first],
        "timeline": entries,
    }


def _visit(appointment: Any) -> Any:
    """An appointment as {start, end}; `void` and null as they are."""
    return appointment.model_dump() if hasattr(appointment, "model_dump") else appointment


_PLAIN: Final = (
    "source",
    "resource_type",
    "order_id",
    "state",
    "raw_state",
    "final",
    "flags",
    "external_id",
    "access_id",
    "service_id",
    "about_order_id",
    "first_news_at",
    "last_news_at",
    "occurred_at",
    "state_since",
    "count",
    "folded_seq",
)

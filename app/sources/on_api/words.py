"""ON-API's words: what an order event says. The tables are those of facts/mappings.md.

`~` marks an inference. An order as it is now (no event) is read as well: it has no event id.
Source: seed 000, facts/wire.md §3, facts/mappings.md "ON-API".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.notifications import body as bodies, findings, warnings
from app.notifications.notification import (
    Arrival,
    Attention,
    Flavour,
    Kind,
    Notification,
    Refusal,
    ResourceType,
)
from app.sources import fields

EVENT_TYPE: Final = "orderevents"

STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "RECEIVED": "acknowledged",  # ~
        "IN_PROGRESS": "inProgress",
        "DONE_SUCCESS": "completed",
        "DONE_FAILED": "failed",
    }
)
ATTENTION: Final[Mapping[str, Attention]] = MappingProxyType({"DONE_FAILED": Attention.ALARM})
OUTSIDE: Final = frozenset({"RECEIVED", "IN_PROGRESS"})
"""States that 2.3.1 does not let an event have."""
EFFECTS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {("DEACTIVATE", "DONE_SUCCESS"): "service_removed"}
)

_STRICT_VERSION: Final = "/2.3.1/"
_UTC: Final = ZoneInfo("UTC")


def event_id(value: Any) -> str | None:
    """The id of an event, to go on from; null where it has none."""
    event = value.get("event") if isinstance(value, dict) else None
    if isinstance(event, bool) or not isinstance(event, str | int):
        return None
    text = str(event).strip()
    return text if 0 < len(text) <= findings.IDENTIFIER_LENGTH else None


def last_segment(path: str) -> str | None:
    """The order's id: the last segment of its path."""
    return path.strip().rstrip("/").rpartition("/")[2] or None


def parse(arrival: Arrival) -> Notification | Refusal:
    """The notification an event is, or an order as it is now; a refusal where it is neither."""
    read = bodies.read(arrival.body, max_depth=arrival.reading.max_depth)
    if isinstance(read, Refusal):
        return read
    entry = fields.Fields(arrival, read, _UTC)
    is_event = "event" in entry.said or "order" in entry.said
    event = entry.identifier("event", entry.said.get("event"), required=is_event)
    order = entry.part("order") if is_event else entry.said
    path = entry.text("order.path", order.get("path"))
    named = last_segment(path) if path else order.get("orderId")
    order_id = entry.identifier("order.path", named) if named else None
    if order_id is None:
        entry.found.warn(warnings.NO_ORDER_ID, "order.path")
    state = entry.name("order.state", order.get("state"))
    operation = entry.name("order.operation", order.get("operation"))
    _tell_of_state(entry, state, path if is_event else None)
    return entry.finish(
        Flavour.ON_API,
        Kind.STATE_CHANGED,
        event_id=event,
        event_type=EVENT_TYPE if is_event else "order",
        resource_type=ResourceType.ORDER,
        order_id=order_id,
        href=path,
        access_id=entry.name("order.accessId", order.get("accessId")),
        state=STATES.get(state or ""),
        raw_state=state,
        attention=ATTENTION.get(state or ""),
        summary=fields.kept(
            service=entry.text("order.service", order.get("service")),
            operation=operation,
            message=entry.text("order.message", order.get("message")),
            effect=EFFECTS.get((operation or "", state or "")),
        ),
    )


def _tell_of_state(entry: fields.Fields, state: str | None, path: str | None) -> None:
    if state is not None and state not in STATES:
        entry.found.warn(warnings.UNKNOWN_STATE, "order.state")
    elif state in OUTSIDE and path is not None and _STRICT_VERSION in path:
        entry.found.warn(warnings.STATE_OUTSIDE_CONTRACT, "order.state")

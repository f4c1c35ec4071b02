"""Notifications as the log keeps them, told in a line each: for the tests of what is folded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.notifications.notification import (
    Channel,
    Flavour,
    Kind,
    Notification,
    ResourceType,
)

DAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(clock: str, *, day: int = 2) -> datetime:
    """`clock` (HH:MM or HH:MM:SS) on that day of March 2026, UTC."""
    hours, minutes, *seconds = (int(part) for part in clock.split(":"))
    return DAY + timedelta(
        days=day - 2, hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0
    )


def told(seq: int, **fields: Any) -> Notification:
    """The notification `n<seq>` of order `PO-1` of source `orange`, received as it occurred.

    Given only one of `occurred_at` and `received_at`, the other is the same.
    """
    moment = fields.get("occurred_at") or fields.get("received_at") or at("12:00")
    given: dict[str, Any] = {
        "seq": seq,
        "id": f"n{seq}",
        "source": "orange",
        "channel": Channel.PUSH,
        "flavour": Flavour.ONAP,
        "event_type": "ServiceOrderStateChangeNotification",
        "kind": Kind.STATE_CHANGED,
        "resource_type": ResourceType.SERVICE_ORDER,
        "order_id": "PO-1",
        "received_at": moment,
        "occurred_at": moment,
    }
    return Notification(**{**given, **fields})

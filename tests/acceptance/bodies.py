"""Bodies for the acceptance tests: fine ones, with event ids of their own."""

from __future__ import annotations

import json
import uuid
from typing import Any


def state_change(event_id: str | None = None, **order: Any) -> dict[str, Any]:
    """A TMF622 2015 state change that is fine; `order` is added to the order."""
    return {
        "eventId": event_id or uuid.uuid4().hex,
        "eventTime": "2026-11-20T16:42:25+01:00",
        "eventType": "orderStateChangeNotification",
        "event": {"productOrder": {"id": "PO-1", "state": "InProgress", **order}},
    }


def body(event_id: str | None = None, **order: Any) -> bytes:
    """`state_change` as bytes."""
    return json.dumps(state_change(event_id, **order)).encode()

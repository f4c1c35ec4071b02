"""What the pages' tests tell a listener of orders, and waiting until it has taken it in."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tests import serving

DEADLINE = 15.0
Found = TypeVar("Found")
V5 = "/tmf-api/productOrderingManagement/v5/listener"


def tell(server: serving.Listener, order_id: str, state: str = "inProgress", **order: Any) -> None:
    """Say that `order_id` of the source `local` is in `state`."""
    _post(
        server,
        "orderStateChangeNotification",
        {"productOrder": {"id": order_id, "state": state, **order}},
    )


def ask(server: serving.Listener, order_id: str, field: str = "VlanId") -> None:
    """Say that the operator waits for something of ours."""
    body = {"resourcePath": f"/productOrder/{order_id}", "fieldPath": f"missing={field}"}
    _post(
        server,
        "orderInformationRequiredNotification",
        {"productOrder": {"id": order_id}},
        **body,
    )


def _post(server: serving.Listener, type_: str, event: dict[str, Any], **more: Any) -> None:
    body = {
        "eventId": uuid.uuid4().hex,
        "eventTime": "2026-03-02T10:15:00Z",
        "eventType": type_,
        "event": event,
        **more,
    }
    answer = server.post(json.dumps(body).encode())
    assert answer.status_code == 201, answer.text


def row(server: serving.Listener, order_id: str, *, news: int = 1) -> dict[str, Any]:
    """The row of the order, once it has so many `news`."""
    ends = time.monotonic() + DEADLINE
    while time.monotonic() < ends:
        found = server.get("/admin/orders?source=local&limit=500").json()["items"]
        for each in found:
            if each["order_id"] == order_id and each["news"] >= news:
                return dict(each)
        time.sleep(0.05)
    raise TimeoutError(order_id)


async def until(look: Callable[[], Awaitable[Found]], fits: Callable[[Found], bool]) -> Found:
    """What `look` finds once it fits; what it found last where it never does."""
    ends = time.monotonic() + DEADLINE
    found = await look()
    while not fits(found) and time.monotonic() < ends:
        await asyncio.sleep(0.05)
        found = await look()
    return found

"""Arrivals for tests, and what a notification is expected to be in every canonical field."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.notifications import content
from app.notifications.notification import (
    Arrival,
    Channel,
    Flavour,
    Notification,
    Reading,
    Refusal,
)
from app.sources import tmf

RECEIVED = datetime(2026, 3, 2, 9, 15, 1, tzinfo=UTC)
SHARED = Path(__file__).parents[3] / "shared"

# Every canonical field; what a test does not name must be exactly this.
NOTHING: dict[str, Any] = {
    "seq": None,
    "id": "0195-id",
    "source": "operator",
    "channel": "push",
    "event_id": None,
    "order_id": None,
    "about_order_id": None,
    "href": None,
    "external_id": None,
    "items": (),
    "service_id": None,
    "access_id": None,
    "refs": {},
    "state": None,
    "raw_state": None,
    "attention": None,
    "origin": "operator",
    "occurred_at": None,
    "occurred_at_raw": None,
    "received_at": RECEIVED,
    "principal": "jwt:operator",
    "remote_addr": "192.0.2.7",
    "backfill": False,
    "appointment": None,
    "attention_clears": False,
    "conflict_of": None,
    "warnings": (),
    "summary": {},
    "content_type": "application/json;charset=utf-8",
}


def arrival(body: bytes | dict[str, Any], **fields: Any) -> Arrival:
    """A push of `body`."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Arrival(
        id="0195-id",
        source="operator",
        channel=Channel.PUSH,
        body=raw,
        content_type="application/json;charset=utf-8",
        received_at=RECEIVED,
        principal="jwt:operator",
        remote_addr="192.0.2.7",
        **fields,
    )


def on_path(body: bytes | dict[str, Any], flavour: Flavour, event_name: str) -> Arrival:
    """A push of `body` to a TM Forum path."""
    return arrival(body, flavour=flavour, event_name=event_name)


def told(it: Arrival) -> dict[str, Any]:
    """Every canonical field of the notification; bytes and digest must be those of the body."""
    read = tmf.KIND.parse(it)
    assert isinstance(read, Notification), read
    assert read.content_digest == content.canonical_digest(it.body)
    fields = read.model_dump()
    assert fields.pop("raw") == it.body
    return fields


def refused(it: Arrival) -> Refusal:
    """The refusal."""
    read = tmf.KIND.parse(it)
    assert isinstance(read, Refusal), read
    return read


def reading(**fields: Any) -> Reading:
    """How a source is read, if not by default."""
    return Reading(**fields)


def item(
    id_: str | None, action: str | None = None, state: str | None = None, raw: str | None = None
) -> dict[str, Any]:
    """An item as it is expected; `raw`: the state as sent, if it is not `state`."""
    return {"id": id_, "action": action, "state": state, "raw_state": raw or state}


def shared(path: str) -> bytes:
    """A file of the shared examples, which are not ours to ship."""
    file = SHARED / path
    if not file.is_file():
        pytest.skip(f"{path} is not ours to ship and not beside this folder")
    return file.read_bytes()

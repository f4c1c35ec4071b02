"""Candidates for tests of the log: notifications built by hand, with honest digests."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import uuid_utils

from app import intake
from app.notifications import content
from app.notifications.notification import Channel, Flavour, Kind, Notification, ResourceType
from app.store import append

RECEIVED = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


def notification(**fields: Any) -> Notification:
    """A state change of order `PO-1` of source `local`; `fields` say what is different."""
    given: dict[str, Any] = {
        "id": str(uuid_utils.uuid7()),
        "source": "local",
        "channel": Channel.PUSH,
        "flavour": Flavour.TMF622_2015,
        "event_id": "event-1",
        "event_type": "orderStateChangeNotification",
        "kind": Kind.STATE_CHANGED,
        "resource_type": ResourceType.PRODUCT_ORDER,
        "order_id": "PO-1",
        "state": "inProgress",
        "raw_state": "InProgress",
        "received_at": RECEIVED,
        "occurred_at": RECEIVED,
        "content_type": "application/json",
        "principal": "jwt:local",
        "remote_addr": "127.0.0.1",
        "raw": b'{"state": 1}',
    }
    return Notification(**{**given, **fields})


def candidate(*, unique: bool = True, **fields: Any) -> append.Candidate:
    """What intake would hand the writer for `notification(**fields)`."""
    told = notification(**fields)
    digest = hashlib.sha256(told.raw).digest()
    undated = told.event_id is None and told.occurred_at is None
    return append.Candidate(
        told,
        raw_digest=digest,
        canonical_digest=content.canonical_digest(told.raw),
        identity=None if undated else intake.identity(told.source, told.event_id, digest),
        event_id_unique=unique,
    )

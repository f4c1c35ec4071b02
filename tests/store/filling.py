"""Filling a log the way the writer does, for the tests of what reads it."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy

from app import intake
from app.store import append
from tests import arrivals


def put(database: sqlalchemy.Engine, *told: dict[str, Any]) -> list[str]:
    """Append one notification a dict of fields, in one batch; the ids that were made.

    Each is an event of its own unless its fields say which.
    """
    batch = [arrivals.candidate(**{"event_id": uuid.uuid4().hex, **fields}) for fields in told]
    with database.connect() as connection, connection.begin():
        decisions = intake.decide(batch, append.find(connection, batch))
        append.insert(connection, batch, decisions)
    return [candidate.notification.id for candidate in batch]

"""The tables of what people do with orders: what was placed, the work list, what alerts told.

Private to `store`, as `tables` is. The steps from `0005` on make them. Times are aware, UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from app.store.tables import DOCUMENT, METADATA, Table, UtcMoment

_STILL_OPEN = "cleared_at IS NULL AND closed_at IS NULL"


class ExpectedOrder(Table, table=True):
    """An order we placed, so that an operator's silence about it is visible.

    `id`: a UUIDv7 of `placed_at`, by which lists are sorted. `own_ref`: what we call it;
    `access_id`: the access it is about; `answer`: what the operator said when it was placed
    (`RECEIVED`). `over_at`: when the order came to its end; null before.
    `told`: whether its operator told anything of it, as triggers of `orders` know.
    """

    __tablename__ = "expected_order"
    __table_args__ = (
        Index(
            "expected_order_outstanding",
            "id",
            unique=True,
            sqlite_where=text("over_at IS NULL"),
            postgresql_where=text("over_at IS NULL"),
        ),
        Index(
            "expected_order_unheard",
            "told",
            "id",
            "source",
            "placed_at",
            "over_at",
            sqlite_where=text("over_at IS NULL"),
            postgresql_where=text("over_at IS NULL"),
        ),
        Index("expected_order_own_ref", "own_ref", postgresql_ops={"own_ref": "text_pattern_ops"}),
        Index(
            "expected_order_access", "access_id", postgresql_ops={"access_id": "text_pattern_ops"}
        ),
    )

    source: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text, primary_key=True)
    id: str = Field(sa_type=Text)
    own_ref: str | None = Field(default=None, sa_type=Text)
    access_id: str | None = Field(default=None, sa_type=Text)
    placed_at: datetime = Field(sa_type=UtcMoment)
    answer: str | None = Field(default=None, sa_type=Text)
    put_at: datetime = Field(sa_type=UtcMoment)
    put_by: str = Field(sa_type=Text)
    over_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    told: bool = Field(default=False)


class Opening(Table, table=True):
    """Something an order needs somebody for, keyed by the notification that opened it.

    `cleared_at`: when the order's story cleared it; `closed_at`, `closed_by`: when somebody did, by
    hand. `notes`: {at, by, text}, oldest first. What somebody did outlives every rebuild.
    """

    __tablename__ = "opening"
    __table_args__ = (
        Index("opening_order", "order_id", "source", "resource_type"),
        Index(
            "opening_open",
            "notification_id",
            "source",
            "attention",
            "since",
            "cleared_at",
            "closed_at",
            sqlite_where=text(_STILL_OPEN),
            postgresql_where=text(_STILL_OPEN),
        ),
    )

    notification_id: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text)
    resource_type: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    attention: str = Field(sa_type=Text)
    since: datetime = Field(sa_type=UtcMoment)
    cleared_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    closed_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    closed_by: str | None = Field(default=None, sa_type=Text)
    assignee: str | None = Field(default=None, sa_type=Text)
    notes: list[dict[str, Any]] = Field(default=[], sa_type=DOCUMENT)


class Patience(Table, table=True):
    """How long news of a source usually stay away in a state: the 95th percentile of `cases`."""

    __tablename__ = "patience"

    source: str = Field(sa_type=Text, primary_key=True)
    state: str = Field(sa_type=Text, primary_key=True)
    seconds: float
    cases: int
    learned_at: datetime = Field(sa_type=UtcMoment)


class Alert(Table, table=True):
    """What a channel was told, or is to be told, of one source and severity.

    `id` stays the same over every attempt. `opened_at`: when it began; `told_at`: when that was
    told; `over_at`: when it ended, null while it lasts. A row goes once its end was told.
    `due_at`: the next attempt; while one is made, when another process may make it.
    """

    __tablename__ = "alert"
    __table_args__ = (Index("alert_due", "due_at"),)

    channel: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    severity: str = Field(sa_type=Text, primary_key=True)
    id: str = Field(sa_type=Text)
    count: int
    text: str = Field(sa_type=Text)
    orders: list[str] = Field(default=[], sa_type=DOCUMENT)
    opened_at: datetime = Field(sa_type=UtcMoment)
    told_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    over_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    due_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    attempts: int = Field(default=0)
    error: str | None = Field(default=None, sa_type=Text)


class Alerted(Table, table=True):
    """A message of the alerts to one channel, as long as it is remembered.

    `id`: the message's own, the same however often it is tried. `event`: opened, cleared or test.
    `begun_at`: the first attempt; `tried_at`: the last; `told_at`: when it arrived, null where it
    did not yet; `error`: why the last attempt failed.
    """

    __tablename__ = "alerted"
    __table_args__ = (Index("alerted_begun", "begun_at"),)

    channel: str = Field(sa_type=Text, primary_key=True)
    id: str = Field(sa_type=Text, primary_key=True)
    event: str = Field(sa_type=Text)
    source: str | None = Field(default=None, sa_type=Text)
    severity: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    begun_at: datetime = Field(sa_type=UtcMoment)
    tried_at: datetime = Field(sa_type=UtcMoment)
    told_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    attempts: int
    error: str | None = Field(default=None, sa_type=Text)


EXPECTED_ORDER = METADATA.tables["expected_order"]
OPENING = METADATA.tables["opening"]
PATIENCE = METADATA.tables["patience"]
ALERT = METADATA.tables["alert"]
ALERTED = METADATA.tables["alerted"]

"""The tables of what follows the log: the orders as folded, and how far each follower has come.

Private to `store`, as `tables` is. The step `0003` makes them. Times are aware, UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from app.store.tables import BIG, DOCUMENT, METADATA, Table, UtcMoment


def _index(*columns: str, where: str | None = None, prefix: bool = False) -> Index:
    """An index of the orders on `columns` and the place; `prefix`: fit for "begins with"."""
    only = None if where is None else text(where)
    return Index(
        f"orders_{'_'.join(columns) or 'newest'}",
        *columns,
        "place",
        sqlite_where=only,
        postgresql_where=only,
        postgresql_ops={columns[0]: "text_pattern_ops"} if prefix else {},
    )


def _flag(name: str) -> Index:
    return Index(f"orders_{name}", "place", sqlite_where=text(name), postgresql_where=text(name))


class Orders(Table, table=True):
    """One row an order, as `orders.timeline` folds it: what lists show and ask for.

    `place`: where it stands among all orders, by their newest notification; unique. `state_since`,
    `last_news_at` and the others are as in `orders.order.Order`; `attention` lists what is open,
    `open_attention` is the gravest of it. The five flags are columns of their own.
    """

    __tablename__ = "orders"
    __table_args__ = (
        Index("orders_place", "place", unique=True),
        _index("source"),
        _index("state"),
        _index("order_id", prefix=True),
        _index("open_attention", where="open_attention IS NOT NULL"),
        _index("external_id", where="external_id IS NOT NULL", prefix=True),
        _index("access_id", where="access_id IS NOT NULL", prefix=True),
        _index("service_id", where="service_id IS NOT NULL", prefix=True),
        _index("about_order_id", where="about_order_id IS NOT NULL", prefix=True),
        _flag("out_of_order"),
        _flag("late"),
        _flag("conflicting"),
        _flag("changed_after_final"),
        _flag("removed"),
        Index("orders_last_news_at", "last_news_at", "place"),
        Index(
            "orders_unfinished",
            "place",
            "source",
            "state",
            "last_news_at",
            "final",
            sqlite_where=text("NOT final"),
            postgresql_where=text("NOT final"),
        ),
    )

    source: str = Field(sa_type=Text, primary_key=True)
    resource_type: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text, primary_key=True)
    place: int = Field(sa_type=BIG)
    state: str | None = Field(default=None, sa_type=Text)
    raw_state: str | None = Field(default=None, sa_type=Text)
    final: bool
    out_of_order: bool
    late: bool
    conflicting: bool
    changed_after_final: bool
    removed: bool
    open_attention: str | None = Field(default=None, sa_type=Text)
    attention: list[dict[str, Any]] = Field(default=[], sa_type=DOCUMENT)
    appointment: Any = Field(default=None, sa_type=DOCUMENT, nullable=True)
    external_id: str | None = Field(default=None, sa_type=Text)
    access_id: str | None = Field(default=None, sa_type=Text)
    service_id: str | None = Field(default=None, sa_type=Text)
    about_order_id: str | None = Field(default=None, sa_type=Text)
    first_news_at: datetime = Field(sa_type=UtcMoment)
    last_news_at: datetime = Field(sa_type=UtcMoment)
    occurred_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    state_since: datetime | None = Field(default=None, sa_type=UtcMoment)
    news: int = Field(sa_type=BIG)
    folded_seq: int = Field(sa_type=BIG)


class OrderTally(Table, table=True):
    """How many orders are in `state` (empty: none was told): the sum of `n` over its slots.

    Triggers of `orders` keep it, whoever writes there. A transaction counts in a slot of its own on
    PostgreSQL, so that none waits for another.
    """

    __tablename__ = "order_tally"

    state: str = Field(sa_type=Text, primary_key=True)
    slot: int = Field(sa_type=BIG, primary_key=True)
    n: int = Field(sa_type=BIG)


class Follower(Table, table=True):
    """How far the follower `name` has come: everything up to `seq` of `epoch` is done (law 7)."""

    __tablename__ = "follower"

    name: str = Field(sa_type=Text, primary_key=True)
    epoch: str = Field(sa_type=Text)
    seq: int = Field(sa_type=BIG)


ORDERS = METADATA.tables["orders"]
ORDER_TALLY = METADATA.tables["order_tally"]
FOLLOWER = METADATA.tables["follower"]

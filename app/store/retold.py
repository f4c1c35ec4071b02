"""Rows of `log` as the canonical notifications they were, without payload: what folds are made of.

Thousands a second: rows are read in one go, and are not validated again, for they were when they
were written. Not here: those with payload (`telling`), lists for people (`log`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import orjson
from sqlalchemy import Connection, TextClause, text

from app.notifications.notification import (
    Appointment,
    Attention,
    Channel,
    Flavour,
    Item,
    Kind,
    Notification,
    Origin,
    ResourceType,
)

COLUMNS: Final = (
    "seq",
    "id",
    "source",
    "channel",
    "flavour",
    "event_type",
    "kind",
    "resource_type",
    "order_id",
    "about_order_id",
    "external_id",
    "items",
    "service_id",
    "access_id",
    "state",
    "raw_state",
    "attention",
    "origin",
    "occurred_at",
    "received_at",
    "backfill",
    "appointment",
    "attention_clears",
    "conflict_of",
)
"""What a fold looks at; the other fields of what is retold are at their defaults."""

_NAMES: Final = {
    "order_id": "",
    "about_order_id": "",
    "service_id": " AND coalesce(order_id, '') = ''",  # not IS NULL: that index would be taken
}
"""The columns of the log that name an order, each with what else must hold there."""


def after(connection: Connection, seq: int, limit: int) -> list[Notification]:
    """At most `limit` notifications beyond `seq`, in the log's order."""
    statement = _AFTER[connection.dialect.name]
    return list(_retold(connection, statement, {"seq": seq, "limit": limit}))


def of_orders(connection: Connection, ids: Collection[str]) -> Iterator[Notification]:
    """All that name one of `ids` as their order, as the order they cancel, or as their service.

    One that does so twice may come twice.
    """
    given = _list(connection, ids)
    for name in _NAMES:
        yield from _retold(connection, _OF[connection.dialect.name, name], {"ids": given})


def named(connection: Connection, column: str, after: str | None, limit: int) -> list[str]:
    """The next ids in `column` of the log beyond `after`, by their bytes; of `limit` rows at most.

    `column` is one of those that name orders (`NAMING`). Empty when there are no more.
    """
    statement = _NEXT[connection.dialect.name, column]
    rows = connection.execute(statement, {"after": after or "", "limit": limit})
    return list(dict.fromkeys(rows.scalars()))


NAMING: Final = tuple(_NAMES)


def _list(connection: Connection, ids: Collection[str]) -> Any:
    return json.dumps(sorted(ids)) if connection.dialect.name == "sqlite" else sorted(ids)


def _retold(
    connection: Connection, statement: TextClause, parameters: dict[str, Any]
) -> Iterator[Notification]:
    found = connection.execute(statement, parameters)
    is_sqlite = connection.dialect.name == "sqlite"
    rows = orjson.loads(found.scalar_one()) if is_sqlite else found.fetchall()
    parse = _parse_text if is_sqlite else _parse_values
    for row in rows:
        fields = dict(zip(COLUMNS, row, strict=True))
        parse(fields)
        for name, words in _WORDS:
            fields[name] = words[fields[name]]
        yield _BARE.model_copy(update=fields)


def _parse_text(fields: dict[str, Any]) -> None:
    """What SQLite keeps as text."""
    occurred = fields["occurred_at"]
    fields["items"] = _items(fields["items"])
    fields["appointment"] = _appointment(fields["appointment"])
    fields["received_at"] = datetime.fromisoformat(fields["received_at"])
    if occurred is not None:
        fields["occurred_at"] = datetime.fromisoformat(occurred)
    fields["backfill"] = bool(fields["backfill"])
    fields["attention_clears"] = bool(fields["attention_clears"])


def _parse_values(fields: dict[str, Any]) -> None:
    """What psycopg has parsed; times are in the session's zone."""
    fields["items"] = _items(fields["items"])
    fields["appointment"] = _appointment(fields["appointment"])
    fields["received_at"] = fields["received_at"].astimezone(UTC)
    if fields["occurred_at"] is not None:
        fields["occurred_at"] = fields["occurred_at"].astimezone(UTC)


def _items(given: list[dict[str, str | None]]) -> tuple[Item, ...]:
    return tuple(Item.model_construct(None, **item) for item in given)


def _appointment(given: Any) -> Any:
    return Appointment.model_validate(given) if isinstance(given, dict) else given


def _words(enum: type[StrEnum], *, absent: bool = False) -> dict[str | None, Any]:
    found: dict[str | None, Any] = {word.value: word for word in enum}
    return found | {None: None} if absent else found


_WORDS: Final = (
    ("channel", _words(Channel)),
    ("flavour", _words(Flavour)),
    ("kind", _words(Kind)),
    ("resource_type", _words(ResourceType)),
    ("attention", _words(Attention, absent=True)),
    ("origin", _words(Origin)),
)
_BARE: Final = Notification(
    id="",
    source="",
    channel=Channel.PUSH,
    flavour=Flavour.ONAP,
    event_type="",
    kind=Kind.OTHER,
    resource_type=ResourceType.OTHER,
    received_at=datetime.min.replace(tzinfo=UTC),
)
"""What is copied for each row, several times as fast as making one."""

_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM log"  # noqa: S608 - our own columns
_DOCUMENTS: Final = ("items", "appointment")


def _statement(dialect: str, rest: str) -> TextClause:
    """The rows of the log that `rest` says; on SQLite as one JSON document.

    Each row that SQLite gives costs a wait for the GIL while other threads are busy.
    """
    if dialect != "sqlite":
        return text(f"{_SELECT} {rest}")
    told = ", ".join(f"json({name})" if name in _DOCUMENTS else name for name in COLUMNS)
    chosen = f"{_SELECT} {rest}"
    return text(f"SELECT json_group_array(json_array({told})) FROM ({chosen})")  # noqa: S608 - ours


_AFTER: Final = {
    dialect: _statement(dialect, "WHERE seq > :seq ORDER BY seq LIMIT :limit")
    for dialect in ("sqlite", "postgresql")
}
_IN: Final = {
    "sqlite": "IN (SELECT value FROM json_each(:ids))",
    "postgresql": "= ANY(:ids)",
}
_BEYOND: Final = {
    "sqlite": ("> :after", ""),
    "postgresql": ("~>~ :after", " USING ~<~"),
}
_OF: Final = {
    (dialect, name): _statement(dialect, f"WHERE {name} {among}{also}")
    for dialect, among in _IN.items()
    for name, also in _NAMES.items()
}
_NEXT: Final = {
    (dialect, name): text(
        f"SELECT {name} FROM log WHERE {name} {beyond}{also}"  # noqa: S608 - our own columns
        f" ORDER BY {name}{by} LIMIT :limit"
    )
    for dialect, (beyond, by) in _BEYOND.items()
    for name, also in _NAMES.items()
}

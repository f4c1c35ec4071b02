"""Tjänsteguiden's words: statuses, log types, and what a row, an order_info, a log line says.

Tables as in facts/mappings.md; `~` marks what is not public (order_info's form above all). An entry
is `{"method": orders | order_info | order_log, "order": its id, "entry": what the operator told}`.
Source: seed 001, facts/wire.md §4, DESIGN §13 "Tjänsteguiden".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.notifications import body as bodies, warnings
from app.notifications.notification import (
    Arrival,
    Attention,
    Flavour,
    Kind,
    Notification,
    Refusal,
    ResourceType,
)
from app.sources import fields, paging

ZONE: Final = ZoneInfo("Europe/Stockholm")
"""Of its times, which bear none: local, by its documentation."""

ORDERS: Final = "orders"
INFO: Final = "order_info"
LOG: Final = "order_log"

NEW: Final = "new"
RECEIVED: Final = "received"
DELIVERED: Final = "delivered"
FINAL: Final = frozenset({"cancelled", DELIVERED})


@dataclass(frozen=True, slots=True)
class Status:
    """What a status of an order means."""

    state: str | None
    attention: Attention | None = None


STATUSES: Final[Mapping[str, Status]] = MappingProxyType(
    {
        NEW: Status(None, Attention.BUYER_ACTION),
        RECEIVED: Status("acknowledged"),
        "active": Status("inProgress"),  # being handled
        "waiting": Status("pending"),
        "cancelled": Status("cancelled"),
        DELIVERED: Status("completed"),
    }
)


@dataclass(frozen=True, slots=True)
class LogType:
    """What a type of log line means."""

    kind: Kind
    attention: Attention | None = None


LOG_TYPES: Final[Mapping[str, LogType]] = MappingProxyType(
    {
        "error": LogType(Kind.ERROR_MESSAGE, Attention.ALARM),  # ~ alarm
        "alert": LogType(Kind.JEOPARDY, Attention.ALARM),  # ~ alarm
        "system": LogType(Kind.NOTE),
        "log": LogType(Kind.NOTE),
    }
)
UNKNOWN: Final = LogType(Kind.OTHER)

ACCESS_NAMES: Final = ("accessid", "accessId", "access_id", "access")  # ~
REFERENCE_NAMES: Final = ("reference", "ref", "external_id")  # ~
SERVICE_NAMES: Final = ("servicename", "service_name")  # ~
KEPT: Final = ("service", "xsp", "delivery", "customer")


def text_of(entry: Any, name: str) -> str | None:
    """A field of what was told, as trimmed text."""
    value = entry.get(name) if isinstance(entry, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def entry(method: str, order_id: str | None, told: Any) -> bytes:
    """One thing that was told, as the bytes of an entry."""
    return paging.canonical({"method": method, "order": order_id, "entry": told})


def status_row(order_id: str, told: Mapping[str, Any]) -> bytes | None:
    """What an order_info says of the status, as a row of orders; null where it says nothing (~)."""
    status = text_of(told, "status")
    if status is None:
        return None
    names = ("type", "date", *KEPT)
    row = {name: told[name] for name in names if isinstance(told.get(name), str | int)}
    return entry(ORDERS, order_id, {"id": order_id, "status": status, **row})


# ── parsing ──────────────────────────────────────────────────────────────────────────────────────


def parse(arrival: Arrival) -> Notification | Refusal:
    """The notification an entry is; a refusal where it names no order or is no entry."""
    read = bodies.read(arrival.body, max_depth=arrival.reading.max_depth)
    if isinstance(read, Refusal):
        return read
    found = fields.Fields(arrival, read, ZONE)
    order_id = found.identifier("order", found.said.get("order"), required=True)
    told = found.part("entry")
    match found.said.get("method"):
        case "orders":
            return _row(found, order_id, told)
        case "order_info":
            return _info(found, order_id, told)
        case "order_log":
            return _line(found, order_id, told)
        case _:
            found.found.wrong("method", "is none we ask", f"{ORDERS}, {INFO} or {LOG}")
            return found.found.refusal()


def _row(
    found: fields.Fields, order_id: str | None, told: Mapping[str, Any]
) -> Notification | Refusal:
    """A row of orders as at first sight; `later` is for the others."""
    raw = found.name("entry.status", told.get("status"))
    status = STATUSES.get((raw or "").casefold())
    if status is None:
        found.found.warn(warnings.UNKNOWN_STATE, "entry.status")
        status = Status(None)
    delivered = (raw or "").casefold() == DELIVERED
    return found.finish(
        Flavour.TJANSTEGUIDEN,
        Kind.CREATED,
        event_type=ORDERS,
        resource_type=ResourceType.ORDER,
        order_id=order_id,
        access_id=_first(found, told, ACCESS_NAMES),
        state=status.state,
        raw_state=raw,
        attention=status.attention,
        occurred_at=found.moment("entry.date", told.get("date")),
        occurred_at_raw=found.text("entry.date", told.get("date")),
        summary=fields.kept(**_kept(found, told), already_active=True if delivered else None),
    )


def later(notification: Notification) -> Notification:
    """A row that is not the order's first: a change of status, whose time nobody tells."""
    if notification.event_type != ORDERS:
        return notification
    about_time = {warnings.ZONE_ASSUMED, warnings.TIME_UNREADABLE}
    summary = {k: v for k, v in notification.summary.items() if k != "already_active"}
    return notification.model_copy(
        update={
            "kind": Kind.STATE_CHANGED,
            "occurred_at": None,
            "occurred_at_raw": None,
            "summary": summary,
            "warnings": tuple(w for w in notification.warnings if w not in about_time),
        }
    )


def _info(
    found: fields.Fields, order_id: str | None, told: Mapping[str, Any]
) -> Notification | Refusal:
    return found.finish(
        Flavour.TJANSTEGUIDEN,
        Kind.VALUE_CHANGED,
        event_type=INFO,
        resource_type=ResourceType.ORDER,
        order_id=order_id,
        access_id=_first(found, told, ACCESS_NAMES),
        external_id=_first(found, told, REFERENCE_NAMES),
        summary=fields.kept(**_kept(found, told), service_name=_first(found, told, SERVICE_NAMES)),
    )


def _line(
    found: fields.Fields, order_id: str | None, told: Mapping[str, Any]
) -> Notification | Refusal:
    type_ = found.name("entry.type", told.get("type")) or ""
    row = LOG_TYPES.get(type_.casefold(), UNKNOWN)
    if row is UNKNOWN:
        found.found.warn(warnings.UNKNOWN_TYPE, "entry.type")
    mark = found.name("entry.id", told.get("id")) or _digest(told)
    return found.finish(
        Flavour.TJANSTEGUIDEN,
        row.kind,
        event_id=f"{order_id}:log:{mark}",
        event_type=f"{LOG}.{type_}" if type_ else LOG,
        resource_type=ResourceType.ORDER,
        order_id=order_id,
        attention=row.attention,
        occurred_at=found.moment("entry.date", told.get("date")),
        occurred_at_raw=found.text("entry.date", told.get("date")),
        summary=fields.kept(message=found.text("entry.message", told.get("message"))),
    )


def _kept(found: fields.Fields, told: Mapping[str, Any]) -> dict[str, str | None]:
    return {name: found.text(f"entry.{name}", told.get(name)) for name in KEPT}


def _first(found: fields.Fields, told: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    name = next((name for name in names if told.get(name) not in (None, "")), None)
    return found.name(f"entry.{name}", told[name]) if name is not None else None


def _digest(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(fields.view(_plain(told))).hexdigest()[:16]


def _plain(value: Any) -> Any:
    match value:
        case bodies.OutOfRange():
            return value.lexeme
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case _:
            return value


# ── identity ─────────────────────────────────────────────────────────────────────────────────────


def content(body: bytes) -> bytes:
    """Of a row the order and its status, of order_info all but the status, of a log line all."""
    said = fields.object_of(body)
    told = said.get("entry")
    if not isinstance(told, dict):
        return body
    if said.get("method") == ORDERS:
        told = {"status": told.get("status")}
    elif said.get("method") == INFO:
        told = {name: value for name, value in told.items() if name != "status"}
    return fields.view({**said, "entry": told})


def snapshot_key(notification: Notification) -> str | None:
    """`<order>` for rows, `<order>:info` for order_info; log lines have ids."""
    match notification.event_type:
        case "orders":
            return notification.order_id
        case "order_info":
            return f"{notification.order_id}:info"
        case _:
            return None

"""Covage's words: the 34 types of events and what each says: ONE table, that of facts/mappings.md.

`~` marks an inference where the source is silent. The seed's three lists (all, Fiber Pro, by type
of order) name the same rows. Source: seed 002, facts/wire.md §5, facts/mappings.md "Covage".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.notifications import body as bodies, warnings
from app.notifications.notification import (
    Appointment,
    Arrival,
    Attention,
    Flavour,
    Kind,
    Notification,
    Refusal,
    ResourceType,
)
from app.sources import fields

ZONE: Final = ZoneInfo("Europe/Paris")
"""Of times without one, unless the source is configured otherwise (~: the seed names none)."""

CRI: Final = "CRI"
INFO: Final = "order-info"


@dataclass(frozen=True, slots=True)
class Row:
    """What a type of event means. `keep`: the texts of `data` that go to the summary."""

    kind: Kind
    state: str | None = None
    attention: Attention | None = None
    voids: bool = False
    clears: bool = False
    keep: tuple[str, ...] = ()
    whole: bool = False
    raw_state: str | None = None


_ALARM: Final = Attention.ALARM
_BUYER: Final = Attention.BUYER_ACTION

TYPES: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "order-submitted": Row(Kind.CREATED),  # ~ only order-acknowledged says validated
        "order-acknowledged": Row(Kind.STATE_CHANGED, "acknowledged"),
        "order-running": Row(Kind.STATE_CHANGED, "inProgress"),
        "order-completed": Row(Kind.STATE_CHANGED, "completed"),
        "order-rejected": Row(
            Kind.STATE_CHANGED,
            "rejected",
            _ALARM,
            keep=("reject_reason", "reject_code", "reject_subcode", "reject_description"),
        ),
        "order-cancelled": Row(Kind.STATE_CHANGED, "cancelled", keep=("reason",)),
        "order-dropped": Row(Kind.STATE_CHANGED, None, _ALARM),  # ~ undocumented: never final
        "order-localloop-saturation": Row(Kind.JEOPARDY, "held", _ALARM, voids=True),  # ~ held
        "order-network-saturation": Row(Kind.JEOPARDY, "held", _ALARM),  # ~ held
        "order-localloop-desaturation-planned": Row(Kind.MILESTONE, keep=("desaturation_type",)),
        "order-network-desaturation-planned": Row(Kind.MILESTONE, keep=("desaturation_type",)),
        "order-localloop-desaturation-quote-emitted": Row(  # ~
            Kind.INFORMATION_REQUIRED, "pending", _BUYER
        ),
        "order-localloop-desaturation-quote-accepted": Row(Kind.MILESTONE, "held", clears=True),
        "order-sensibleaccess": Row(Kind.INFORMATION_REQUIRED, "pending", _BUYER),  # ~ pending
        "order-delayed": Row(Kind.INFORMATION_REQUIRED, "pending", _BUYER),  # ~ pending
        "order-sensibleaccess-orderconfirmed": Row(  # ~
            Kind.STATE_CHANGED, "inProgress", clears=True
        ),
        "order-delayed-orderconfirmed": Row(Kind.STATE_CHANGED, "inProgress", clears=True),  # ~
        "order-requalified": Row(Kind.VALUE_CHANGED, voids=True),
        "order-appointment-agreed": Row(Kind.MILESTONE),
        "order-appointment-confirmed": Row(Kind.MILESTONE),
        "order-appointment-declined": Row(Kind.JEOPARDY, None, _BUYER, voids=True),  # ~
        "order-appointment-missed": Row(Kind.JEOPARDY, None, _BUYER, voids=True),  # ~
        "order-appointment-deferred": Row(Kind.JEOPARDY, voids=True, keep=("message",)),  # ~
        "order-on-site-intervention-succeeded": Row(Kind.MILESTONE, keep=("message",)),
        "order-on-site-intervention-failed": Row(Kind.JEOPARDY, None, _ALARM, keep=("message",)),
        "order-information-from-provider": Row(Kind.NOTE, keep=("message", "description")),
        INFO: Row(Kind.NOTE, keep=("message",)),
        CRI: Row(Kind.MILESTONE),
        "service-activated": Row(Kind.STATE_CHANGED, raw_state="activated"),
        "service-terminated": Row(Kind.STATE_CHANGED, raw_state="terminated"),
        "service-modified": Row(Kind.VALUE_CHANGED, whole=True),
        "service-updated": Row(Kind.VALUE_CHANGED, whole=True),
        "service-slammed": Row(Kind.JEOPARDY, None, _ALARM),  # the access was taken over
        "service-info": Row(Kind.NOTE, whole=True),
    }
)
UNKNOWN: Final = Row(Kind.OTHER)

OBJECTS: Final[Mapping[str, ResourceType]] = MappingProxyType(
    {"order": ResourceType.ORDER, "service": ResourceType.SERVICE}
)


def parse(arrival: Arrival) -> Notification | Refusal:
    """The notification an event is; a refusal where it has no id or type or is no object."""
    read = bodies.read(arrival.body, max_depth=arrival.reading.max_depth)
    if isinstance(read, Refusal):
        return read
    event = fields.Fields(arrival, read, ZONE)
    event_id = event.identifier("event_uuid", event.said.get("event_uuid"), required=True)
    type_ = event.identifier("type", event.said.get("type"), required=True) or ""
    row = TYPES.get(type_, UNKNOWN)
    if row is UNKNOWN:
        event.found.warn(warnings.UNKNOWN_TYPE, "type")
    data = event.part("data")
    occurred_at = event.moment("event_date", event.said.get("event_date"))
    about, refs = _object(event, type_)
    named, more_refs = _named(event, type_, data)
    return event.finish(
        Flavour.COVAGE,
        row.kind,
        event_id=event_id,
        event_type=type_,
        state=row.state,
        raw_state=row.raw_state,
        attention=row.attention,
        attention_clears=row.clears,
        occurred_at=occurred_at,
        occurred_at_raw=event.text("event_date", event.said.get("event_date")),
        appointment="void" if row.voids else _appointment(event, type_, data),
        summary=_summary(event, type_, row, data),
        refs=refs | more_refs,
        **(about | named),
    )


def _object(event: fields.Fields, type_: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What the event is about, and refs: object_type wins over what the type says."""
    said = event.name("object_type", event.said.get("object_type"))
    by_type = "service" if type_.startswith("service-") else "order" if type_ in TYPES else None
    if by_type is not None and said != by_type:
        event.found.warn(warnings.OBJECT_TYPE_DISAGREES, "object_type")
    object_type = OBJECTS.get(said or by_type or "", ResourceType.OTHER)
    uuid = event.identifier("object_uuid", event.said.get("object_uuid"))
    if uuid is None:
        event.found.warn(warnings.NO_ORDER_ID, "object_uuid")
    refs = _refs(object_alias=event.name("object_alias", event.said.get("object_alias")))
    about: dict[str, Any] = {"resource_type": object_type}
    match object_type:
        case ResourceType.ORDER:
            about["order_id"] = uuid
        case ResourceType.SERVICE:
            about["service_id"] = uuid
        case _:
            refs |= _refs(object_uuid=uuid)
    return about, refs


def _named(
    event: fields.Fields, type_: str, data: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Ids that `data` tells, where they have fields of their own; and refs."""
    match type_:
        case "order-submitted":
            reference = event.name("data.kosc_order_ref", data.get("kosc_order_ref"))
            return {"external_id": reference}, {}
        case "order-completed":
            alias = event.name("data.service_alias", data.get("service_alias"))
            service = event.name("data.service_uuid", data.get("service_uuid"))
            return ({"service_id": service} if service else {}), _refs(service_alias=alias)
        case _:
            return {}, {}


def _refs(**refs: str | None) -> dict[str, str]:
    return {name: value for name, value in refs.items() if value is not None}


def _appointment(event: fields.Fields, type_: str, data: Mapping[str, Any]) -> Appointment | None:
    """The time slot that was agreed; its end is null on fibre."""
    if type_ != "order-appointment-agreed":
        return None
    start = event.moment("data.start_date", data.get("start_date"))
    end = event.moment("data.end_date", data.get("end_date"))
    return Appointment(start=start, end=end) if start is not None else None


def _summary(event: fields.Fields, type_: str, row: Row, data: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {name: event.text(f"data.{name}", data.get(name)) for name in row.keep}
    match type_:
        case "order-completed":
            kept["endpoints"] = data.get("endpoints")
        case "order-info":
            kept["stop_deferred"] = event.flag("data.stop_deferred", data.get("stop_deferred"))
        case "CRI":
            kept["files"] = _files(data) or None
        case _ if row.whole and data:
            kept["data"] = dict(data)
        case _:
            pass
    return fields.kept(**kept)


def _files(data: Mapping[str, Any]) -> list[dict[str, str]]:
    """Label and path of each file, without its token."""
    return [{"label": label, "path": fields.path_of(url)} for label, url in links(data)]


def links(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(label, URL) of each file an intervention report names."""
    return [
        (label, url)
        for label, url in data.items()
        if isinstance(url, str) and url.startswith(("https://", "http://"))
    ]


def content(event: Mapping[str, Any]) -> dict[str, Any]:
    """The identity view: all but `sort_value`, `modification_date` and the queries of URLs."""
    view = {key: value for key, value in event.items() if key not in _NO_CONTENT}
    return view | {"data": _without_queries(event.get("data"))}


_NO_CONTENT: Final = frozenset({"sort_value", "modification_date"})


def _without_queries(value: Any) -> Any:
    match value:
        case str():
            return fields.without_query(value)
        case list():
            return [_without_queries(one) for one in value]
        case dict():
            return {key: _without_queries(one) for key, one in value.items()}
        case _:
            return value

"""Which flavour a TM Forum body is, whether it is well formed, and what it then says.

One door for the shared listener path (told apart by eventType and shape) and for the TM Forum paths
(the path fixes the flavour; a known eventType in the body fixes the kind).
Source: DESIGN §6 "Required", §13 "Flavours".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from app.notifications import (
    body,
    canonical,
    content,
    event_types,
    findings,
    service_order,
    tmf622_2015,
    tmf622_v4,
    tmf622_v5,
    tmf641,
    warnings,
    wire,
)
from app.notifications.notification import (
    Arrival,
    Flavour,
    Kind,
    Notification,
    Refusal,
    ResourceType,
)

_ORDERS: Final = {
    "productOrder": ResourceType.PRODUCT_ORDER,
    "serviceOrder": ResourceType.SERVICE_ORDER,
    "cancelProductOrder": ResourceType.CANCEL_ORDER,
    "cancelServiceOrder": ResourceType.CANCEL_ORDER,
}


class _Type(NamedTuple):
    """The event type of a body, as sent, with its row; `known`: the row is one of the table."""

    text: str
    row: event_types.EventType
    known: bool = True


def read(arrival: Arrival) -> Notification | Refusal:
    """Read the body of a push. Bad input is a `Refusal` that lists every fault."""
    document = body.read(arrival.body, max_depth=arrival.reading.max_depth)
    if isinstance(document, Refusal):
        return document
    found = findings.Findings()
    found.hear(document)
    said = document.content
    event_type = _event_type(arrival, said, found)
    heard = _heard(arrival, said, event_type, found) if event_type is not None else None
    if heard is None or found.faults:
        return found.refusal()
    digest = content.canonical_digest(arrival.body, said if document.plain else None)
    notification = canonical.notification(arrival, heard, digest, found)
    if arrival.reading.strict:
        found.be_strict()
        if found.faults:
            return found.refusal()
    return findings.not_accepted(arrival, heard.kind, heard.event_type) or notification


# ── the event type ───────────────────────────────────────────────────────────────────────────────


def _event_type(
    arrival: Arrival, said: Mapping[str, Any], found: findings.Findings
) -> _Type | None:
    """The event type by the body, else by the path; None (with faults) if neither gives one."""
    on_path = _on_path(arrival)
    sent = said.get("eventType")
    if sent is None or (isinstance(sent, str) and not sent.strip()):
        if on_path is None:
            found.missing("eventType")
            _tell_of_envelope(said, found)
        return on_path
    if not isinstance(sent, str):
        found.wrong("eventType", f"is {body.type_name(sent)}", "the name of an event")
        return None
    row = event_types.find(sent) if len(sent) <= findings.IDENTIFIER_LENGTH else None
    if row is None:
        return _unknown(sent, arrival, said, on_path, found)
    if on_path is not None and _meaning(row) != _meaning(on_path.row):
        found.warn(warnings.EVENT_TYPE_DISAGREES, "eventType")
    if sent != (text := sent.strip()):
        found.warn(warnings.BLANK_TRIMMED, "eventType")
    return _Type(text, row)


def _on_path(arrival: Arrival) -> _Type | None:
    if arrival.flavour is None or arrival.event_name is None:
        return None
    row = event_types.on_path(arrival.flavour, arrival.event_name)
    return _Type(arrival.event_name, row) if row is not None else None


def _meaning(row: event_types.EventType) -> tuple[Kind, ResourceType, bool]:
    return row.kind, row.resource_type, row.services


def _unknown(
    sent: str,
    arrival: Arrival,
    said: Mapping[str, Any],
    on_path: _Type | None,
    found: findings.Findings,
) -> _Type | None:
    """A spelling no row knows: the path's event, or kind `other` where configured, or a fault."""
    if on_path is not None:
        found.warn(warnings.EVENT_TYPE_DISAGREES, "eventType")
        return on_path
    if arrival.reading.unknown_event_types == "store" and len(sent) <= findings.IDENTIFIER_LENGTH:
        found.warn(warnings.UNKNOWN_EVENT_TYPE, "eventType")
        return _Type(sent.strip() or sent, _made_up_row(sent, said), known=False)
    near = event_types.near(sent)
    expected = (
        f"an event type we know, such as {' or '.join(near or ('orderStateChangeNotification',))}"
    )
    found.wrong("eventType", f"{findings.shown(sent)} is unknown", expected)
    return None


def _made_up_row(sent: str, said: Mapping[str, Any]) -> event_types.EventType:
    """A row for a spelling no row knows: its form by its name, its subject by what it wraps."""
    event = said.get("event")
    wrapper = next((name for name in _ORDERS if isinstance(event, dict) and name in event), None)
    about = _ORDERS[wrapper] if wrapper is not None else ResourceType.OTHER
    is_event = event_types.key(sent).endswith("event")
    form = event_types.Form.EVENT if is_event else event_types.Form.NOTIFICATION
    services = not is_event if wrapper is None else wrapper.endswith("erviceOrder")
    return event_types.EventType(Kind.OTHER, about, form, (sent,), services)


def _tell_of_envelope(said: Mapping[str, Any], found: findings.Findings) -> None:
    """Without an event type: what else every notification on the shared path must have."""
    try:
        service_order.ServiceOrderNotification.model_validate(said)
    except ValidationError as error:
        found.add(error, "")
    if said.get("event") is None:
        found.missing("event")


# ── the flavour ──────────────────────────────────────────────────────────────────────────────────


def _flavour(arrival: Arrival, said: Mapping[str, Any], row: event_types.EventType) -> Flavour:
    """The path's flavour, if the event belongs to that family; else by name and shape."""
    if arrival.flavour is not None and event_types.MOUNTS[arrival.flavour].services is row.services:
        return arrival.flavour
    if row.form is event_types.Form.NOTIFICATION:
        return _flavour_by_shape(said.get("event"), row)
    if row.services:
        return Flavour.TMF641_V4
    return Flavour.TMF622_V5 if "@type" in said else Flavour.TMF622_V4


def _flavour_by_shape(event: Any, row: event_types.EventType) -> Flavour:
    """Of a `…Notification`: by what `event` wraps; flat is ONAP; else by the name."""
    shape = event if isinstance(event, dict) else {}
    if "productOrder" in shape:
        return Flavour.TMF622_2015
    if "serviceOrder" in shape:
        return Flavour.TMF641_V3
    return Flavour.ONAP if row.services or "id" in shape else Flavour.TMF622_2015


def _contract(flavour: Flavour, row: event_types.EventType, *, known: bool) -> wire.Contract:
    if not known:
        return _loose_contract(row)
    match flavour:
        case Flavour.TMF622_2015:
            return tmf622_2015.contract(row.kind)
        case Flavour.TMF622_V4:
            return tmf622_v4.contract(row.resource_type)
        case Flavour.TMF622_V5:
            return tmf622_v5.contract(row.kind, row.resource_type)
        case Flavour.TMF641_V3 | Flavour.TMF641_V4:
            return tmf641.contract(row.resource_type)
        case _:
            return service_order.contract(row.resource_type)


def _loose_contract(row: event_types.EventType) -> wire.Contract:
    """What is asked of an event type no contract knows: nothing; an order in it is told of."""
    if row.resource_type is ResourceType.OTHER:
        return wire.Contract(wire.Envelope, None)
    if row.services:
        return tmf641.contract(row.resource_type)
    return tmf622_v4.contract(row.resource_type)


# ── envelope and resource ────────────────────────────────────────────────────────────────────────


def _heard(
    arrival: Arrival, said: Mapping[str, Any], event_type: _Type, found: findings.Findings
) -> canonical.Heard | None:
    """The body in the models of its flavour; None (with faults) if it is not well formed."""
    row = event_type.row
    flavour = _flavour(arrival, said, row)
    contract = _contract(flavour, row, known=event_type.known)
    envelope = _validated(contract.envelope, said, "", found)
    # what no contract knows is kept whatever its event looks like
    place = _resource(said, contract, row, found if event_type.known else findings.Findings())
    payload = None
    if contract.payload is not None and isinstance(said.get("event"), dict):
        payload = _validated(contract.payload, said["event"], "event", found)
    if found.faults or not isinstance(envelope, wire.Envelope):
        return None
    _tell_of_names(said, contract, envelope, found)
    _tell_of_order(place, flavour, found)
    return canonical.Heard(
        event_type.text, row.kind, row.resource_type, flavour, envelope, payload, place
    )


def _resource(
    said: Mapping[str, Any],
    contract: wire.Contract,
    row: event_types.EventType,
    found: findings.Findings,
) -> canonical.Place:
    """What the event is about, and where in the body that is."""
    raw, path = _located(said.get("event"), contract, row, found)
    resource = None
    if raw is not None and contract.resource is not None:
        resource = _validated(contract.resource, raw, path, found)
    return canonical.Place(path, resource, raw if isinstance(raw, dict) else {})


def _validated(
    model: type[wire.Wire], value: Any, path: str, found: findings.Findings
) -> wire.Wire | None:
    try:
        valid: wire.Wire = model.__pydantic_validator__.validate_python(value)
    except ValidationError as error:
        found.add(error, path)
        return None
    return valid


def _located(
    event: Any, contract: wire.Contract, row: event_types.EventType, found: findings.Findings
) -> tuple[Any, str]:
    """The resource in `event`, and its path; None (with a fault where it is required) if absent."""
    if isinstance(event, dict):
        if contract.wrappers:
            return _wrapped(event, contract, found)
        if not row.services:
            found.warn(warnings.ORDER_FLAT, "event")
        return event, "event"
    if event is not None:
        found.wrong("event", f"is {body.type_name(event)}", "an object")
    elif contract.required:
        found.missing("event")
    return None, "event"


def _wrapped(
    event: dict[str, Any], contract: wire.Contract, found: findings.Findings
) -> tuple[Any, str]:
    """The resource under one of its names, or lying flat in `event`."""
    for name in contract.wrappers:
        if event.get(name) is not None:
            return _unwrapped(event[name], f"event.{name}", found)
    path = f"event.{contract.wrappers[0]}"
    if event.get("id") is not None:
        found.warn(warnings.ORDER_FLAT, path)
        return event, "event"
    if contract.required:
        found.missing(path)
    return None, path


def _unwrapped(resource: Any, path: str, found: findings.Findings) -> tuple[Any, str]:
    """The resource; out of a list if it is a list of one."""
    if not isinstance(resource, list):
        return resource, path
    if len(resource) != 1 or resource[0] is None:
        told = "a list of null" if resource == [None] else f"a list of {len(resource)}"
        found.wrong(path, f"is {told}", "one order, not in a list")
        return None, path
    found.warn(warnings.ORDER_ARRAY, path)
    return resource[0], f"{path}.0"


# ── deviations that are let pass ─────────────────────────────────────────────────────────────────


def _tell_of_names(
    said: Mapping[str, Any],
    contract: wire.Contract,
    envelope: wire.Envelope,
    found: findings.Findings,
) -> None:
    """Names of other contracts in the envelope, and nulls."""
    if envelope.event_id is not None and "eventId" not in said:
        found.warn(warnings.FIELD_ALIAS, "eventId")
    if envelope.event_time is not None and contract.time not in said:
        found.warn(warnings.FIELD_ALIAS, contract.time)
    if None in said.values():
        found.warn(warnings.NULL_AS_ABSENT, next(name for name, it in said.items() if it is None))


def _tell_of_order(place: canonical.Place, flavour: Flavour, found: findings.Findings) -> None:
    """Names of other contracts in the order, nulls (not ONAP's: its `event` is free), no @type."""
    raw, path = place.raw, place.path
    if isinstance(place.resource, wire.Order):
        for alias, own in place.resource.ALIASES.items():
            if alias in raw and own not in raw:
                found.warn(warnings.FIELD_ALIAS, f"{path}.{own}")
    if flavour is not Flavour.ONAP and None in raw.values():
        name = next(name for name, it in raw.items() if it is None)
        found.warn(warnings.NULL_AS_ABSENT, f"{path}.{name}")
    if flavour is Flavour.TMF622_V5 and place.resource is not None and "@type" not in raw:
        found.warn(warnings.TYPE_MISSING, f"{path}.@type")

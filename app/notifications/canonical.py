"""From a flavour's models to the canonical `Notification`: the one place where that is done.

Not here: which flavour a body is and whether it is well formed (`flavours`), and what is kept
beside the canonical fields (`summary`). Source: DESIGN §5, §13, facts/mappings.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from app.notifications import (
    findings,
    service_order,
    states,
    summary,
    timestamps,
    warnings,
    wire,
)
from app.notifications.notification import (
    Arrival,
    Attention,
    Flavour,
    Kind,
    Notification,
    ResourceType,
)

_ATTENTION: Final = {
    Kind.INFORMATION_REQUIRED: Attention.BUYER_ACTION,
    Kind.CANCEL_INFORMATION_REQUIRED: Attention.BUYER_ACTION,
    Kind.JEOPARDY: Attention.ALARM,
    Kind.ERROR_MESSAGE: Attention.ALARM,
}


class Place(NamedTuple):
    """What the event is about: where in the body, in the flavour's model, and as sent."""

    path: str
    resource: wire.Wire | None
    raw: Mapping[str, Any]


class Heard(NamedTuple):
    """A body that is well formed, in the models of its flavour."""

    event_type: str
    kind: Kind
    resource_type: ResourceType
    flavour: Flavour
    envelope: wire.Envelope
    payload: wire.Wire | None
    place: Place


def notification(
    arrival: Arrival, heard: Heard, content_digest: bytes, found: findings.Findings
) -> Notification:
    """The canonical notification; warnings met on the way are added to those of `found`."""
    time = heard.envelope.event_time
    fields = {
        "id": arrival.id,
        "source": arrival.source,
        "channel": arrival.channel,
        "flavour": heard.flavour,
        "event_type": heard.event_type,
        "kind": heard.kind,
        "resource_type": heard.resource_type,
        "attention": _attention(heard),
        "occurred_at": _moment(time, arrival, found),
        "occurred_at_raw": time.raw if time is not None else None,
        **_resource(heard, found),
        "refs": _refs(heard, found),
        "summary": summary.of(
            heard.kind,
            heard.flavour,
            heard.envelope,
            heard.place.resource,
            heard.payload,
            heard.place.raw,
        ),
        "event_id": _text(heard.envelope.event_id, "eventId", found),
        "warnings": tuple(found.warnings),
        "received_at": arrival.received_at,
        "principal": arrival.principal,
        "remote_addr": arrival.remote_addr,
        "backfill": arrival.backfill,
        "content_type": arrival.content_type,
        "raw": arrival.body,
        "content_digest": content_digest,
    }
    told: Notification = Notification.__pydantic_validator__.validate_python(fields)
    return told


def _moment(
    time: timestamps.Time | None, arrival: Arrival, found: findings.Findings
) -> datetime | None:
    if time is None:
        return None
    moment, needed = time.at(arrival.reading.zone)
    for name in needed:
        found.warn(name, "eventTime")
    return moment


def _text(value: str | int | None, path: str, found: findings.Findings) -> str | None:
    """An identifier as text: digits of a number, no blanks around; blank is absent."""
    if value is None:
        return None
    if isinstance(value, int):
        found.warn(warnings.NUMBER_AS_TEXT, path)
        return str(value)
    text = value.strip()
    if text != value:
        found.warn(warnings.BLANK_TRIMMED, path)
    return text or None


# ── what it is about ─────────────────────────────────────────────────────────────────────────────


def _resource(heard: Heard, found: findings.Findings) -> dict[str, Any]:
    match heard.place.resource:
        case wire.Order() as order:
            return _order(order, heard, found)
        case wire.CancelOrder() as task:
            return _cancel_task(task, heard, found)
        case wire.Resource() as service:
            return {
                "service_id": _text(service.id, f"{heard.place.path}.id", found),
                "href": service.href,
                "raw_state": service.state,
            }
        case _:
            if heard.resource_type is not ResourceType.OTHER:
                found.warn(warnings.NO_ORDER_ID, heard.place.path)
            return {}


def _order(order: wire.Order, heard: Heard, found: findings.Findings) -> dict[str, Any]:
    state = None
    if order.state is not None:
        state = states.canonical(order.state)
        if state is None:
            found.warn(warnings.UNKNOWN_STATE, f"{heard.place.path}.state")
    return {
        "order_id": _required_id(order.id, heard, found),
        "href": order.href,
        "external_id": _external_id(order, heard, found),
        "items": _items(order.listed(), f"{heard.place.path}.items", found),
        "state": state,
        "raw_state": order.state,
    }


def _cancel_task(task: wire.CancelOrder, heard: Heard, found: findings.Findings) -> dict[str, Any]:
    about = task.about()
    about_id = about.id if about is not None else None
    return {
        "order_id": _required_id(task.id, heard, found),
        "about_order_id": _text(about_id, f"{heard.place.path}.about.id", found),
        "href": task.href,
        "raw_state": task.state,
    }


def _required_id(value: str | int | None, heard: Heard, found: findings.Findings) -> str | None:
    text = _text(value, f"{heard.place.path}.id", found)
    if text is None:
        found.warn(warnings.NO_ORDER_ID, f"{heard.place.path}.id")
    return text


def _items(
    items: Sequence[wire.Item], path: str, found: findings.Findings
) -> list[dict[str, str | None]]:
    """The fields of each `Item`."""
    told = []
    id_path = f"{path}.id"
    for item in summary.flattened(items):
        raw_state = item.state
        state = states.canonical(raw_state) if raw_state is not None else None
        if state is None and raw_state is not None:
            found.warn(warnings.UNKNOWN_ITEM_STATE, f"{path}.state")
        item_id = _text(item.id, id_path, found)
        told.append({"id": item_id, "action": item.action, "state": state, "raw_state": raw_state})
    return told


# ── other names for it ───────────────────────────────────────────────────────────────────────────


def _external_id(order: wire.Order, heard: Heard, found: findings.Findings) -> str | None:
    """The external id; of v5's list the first."""
    external = order.external_id
    path = f"{heard.place.path}.externalId"
    if external is None:
        return None
    if isinstance(external, list) is not (heard.flavour is Flavour.TMF622_V5):
        found.warn(warnings.EXTERNAL_ID_SHAPE, path)
    if isinstance(external, list):
        ids = (_text(one.id, f"{path}.id", found) for one in external)
        return next((text for text in ids if text is not None), None)
    return _text(external, path, found)


def _refs(heard: Heard, found: findings.Findings) -> dict[str, str]:
    """Every other id by its type: v5's external ids, 641's external references, correlationId."""
    refs: dict[str, str] = {}
    order = heard.place.resource
    if isinstance(order, wire.Order):
        if isinstance(order.external_id, list):
            pairs = [(one.external_identifier_type, one.id) for one in order.external_id]
            _collect(refs, "externalId", pairs)
        _collect(refs, "externalReference", order.other_references())
    correlation = _text(heard.envelope.correlation_id, "correlationId", found)
    if correlation is not None:
        refs["correlationId"] = correlation
    return refs


def _collect(
    refs: dict[str, str], name: str, pairs: Sequence[tuple[str | int | None, str | int | None]]
) -> None:
    """Add (type, id) pairs; without a type, or with one that is taken, under `name.<place>`."""
    for place, (kind, value) in enumerate(pairs):
        text = str(value).strip() if value is not None else ""
        label = str(kind).strip() if kind is not None else ""
        if text:
            refs[label if label and label not in refs else f"{name}.{place}"] = text


def _attention(heard: Heard) -> Attention | None:
    order = heard.place.resource
    if isinstance(order, service_order.ServiceOrder) and summary.correction_required(order):
        return Attention.BUYER_ACTION
    return _ATTENTION.get(heard.kind)

"""What is kept of a notification beside its canonical fields: `summary`, small JSON.

Names of people, notes and contacts are personal data and never here. Words of the operator keep the
operator's names (`requestedStartDate`), ours are ours (`item_id`). Source: facts/mappings.md,
DESIGN §13 "v4/v5/641 content".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.notifications import changes, service_order, timestamps, tmf622_v5, wire
from app.notifications.notification import Flavour, Kind

LONGEST_TEXT: Final = 2000

_DATES: Final = (
    ("requestedStartDate", "requested_start_date"),
    ("requestedCompletionDate", "requested_completion_date"),
    ("expectedCompletionDate", "expected_completion_date"),
    ("completionDate", "completion_date"),
)
_ITEM_PATH: Final = re.compile(r"/(?:(?:product|service)?order_?)?items?/+([^/\s]+)", re.IGNORECASE)
_WANTED: Final = frozenset({Kind.INFORMATION_REQUIRED, Kind.CANCEL_INFORMATION_REQUIRED})


def of(
    kind: Kind,
    flavour: Flavour,
    envelope: wire.Envelope,
    resource: wire.Wire | None,
    payload: wire.Wire | None,
    raw_resource: Mapping[str, Any],
) -> dict[str, Any]:
    """The summary of a notification; what is not told is left out."""
    kept: dict[str, Any] = {}
    match resource:
        case service_order.ServiceOrder():
            kept |= _dates(resource) | _service_order(resource)
        case wire.Order():
            kept |= _dates(resource)
        case wire.CancelOrder():
            kept |= _cancel_task(resource)
        case _:
            pass
    if isinstance(resource, wire.Order):
        kept |= _appointments(resource) | _alert(kind, resource)
    if kind in _WANTED:
        kept |= _wanted(envelope, resource, payload)
    elif kind is Kind.VALUE_CHANGED:
        kept |= _changed(flavour, envelope, raw_resource)
    return kept


def told(**fields: Any) -> dict[str, Any]:
    """`fields` without those that are null; times as they were sent, long texts cut."""
    return {name: _shown(value) for name, value in fields.items() if value is not None}


def _shown(value: Any) -> Any:
    match value:
        case timestamps.Time():
            return value.raw
        case str() if len(value) > LONGEST_TEXT:
            return value[:LONGEST_TEXT] + "…"
        case _:
            return value


def _id(value: str | int | None) -> str | None:
    """An identifier as text without blanks around it."""
    return str(value).strip() if value is not None else None


def _dates(order: wire.Order) -> dict[str, str]:
    times = ((name, getattr(order, field)) for name, field in _DATES)
    return {name: time.raw for name, time in times if time is not None}


def _appointments(order: wire.Order) -> dict[str, Any]:
    """The appointment each item refers to: a link (2015) or a reference (v4 and later)."""
    appointments = []
    for item in flattened(order.listed()):
        match item.appointment:
            case str():
                appointments.append(told(item_id=_id(item.id), href=item.appointment))
            case wire.Reference():
                about = item.appointment
                appointments.append(told(item_id=_id(item.id), id=_id(about.id), href=about.href))
            case None:
                pass
    return {"appointments": appointments} if appointments else {}


def flattened(items: Sequence[wire.Item]) -> Iterator[wire.Item]:
    """The items and those inside them, each before its inner ones."""
    for item in items:
        yield item
        if inner := item.inner():
            yield from flattened(inner)


def _alert(kind: Kind, order: wire.Order) -> dict[str, Any]:
    """The milestone, risk or error that the notification is about: the last one listed."""
    match kind:
        case Kind.MILESTONE if found := order.milestones():
            last = found[-1]
            return {
                "milestone": told(
                    id=_id(last.id),
                    name=last.name,
                    description=last.description,
                    message=last.message,
                    milestoneDate=last.milestone_date,
                    status=last.status,
                )
            }
        case Kind.JEOPARDY if risks := order.alerts():
            risk = risks[-1]
            alert = told(
                id=_id(risk.id),
                name=risk.name,
                alertDate=risk.alert_date,
                jeopardyType=risk.jeopardy_type,
                exception=risk.exception,
            )
            return told(message=risk.message or risk.exception, jeopardy=alert)
        case Kind.ERROR_MESSAGE if errors := order.errors():
            error = errors[-1]
            detail = told(
                code=_id(error.code),
                reason=error.reason,
                status=_id(error.status),
                referenceError=error.reference_error,
                timestamp=error.timestamp,
            )
            return told(message=error.message or error.reason, error=detail)
        case _:
            return {}


def _cancel_task(task: wire.CancelOrder) -> dict[str, Any]:
    return told(
        task_state=task.state,
        cancellationReason=task.cancellation_reason,
        requestedCancellationDate=task.requested_cancellation_date,
        effectiveCancellationDate=task.effective_cancellation_date,
        message=task.message(),
    )


def _wanted(
    envelope: wire.Envelope, resource: wire.Wire | None, payload: wire.Wire | None
) -> dict[str, Any]:
    """Which field of which item is missing: `{item_id, field, criteria}`."""
    if isinstance(payload, tmf622_v5.InformationRequiredEventPayload):
        patch = payload.information_required
        if patch is not None:
            # a JSON Pointer counts places in a list: it names no item by its id
            return {"item_id": None, "field": _shown(patch.path), "criteria": None}
    path = envelope.field_path
    text = ", ".join(path) if isinstance(path, list) else path or ""
    field, _, criteria = text.strip().removeprefix("missing=").partition("&")
    item_id = _item_in(envelope.resource_path or "")
    if item_id is None and isinstance(resource, wire.Order):
        item_id = _only_item(resource, envelope)
    return {
        "item_id": item_id,
        "field": _shown(field) or None,
        "criteria": _shown(criteria) or None,
    }


def _item_in(path: str) -> str | None:
    """The item's id in a path such as `/order/42/orderItem/1`; null at order level."""
    found = _ITEM_PATH.search(path)
    return found[1] if found is not None else None


def _only_item(order: wire.Order, envelope: wire.Envelope) -> str | None:
    """MEF names the item beside the order and sends no paths."""
    item_id = getattr(order, "order_item_id", None)
    return _id(item_id) if envelope.field_path is None else None


def _changed(
    flavour: Flavour, envelope: wire.Envelope, raw_resource: Mapping[str, Any]
) -> dict[str, Any]:
    if flavour is Flavour.TMF622_2015:
        return {"changed": changes.told(raw_resource)}
    path = envelope.field_path
    return told(field=", ".join(path) if isinstance(path, list) else path)


# ── Orange, ONAP ─────────────────────────────────────────────────────────────────────────────────


def _service_order(order: service_order.ServiceOrder) -> dict[str, Any]:
    messages = [_message(one, None) for one in order.order_message or ()]
    item_messages = []
    progress = {}
    for place, item in enumerate(order.order_item or ()):
        messages += [_message(one, item.id) for one in item.order_message or ()]
        item_messages += [_message(one, item.id) for one in item.order_item_message or ()]
        if item.percent_progress is not None:
            progress[_id(item.id) or str(place)] = str(item.percent_progress)
    return told(
        completionDateTime=order.completion_date_time,
        orderMessage=messages or None,
        orderItemMessage=item_messages or None,
        percentProgress=progress or None,
        notificationType=order.notification_type,
        reason=order.reason,
    )


def _message(message: service_order.OrderMessage, item_id: str | int | None) -> dict[str, Any]:
    return told(
        item_id=_id(item_id),
        code=_id(message.code),
        field=message.field,
        messageInformation=message.message_information,
        severity=message.severity,
        correctionRequired=message.correction_required,
    )


def correction_required(order: service_order.ServiceOrder) -> bool:
    """Whether any message says that the buyer must correct something."""
    messages = list(order.order_message or ())
    for item in order.order_item or ():
        messages += item.order_message or ()
        messages += item.order_item_message or ()
    return any(message.correction_required for message in messages)

"""What the seller pushes, in each style: TMF622 of 2015 (seed 003), v4, v5, and ONAP NBI's.

A notice is a record; its body is a function of the seed and the record. A style says nothing of a
step it has no row for: ONAP announces no rejection (facts/wire.md §1.2). Not here: to whom
(`hub`), how often (`courier`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.sandbox import chance, options
from app.sandbox.order import Order
from app.sandbox.scenario import Step

CREATION: Final = "creation"
STATE: Final = "state"
VALUE: Final = "value"
INFORMATION: Final = "information"
REMOVE: Final = "remove"
ITEM: Final = "item"

NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "tmf622_2015": {
        CREATION: "orderCreationNotification",
        STATE: "orderStateChangeNotification",
        VALUE: "orderValueChangeNotification",
        INFORMATION: "orderInformationRequiredNotification",
        REMOVE: "orderRemoveNotification",
    },
    "tmf622_v4": {
        CREATION: "ProductOrderCreateEvent",
        STATE: "ProductOrderStateChangeEvent",
        VALUE: "ProductOrderAttributeValueChangeEvent",
        INFORMATION: "ProductOrderInformationRequiredEvent",
        REMOVE: "ProductOrderDeleteEvent",
    },
    "onap": {
        CREATION: "ServiceOrderCreationNotification",
        STATE: "ServiceOrderStateChangeNotification",
        ITEM: "ServiceOrderItemStateChangeNotification",
    },
}
"""The event types of each style; v5 has v4's."""

PRODUCT_STEPS: Final[Mapping[Step, tuple[tuple[str, str], ...]]] = {
    Step.SUBMITTED: ((CREATION, "Acknowledged"),),
    Step.RUNNING: ((STATE, "InProgress"),),
    Step.ACCESS_SENSITIVE: ((INFORMATION, "accessConfirmation"), (STATE, "Pending")),
    Step.ACCESS_CONFIRMED: ((STATE, "InProgress"),),
    Step.DELAYED: ((INFORMATION, "delayConfirmation"), (STATE, "Pending")),
    Step.DELAY_CONFIRMED: ((STATE, "InProgress"),),
    Step.RELIEF_QUOTED: ((INFORMATION, "quoteAcceptance"),),
    Step.ACCESS_SATURATED: ((STATE, "Held"),),
    Step.NETWORK_SATURATED: ((STATE, "Held"),),
    Step.REQUALIFIED: ((VALUE, "Technology"),),
    Step.APPOINTMENT_AGREED: ((VALUE, "Appointment"),),
    Step.APPOINTMENT_DEFERRED: ((VALUE, "Appointment"),),
    Step.REJECTED: ((STATE, "Rejected"),),
    Step.DROPPED: ((STATE, "Failed"),),
    Step.CANCELLED: ((STATE, "Cancelled"),),
    Step.REMOVED: ((REMOVE, ""),),
    Step.COMPLETED: ((STATE, "Completed"),),
}
"""What a step makes of a product order: (kind, new state or what it is about)."""

SERVICE_STEPS: Final[Mapping[Step, tuple[tuple[str, str], ...]]] = {
    Step.SUBMITTED: ((CREATION, "acknowledged"),),
    Step.RUNNING: ((ITEM, "inProgressTaskCreated"), (ITEM, "inProgress")),
    Step.ACCESS_SATURATED: ((ITEM, "held"),),
    Step.NETWORK_SATURATED: ((ITEM, "held"),),
    Step.REJECTED: ((ITEM, "rejected"),),
    Step.DROPPED: ((ITEM, "failed"), (STATE, "failed")),
    Step.COMPLETED: ((ITEM, "completed"), (STATE, "completed")),
}
"""What a step makes of a service order at ONAP NBI: (kind, new state of item or order)."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification: kind and subject as in `PRODUCT_STEPS`; `ordered`: when the order came."""

    number: int
    style: options.Style
    kind: str
    subject: str
    order: int
    at: datetime
    ordered: datetime
    malformed: bool = False

    @property
    def event_type(self) -> str:
        """The `eventType` it goes by."""
        names = NAMES["tmf622_v4" if self.style == "tmf622_v5" else self.style]
        return names[self.kind]


def steps_of(style: options.Style) -> Mapping[Step, tuple[tuple[str, str], ...]]:
    """What the style says of each step."""
    return SERVICE_STEPS if style == "onap" else PRODUCT_STEPS


def event_id(seed: int, notice: Notice) -> str:
    """A counter as in seed 003 after the sandbox's own sign; a UUID in the other styles."""
    if notice.style == "tmf622_2015":
        return f"{chance.letters(6, seed, 'series')}-{notice.number:05d}"
    return chance.uuid(seed, "notice", notice.number)


def body(seed: int, notice: Notice) -> dict[str, Any]:
    """The notification's body."""
    return _STYLES[notice.style](seed, notice)


def _time(notice: Notice) -> str:
    """RFC 3339, or with the offset of seed 003 that cannot be."""
    if notice.malformed:
        return f"{notice.at:%Y-%m-%dT%H:%M:%S}-30:00"
    return _milliseconds(notice.at)


def _milliseconds(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


# --- TMF622 of 2015 ------------------------------------------------------------------------------


def _tmf622_2015(seed: int, notice: Notice) -> dict[str, Any]:
    order = Order(seed, notice.order)
    told: dict[str, Any] = {
        "eventId": event_id(seed, notice),
        "eventTime": _time(notice),
        "eventType": notice.event_type,
    }
    product_order: dict[str, Any] = {
        "id": f" {order.reference}",
        "href": f"http://seller.example/orderManagement/productOrder/{order.reference}",
        "externalID": order.external_id,
    }
    if notice.kind == CREATION:
        product_order = _created_2015(order, notice)
    elif notice.kind == STATE:
        product_order["state"] = notice.subject
    elif notice.kind == VALUE:
        product_order["orderItem"] = [{"id": "1", "product": _characteristics(notice)}]
    elif notice.kind == INFORMATION:
        told["resourcePath"] = f"/order/{order.reference} "
        told["fieldPath"] = f"missing={notice.subject}"
    told["event"] = {"productOrder": product_order}
    return told


def _created_2015(order: Order, notice: Notice) -> dict[str, Any]:
    when = f"{notice.at:%Y-%m-%dT%H:%M:%SZ}"
    due = f"{notice.at + timedelta(days=14):%Y-%m-%dT%H:%M:%SZ}"
    host = "http://seller.example"
    return {
        "id": str(order.reference),
        "href": f"{host}/orderManagement/productOrder/{order.reference}",
        "externalId": order.external_id,
        "priority": "1",
        "description": f"{order.service} at {order.access_id}",
        "category": "residential",
        "state": notice.subject,
        "orderDate": when,
        "requestedStartDate": when,
        "requestedCompletionDate": due,
        "expectedCompletionDate": due,
        "notificationContact": f"orders{order.number}@example.org",
        "note": [{"text": "Ring before you come", "date": when, "author": "sandbox"}],
        "relatedParty": [
            {
                "role": "customer",
                "id": str(order.reference + 500_000),
                "href": f"{host}/partyManagement/customer/{order.reference + 500_000}",
                "name": f"{order.firstname} {order.surname}",
            },
            {"role": "seller", "id": "4563", "href": f"{host}/partnerManagement/partner/4563"},
        ],
        "orderItem": [
            {
                "id": "1",
                "action": "add",
                "state": notice.subject,
                "productOffering": {
                    "id": order.service,
                    "href": f"{host}/catalogManagement/productOffering/{order.service}",
                },
                "product": {
                    "productCharacteristic": [{"name": "accessId", "value": order.access_id}]
                },
            }
        ],
    }


def _characteristics(notice: Notice) -> dict[str, Any]:
    value = f"{notice.at + timedelta(days=2):%Y-%m-%dT08:00:00Z}"
    if notice.subject == "Technology":
        value = "GPON"
    return {"productCharacteristic": [{"name": notice.subject, "value": value}]}


# --- TMF622 v4 and v5 ----------------------------------------------------------------------------


def _tmf622_v4(seed: int, notice: Notice) -> dict[str, Any]:
    order = Order(seed, notice.order)
    product_order: dict[str, Any] = {
        "id": str(order.reference),
        "href": f"/tmf-api/productOrderingManagement/v4/productOrder/{order.reference}",
        "@type": "ProductOrder",
    }
    told: dict[str, Any] = {
        "eventId": event_id(seed, notice),
        "eventTime": _time(notice),
        "eventType": notice.event_type,
    }
    if notice.kind in {CREATION, STATE}:
        product_order["state"] = _camel(notice.subject)
    if notice.kind == CREATION:
        product_order |= {
            "externalId": order.external_id,
            "orderDate": _time(notice),
            "productOrderItem": [
                {
                    "id": "1",
                    "action": "add",
                    "state": _camel(notice.subject),
                    "productOffering": {"id": order.service, "name": order.service},
                }
            ],
        }
    elif notice.kind == VALUE:
        item = {"id": "1", "product": _characteristics(notice)}
        product_order["productOrderItem"] = [item]
        told["fieldPath"] = "productOrder.productOrderItem.product.productCharacteristic"
    elif notice.kind == INFORMATION:
        told["fieldPath"] = f"productOrder.{notice.subject}"
    told["event"] = {"productOrder": product_order}
    return told


def _tmf622_v5(seed: int, notice: Notice) -> dict[str, Any]:
    told = _tmf622_v4(seed, notice)
    order = told["event"]["productOrder"]
    order["href"] = order["href"].replace("/v4/", "/v5/")
    if "externalId" in order:
        name = {"id": order["externalId"], "owner": "sandbox", "externalIdentifierType": "order"}
        order["externalId"] = [{**name, "@type": "ExternalIdentifier"}]
    told.pop("fieldPath", None)
    if notice.kind == INFORMATION:
        told["event"]["informationRequired"] = {"op": "add", "path": notice.subject}
    return told | {"@type": notice.event_type}


def _camel(state: str) -> str:
    return state[:1].lower() + state[1:]


# --- ONAP NBI ------------------------------------------------------------------------------------


def _onap(seed: int, notice: Notice) -> dict[str, Any]:
    order = Order(seed, notice.order)
    identifier = order.uuid("onap").replace("-", "")[:24]
    item_state = notice.subject
    base = item_state if item_state in {"failed", "completed", "acknowledged"} else "inProgress"
    state = base if notice.kind != ITEM else "inProgress"
    ended = notice.kind == STATE and state == "completed"
    return {
        "eventId": event_id(seed, notice),
        "eventDate": _time(notice),
        "eventType": notice.event_type,
        "event": {
            "id": identifier,
            "href": f"serviceOrder/{identifier}",
            "externalId": order.external_id,
            "state": state,
            "orderDate": _milliseconds(notice.ordered),
            "completionDateTime": _milliseconds(notice.at) if ended else None,
            "orderItem": [_onap_item(order, item_state)],
        },
    }


def _onap_item(order: Order, state: str) -> dict[str, Any]:
    absent: dict[str, Any] = {"@type": None, "@schemaLocation": None}
    specification = {
        "id": order.uuid("specification"),
        **dict.fromkeys(("href", "name", "version", "targetServiceSchema")),
        **absent,
        "@baseType": None,
    }
    return {
        "id": "1",
        "action": "add",
        "state": state,
        "percentProgress": "100" if state == "completed" else "0",
        **absent,
        "@baseType": None,
        "orderItemRelationship": [],
        "service": {
            **dict.fromkeys(("id", "serviceType", "href")),
            "name": f"{order.service}-{order.access_id}",
            "serviceState": "active",
            **absent,
            **dict.fromkeys(("serviceCharacteristic", "serviceRelationship", "relatedParty")),
            "serviceSpecification": specification,
        },
        "orderMessage": [],
        "orderItemMessage": [],
    }


_STYLES: Final[Mapping[str, Callable[[int, Notice], dict[str, Any]]]] = {
    "tmf622_2015": _tmf622_2015,
    "tmf622_v4": _tmf622_v4,
    "tmf622_v5": _tmf622_v5,
    "onap": _onap,
}

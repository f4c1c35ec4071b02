"""The service-order notifications of Orange and ONAP (seed 004): `event` is the order itself.

So are TMF 2013, MEF r3 and r4 and Virtutel, whose notifications come flat as well; their few names
of their own are read here. Source: seeds/004, facts/wire.md §1.2, §2.1, §6, facts/mappings.md.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from pydantic import AliasChoices, Field

from app.notifications import wire
from app.notifications.notification import ResourceType


class OrderMessage(wire.Wire):
    """What the operator says of an order or item; `correctionRequired`: the buyer must act."""

    code: wire.Identifier | None = None
    field: wire.Text | None = None
    message_information: wire.Text | None = None
    severity: wire.Text | None = None
    correction_required: wire.Flag | None = None


class ServiceOrderItem(wire.Item):
    """An item; NBI writes its messages under either of two names."""

    percent_progress: wire.Identifier | None = None
    order_message: wire.Many[OrderMessage] | None = None
    order_item_message: wire.Many[OrderMessage] | None = None


class ServiceOrder(wire.Order):
    """The order of `event`, nulls included as NBI sends them; nothing in it is required."""

    ALIASES: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "externalID": "externalId",
            "orderItems": "orderItem",
            "status": "state",
        }
    )

    state: wire.Word | None = Field(default=None, validation_alias=AliasChoices("state", "status"))
    order_item: wire.Many[ServiceOrderItem] | None = Field(
        default=None, validation_alias=AliasChoices("orderItem", "orderItems")
    )
    completion_date_time: wire.Timestamp | None = None
    order_message: wire.Many[OrderMessage] | None = None
    notification_type: wire.Text | None = None  # Virtutel
    reason: wire.Text | None = None  # Virtutel

    def listed(self) -> Sequence[wire.Item]:
        """`orderItem`."""
        return self.order_item or ()


class ServiceOrderNotification(wire.Envelope):
    """The Listener of seed 004: eventId, eventDate, eventType and event are required."""

    event_id: wire.FilledIdentifier = Field(
        validation_alias=AliasChoices("eventId", "eventUuid", "id")
    )
    event_time: wire.Timestamp = Field(
        validation_alias=AliasChoices("eventDate", "eventTime", "date")
    )


@functools.cache
def contract(about: ResourceType) -> wire.Contract:
    """How a notification about an order, a service or something else looks."""
    match about:
        case ResourceType.SERVICE:
            resource: type[wire.Wire] | None = wire.Resource
        case ResourceType.OTHER:
            resource = None
        case _:
            resource = ServiceOrder
    return wire.Contract(
        envelope=ServiceOrderNotification, resource=resource, required=True, time="eventDate"
    )

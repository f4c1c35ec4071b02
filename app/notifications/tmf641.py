"""TMF641 v3 (four notifications) and v4.1 (ten events), in which nothing is required.

Source: the official 3.0.0 and 4.1.0 contracts, facts/wire.md §2.1.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from pydantic import AliasChoices, Field

from app.notifications import wire
from app.notifications.notification import ResourceType


class ServiceOrderItem(wire.Item):
    """An item, with the items inside it (v4)."""

    service_order_item: wire.Many[ServiceOrderItem] | None = None

    def inner(self) -> Sequence[wire.Item]:
        """`serviceOrderItem` of the item."""
        return self.service_order_item or ()


class ExternalReference(wire.Wire):
    """The order's id in another system (v4)."""

    id: wire.Identifier | None = None
    external_reference_type: wire.Identifier | None = None


class ServiceOrder(wire.Order):
    """The order of either version."""

    items: wire.Many[ServiceOrderItem] | None = Field(
        default=None, validation_alias=AliasChoices("serviceOrderItem", "orderItem")
    )
    milestone: wire.Many[wire.Milestone] | None = None
    jeopardy_alert: wire.Many[wire.JeopardyAlert] | None = None
    error_message: wire.Many[wire.ErrorMessage] | None = None
    external_reference: wire.Many[ExternalReference] | None = None
    order_item_id: wire.Identifier | None = None  # MEF

    def listed(self) -> Sequence[wire.Item]:
        """`serviceOrderItem` (v4) or `orderItem` (v3); of an event of MEF the one item it names."""
        if self.items is None and self.order_item_id is not None:
            return (wire.Item(id=self.order_item_id),)
        return self.items or ()

    def milestones(self) -> Sequence[wire.Milestone]:
        """`milestone`."""
        return self.milestone or ()

    def alerts(self) -> Sequence[wire.JeopardyAlert]:
        """`jeopardyAlert`."""
        return self.jeopardy_alert or ()

    def errors(self) -> Sequence[wire.ErrorMessage]:
        """`errorMessage`."""
        return self.error_message or ()

    def other_references(self) -> Sequence[tuple[str | int | None, str | int | None]]:
        """`externalReference`."""
        return [(one.external_reference_type, one.id) for one in self.external_reference or ()]


class CancelServiceOrder(wire.CancelOrder):
    """A task to cancel a service order."""

    service_order: wire.Reference | None = None
    completion_message: wire.Text | None = None
    error_message: wire.ErrorMessage | None = None

    def about(self) -> wire.Reference | None:
        """`serviceOrder`."""
        return self.service_order

    def message(self) -> str | None:
        """The error's message or reason, else `completionMessage`."""
        error = self.error_message
        told = (error.message or error.reason) if error is not None else None
        return told or self.completion_message


@functools.cache
def contract(about: ResourceType) -> wire.Contract:
    """How a notification or event about an order or a cancel task looks."""
    if about is ResourceType.CANCEL_ORDER:
        return wire.Contract(wire.Envelope, CancelServiceOrder, ("cancelServiceOrder",))
    return wire.Contract(wire.Envelope, ServiceOrder, ("serviceOrder",))

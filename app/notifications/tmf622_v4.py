"""TMF622 v4: eight events, in which nothing is required. MEF's id-only events are read here, too.

Source: the official v4.0.0 contract, facts/wire.md §2.1, §2.4.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from app.notifications import wire
from app.notifications.notification import ResourceType


class ProductOrderItem(wire.Item):
    """An item, with the items inside it."""

    product_order_item: wire.Many[ProductOrderItem] | None = None

    def inner(self) -> Sequence[wire.Item]:
        """`productOrderItem` of the item."""
        return self.product_order_item or ()


class ProductOrder(wire.Order):
    """The order; milestones, risks and errors are v5's words, which v4 senders use as well."""

    product_order_item: wire.Many[ProductOrderItem] | None = None
    product_order_milestone: wire.Many[wire.Milestone] | None = None
    product_order_jeopardy_alert: wire.Many[wire.JeopardyAlert] | None = None
    product_order_error_message: wire.Many[wire.ErrorMessage] | None = None
    order_item_id: wire.Identifier | None = None  # MEF
    milestone_name: wire.Text | None = None  # MEF

    def listed(self) -> Sequence[wire.Item]:
        """`productOrderItem`; of an event of MEF the one item it names."""
        if self.product_order_item is None and self.order_item_id is not None:
            return (wire.Item(id=self.order_item_id),)
        return self.product_order_item or ()

    def milestones(self) -> Sequence[wire.Milestone]:
        """`productOrderMilestone`, or MEF's `milestoneName`."""
        if self.product_order_milestone is None and self.milestone_name is not None:
            return (wire.Milestone(name=self.milestone_name),)
        return self.product_order_milestone or ()

    def alerts(self) -> Sequence[wire.JeopardyAlert]:
        """`productOrderJeopardyAlert`."""
        return self.product_order_jeopardy_alert or ()

    def errors(self) -> Sequence[wire.ErrorMessage]:
        """`productOrderErrorMessage`."""
        return self.product_order_error_message or ()


class CancelProductOrder(wire.CancelOrder):
    """A task to cancel a product order."""

    product_order: wire.Reference | None = None

    def about(self) -> wire.Reference | None:
        """`productOrder`."""
        return self.product_order


@functools.cache
def contract(about: ResourceType) -> wire.Contract:
    """How an event about an order or a cancel task looks."""
    if about is ResourceType.CANCEL_ORDER:
        return wire.Contract(wire.Envelope, CancelProductOrder, ("cancelProductOrder",))
    return wire.Contract(wire.Envelope, ProductOrder, ("productOrder",))

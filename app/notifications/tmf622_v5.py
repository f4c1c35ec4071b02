"""TMF622 v5: eleven events. Required: `@type`, the id of what is only referred to, op and path.

The contract wants `@type` in every object; we insist on it in the envelope and warn where the order
lacks it. Source: the official v5.0.0 contract, facts/wire.md §2.1, §2.2.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from pydantic import Field

from app.notifications import tmf622_v4, wire
from app.notifications.notification import Kind, ResourceType


class ItemStateChange(wire.Wire):
    """The new state of one item, as ProductOrderStateChangeEvent tells it."""

    item_id: wire.Identifier | None = None
    state: wire.Word | None = None


class ProductOrder(tmf622_v4.ProductOrder):
    """The order of v5."""

    item_state_change: wire.Many[ItemStateChange] | None = None

    def listed(self) -> Sequence[wire.Item]:
        """`productOrderItem`; where there is none, the items of `itemStateChange`."""
        if self.product_order_item is None and self.item_state_change is not None:
            return [wire.Item(id=one.item_id, state=one.state) for one in self.item_state_change]
        return super().listed()


class ProductOrderRef(ProductOrder):
    """The order where the contract only refers to it: with its id."""

    id: wire.FilledIdentifier


class CancelledProductOrderRef(wire.Reference):
    """The order a task cancels."""

    id: wire.FilledIdentifier


class CancelProductOrder(wire.CancelOrder):
    """A task to cancel a product order."""

    product_order: CancelledProductOrderRef | None = None

    def about(self) -> wire.Reference | None:
        """`productOrder`."""
        return self.product_order


class CancelProductOrderRef(CancelProductOrder):
    """The task where the contract only refers to it: with its id."""

    id: wire.FilledIdentifier


class Event(wire.Envelope):
    """The envelope of v5."""

    type: wire.Text = Field(alias="@type")


class JsonPatch(wire.Wire):
    """What is missing: an operation that would add it."""

    op: wire.Text
    path: wire.Text


class InformationRequiredEventPayload(wire.Wire):
    """What `event` holds beside the order or task."""

    information_required: JsonPatch | None = None


@functools.cache
def contract(kind: Kind, about: ResourceType) -> wire.Contract:
    """How an event of `kind` about an order or a cancel task looks."""
    asks = kind in {Kind.INFORMATION_REQUIRED, Kind.CANCEL_INFORMATION_REQUIRED}
    payload = InformationRequiredEventPayload if asks else None
    if about is ResourceType.CANCEL_ORDER:
        return wire.Contract(
            Event,
            CancelProductOrderRef if asks else CancelProductOrder,
            # the second is the official schema's own spelling
            ("cancelProductOrder", "canccelProductOrder"),
            payload=payload,
        )
    return wire.Contract(
        Event, ProductOrderRef if asks else ProductOrder, ("productOrder",), payload=payload
    )

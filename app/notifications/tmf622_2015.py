"""TMF622 as of 2014/15 (seed 003) and its heirs that wrap the order (R18): five notifications.

Source: seeds/003, facts/wire.md §2.1, DESIGN §6 "Required".
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

from pydantic import AliasChoices, Field

from app.notifications import wire
from app.notifications.notification import Kind


class OrderItem(wire.Item):
    """An item: id, action, state and a link to its appointment."""

    product_order_item: wire.Many[OrderItem] | None = None

    def inner(self) -> Sequence[wire.Item]:
        """The items inside this one (R18 senders nest them)."""
        return self.product_order_item or ()


class ProductOrder(wire.Order):
    """The order as orderRemoveNotification has it: nothing in it is required."""

    order_item: wire.Many[OrderItem] | None = Field(
        default=None, validation_alias=AliasChoices("orderItem", "productOrderItem")
    )

    def listed(self) -> Sequence[wire.Item]:
        """`orderItem`."""
        return self.order_item or ()


class IdentifiedProductOrder(ProductOrder):
    """The order as it is told of in all other notifications: with its id."""

    id: wire.FilledIdentifier


class StatedProductOrder(IdentifiedProductOrder):
    """The order of orderStateChangeNotification: with its state, too."""

    state: wire.Word


class ProductOrderNotification(wire.Envelope):
    """orderCreation-, orderStateChange-, orderValueChange- and orderRemoveNotification."""

    event_id: wire.FilledIdentifier = Field(
        validation_alias=AliasChoices("eventId", "eventUuid", "id")
    )
    event_time: wire.Timestamp = Field(
        validation_alias=AliasChoices("eventTime", "eventDate", "date")
    )


class OrderInformationRequiredNotification(ProductOrderNotification):
    """orderInformationRequiredNotification: where in the order what is missing."""

    resource_path: wire.Text
    field_path: wire.Texts


_WRAPPERS: Final = ("productOrder",)
_RESOURCES: Final = {Kind.REMOVED: ProductOrder, Kind.STATE_CHANGED: StatedProductOrder}
_ENVELOPES: Final = {Kind.INFORMATION_REQUIRED: OrderInformationRequiredNotification}


@functools.cache
def contract(kind: Kind) -> wire.Contract:
    """How a notification of `kind` looks."""
    return wire.Contract(
        envelope=_ENVELOPES.get(kind, ProductOrderNotification),
        resource=_RESOURCES.get(kind, IdentifiedProductOrder),
        wrappers=_WRAPPERS,
        required=True,
    )

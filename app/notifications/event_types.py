"""Every spelling of an event type that has a kind: ONE table; and the TM Forum paths.

A spelling is matched by its key: without case, `_`, `-` and blanks. How the flavour of a body
follows from its row is in `flavours`. Spellings without a kind of their own (charges, modify tasks,
subscription pings, read echoes, service types of resellers) are not here on purpose (DESIGN §13).
Source: facts/wire.md §9 and §2.1, facts/mappings.md.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.notifications.notification import Flavour, Kind, ResourceType


class Form(StrEnum):
    """The family of names a spelling is of; the flavour of a body follows from it."""

    NOTIFICATION = "notification"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class EventType:
    """One row: what a spelling means.

    `spellings`: all that were seen or specified, the usual one first. `services`: the family of
    service orders, not of product orders.
    """

    kind: Kind
    resource_type: ResourceType
    form: Form
    spellings: tuple[str, ...]
    services: bool = False

    @property
    def name(self) -> str:
        """The usual spelling."""
        return self.spellings[0]


def _notification(kind: Kind, *spellings: str) -> EventType:
    return EventType(kind, ResourceType.PRODUCT_ORDER, Form.NOTIFICATION, spellings)


def _service_notification(
    kind: Kind, *spellings: str, about: ResourceType = ResourceType.SERVICE_ORDER
) -> EventType:
    return EventType(kind, about, Form.NOTIFICATION, spellings, services=True)


def _event(
    kind: Kind, *spellings: str, about: ResourceType = ResourceType.PRODUCT_ORDER
) -> EventType:
    return EventType(kind, about, Form.EVENT, spellings)


def _service_event(
    kind: Kind, *spellings: str, about: ResourceType = ResourceType.SERVICE_ORDER
) -> EventType:
    return EventType(kind, about, Form.EVENT, spellings, services=True)


_CANCEL: Final = ResourceType.CANCEL_ORDER

TABLE: Final[tuple[EventType, ...]] = (
    # TMF 2013, TMF 2015 (seed 003), TMF622 R18, MEF r3 and r4
    _notification(
        Kind.CREATED,
        "orderCreationNotification",
        "OrderCreateNotification",
        "ProductOrderCreationNotification",
        "PRODUCT_ORDER_CREATION_NOTIFICATION",
    ),
    _notification(
        Kind.STATE_CHANGED,
        "orderStateChangeNotification",
        "OrderStatusChangedNotification",
        "ProductOrderStateChangeNotification",
        "PRODUCT_ORDER_STATE_CHANGE_NOTIFICATION",
    ),
    _notification(
        Kind.VALUE_CHANGED,
        "orderValueChangeNotification",
        "ProductOrderAttributeValueChangeNotification",
        "PRODUCT_ORDER_ATTRIBUTE_VALUE_CHANGE_NOTIFICATION",
    ),
    _notification(Kind.REMOVED, "orderRemoveNotification", "ProductOrderRemoveNotification"),
    _notification(
        Kind.INFORMATION_REQUIRED,
        "orderInformationRequiredNotification",
        "productOrderInformationRequiredNotification",
        "PRODUCT_ORDER_INFORMATION_REQUIRED_NOTIFICATION",
    ),
    # ONAP (seed 004), TMF641 v3 and its reference implementations
    _service_notification(
        Kind.CREATED, "ServiceOrderCreationNotification", "serviceOrderCreateNotification"
    ),
    _service_notification(Kind.STATE_CHANGED, "ServiceOrderStateChangeNotification"),
    _service_notification(Kind.ITEM_STATE_CHANGED, "ServiceOrderItemStateChangeNotification"),
    _service_notification(Kind.VALUE_CHANGED, "serviceOrderAttributeValueChangeNotification"),
    _service_notification(
        Kind.REMOVED, "serviceOrderDeleteNotification", "ServiceOrderRemoveNotification"
    ),
    _service_notification(Kind.CREATED, "ServiceCreationNotification", about=ResourceType.SERVICE),
    _service_notification(
        Kind.VALUE_CHANGED, "ServiceAttributeValueChangeNotification", about=ResourceType.SERVICE
    ),
    _service_notification(Kind.REMOVED, "ServiceRemoveNotification", about=ResourceType.SERVICE),
    _service_notification(Kind.OTHER, "SdcDistributionNotification", about=ResourceType.OTHER),
    # TMF622 v4 and v5, MEF 6 to 11, Salesforce's productOrderStatusChangeEvent
    _event(Kind.CREATED, "ProductOrderCreateEvent"),
    _event(Kind.STATE_CHANGED, "ProductOrderStateChangeEvent", "productOrderStatusChangeEvent"),
    _event(Kind.ITEM_STATE_CHANGED, "productOrderItemStateChangeEvent"),
    _event(
        Kind.VALUE_CHANGED,
        "ProductOrderAttributeValueChangeEvent",
        "productOrderExpectedCompletionDateSet",
        "productOrderExpectedCompletionDateSetEvent",
        "productOrderItemExpectedCompletionDateSet",
        "productOrderItemExpectedCompletionDateSetEvent",
    ),
    _event(Kind.REMOVED, "ProductOrderDeleteEvent"),
    _event(Kind.INFORMATION_REQUIRED, "ProductOrderInformationRequiredEvent"),
    _event(
        Kind.MILESTONE,
        "ProductOrderMilestoneEvent",
        "productSpecificProductOrderMilestoneEvent",
        "productSpecificProductOrderItemMilestoneEvent",
    ),
    _event(Kind.JEOPARDY, "ProductOrderJeopardyAlertEvent", "productOrderJeopardyEvent"),
    _event(Kind.ERROR_MESSAGE, "ProductOrderErrorMessageEvent"),
    _event(Kind.CANCEL_CREATED, "CancelProductOrderCreateEvent", about=_CANCEL),
    _event(Kind.CANCEL_STATE_CHANGED, "CancelProductOrderStateChangeEvent", about=_CANCEL),
    _event(
        Kind.CANCEL_INFORMATION_REQUIRED,
        "CancelProductOrderInformationRequiredEvent",
        about=_CANCEL,
    ),
    # TMF641 v4, MEF Legato and Allegro
    _service_event(Kind.CREATED, "ServiceOrderCreateEvent"),
    _service_event(Kind.STATE_CHANGED, "ServiceOrderStateChangeEvent"),
    _service_event(Kind.ITEM_STATE_CHANGED, "serviceOrderItemStateChangeEvent"),
    _service_event(Kind.VALUE_CHANGED, "ServiceOrderAttributeValueChangeEvent"),
    _service_event(Kind.REMOVED, "ServiceOrderDeleteEvent"),
    _service_event(Kind.INFORMATION_REQUIRED, "ServiceOrderInformationRequiredEvent"),
    _service_event(Kind.MILESTONE, "ServiceOrderMilestoneEvent"),
    _service_event(Kind.JEOPARDY, "ServiceOrderJeopardyEvent", "serviceOrderJeopardyAlertEvent"),
    _service_event(Kind.CANCEL_CREATED, "CancelServiceOrderCreateEvent", about=_CANCEL),
    _service_event(Kind.CANCEL_STATE_CHANGED, "CancelServiceOrderStateChangeEvent", about=_CANCEL),
    _service_event(
        Kind.CANCEL_INFORMATION_REQUIRED,
        "CancelServiceOrderInformationRequiredEvent",
        about=_CANCEL,
    ),
)


@dataclass(frozen=True, slots=True)
class Mount:
    """The listener paths of one official contract: `<prefix>/<event>` for each of its events."""

    prefix: str
    events: tuple[str, ...]
    services: bool


_TMF622_V4_EVENTS: Final = (
    "productOrderCreateEvent",
    "productOrderAttributeValueChangeEvent",
    "productOrderDeleteEvent",
    "productOrderStateChangeEvent",
    "productOrderInformationRequiredEvent",
    "cancelProductOrderCreateEvent",
    "cancelProductOrderStateChangeEvent",
    "cancelProductOrderInformationRequiredEvent",
)
SHARED_PATH: Final = "/externalapi/listener/v1/listener"
MOUNTS: Final[Mapping[Flavour, Mount]] = MappingProxyType(
    {
        Flavour.TMF622_V4: Mount(
            "/tmf-api/productOrderingManagement/v4/listener", _TMF622_V4_EVENTS, services=False
        ),
        Flavour.TMF622_V5: Mount(
            "/tmf-api/productOrderingManagement/v5/listener",
            (
                *_TMF622_V4_EVENTS,
                "productOrderMilestoneEvent",
                "productOrderJeopardyAlertEvent",
                "productOrderErrorMessageEvent",
            ),
            services=False,
        ),
        Flavour.TMF641_V3: Mount(
            "/tmf-api/serviceOrdering/v3/listener",
            (
                "serviceOrderCreateNotification",
                "serviceOrderAttributeValueChangeNotification",
                "serviceOrderStateChangeNotification",
                "serviceOrderDeleteNotification",
            ),
            services=True,
        ),
        Flavour.TMF641_V4: Mount(
            "/tmf-api/serviceOrdering/v4/listener",
            (
                "serviceOrderCreateEvent",
                "serviceOrderAttributeValueChangeEvent",
                "serviceOrderStateChangeEvent",
                "serviceOrderDeleteEvent",
                "serviceOrderInformationRequiredEvent",
                "serviceOrderMilestoneEvent",
                "serviceOrderJeopardyEvent",
                "cancelServiceOrderCreateEvent",
                "cancelServiceOrderStateChangeEvent",
                "cancelServiceOrderInformationRequiredEvent",
            ),
            services=True,
        ),
    }
)

_UNMARKED: Final = str.maketrans("", "", " _-\t")


def keyed_path(callback_key: str) -> str:
    """The shared path as it is where an operator shows a callback key in it."""
    return SHARED_PATH.replace("/v1/", f"/v1/{callback_key}/")


def key(spelling: str) -> str:
    """`spelling` without case, `_`, `-` and blanks: what two spellings of one type share."""
    return spelling.translate(_UNMARKED).casefold()


_BY_KEY: Final[Mapping[str, EventType]] = MappingProxyType(
    {key(spelling): row for row in TABLE for spelling in row.spellings}
)
_SPELLING: Final[Mapping[str, str]] = MappingProxyType(
    {key(spelling): spelling for row in reversed(TABLE) for spelling in reversed(row.spellings)}
)


@functools.lru_cache(maxsize=1024)
def find(spelling: str) -> EventType | None:
    """The row of a spelling; None if the table does not know it."""
    return _BY_KEY.get(key(spelling))


def on_path(flavour: Flavour, event_name: str) -> EventType | None:
    """The row of the last segment of a TM Forum path; None if that contract has no such event."""
    mount = MOUNTS.get(flavour)
    if mount is None or event_name not in mount.events:
        return None
    return find(event_name)


@functools.lru_cache(maxsize=1024)
def near(spelling: str) -> tuple[str, ...]:
    """Up to three spellings of the table that `spelling` may have been meant to be."""
    close = difflib.get_close_matches(key(spelling)[:100], list(_SPELLING), n=3, cutoff=0.75)
    return tuple(_SPELLING[found] for found in close)

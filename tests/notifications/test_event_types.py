"""The table of event types, walked against facts/wire.md §9."""

from __future__ import annotations

import pytest

from app.notifications import event_types
from app.notifications.notification import Flavour, Kind, ResourceType

PRODUCT, SERVICE_ORDER = ResourceType.PRODUCT_ORDER, ResourceType.SERVICE_ORDER
SERVICE, CANCEL, OTHER = ResourceType.SERVICE, ResourceType.CANCEL_ORDER, ResourceType.OTHER

# (kind, resource type): every spelling of wire.md §9 that has a kind
SEEN = {
    (Kind.CREATED, PRODUCT): "OrderCreateNotification orderCreationNotification"
    " ProductOrderCreationNotification productOrderCreationNotification"
    " PRODUCT_ORDER_CREATION_NOTIFICATION ProductOrderCreateEvent productOrderCreateEvent",
    (Kind.CREATED, SERVICE_ORDER): "ServiceOrderCreationNotification serviceOrderCreateNotification"
    " ServiceOrderCreateNotification serviceOrderCreateEvent",
    (Kind.STATE_CHANGED, PRODUCT): "OrderStatusChangedNotification orderStateChangeNotification"
    " ProductOrderStateChangeNotification productOrderStateChangeNotification"
    " PRODUCT_ORDER_STATE_CHANGE_NOTIFICATION ProductOrderStateChangeEvent"
    " productOrderStateChangeEvent productOrderStatusChangeEvent",
    (Kind.STATE_CHANGED, SERVICE_ORDER): "ServiceOrderStateChangeNotification"
    " serviceOrderStateChangeNotification ServiceOrderStateChangeEvent"
    " serviceOrderStateChangeEvent",
    (Kind.ITEM_STATE_CHANGED, SERVICE_ORDER): "ServiceOrderItemStateChangeNotification"
    " serviceOrderItemStateChangeEvent",
    (Kind.ITEM_STATE_CHANGED, PRODUCT): "productOrderItemStateChangeEvent",
    (Kind.VALUE_CHANGED, PRODUCT): "orderValueChangeNotification OrderValueChangeNotification"
    " ProductOrderAttributeValueChangeNotification productOrderAttributeValueChangeNotification"
    " PRODUCT_ORDER_ATTRIBUTE_VALUE_CHANGE_NOTIFICATION ProductOrderAttributeValueChangeEvent"
    " productOrderExpectedCompletionDateSet productOrderItemExpectedCompletionDateSet"
    " productOrderItemExpectedCompletionDateSetEvent",
    (Kind.VALUE_CHANGED, SERVICE_ORDER): "ServiceOrderAttributeValueChangeNotification"
    " serviceOrderAttributeValueChangeEvent",
    (Kind.REMOVED, PRODUCT): "orderRemoveNotification OrderRemoveNotification"
    " ProductOrderRemoveNotification ProductOrderDeleteEvent",
    (Kind.REMOVED, SERVICE_ORDER): "ServiceOrderDeleteNotification serviceOrderDeleteEvent"
    " ServiceOrderRemoveNotification",
    (Kind.INFORMATION_REQUIRED, PRODUCT): "orderInformationRequiredNotification"
    " ProductOrderInformationRequiredEvent productOrderInformationRequiredNotification"
    " PRODUCT_ORDER_INFORMATION_REQUIRED_NOTIFICATION",
    (Kind.INFORMATION_REQUIRED, SERVICE_ORDER): "serviceOrderInformationRequiredEvent",
    (Kind.MILESTONE, PRODUCT): "ProductOrderMilestoneEvent"
    " productSpecificProductOrderMilestoneEvent productSpecificProductOrderItemMilestoneEvent",
    (Kind.MILESTONE, SERVICE_ORDER): "serviceOrderMilestoneEvent",
    (Kind.JEOPARDY, PRODUCT): "ProductOrderJeopardyAlertEvent",
    (Kind.JEOPARDY, SERVICE_ORDER): "serviceOrderJeopardyEvent",
    (Kind.ERROR_MESSAGE, PRODUCT): "ProductOrderErrorMessageEvent",
    (Kind.CANCEL_CREATED, CANCEL): "CancelProductOrderCreateEvent cancelServiceOrderCreateEvent",
    (Kind.CANCEL_STATE_CHANGED, CANCEL): "CancelProductOrderStateChangeEvent"
    " cancelServiceOrderStateChangeEvent",
    (Kind.CANCEL_INFORMATION_REQUIRED, CANCEL): "CancelProductOrderInformationRequiredEvent"
    " cancelServiceOrderInformationRequiredEvent",
    (Kind.CREATED, SERVICE): "ServiceCreationNotification",
    (Kind.VALUE_CHANGED, SERVICE): "ServiceAttributeValueChangeNotification",
    (Kind.REMOVED, SERVICE): "ServiceRemoveNotification",
    (Kind.OTHER, OTHER): "SdcDistributionNotification",
}
NOT_IN_THE_CATALOGUE = (
    "chargeCreateEvent chargeStateChangeEvent chargeTimeoutEvent"
    " modifyProductOrderItemCompletionDateStateChangeEvent"
    " modifyProductOrderItemRequestedDeliveryDateStateChangeEvent"
    " EventsSubscriptionCreationNotification ProductOrderNotification"
    " ProductRemoveNotification ProductAttributeValueChangeNotification"
    " ProductOrderServiceTestCompleted orderNotification x"
)


@pytest.mark.parametrize(
    ("spelling", "kind", "about"),
    [
        (spelling, kind, about)
        for (kind, about), spellings in SEEN.items()
        for spelling in spellings.split()
    ],
)
def test_a_spelling_of_the_field_has_its_kind(spelling, kind, about):
    row = event_types.find(spelling)
    assert row is not None
    assert (row.kind, row.resource_type) == (kind, about)


def test_every_row_is_found_by_each_of_its_spellings_and_keys_are_no_others():
    for row in event_types.TABLE:
        for spelling in row.spellings:
            assert event_types.find(spelling) is row
    seen = {event_types.key(word) for words in SEEN.values() for word in words.split()}
    rows = {event_types.key(word) for row in event_types.TABLE for word in row.spellings}
    assert rows - seen == {
        "productorderexpectedcompletiondatesetevent",
        "productorderjeopardyevent",
        "serviceorderjeopardyalertevent",
    }


@pytest.mark.parametrize("spelling", NOT_IN_THE_CATALOGUE.split())
def test_what_has_no_kind_of_its_own_is_not_in_the_catalogue(spelling):
    assert event_types.find(spelling) is None


def test_case_underscores_hyphens_and_blanks_do_not_count():
    row = event_types.find("  ORDER_state-change Notification")
    assert row is event_types.find("orderStateChangeNotification")


@pytest.mark.parametrize(
    ("flavour", "events"),
    [
        (Flavour.TMF622_V4, 8),
        (Flavour.TMF622_V5, 11),
        (Flavour.TMF641_V3, 4),
        (Flavour.TMF641_V4, 10),
    ],
)
def test_every_event_of_a_path_has_a_row(flavour, events):
    mount = event_types.MOUNTS[flavour]
    assert len(mount.events) == events
    for name in mount.events:
        row = event_types.on_path(flavour, name)
        assert row is not None
        assert row.services is mount.services


def test_an_event_of_another_contract_is_not_on_the_path():
    assert event_types.on_path(Flavour.TMF622_V4, "productOrderMilestoneEvent") is None
    assert event_types.on_path(Flavour.ONAP, "productOrderCreateEvent") is None


def test_a_near_spelling_is_offered():
    assert event_types.near("orderStateChangedNotification")[0] == "orderStateChangeNotification"
    assert event_types.near("zzz") == ()

"""Seed 004 and what ONAP NBI really sends, in every canonical field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.sources import arrivals

ORDER = {
    "flavour": "onap",
    "resource_type": "serviceOrder",
    "order_id": "5c3e0b1aaf3c1d0001b2d001",
    "href": "serviceOrder/5c3e0b1aaf3c1d0001b2d001",
    "external_id": "BSS-order-1",
}
EVENT = "0c7b3f0e-6a7c-4b0e-9a86-2a5a8ce1d00"
FILES = {
    "ServiceOrderCreationNotification.json": {
        "event_id": EVENT + "1",
        "event_type": "ServiceOrderCreationNotification",
        "kind": "created",
        "state": "acknowledged",
        "raw_state": "acknowledged",
        "items": (arrivals.item("1", "add", "acknowledged"),),
        "occurred_at": datetime(2019, 1, 15, 16, 2, 34, 207000, tzinfo=UTC),
        "occurred_at_raw": "2019-01-15T16:02:34.207Z",
        "summary": {"percentProgress": {"1": "0"}},
    },
    "ServiceOrderItemStateChangeNotification.json": {
        "event_id": EVENT + "2",
        "event_type": "ServiceOrderItemStateChangeNotification",
        "kind": "item_state_changed",
        "state": "inProgress",
        "raw_state": "inProgress",
        "items": (arrivals.item("1", "add", "inProgress"),),
        "occurred_at": datetime(2019, 1, 15, 16, 2, 36, 11000, tzinfo=UTC),
        "occurred_at_raw": "2019-01-15T16:02:36.011Z",
        "summary": {"percentProgress": {"1": "0"}},
    },
    "ServiceOrderItemStateChangeNotification.leaked-internal-state.json": {
        "event_id": EVENT + "3",
        "event_type": "ServiceOrderItemStateChangeNotification",
        "kind": "item_state_changed",
        "state": "inProgress",
        "raw_state": "inProgress",
        "items": (arrivals.item("1", "add", "inProgress", "inProgressTaskCreated"),),
        "occurred_at": datetime(2019, 1, 15, 16, 2, 37, 11000, tzinfo=UTC),
        "occurred_at_raw": "2019-01-15T16:02:37.011Z",
        "summary": {"percentProgress": {"1": "0"}},
    },
    "ServiceOrderStateChangeNotification.completed.json": {
        "event_id": EVENT + "4",
        "event_type": "ServiceOrderStateChangeNotification",
        "kind": "state_changed",
        "state": "completed",
        "raw_state": "completed",
        "items": (arrivals.item("1", "add", "completed"),),
        "occurred_at": datetime(2019, 1, 15, 16, 9, 1, 500000, tzinfo=UTC),
        "occurred_at_raw": "2019-01-15T16:09:01.500Z",
        "summary": {
            "completionDateTime": "2019-01-15T16:09:01.488Z",
            "percentProgress": {"1": "100"},
        },
    },
}
TIME = {
    "occurred_at": datetime(2026, 3, 2, 9, 15, tzinfo=UTC),
    "occurred_at_raw": "2026-03-02T09:15:00.000Z",
}


def envelope(event_type, event):
    return {
        "eventId": "e-1",
        "eventDate": "2026-03-02T09:15:00.000Z",
        "eventType": event_type,
        "event": event,
    }


@pytest.mark.parametrize(("file", "expected"), FILES.items())
def test_what_nbi_sends_comes_out_right_in_every_field(file, expected):
    body = arrivals.shared(f"examples/onap-nbi/{file}")
    assert arrivals.told(arrivals.arrival(body)) == arrivals.NOTHING | ORDER | expected


@pytest.mark.parametrize(
    "event_type",
    [
        "ServiceOrderCreationNotification",
        "ServiceOrderStateChangeNotification",
        "ServiceOrderItemStateChangeNotification",
    ],
)
def test_an_empty_event_is_legal_and_told_of(event_type):
    fields = arrivals.told(arrivals.arrival(envelope(event_type, {})))
    kinds = {
        "ServiceOrderCreationNotification": "created",
        "ServiceOrderStateChangeNotification": "state_changed",
        "ServiceOrderItemStateChangeNotification": "item_state_changed",
    }
    assert fields == arrivals.NOTHING | TIME | {
        "event_id": "e-1",
        "event_type": event_type,
        "flavour": "onap",
        "kind": kinds[event_type],
        "resource_type": "serviceOrder",
        "warnings": ("no_order_id",),
    }


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        ("ServiceCreationNotification", "created"),
        ("ServiceAttributeValueChangeNotification", "value_changed"),
        ("ServiceRemoveNotification", "removed"),
    ],
)
def test_a_notification_of_a_service_names_the_service(event_type, kind):
    event = {
        "id": "svc-1",
        "href": "service/svc-1",
        "name": "vFW",
        "type": "service-instance",
        "state": "active",
        "relatedParty": {"id": "generic", "role": "ONAPcustomer"},
    }
    assert arrivals.told(arrivals.arrival(envelope(event_type, event))) == (
        arrivals.NOTHING
        | TIME
        | {
            "event_id": "e-1",
            "event_type": event_type,
            "flavour": "onap",
            "kind": kind,
            "resource_type": "service",
            "service_id": "svc-1",
            "href": "service/svc-1",
            "raw_state": "active",
        }
    )


@pytest.mark.parametrize("event", [{}, {"id": {"any": ["thing"]}, "state": 5}])
def test_a_distribution_notification_is_other_whatever_it_holds(event):
    it = arrivals.arrival(envelope("SdcDistributionNotification", event))
    assert arrivals.told(it) == arrivals.NOTHING | TIME | {
        "event_id": "e-1",
        "event_type": "SdcDistributionNotification",
        "flavour": "onap",
        "kind": "other",
        "resource_type": "other",
    }


@pytest.mark.parametrize("key", ["orderMessage", "orderItemMessage"])
@pytest.mark.parametrize(("required", "attention"), [(True, "buyer_action"), (False, None)])
def test_messages_are_kept_and_a_correction_asks_the_buyer(key, required, attention):
    message = {
        "code": "102",
        "field": "service.name",
        "messageInformation": "The name is taken",
        "severity": "error",
        "correctionRequired": required,
    }
    event = {"id": "o-1", "state": "failed", "orderItem": [{"id": "1", key: [message]}]}
    it = arrivals.arrival(envelope("ServiceOrderStateChangeNotification", event))
    fields = arrivals.told(it)
    assert fields["attention"] == attention
    assert fields["summary"] == {key: [{"item_id": "1", **message}]}


@pytest.mark.parametrize(
    "leak",
    [
        "inProgressTaskCreated",
        "inProgressModifyRequestDeleteSend",
        "inProgressModifyItemToCreate",
        "inProgressModifyRequestCreateSend",
    ],
)
def test_a_leaked_item_state_is_in_progress(leak):
    event = {"id": "o-1", "state": "inProgress", "orderItem": [{"id": "1", "state": leak}]}
    it = arrivals.arrival(envelope("ServiceOrderItemStateChangeNotification", event))
    fields = arrivals.told(it)
    assert fields["items"] == (arrivals.item("1", None, "inProgress", leak),)
    assert fields["warnings"] == ()

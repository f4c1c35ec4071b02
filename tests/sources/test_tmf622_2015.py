"""Seed 003: all five notifications of TMF622 2014/15 in every canonical field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.sources import arrivals

HREF = "http://serverlocation:port/orderManagement/productOrder/42"
ODD = ("field_alias", "impossible_offset", "blank_trimmed")  # externalID, -30:00, " 42"
ORDER = {
    "flavour": "tmf622_2015",
    "resource_type": "productOrder",
    "order_id": "42",
    "href": HREF,
    "external_id": "NiceNameForTheConsumer_42",
    "occurred_at_raw": "2013-04-19T16:42:25-30:00",
    "warnings": ODD,
}
SEED_003 = {
    "orderCreationNotification": {
        "event_id": "00001",
        "kind": "created",
        "state": "inProgress",
        "raw_state": "InProgress",
        "items": (
            arrivals.item("1", "add", "acknowledged", "Acknowledged"),
            arrivals.item("2", "modify", "inProgress", "InProgress"),
            arrivals.item("3", "add", "inProgress", "InProgress"),
            arrivals.item("4", "add", "inProgress", "InProgress"),
        ),
        "occurred_at": datetime(2013, 4, 19, 20, 42, 25, tzinfo=UTC),
        "occurred_at_raw": "2013-04-19T16:42:25-04:00",
        "warnings": (),
        "summary": {
            "requestedStartDate": "2013-04-12T16:42:23-04:00",
            "requestedCompletionDate": "2013-04-19T16:42:23-04:00",
            "expectedCompletionDate": "2013-04-19T16:42:23-04:00",
            "completionDate": "2013-04-19T16:42:23-04:00",
            "appointments": [{"item_id": "1", "href": "http://www.doodle.com/1WCV5647438"}],
        },
    },
    "orderRemoveNotification": {"event_id": "00002", "kind": "removed"},
    "orderStateChangeNotification": {
        "event_id": "00003",
        "kind": "state_changed",
        "state": "completed",
        "raw_state": "Completed",
    },
    "orderValueChangeNotification": {
        "event_id": "00004",
        "kind": "value_changed",
        "items": (arrivals.item("1"),),
        "summary": {
            "changed": [
                {
                    "path": "orderItem[1].product.productCharacteristic[Colour].value",
                    "value": "Black",
                }
            ]
        },
    },
    "orderInformationRequiredNotification": {
        "event_id": "00005",
        "kind": "information_required",
        "attention": "buyer_action",
        "summary": {"item_id": None, "field": "notificationContact", "criteria": None},
    },
}


@pytest.mark.parametrize(("event_type", "expected"), SEED_003.items())
def test_a_notification_of_seed_003_comes_out_right_in_every_field(event_type, expected):
    body = arrivals.shared(f"examples/tmf622-2015/{event_type}.json")
    assert arrivals.told(arrivals.arrival(body)) == (
        arrivals.NOTHING | ORDER | {"event_type": event_type} | expected
    )


def test_the_text_of_seed_003_as_published_is_refused_with_the_reason():
    verbatim = "examples/tmf622-2015/orderStateChangeNotification.verbatim.txt"
    refusal = arrivals.refused(arrivals.arrival(arrivals.shared(verbatim)))
    assert refusal.code == 22
    assert "U+00A0" in refusal.message


@pytest.mark.parametrize(
    ("resource_path", "field_path", "wanted"),
    [
        ("/order/42 ", "missing=notificationContact", (None, "notificationContact", None)),
        ("/order/42/orderItem/1", "missing=appointment", ("1", "appointment", None)),
        (
            "/productOrder/42/orderItem/A-7/",
            "missing=product.place&role=DeliveryPlace",
            ("A-7", "product.place", "role=DeliveryPlace"),
        ),
        ("/order/42", "note", (None, "note", None)),
        ("/order/42", ["a", "b"], (None, "a, b", None)),
    ],
)
def test_what_is_missing_is_read_from_the_two_paths(resource_path, field_path, wanted):
    body = {
        "eventId": "1",
        "eventTime": "2026-03-02T09:15:00Z",
        "eventType": "orderInformationRequiredNotification",
        "resourcePath": resource_path,
        "fieldPath": field_path,
        "event": {"productOrder": {"id": "42"}},
    }
    summary = arrivals.told(arrivals.arrival(body))["summary"]
    assert (summary["item_id"], summary["field"], summary["criteria"]) == wanted

"""TMF622 v4, TMF641 v3 and v4.1: a body filled from the official schema, for every event.

The filler gives a text the name of its field, a time TIME, an enumeration its first word.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.notifications import event_types
from app.notifications.notification import Flavour
from tests.sources import arrivals, filler

V4 = "TMF622-ProductOrder-v4.0.0.swagger.json"
SERVICE_V3 = "TMF641-ServiceOrdering-3.0.0.swagger.json"
SERVICE_V4 = "TMF641-ServiceOrdering-v4.1.0.swagger.json"
CONTRACTS = {Flavour.TMF622_V4: V4, Flavour.TMF641_V3: SERVICE_V3, Flavour.TMF641_V4: SERVICE_V4}

HEARD = {
    "event_id": "eventId",
    "occurred_at": datetime(2026, 3, 2, 9, 15, tzinfo=UTC),
    "occurred_at_raw": filler.TIME,
}
DATES = {
    "requestedStartDate": filler.TIME,
    "requestedCompletionDate": filler.TIME,
    "expectedCompletionDate": filler.TIME,
    "completionDate": filler.TIME,
}
APPOINTMENT = {"item_id": "id", "id": "id", "href": "href"}
ITEM = arrivals.item("id", "add", "acknowledged")
ORDER = HEARD | {
    "order_id": "id",
    "href": "href",
    "external_id": "externalId",
    "state": "acknowledged",
    "raw_state": "acknowledged",
    "items": (ITEM, ITEM),  # the second is inside the first
    "refs": {"correlationId": "correlationId"},
}
KEPT = DATES | {"appointments": [APPOINTMENT, APPOINTMENT]}
FIELD = {"item_id": None, "field": "fieldPath", "criteria": None}

PRODUCT = ORDER | {"resource_type": "productOrder", "summary": KEPT}
CANCEL_PRODUCT = HEARD | {
    "resource_type": "cancelOrder",
    "order_id": "id",
    "href": "href",
    "about_order_id": "id",
    "raw_state": "acknowledged",
    "refs": {"correlationId": "correlationId"},
    "summary": {
        "task_state": "acknowledged",
        "cancellationReason": "cancellationReason",
        "requestedCancellationDate": filler.TIME,
        "effectiveCancellationDate": filler.TIME,
    },
}
SERVICE_OF_V3 = ORDER | {
    "resource_type": "serviceOrder",
    "items": (ITEM,),
    "refs": {},
    "summary": DATES | {"appointments": [APPOINTMENT]},
}
SERVICE_OF_V4 = ORDER | {
    "resource_type": "serviceOrder",
    "refs": {"externalReferenceType": "id", "correlationId": "correlationId"},
    "summary": KEPT,
}
CANCEL_SERVICE = CANCEL_PRODUCT | {
    "raw_state": "accepted",
    "href": filler.LINK,
    "summary": CANCEL_PRODUCT["summary"] | {"task_state": "accepted", "message": "message"},
}

EXPECTED = {
    (Flavour.TMF622_V4, "productOrderCreateEvent"): PRODUCT | {"kind": "created"},
    (Flavour.TMF622_V4, "productOrderAttributeValueChangeEvent"): PRODUCT
    | {"kind": "value_changed", "summary": KEPT | {"field": "fieldPath"}},
    (Flavour.TMF622_V4, "productOrderDeleteEvent"): PRODUCT | {"kind": "removed"},
    (Flavour.TMF622_V4, "productOrderStateChangeEvent"): PRODUCT | {"kind": "state_changed"},
    (Flavour.TMF622_V4, "productOrderInformationRequiredEvent"): PRODUCT
    | {"kind": "information_required", "attention": "buyer_action", "summary": KEPT | FIELD},
    (Flavour.TMF622_V4, "cancelProductOrderCreateEvent"): CANCEL_PRODUCT
    | {"kind": "cancel_created"},
    (Flavour.TMF622_V4, "cancelProductOrderStateChangeEvent"): CANCEL_PRODUCT
    | {"kind": "cancel_state_changed"},
    (Flavour.TMF622_V4, "cancelProductOrderInformationRequiredEvent"): CANCEL_PRODUCT
    | {
        "kind": "cancel_information_required",
        "attention": "buyer_action",
        "summary": CANCEL_PRODUCT["summary"] | FIELD,
    },
    (Flavour.TMF641_V3, "serviceOrderCreateNotification"): SERVICE_OF_V3 | {"kind": "created"},
    (Flavour.TMF641_V3, "serviceOrderAttributeValueChangeNotification"): SERVICE_OF_V3
    | {"kind": "value_changed", "summary": SERVICE_OF_V3["summary"] | {"field": "fieldPath"}},
    (Flavour.TMF641_V3, "serviceOrderStateChangeNotification"): SERVICE_OF_V3
    | {"kind": "state_changed"},
    (Flavour.TMF641_V3, "serviceOrderDeleteNotification"): SERVICE_OF_V3 | {"kind": "removed"},
    (Flavour.TMF641_V4, "serviceOrderCreateEvent"): SERVICE_OF_V4 | {"kind": "created"},
    (Flavour.TMF641_V4, "serviceOrderAttributeValueChangeEvent"): SERVICE_OF_V4
    | {"kind": "value_changed", "summary": KEPT | {"field": "fieldPath"}},
    (Flavour.TMF641_V4, "serviceOrderStateChangeEvent"): SERVICE_OF_V4 | {"kind": "state_changed"},
    (Flavour.TMF641_V4, "serviceOrderDeleteEvent"): SERVICE_OF_V4 | {"kind": "removed"},
    (Flavour.TMF641_V4, "serviceOrderInformationRequiredEvent"): SERVICE_OF_V4
    | {"kind": "information_required", "attention": "buyer_action", "summary": KEPT | FIELD},
    (Flavour.TMF641_V4, "serviceOrderMilestoneEvent"): SERVICE_OF_V4
    | {
        "kind": "milestone",
        "summary": KEPT
        | {
            "milestone": {
                "id": "id",
                "name": "name",
                "description": "description",
                "message": "message",
                "milestoneDate": filler.TIME,
                "status": "status",
            }
        },
    },
    (Flavour.TMF641_V4, "serviceOrderJeopardyEvent"): SERVICE_OF_V4
    | {
        "kind": "jeopardy",
        "attention": "alarm",
        "summary": KEPT
        | {
            "message": "message",
            "jeopardy": {
                "id": "id",
                "name": "name",
                "alertDate": filler.TIME,
                "jeopardyType": "jeopardyType",
                "exception": "exception",
            },
        },
    },
    (Flavour.TMF641_V4, "cancelServiceOrderCreateEvent"): CANCEL_SERVICE
    | {"kind": "cancel_created"},
    (Flavour.TMF641_V4, "cancelServiceOrderStateChangeEvent"): CANCEL_SERVICE
    | {"kind": "cancel_state_changed"},
    (Flavour.TMF641_V4, "cancelServiceOrderInformationRequiredEvent"): CANCEL_SERVICE
    | {
        "kind": "cancel_information_required",
        "attention": "buyer_action",
        "summary": CANCEL_SERVICE["summary"] | FIELD,
    },
}


@pytest.mark.parametrize("flavour", CONTRACTS)
def test_every_listener_path_of_the_contract_is_ours(flavour):
    whole = filler.contract(CONTRACTS[flavour])
    mount = event_types.MOUNTS[flavour]
    paths = {path for path in whole["paths"] if path.startswith("/listener/")}
    assert paths == {f"/listener/{name}" for name in mount.events}
    assert whole["basePath"].rstrip("/") + "/listener" == mount.prefix
    assert {name for whose, name in EXPECTED if whose is flavour} == set(mount.events)


@pytest.mark.parametrize(("flavour", "event_name"), EXPECTED)
@pytest.mark.parametrize("told_by", ["body", "path"])
def test_a_filled_body_comes_out_right_in_every_field(flavour, event_name, told_by):
    body = filler.body_of(CONTRACTS[flavour], event_name)
    event_type = event_name[0].upper() + event_name[1:]
    if told_by == "body":
        body["eventType"] = event_type
    else:
        del body["eventType"]
        event_type = event_name
    assert arrivals.told(arrivals.on_path(body, flavour, event_name)) == (
        arrivals.NOTHING
        | {"flavour": flavour, "event_type": event_type}
        | EXPECTED[flavour, event_name]
    )


@pytest.mark.parametrize(("flavour", "event_name"), EXPECTED)
def test_on_its_path_an_empty_object_is_valid(flavour, event_name):
    fields = arrivals.told(arrivals.on_path({}, flavour, event_name))
    expected = EXPECTED[flavour, event_name]
    assert (fields["kind"], fields["event_type"]) == (expected["kind"], event_name)
    assert fields["warnings"] == ("no_order_id",)


@pytest.mark.parametrize(("flavour", "event_name"), EXPECTED)
def test_on_the_shared_path_the_event_type_leads_to_the_same_flavour(flavour, event_name):
    body = filler.body_of(CONTRACTS[flavour], event_name)
    body["eventType"] = event_name
    fields = arrivals.told(arrivals.arrival(body))
    assert (fields["flavour"], fields["kind"]) == (flavour, EXPECTED[flavour, event_name]["kind"])

"""The eleven official examples of TMF622 v5, read from the contract, in every canonical field."""

from __future__ import annotations

import functools
import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from app.notifications import event_types
from app.notifications.notification import Flavour
from tests.sources import arrivals

CONTRACT = Path(__file__).parents[1] / "contracts" / "TMF622-ProductOrdering-v5.0.0.oas.yaml.gz"


@functools.cache
def contract():
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(gzip.decompress(CONTRACT.read_bytes()), loader)


def example(event_name):
    name = event_name[0].upper() + event_name[1:]
    return contract()["components"]["examples"][f"{name}_request"]["value"]


def heard(event_id, correlation, moment, raw):
    return {
        "event_id": event_id,
        "refs": {"correlationId": correlation},
        "occurred_at": moment,
        "occurred_at_raw": raw,
    }


SEPTEMBER_27 = datetime(2021, 9, 27, 7, 43, 59, 59000, tzinfo=UTC)
SEPTEMBER_28 = datetime(2021, 9, 28, 7, 43, 59, 59000, tzinfo=UTC)
SEPTEMBER_14 = datetime(2022, 9, 14, 12, 14, 28, 774000, tzinfo=UTC)
FOUR_TIMES = heard(
    "467c-937d-9afe827e85ee", "8a1d7f00-245b", SEPTEMBER_14, "2022-09-14T12:14:28.774Z"
)
HOST = "https://host:port/productOrderingManagement/v5/"
ORDER_30001 = {"order_id": "30001", "href": "http://servername/productOrder/30001"}
CANCEL = {
    "resource_type": "cancelOrder",
    "order_id": "789-fsds5-kjp",
    "href": HOST + "cancelProductOrder/789-fsds5-kjp",
    "about_order_id": "45f-98f-ss45",
}
EXAMPLES = {
    "productOrderCreateEvent": heard("125", "126-54f", SEPTEMBER_27, "2021-09-27T07:43:59.059Z")
    | {
        "kind": "created",
        "order_id": "30001",
        "href": HOST + "productOrder/30001",
        "external_id": "456",
        "refs": {"POnumber": "456", "correlationId": "126-54f"},
        "state": "acknowledged",
        "raw_state": "acknowledged",
        "items": tuple(
            arrivals.item(id_, "add", "acknowledged") for id_ in ("100", "110", "120", "130")
        ),
        "summary": {
            "requestedStartDate": "2019-05-03T08:13:59.506Z",
            "requestedCompletionDate": "2019-05-02T08:13:59.506Z",
            "expectedCompletionDate": "2019-05-02T08:13:59.506Z",
        },
    },
    "productOrderAttributeValueChangeEvent": FOUR_TIMES | ORDER_30001 | {"kind": "value_changed"},
    "productOrderStateChangeEvent": heard(
        "569", "333-fd6", SEPTEMBER_27, "2021-09-27T07:43:59.059Z"
    )
    | {
        "kind": "state_changed",
        "order_id": "9693",
        "href": HOST + "productOrder/9693",
        "state": "inProgress",
        "raw_state": "inProgress",
        "items": (
            arrivals.item("1", None, "inProgress"),
            arrivals.item("2", None, "inProgress"),
        ),
    },
    "productOrderDeleteEvent": heard("523", "145d-8hh", SEPTEMBER_27, "2021-09-27T07:43:59.059Z")
    | {"kind": "removed", "order_id": "9693", "href": HOST + "productOrder/9693"},
    "productOrderInformationRequiredEvent": heard(
        "966", "qs1-k33", SEPTEMBER_27, "2021-09-27T07:43:59.059Z"
    )
    | {
        "kind": "information_required",
        "order_id": "30001",
        "href": HOST + "productOrder/30001",
        "attention": "buyer_action",
        "summary": {"item_id": None, "field": "agreement.id", "criteria": None},
    },
    "productOrderMilestoneEvent": FOUR_TIMES
    | ORDER_30001
    | {
        "kind": "milestone",
        "summary": {
            "milestone": {
                "id": "456-dd-df45",
                "message": "ready to be submitted",
                "milestoneDate": "2022-09-14T12:14:23.473Z",
                "status": "Completed",
            }
        },
    },
    "productOrderJeopardyAlertEvent": FOUR_TIMES
    | ORDER_30001
    | {
        "kind": "jeopardy",
        "attention": "alarm",
        "summary": {
            "message": "adress missing information",
            "jeopardy": {
                "id": "456-dd-df45",
                "alertDate": "2022-09-14T12:14:23.473Z",
                "jeopardyType": "AppointmentInformation",
            },
        },
    },
    "productOrderErrorMessageEvent": FOUR_TIMES
    | ORDER_30001
    | {
        "kind": "error_message",
        "attention": "alarm",
        "summary": {
            "message": "product characteristic information are not consistent",
            "error": {
                "code": "456-dd-df45",
                "reason": "missing product configuration attribute",
                "timestamp": "2022-09-14T12:14:23.473Z",
            },
        },
    },
    "cancelProductOrderCreateEvent": heard(
        "129", "456-fff", SEPTEMBER_28, "2021-09-28T07:43:59.059Z"
    )
    | CANCEL
    | {
        "kind": "cancel_created",
        "raw_state": "acknowledged",
        "summary": {
            "task_state": "acknowledged",
            "cancellationReason": "Duplicate order",
            "requestedCancellationDate": "2021-08-30T09:14:46.145Z",
        },
    },
    "cancelProductOrderStateChangeEvent": heard(
        "129", "456-fff", SEPTEMBER_28, "2021-09-28T07:43:59.059Z"
    )
    | CANCEL
    | {
        "kind": "cancel_state_changed",
        "raw_state": "inProgress",
        "summary": {
            "task_state": "inProgress",
            "cancellationReason": "Duplicate order",
            "requestedCancellationDate": "2021-08-30T09:14:46.145Z",
        },
    },
    "cancelProductOrderInformationRequiredEvent": heard(
        "408f-a88f-40f2ebbe8a06",
        "d5894698-6801",
        datetime(2022, 9, 14, 12, 14, 28, 790000, tzinfo=UTC),
        "2022-09-14T12:14:28.790Z",
    )
    | CANCEL
    | {
        "kind": "cancel_information_required",
        "raw_state": "acknowledged",
        "href": "http://servername/cancelProductOrder/789-fsds5-kjp",
        "attention": "buyer_action",
        "summary": {
            "task_state": "acknowledged",
            "requestedCancellationDate": "2019-04-30T12:56:21.931Z",
            "item_id": None,
            "field": "cancellationReason",
            "criteria": None,
        },
    },
}


def test_there_is_one_example_for_each_event_of_the_contract():
    assert set(EXAMPLES) == set(event_types.MOUNTS[Flavour.TMF622_V5].events)
    listeners = {
        path.rpartition("/")[2] for path in contract()["paths"] if path.startswith("/listener/")
    }
    assert set(EXAMPLES) == listeners


@pytest.mark.parametrize(("event_name", "expected"), EXAMPLES.items())
@pytest.mark.parametrize("shared_path", [False, True], ids=["own path", "shared path"])
def test_an_official_example_comes_out_right_in_every_field(event_name, expected, shared_path):
    body = example(event_name)
    it = (
        arrivals.arrival(body)
        if shared_path
        else arrivals.on_path(body, Flavour.TMF622_V5, event_name)
    )
    assert arrivals.told(it) == (
        arrivals.NOTHING
        | {
            "flavour": "tmf622_v5",
            "resource_type": "productOrder",
            "event_type": event_name[0].upper() + event_name[1:],
        }
        | expected
    )


@pytest.mark.parametrize(
    ("event_name", "remove", "path"),
    [
        ("productOrderStateChangeEvent", ("@type",), "@type"),
        (
            "productOrderInformationRequiredEvent",
            ("event", "productOrder", "id"),
            "event.productOrder.id",
        ),
        (
            "productOrderInformationRequiredEvent",
            ("event", "informationRequired", "path"),
            "event.informationRequired.path",
        ),
        (
            "productOrderInformationRequiredEvent",
            ("event", "informationRequired", "op"),
            "event.informationRequired.op",
        ),
        (
            "cancelProductOrderCreateEvent",
            ("event", "cancelProductOrder", "productOrder", "id"),
            "event.cancelProductOrder.productOrder.id",
        ),
    ],
)
def test_what_the_contract_requires_is_required(event_name, remove, path):
    body = arrivals.json.loads(arrivals.json.dumps(example(event_name)))
    *outer, last = remove
    inner = body
    for key in outer:
        inner = inner[key]
    del inner[last]
    refusal = arrivals.refused(arrivals.on_path(body, Flavour.TMF622_V5, event_name))
    assert refusal.code == 23
    assert [fault.path for fault in refusal.faults] == [path]


def test_on_its_own_path_v5_needs_only_the_type():
    it = arrivals.on_path({"@type": "x"}, Flavour.TMF622_V5, "productOrderCreateEvent")
    fields = arrivals.told(it)
    assert (fields["kind"], fields["warnings"]) == ("created", ("no_order_id",))

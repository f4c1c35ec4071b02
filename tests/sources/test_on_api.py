"""ON-API: each state and operation, field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app import errors
from app.notifications.notification import Channel
from app.sources import base, on_api
from app.sources.on_api import words
from tests.sources import arrivals, feeding

KIND = on_api.KIND
FEED = on_api.OnApiFeed(url="https://ko.example/api/2.3.1", username="sp1", password="hüsh")
ID = "2a6d6432-e59d-11e3-9a52-3c970e806452"
PATH = "/api/2.3.1/orders/ec4bc754-6a30-11e2-a585-4fc569183061"
LATER = "/onapi/2.6/orders/ec4bc7546a3011e2a5854fc569183061"

EXPECTED = feeding.NOTHING | {
    "flavour": "on_api",
    "event_id": ID,
    "event_type": "orderevents",
    "kind": "state_changed",
    "resource_type": "order",
    "order_id": "ec4bc754-6a30-11e2-a585-4fc569183061",
    "href": PATH,
    "access_id": "STTA0001",
}


def event(state: str, **over: Any) -> dict[str, Any]:
    order = {
        "path": PATH,
        "accessId": "STTA0001",
        "service": "BB-100-10",
        "operation": "ACTIVATE",
        "state": state,
        "message": "",
    }
    return {"event": ID, "order": order | over}


def summary(operation: str = "ACTIVATE", **more: str) -> dict[str, str]:
    return {"service": "BB-100-10", "operation": operation} | more


@pytest.mark.parametrize(
    ("state", "over", "rest"),
    [
        ("DONE_SUCCESS", {}, {"state": "completed", "summary": summary()}),
        (
            "DONE_SUCCESS",
            {"operation": "DEACTIVATE"},
            {
                "state": "completed",
                "summary": summary("DEACTIVATE", effect="service_removed"),
            },
        ),
        (
            "DONE_FAILED",
            {"operation": "DEACTIVATE", "message": "Port is too busy"},
            {
                "state": "failed",
                "attention": "alarm",
                "summary": summary("DEACTIVATE", message="Port is too busy"),
            },
        ),
        (
            "RECEIVED",
            {},
            {
                "state": "acknowledged",
                "summary": summary(),
                "warnings": ("state_outside_contract",),
            },
        ),
        (
            "IN_PROGRESS",
            {},
            {
                "state": "inProgress",
                "summary": summary(),
                "warnings": ("state_outside_contract",),
            },
        ),
        (
            "IN_PROGRESS",
            {"path": LATER, "operation": "SUSPEND"},
            {
                "state": "inProgress",
                "href": LATER,
                "order_id": "ec4bc7546a3011e2a5854fc569183061",
                "summary": summary("SUSPEND"),
            },
        ),
        (
            "RECEIVED",
            {"path": LATER},
            {
                "state": "acknowledged",
                "href": LATER,
                "order_id": "ec4bc7546a3011e2a5854fc569183061",
                "summary": summary(),
            },
        ),
        ("LOST", {}, {"summary": summary(), "warnings": ("unknown_state",)}),
    ],
)
def test_each_state_and_operation_says_exactly_this(state, over, rest):
    assert feeding.told(KIND, event(state, **over)) == EXPECTED | {"raw_state": state} | rest


def test_every_state_of_the_table_is_walked():
    assert set(words.STATES) == {"RECEIVED", "IN_PROGRESS", "DONE_SUCCESS", "DONE_FAILED"}


@pytest.mark.parametrize(
    ("over", "rest"),
    [
        ({"path": "/orders/ 42 /"}, {"order_id": "42", "href": "/orders/ 42 /"}),
        ({"accessId": None, "service": None}, {"access_id": None}),
        ({"path": None}, {"order_id": None, "href": None}),
        ({"path": {"a": 1}}, {"order_id": None, "href": None}),
        ({"message": ["a"]}, {}),
    ],
)
def test_what_is_odd_is_taken_and_told_of(over, rest):
    told = feeding.told(KIND, event("DONE_SUCCESS", **over))
    assert {name: told[name] for name in rest} == rest
    assert told["state"] == "completed"
    odd = {"path": ("no_order_id",), "message": ("field_unreadable",)}
    if over.get("path") is None and "path" in over:
        assert told["warnings"] == odd["path"]
    if "message" in over:
        assert told["warnings"] == odd["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"order": {"path": PATH, "state": "DONE_SUCCESS"}}, 23),
        ({"event": None, "order": {}}, 23),
        ({"event": ["a"], "order": {}}, 24),
        ({"event": "a\0b", "order": {}}, 24),
        ({"event": "x" * 300, "order": {}}, 24),
        (b"42", 22),
        (b"null", 22),
        (b"", 21),
        (b'{"event": NaN}', 22),
    ],
)
def test_an_event_without_its_id_is_refused(body, code):
    assert feeding.refused(KIND, body).code == code


@pytest.mark.parametrize(
    "sample",
    [
        "2.3.1-sample1.json",
        "2.4.0-sample1.json",
        "2.4.0-sample2.json",
        "2.5.0-sample1.json",
        "2.5.0-sample2.json",
        "2.6.0-sample1.json",
        "2.6.0-sample2.json",
        "orderevents-since.json",
    ],
)
def test_the_seed_s_own_lists_are_read(sample):
    body = arrivals.shared(f"examples/on-api/{sample}")
    inbox = feeding.Inbox(KIND)
    entries, end = feeding.page(KIND, FEED, body, {})
    for entry in entries:
        inbox.accept(entry)
    assert len(inbox.told) == len(json.loads(body))
    for told in inbox.told:
        assert (told.state, told.raw_state) in {
            ("completed", "DONE_SUCCESS"),
            ("failed", "DONE_FAILED"),
        }
        assert told.warnings == ()
    assert end.cursor["since"] == json.loads(body)[-1]["event"]


def test_the_seed_s_requests_are_made():
    request = KIND.next_request(FEED, {}, feeding.NOW, None)
    assert request is not None
    assert (request.method, request.url) == ("GET", "https://ko.example/api/2.3.1/orderevents/")
    assert request.headers["Authorization"] == "Basic c3AxOmjDvHNo"
    since = KIND.next_request(FEED, {"since": "cc537e54-e59c", "first": "a"}, feeding.NOW, None)
    assert since is not None
    assert since.url == "https://ko.example/api/2.3.1/orderevents/?since=cc537e54-e59c"
    odd = KIND.next_request(FEED, {"since": "a b&c=ö"}, feeding.NOW, None)
    assert odd is not None
    assert odd.url.endswith("?since=a%20b%26c%3D%C3%B6")


def test_a_silent_order_can_be_asked_for_by_its_id_or_path():
    for named in ("ec4b", "/api/2.3.1/orders/ec4b", " /api/2.3.1/orders/ec4b/ "):
        request = KIND.entry_request(FEED, "order", named, None)
        assert request.url == "https://ko.example/api/2.3.1/orders/ec4b"
    order = json.dumps(event("RECEIVED")["order"]).encode()
    entry = KIND.read_entry(FEED, order, "order", "ec4b")
    assert feeding.told(KIND, entry.body) == EXPECTED | {
        "event_id": None,
        "event_type": "order",
        "state": "acknowledged",
        "raw_state": "RECEIVED",
        "summary": summary(),
        "warnings": (),
    }
    with pytest.raises(errors.SenderFault):
        KIND.read_entry(FEED, b"[]", "order", "ec4b")
    with pytest.raises(errors.InvalidParameter):
        KIND.entry_request(FEED, "service", "ec4b", None)
    cursor = KIND.backfill(FEED, "order", "/api/2.3.1/orders/ec4b")
    assert KIND.next_request(FEED, cursor, feeding.NOW, None).url.endswith("/orders/ec4b")
    ((same,), end) = feeding.page(KIND, FEED, order, cursor)
    assert (same, end.more) == (entry, False)
    later = json.dumps({"orderId": "ec4b", "state": "IN_PROGRESS"}).encode()
    assert feeding.told(KIND, later)["order_id"] == "ec4b"


def test_there_is_nothing_to_do_at_this_operator():
    assert KIND.channel is Channel.PULL
    assert KIND.login(FEED, feeding.NOW) is None
    with pytest.raises(errors.SenderFault):
        KIND.grant(FEED, b"{}", feeding.NOW)
    assert KIND.follow_ups(FEED, None) == ()
    assert KIND.command_result("x", 200, b"") == base.Failed("ON-API has no command 'x'", False)
    assert KIND.check_request(FEED, "1", "x", {}, feeding.NOW, None) is None
    assert KIND.was_done("x", {}, b"", feeding.NOW) is None
    assert KIND.files(b"{}") == ()
    assert KIND.personal(b"{}") == {}
    assert KIND.origin(None, [base.OwnAct("1", "a", "b", feeding.NOW)]) == "operator"

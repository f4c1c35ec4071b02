"""The ON-API network: seed 000's own requests, and the promises it makes."""

from __future__ import annotations

import asyncio
import itertools
import re

import httpx
import pytest

from app import sandbox
from app.sandbox import operator
from tests.sandbox import serving
from tests.sandbox.forms import form

EVENTS = "/api/2.3.1/orderevents/"
SEED_SINCE = "cc537e54-e59c-11e3-a593-3c970e806452"
SEED_FORM = {
    "event": "text",
    "order": {
        "path": "text",
        "accessId": "text",
        "service": "text",
        "operation": "text",
        "state": "text",
        "message": "text",
    },
}
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def test_the_seeds_request_without_since_gives_every_event_in_the_seeds_form(calm):
    answer = calm.on_api(EVENTS)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    events = answer.json()
    assert form(events) == [SEED_FORM]
    assert [each["event"] for each in events] == [
        each["event"] for each in calm.control("on_api/events")
    ]
    for each in events:
        order = each["order"]
        assert re.fullmatch(UUID, each["event"])
        assert re.fullmatch(rf"/on-api/api/2\.3\.1/orders/{UUID}", order["path"])
        assert re.fullmatch(r"[a-zA-Z0-9]{1,32}", order["accessId"])
        assert order["operation"] in {"ACTIVATE", "DEACTIVATE"}
        assert (order["state"], bool(order["message"])) in {
            ("DONE_SUCCESS", False),
            ("DONE_FAILED", True),
        }
    assert {each["order"]["operation"] for each in events} == {"ACTIVATE", "DEACTIVATE"}
    assert {each["order"]["state"] for each in events} == {"DONE_SUCCESS", "DONE_FAILED"}


def test_the_seeds_request_with_a_since_it_never_gave_out():
    with serving.sandbox(on_api=sandbox.OnApi(unknown_since="beginning")) as served:
        answer = served.on_api(EVENTS, params={"since": SEED_SINCE})
        assert answer.json() == served.on_api(EVENTS).json()


def test_an_unknown_since_is_an_error_with_a_cause(calm):
    for since in (SEED_SINCE, "what", ""):
        answer = calm.on_api(EVENTS, params={"since": since})
        assert answer.status_code == 400
        assert form(answer.json()) == {"cause": "text"}


def test_since_is_exclusive_and_every_event_leads_to_the_rest(calm):
    events = calm.on_api(EVENTS).json()
    for n, each in enumerate(events):
        assert calm.on_api(EVENTS, params={"since": each["event"]}).json() == events[n + 1 :]


def test_ids_are_unique_and_do_not_sort_like_the_list(calm):
    ids = [each["event"] for each in calm.on_api(EVENTS).json()]
    assert len(set(ids)) == len(ids) > 20
    assert sorted(ids) != ids


def test_the_list_only_grows():
    with serving.sandbox(pace="manual") as served:
        before = []
        for _ in range(6):
            served.advance(scenario=86400)
            events = served.on_api(EVENTS).json()
            assert events[: len(before)] == before
            before = events
        assert before


def test_a_step_before_the_end_is_told_by_later_versions_only():
    with serving.sandbox(on_api=sandbox.OnApi(in_progress=True)) as served:
        later = served.on_api("/onapi/2.6/orderevents/").json()
        first = served.on_api(EVENTS).json()
    assert {each["order"]["state"] for each in later} > {"IN_PROGRESS"}
    assert "IN_PROGRESS" not in {each["order"]["state"] for each in first}


@pytest.mark.parametrize("version", ["2.4", "2.5", "2.6"])
def test_later_versions_have_paths_of_their_own_and_ids_without_dashes(calm, version):
    path = f"/onapi/{version}/orderevents/"
    events = calm.on_api(path).json()
    assert form(events) == [SEED_FORM]
    for each in events:
        assert re.fullmatch("[0-9a-f]{32}", each["event"])
        assert re.fullmatch(
            rf"/on-api/onapi/{version}/orders/[0-9a-f]{{32}}", each["order"]["path"]
        )
    assert calm.on_api(path, params={"since": events[3]["event"]}).json() == events[4:]
    old = [each["event"].replace("-", "") for each in calm.on_api(EVENTS).json()]
    assert [each["event"] for each in events] == old


@pytest.mark.parametrize("auth", [None, ("sandbox", "wrong"), ("nobody", "sandbox")])
def test_who_is_not_known_gets_401_with_a_cause(calm, auth):
    answer = httpx.get(f"{calm.url}/on-api{EVENTS}", auth=auth)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert form(answer.json()) == {"cause": "text"}


def test_an_endpoint_it_does_not_have_is_501(calm):
    answer = calm.on_api("/api/2.3.1/accesses/")
    assert (answer.status_code, form(answer.json())) == (501, {"cause": "text"})


# --- orders --------------------------------------------------------------------------------------

ORDER = {"accessId": "ABC123", "service": "BB-100-10", "operation": "ACTIVATE"}
WHOLE = {**ORDER, "forcedTakeover": False, "equipment": [], "spReference": "mine"}


def test_an_order_is_received_then_done_and_told_of_as_an_event():
    with serving.sandbox(pace="manual") as served:
        placed = served.on_api("/api/2.3.1/orders/", "POST", json=WHOLE)
        assert placed.status_code == 201
        told = placed.json()
        assert form(told) == SEED_FORM["order"]
        assert {name: told[name] for name in ORDER} == ORDER
        assert told["state"] == "RECEIVED"
        path = placed.headers["Location"].removeprefix("/on-api")
        assert served.on_api(path).json() == told
        served.advance(scenario=3 * 86400)
        done = served.on_api(path).json()
        assert done["state"] in {"DONE_SUCCESS", "DONE_FAILED"}
        events = [
            each for each in served.on_api(EVENTS).json() if each["order"]["accessId"] == "ABC123"
        ]
        assert [each["order"] for each in events] == [done]


def test_an_order_placed_twice_is_one():
    with serving.sandbox(pace="manual") as served:
        first = served.on_api("/api/2.3.1/orders/", "POST", json=WHOLE)
        second = served.on_api("/api/2.3.1/orders/", "POST", json=WHOLE)
        assert (second.status_code, second.json()) == (200, first.json())
        arguments = {"service": "BB-100-10", "operation": "ACTIVATE"}
        assert served.control("on_api/executions") == [
            {"call": "order", "about": "ABC123", "arguments": arguments, "count": 1}
        ]


def test_what_is_active_already_is_answered_without_a_path():
    with serving.sandbox() as served:
        for n in range(20):
            wanted = {**WHOLE, "accessId": f"ABC{n}"}
            served.on_api("/api/2.3.1/orders/", "POST", json=wanted)
            again = served.on_api("/api/2.3.1/orders/", "POST", json=wanted)
            if again.status_code == 200:
                assert again.json()["state"] == "DONE_SUCCESS"
                assert "path" not in again.json()
                return
    pytest.fail("no order succeeded")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"accessId": "A", "service": "S"}',
        b'{"accessId": "A", "service": "S", "operation": "SUSPEND"}',
        b'{"accessId": "A", "service": "S", "operation": "ACTIVATE"}',
        b'{"accessId": "\xc3\x85", "service": "S", "operation": "DEACTIVATE"}',
    ],
)
def test_an_order_that_lacks_something_is_refused_with_a_cause(calm, body):
    answer = calm.on_api("/api/2.3.1/orders/", "POST", content=body)
    assert (answer.status_code, form(answer.json())) == (400, {"cause": "text"})


def test_orders_are_listed_and_may_be_asked_for_by_their_state():
    with serving.sandbox(pace="manual") as served:
        served.advance(scenario=7200)
        orders = served.on_api("/onapi/2.6/orders/").json()
        received = served.on_api("/onapi/2.6/orders/", params={"state": '"RECEIVED"'}).json()
        assert received == [each for each in orders if each["state"] == "RECEIVED"]
        assert 0 < len(received) < len(orders)


def test_only_a_received_order_of_a_later_version_is_withdrawn():
    with serving.sandbox(pace="manual") as served:
        placed = served.on_api("/onapi/2.6/orders/", "POST", json=WHOLE).headers["Location"]
        path = placed.removeprefix("/on-api")
        assert served.on_api(path.replace("onapi/2.6", "api/2.3.1"), "DELETE").status_code == 409
        assert served.on_api(path, "DELETE").status_code == 204
        assert served.on_api(path, "DELETE").status_code == 409
        assert served.on_api("/onapi/2.6/orders/none").status_code == 404


# --- size ----------------------------------------------------------------------------------------


def test_a_list_is_encoded_by_batches_however_long_it_is():
    elements = itertools.count()

    async def first_pieces():
        stream = operator.json_stream(elements).body_iterator
        return [await anext(stream) for _ in range(2)]

    first, second = asyncio.run(first_pieces())
    assert first.startswith("[0,1,2")
    assert second.startswith(f",{operator.BATCH},")
    assert next(elements) == 2 * operator.BATCH


@pytest.mark.parametrize("count", [0, 1, operator.BATCH, operator.BATCH + 1])
def test_a_list_of_any_length_is_json(count):
    limits = {"on_api": sandbox.Limit(events=count)}
    with serving.sandbox(limits=limits, limit=sandbox.Limit(orders=0)) as served:
        assert len(served.on_api(EVENTS).json()) == count

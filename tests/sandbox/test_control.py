"""`/_control`: off unless asked for; what it tells is what happened."""

from __future__ import annotations

import httpx
import pytest

from app import sandbox
from app.sandbox import options
from tests.sandbox import serving
from tests.sandbox.test_on_api import EVENTS


def test_control_is_off_unless_asked_for():
    with serving.sandbox(control=False) as served:
        for path in ("", "on_api/events", "on_api/faults", "covage/executions"):
            assert served.client.get(f"/_control/{path}").status_code == 404
        assert served.client.post("/_control/advance", json={"clock": 9}).status_code == 404
        assert served.client.put("/_control/on_api/faults/redirect", json={}).status_code == 404
        assert served.on_api(EVENTS).status_code == 200


def test_outside_the_operators_nothing_is_served(calm):
    answer = calm.client.get("/elsewhere")
    assert answer.status_code == 404
    assert answer.json()["served"] == ["/covage", "/on-api", "/seller", "/tjansteguiden"]


def test_the_overview_counts_events_and_requests():
    with serving.sandbox() as served:
        served.on_api(EVENTS)
        served.on_api(EVENTS)
        told = served.control()
        assert told["done"] is True
        assert told["orders"] == 30
        assert told["operators"]["on_api"]["requests"] == 2
        assert told["operators"]["covage"]["requests"] == 0
        for name in options.OPERATORS:
            assert told["operators"][name]["events"] == len(served.control(f"{name}/events"))


def test_one_may_make_something_happen():
    with serving.sandbox(pace="manual") as served:
        served.advance(scenario=10)
        body = {"order": 0, "step": "cancelled"}
        assert served.control("happen", "POST", body) == body
        assert served.control("covage/events")[-1]["type"] == "order-cancelled"
        assert served.control("tjansteguiden/events")[-1]["status"] == "cancelled"
        assert served.control("seller/events")[-1]["body"]["event"]["productOrder"]["state"] == (
            "Cancelled"
        )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "advance", {"scenario": -1}),
        ("POST", "advance", {"clock": "x"}),
        ("POST", "advance", {"clock": True}),
        ("POST", "happen", {"order": 0, "step": "dance"}),
        ("POST", "happen", {"order": "x", "step": "running"}),
        ("GET", "nobody/events", None),
        ("GET", "nobody/executions", None),
        ("GET", "nobody/faults", None),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_with_a_reason(calm, method, path, body):
    answer = calm.client.request(method, f"/_control/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_each_operator_may_be_served_alone():
    made = sandbox.create(serving.settings())
    with serving.serving(made.apps["on_api"]) as url:
        events = httpx.get(f"{url}{EVENTS}", auth=serving.BASIC).json()
        assert len(events) == made.operators["on_api"].events
        assert events[0]["order"]["path"].startswith("/api/2.3.1/orders/")

"""Each fault really happens, on the wire or in the record, and stops when it is switched off."""

from __future__ import annotations

import contextlib
import re
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from app import errors, sandbox
from app.sandbox import faults, options
from tests.sandbox import serving
from tests.sandbox.test_covage import ASCENDING, everything, holds, moment
from tests.sandbox.test_on_api import EVENTS, WHOLE
from tests.sandbox.test_tjansteguiden import rows

READS = {
    "on_api": lambda served: served.on_api(EVENTS),
    "covage": lambda served: served.covage("/api/events/?object_type=service"),
    "tjansteguiden": lambda served: served.guide("orders", date="2026-03-02"),
    "seller": lambda served: served.client.get("/seller/nbi/api/v4/hub"),
}
every_operator = pytest.mark.parametrize("operator", options.OPERATORS)


@pytest.fixture(scope="module")
def shared():
    with serving.sandbox() as served:
        served.guide("orders")
        served.covage("/api/events/")
        yield served


@pytest.fixture
def served(shared):
    yield shared
    for operator in options.OPERATORS:
        shared.control(f"{operator}/faults", "DELETE")


def struck(served, operator, name):
    return served.control()["operators"][operator]["faults"][name]["struck"]


# --- answers -------------------------------------------------------------------------------------


@every_operator
@pytest.mark.parametrize(
    ("name", "chosen", "status", "header"),
    [
        ("unauthorized", {}, 401, ("WWW-Authenticate", 'Basic realm="sandbox"')),
        ("too_many_requests", {}, 429, ("Retry-After", "1")),
        ("too_many_requests", {"options": {"retry_after": 17}}, 429, ("Retry-After", "17")),
        ("server_error", {}, 500, None),
        ("server_error", {"options": {"status": 503}}, 503, None),
        ("maintenance_page", {}, 200, ("Content-Type", "text/html; charset=utf-8")),
        ("maintenance_page", {"options": {"status": 503}}, 503, None),
        ("redirect", {}, 302, ("Location", "http://elsewhere.invalid/")),
        ("redirect", {"options": {"location": "http://127.0.0.1:1/"}}, 302, None),
    ],
)  # fmt: skip
def test_an_answer_may_be_another(served, operator, name, chosen, status, header):
    usual = READS[operator](served).status_code
    served.fault(operator, name, times=1, **chosen)
    answer = READS[operator](served)
    assert answer.status_code == status
    if header is not None:
        assert answer.headers[header[0]] == header[1]
    assert struck(served, operator, name) == 1
    assert READS[operator](served).status_code == usual == 200


@every_operator
def test_a_body_may_end_too_early(served, operator):
    served.fault(operator, "truncated_body", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        READS[operator](served)
    assert READS[operator](served).status_code == 200


def test_a_body_may_end_after_so_many_bytes(served):
    whole = served.on_api(EVENTS).content
    served.fault("on_api", "truncated_body", options={"bytes": 1000})
    got = b""
    with (
        served.client.stream("GET", f"/on-api{EVENTS}", auth=serving.BASIC) as answer,
        contextlib.suppress(httpx.RemoteProtocolError),
    ):
        for chunk in answer.iter_raw():
            got += chunk
    assert got == whole[:1000]


@every_operator
def test_a_body_may_be_slow_and_is_whole(served, operator):
    whole = READS[operator](served).content
    served.fault(operator, "slow_body", times=1, options={"seconds": 0.08})
    before = time.monotonic()
    answer = READS[operator](served)
    slow = len(whole) >= 8
    assert (answer.content, time.monotonic() - before > 0.06) == (whole, slow)


@every_operator
def test_a_body_may_never_end(served, operator):
    served.fault(operator, "endless_body", times=1)
    path = {"on_api": "/on-api", "covage": "/covage"}.get(operator, f"/{operator}")
    got = 0
    with served.client.stream("GET", f"{path}/anything") as answer:
        for chunk in answer.iter_raw():
            got += len(chunk)
            if got > 3_000_000:
                break
    assert got > 3_000_000
    assert READS[operator](served).status_code == 200


def placed(served):
    return served.on_api("/api/2.3.1/orders/", "POST", json=WHOLE)


def informed(served):
    order = served.covage("/api/events/?object_type=order&size=1").json()[0]["object_uuid"]
    return served.covage(f"/api/v2/orders/{order}/events/info", "POST", json={"message": "x"})


def set_status(served):
    return served.guide("set_status", id=next(iter(rows(served))), status="waiting")


def added(served):
    return served.guide("add_message", id=next(iter(rows(served))), type="log", message="x")


def registered(served):
    told = {"callback": "http://127.0.0.1:9/", "query": None}
    return served.client.post("/seller/nbi/api/v4/hub", json=told)


@pytest.mark.parametrize(
    ("operator", "act"),
    [
        ("on_api", placed),
        ("covage", informed),
        ("tjansteguiden", set_status),
        ("tjansteguiden", added),
        ("seller", registered),
    ],
)
def test_an_answer_may_be_lost_after_the_call_was_executed(operator, act):
    with serving.sandbox() as served:
        served.fault(operator, "lost_answer")
        with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
            act(served)
        (counted,) = served.control(f"{operator}/executions")
        assert counted["count"] == 1
        assert READS[operator](served).status_code == 200, "reads are not lost"


def test_a_fault_may_meet_some_requests_only(served):
    served.fault("tjansteguiden", "server_error", where="method=order_info")
    assert served.guide("orders", date="2026-03-02").status_code == 200
    assert served.guide("order_info", id="1").status_code == 500


def test_a_share_of_requests_is_met_and_the_same_ones_each_time():
    met = []
    for _ in range(2):
        active = faults.Faults("on_api", 5, {"server_error": sandbox.Fault(rate=0.3)})
        met.append([active.strikes("server_error") for _ in range(200)])
    assert met[0] == met[1]
    assert 40 < sum(met[0]) < 80


# --- records -------------------------------------------------------------------------------------


def faulty(operator, name, **chosen):
    """A sandbox that was born with the fault, about half the time."""
    return serving.sandbox(faults={operator: {name: sandbox.Fault(rate=0.5, **chosen)}})


def test_on_api_lists_some_events_twice_in_a_row():
    with faulty("on_api", "duplicates") as served:
        ids = [each["event"] for each in served.on_api(EVENTS).json()]
        published = [each["event"] for each in served.control("on_api/events")]
        assert list(dict.fromkeys(ids)) == published
        assert set(Counter(ids).values()) == {1, 2}
        assert served.on_api(EVENTS).json() == served.on_api(EVENTS).json()
        assert served.on_api(EVENTS, params={"since": published[-1]}).json() == []


def test_on_api_publishes_out_of_order_into_a_list_that_stays(calm):
    def orders(served):
        return [each["order"]["accessId"] for each in served.on_api(EVENTS).json()]

    with faulty("on_api", "reordering") as served:
        assert orders(served) != orders(calm)
        assert sorted(orders(served)) == sorted(orders(calm))
        assert orders(served) == [each["access_id"] for each in served.control("on_api/events")]


@pytest.mark.parametrize("how", ["altered", "removed"])
def test_on_api_may_change_its_history(served, how):
    before = served.on_api(EVENTS).json()
    served.fault("on_api", "changed_history", rate=0.3, options={"how": how})
    after = served.on_api(EVENTS).json()
    assert after != before
    known = {each["event"] for each in before}
    assert {each["event"] for each in after} <= known
    if how == "altered":
        changed = [b["event"] for b, a in zip(before, after, strict=True) if a != b]
        assert 0 < len(changed) < len(before)
    else:
        assert len(after) < len(before)
    served.control("on_api/faults/changed_history", "DELETE")
    assert served.on_api(EVENTS).json() == before


def test_covage_lists_some_events_twice():
    with faulty("covage", "duplicates") as served:
        ids = [each["event_uuid"] for each in everything(served, 10)]
        published = [each["event_uuid"] for each in served.control("covage/events")]
        assert list(dict.fromkeys(ids)) == published
        assert len(ids) > len(published)


def test_covage_mixes_a_page_up_and_every_event_is_found_all_the_same():
    with faulty("covage", "reordering") as served:
        pages = [served.covage("/api/events/", params=ASCENDING).json() for _ in range(6)]
        orders = [[each["creation_date"] for each in page] for page in pages]
        assert len({tuple(order) for order in orders}) == 2
        assert {tuple(sorted(order)) for order in orders} == {tuple(sorted(orders[0]))}
        ids = {each["event_uuid"] for each in everything(served, 10)}
        assert ids == {each["event_uuid"] for each in served.control("covage/events")}


def test_covage_creates_events_at_the_same_microsecond_so_that_a_naive_reader_loses_some():
    limits = {"covage": sandbox.Limit(events=120)}
    active = {"covage": {"equal_timestamps": sandbox.Fault(rate=0.5)}}
    with serving.sandbox(
        faults=active, limits=limits, covage=sandbox.Covage(shape="old")
    ) as served:
        at_once = served.covage("/api/events/", params={**ASCENDING, "size": 200}).json()
        assert len(at_once) == 120
        together = Counter(each["creation_date"] for each in at_once)
        assert set(together.values()) > {1, 2}
        assert max(together.values()) <= 5
        assert len(everything(served, 2)) < 120


def test_covage_commits_up_to_30_minutes_behind_a_reader():
    active = {"covage": {"late_commits": sandbox.Fault(rate=0.5)}}
    with serving.sandbox(
        faults=active, every=20.0, pace="manual", covage=sandbox.Covage(shape="old")
    ) as served:
        served.advance(scenario=2400)
        published = served.control("covage/events")
        first = everything(served)
        later = everything(served)
        assert [e["event_uuid"] for e in later] == [e["event_uuid"] for e in published]
        newest = max(moment(each["creation_date"]) for each in first)
        seen = {each["event_uuid"] for each in first}
        appeared = [each for each in published if each["event_uuid"] not in seen]
        behind = [e for e in appeared if moment(e["creation_date"]) < newest]
        assert behind
        for each in behind:
            assert each["late"] is True
            assert 0 < (newest - moment(each["creation_date"])).total_seconds() <= 1800


def test_an_event_nobody_sees_yet_cannot_be_asked_for_either():
    active = {"covage": {"late_commits": sandbox.Fault()}}
    with serving.sandbox(faults=active, every=20.0, pace="manual") as served:
        served.advance(scenario=600)
        last = served.control("covage/events")[-1]["event_uuid"]
        assert served.covage(f"/api/events/{last}/").status_code == 404
        everything(served)
        assert served.covage(f"/api/events/{last}/").status_code == 200


def test_covage_writes_some_times_as_its_worst_sample():
    with faulty("covage", "malformed_times") as served:
        olds = [each for each in everything(served) if "model" in each]
        worst = [each for each in olds if " AM." in each["event_date"]]
        assert 0 < len(worst) < len(olds)
        for each in worst:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d{1,2}:\d\d AM\.\d{6}", each["event_date"])
            assert holds(each["sort_value"]) == each["creation_date"]


def test_covage_may_change_its_history(served):
    before = everything(served)
    served.fault("covage", "changed_history", rate=0.2)
    after = everything(served)
    changed = [
        a
        for b, a in zip(before, after, strict=True)
        if a["data"] != b["data"] and a["type"] != "CRI"
    ]
    assert 0 < len(changed) < len(before)
    assert [a["event_uuid"] for a in after] == [b["event_uuid"] for b in before]


def listed(served):
    answer = served.guide("orders", date="2026-03-02", output_format="json")
    return answer.json()["response"]["order"]


def test_tjansteguiden_lists_some_orders_twice_mixes_them_up_and_shortens_their_times(calm):
    with faulty("tjansteguiden", "duplicates") as served:
        assert len(listed(served)) > 30
        assert len({each["id"] for each in listed(served)}) == 30
    with faulty("tjansteguiden", "reordering") as served:
        lists = [[each["id"] for each in listed(served)] for _ in range(6)]
        assert len({tuple(each) for each in lists}) == 2
    with faulty("tjansteguiden", "malformed_times") as served:
        assert {len(each["date"]) for each in listed(served)} == {16, 19}
    with faulty("tjansteguiden", "equal_timestamps") as served:
        assert len({each["date"] for each in listed(served)}) < 30
    assert len({each["date"] for each in listed(calm)}) == 30


def bodies(served):
    return [each["body"] for each in served.control("seller/events")]


def test_the_seller_publishes_out_of_order_with_impossible_and_equal_times(calm):
    numbers = [each["eventId"] for each in bodies(calm) if "eventTime" in each]
    assert sorted(numbers) == numbers
    with faulty("seller", "reordering") as served:
        mixed = [each["eventId"] for each in bodies(served) if "eventTime" in each]
        assert mixed != sorted(mixed) == numbers
    with faulty("seller", "malformed_times") as served:
        times = [each.get("eventTime", "") for each in bodies(served)]
        assert {each[-6:] for each in times} > {"-30:00"}
    with faulty("seller", "equal_timestamps") as served:
        times = [each["eventTime"] for each in bodies(served) if "eventTime" in each]
        assert len(set(times)) < len(times) - 30


def test_the_seller_pushes_some_notices_twice():
    receiver = serving.Receiver()
    with serving.serving(receiver) as url:
        chosen = sandbox.Seller(targets=(sandbox.Target(url, styles=("onap",)),))
        active = {"seller": {"duplicates": sandbox.Fault(rate=0.5)}}
        with serving.sandbox(seller=chosen, faults=active) as served:
            published = [each["eventId"] for each in bodies(served) if "eventDate" in each]
            receiver.wait(len(published) + 10)
            settled(served, len(published))
        ids = [each["eventId"] for each in receiver.wait(1)]
        assert list(dict.fromkeys(ids)) == published
        assert set(Counter(ids).values()) == {1, 2}


def settled(served, published):
    """Wait until nothing waits to be pushed any more."""
    ends = time.monotonic() + serving.DEADLINE
    while time.monotonic() < ends:
        (told,) = served.control("seller/deliveries")
        if not told["waiting"]:
            return told
    raise TimeoutError(published)


# --- choosing ------------------------------------------------------------------------------------


def test_a_fault_an_operator_does_not_have_is_refused(served):
    for operator, name in [("on_api", "malformed_times"), ("seller", "fire")]:
        answer = served.client.put(f"/_control/{operator}/faults/{name}", json={})
        assert answer.status_code == 400
        assert name in answer.json()["error"]
    with pytest.raises(errors.ConfigurationError, match="late_commits"):
        sandbox.create(serving.settings(faults={"on_api": {"late_commits": sandbox.Fault()}}))


@pytest.mark.parametrize(
    "chosen",
    [{"rate": 2}, {"rate": "x"}, {"times": 1.5}, {"where": 1}, {"options": []}, {"how": "x"}],
    ids=str,
)
def test_a_fault_chosen_wrongly_is_refused(served, chosen):
    answer = served.client.put("/_control/on_api/faults/server_error", json=chosen)
    assert answer.status_code == 400
    assert served.on_api(EVENTS).status_code == 200


def test_every_fault_has_a_test_here():
    words = Path(__file__).read_text()
    names = set().union(*(faults.known(operator) for operator in options.OPERATORS))
    assert len(names) == 15
    assert [name for name in names if f'"{name}"' not in words] == []

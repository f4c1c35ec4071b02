"""Tjänsteguiden: the flow of seed 001, over the documented URLs, in the documented XML."""

from __future__ import annotations

import re
from datetime import date
from xml.etree import ElementTree as ET

import pytest

from app import sandbox
from tests.sandbox import serving
from tests.sandbox.forms import form

DOOR = "/tjansteguiden/plain/serviceguide_log"
KO_DOOR = "/tjansteguiden/admin/edit/services/plain/orders"
FIRST_DAY = "2026-03-02"
ROW = ["id", "type", "date", "status", "service", "xsp", "delivery", "customer"]
PERSON = ["id", "socket", "serial", "firstname", "surname", "email", "address", "zip", "city"]


def tree(answer) -> ET.Element:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/xml")
    return ET.fromstring(answer.content)


def names(element: ET.Element) -> list[str]:
    return [child.tag for child in element]


def rows(served, day=FIRST_DAY) -> dict[str, dict[str, str]]:
    found = tree(served.guide("orders", date=day)).findall("response/order")
    return {row.findtext("id"): {child.tag: child.text for child in row} for row in found}


def first(served, status: str) -> str:
    return next(number for number, row in rows(served).items() if row["status"] == status)


# --- the documented forms ------------------------------------------------------------------------


def test_a_login_gives_a_hash_in_the_documented_form(calm):
    params = {"method": "api_login", "api_key": "sandbox", "api_user": "sandbox"}
    told = tree(calm.client.get(DOOR, params=params))
    assert (told.tag, names(told), names(told.find("response"))) == (
        "api_login",
        ["response", "status"],
        ["hash_key"],
    )
    assert told.findtext("status") == "success"
    assert re.fullmatch(r"[0-9a-zA-Z]+", told.findtext("response/hash_key"))


def test_orders_come_in_the_documented_form(calm):
    told = tree(calm.guide("orders", date=FIRST_DAY))
    assert (told.tag, names(told), told.findtext("status")) == (
        "orders",
        ["response", "status"],
        "success",
    )
    assert len(told.findall("response/order")) == 30
    for row in told.iter("order"):
        assert names(row) == ROW
        assert row.findtext("type") == "order"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row.findtext("date"))
        assert row.findtext("status") in {"new", "active", "waiting", "cancelled", "delivered"}
        assert re.fullmatch(r"asap|\d{4}-\d\d-\d\d 00:00:00", row.findtext("delivery"))
        assert row.findtext("id").isdecimal()
        assert row.findtext("customer").isdecimal()
    assert {row.findtext("delivery") == "asap" for row in told.iter("order")} == {True, False}


def test_ko_gets_orders_under_the_documented_root_without_a_hash_or_a_status(calm):
    params = {"method": "orders", "api_user": "sandbox", "date": FIRST_DAY}
    told = tree(calm.client.get(KO_DOOR, params=params))
    assert (told.tag, names(told)) == ("serviceguide", ["response"])
    assert names(told.find("response/order")) == ROW


def test_a_customer_comes_in_the_documented_form(calm):
    order = next(iter(rows(calm)))
    told = tree(calm.guide("customer_info", id=order))
    assert (told.tag, names(told)) == ("customer_info", ["response", "status"])
    assert names(told.find("response/customer")) == PERSON
    assert names(told.find("response/data")) == ["phone", "premise"]
    assert told.findtext("response/customer/id") == rows(calm)[order]["customer"]
    by_customer = tree(calm.guide("customer_info", id=rows(calm)[order]["customer"]))
    assert ET.tostring(by_customer) == ET.tostring(told)


def test_ko_gets_a_customer_without_any_wrapper(calm):
    params = {"method": "customer_info", "api_user": "sandbox", "id": next(iter(rows(calm)))}
    told = tree(calm.client.get(KO_DOOR, params=params))
    assert (told.tag, names(told)) == ("customer_info", ["customer", "data"])


def test_customers_have_times_without_seconds(calm):
    told = tree(calm.guide("customers", date=FIRST_DAY))
    for each in told.iter("customer"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", each.findtext("date"))


def test_an_orders_information_names_its_access(calm):
    order = next(iter(rows(calm)))
    told = tree(calm.guide("order_info", id=order))
    assert names(told.find("response/order"))[: len(ROW)] == ROW
    assert told.findtext("response/order/accessid") == "STTA0001"


def test_json_has_the_content_of_the_root(calm):
    told = calm.guide("orders", date=FIRST_DAY, output_format="json")
    assert told.headers["Content-Type"] == "application/json"
    assert form(told.json()) == {
        "response": {"order": [dict.fromkeys(ROW, "text")]},
        "status": "text",
    }


# --- who may ask ---------------------------------------------------------------------------------


def refused(answer) -> str:
    told = tree(answer)
    assert told.findtext("status") == "error"
    return told.findtext("response/message")


def test_a_wrong_login_is_told(calm):
    params = {"method": "api_login", "api_key": "wrong", "api_user": "sandbox"}
    assert refused(calm.client.get(DOOR, params=params)) == "Login failed"


@pytest.mark.parametrize("given", [{}, {"hash": "ABC123"}])
def test_a_wrong_hash_is_told(calm, given):
    answer = calm.client.get(DOOR, params={"method": "orders", "date": FIRST_DAY, **given})
    assert refused(answer) == "Invalid hash key"
    assert tree(answer).tag == "orders"


def test_ko_must_name_a_user(calm):
    assert refused(calm.client.get(KO_DOOR, params={"method": "orders"})) == "Access denied"


def test_a_hash_lives_20_minutes():
    with serving.sandbox() as served:
        assert len(rows(served)) == 30
        served.advance(clock=1199)
        assert len(rows(served)) == 30
        served.advance(clock=2)
        assert refused(served.guide("orders", date=FIRST_DAY)) == "Hash key has expired"
        served._hash = served.hash()
        assert len(rows(served)) == 30


@pytest.mark.parametrize(
    ("method", "given", "message"),
    [
        ("orders", {}, "Missing parameter date"),
        ("orders", {"date": "yesterday"}, "Invalid date"),
        ("order_info", {"id": "1"}, "Order 1 not found"),
        ("order_info", {"id": "x"}, "Order x not found"),
        ("customer_info", {"id": "1"}, "Customer 1 not found"),
        ("set_status", {"id": "1", "status": "new"}, "Order 1 not found"),
        ("dance", {}, "Unknown method"),
        ("", {}, "Unknown method"),
    ],
)
def test_a_method_that_lacks_something_says_what(calm, method, given, message):
    assert refused(calm.guide(method, **given)) == message


@pytest.mark.parametrize(
    ("method", "given", "message"),
    [
        ("set_status", {"status": "lost"}, "Unknown status lost"),
        ("set_status", {}, "Missing parameter status"),
        ("add_message", {"type": "shout", "message": "x"}, "Unknown type shout"),
        ("add_message", {"type": "log"}, "Missing parameter message"),
    ],
)
def test_a_change_that_has_no_meaning_changes_nothing(calm, method, given, message):
    order = next(iter(rows(calm)))
    assert refused(calm.guide(method, id=order, **given)) == message
    assert calm.control("tjansteguiden/executions") == []


# --- the day -------------------------------------------------------------------------------------


def test_orders_are_those_of_a_local_day_and_later():
    with serving.sandbox(every=3600.0) as served:
        days = [row["date"][:10] for row in rows(served).values()]
        assert sorted(set(days)) == ["2026-03-02", "2026-03-03"]
        for day in ("2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"):
            expected = [
                each for each in days if date.fromisoformat(each) >= date.fromisoformat(day)
            ]
            assert len(rows(served, day)) == len(expected)
        assert days[14:16] == ["2026-03-02", "2026-03-03"], "09:00 plus 15 hours is midnight"


# --- what changes state --------------------------------------------------------------------------


def log(served, order: str) -> list[tuple[str, str, str]]:
    told = tree(served.guide("order_log", id=order))
    for line in told.iter("log"):
        assert names(line) == ["id", "date", "type", "message", "user"]
    return [
        (line.findtext("type"), line.findtext("message"), line.findtext("user"))
        for line in told.iter("log")
    ]


@pytest.mark.parametrize(
    "status", ["new", "received", "active", "waiting", "cancelled", "delivered"]
)
def test_a_status_is_set_told_logged_and_counted(status):
    with serving.sandbox() as served:
        order = first(served, "cancelled")
        served.guide("set_status", id=order, status="waiting")
        told = tree(served.guide("set_status", id=order, status=status))
        assert (told.tag, told.findtext("status")) == ("set_status", "success")
        words = told.findtext("response/message")
        assert words == f"Status changed to {status} for order {order}"
        assert rows(served)[order]["status"] == status
        assert log(served, order)[-1] == ("system", f"Status changed to {status}", "sandbox")
        counted = {
            one["arguments"]["status"]: one["count"]
            for one in served.control("tjansteguiden/executions")
            if (one["call"], one["about"], one["arguments"]["by"])
            == ("set_status", order, "sandbox")
        }
        assert counted == {"waiting": 1} | {status: 2 if status == "waiting" else 1}


@pytest.mark.parametrize("status", ["cancelled", "delivered"])
def test_received_does_not_take_back_an_order_that_has_ended(status):
    with serving.sandbox() as served:
        order = first(served, status)
        told = tree(served.guide("set_status", id=order, status="received"))
        assert told.findtext("status") == "success"
        assert told.findtext("response/message") == f"Status stays {status} for order {order}"
        assert rows(served)[order]["status"] == status
        assert log(served, order)[-1] == ("system", "Status received came too late", "sandbox")


@pytest.mark.parametrize("kind", ["error", "alert", "system", "log"])
def test_a_message_is_added_and_counted_as_often_as_it_is_sent(kind):
    with serving.sandbox() as served:
        order = first(served, "delivered")
        before = log(served, order)
        for _ in range(2):
            told = tree(
                served.guide("add_message", id=order, type=kind, message="Fel & <fel> \x01")
            )
            assert told.findtext("status") == "success"
        assert log(served, order) == [*before, *[(kind, "Fel & <fel> ", "sandbox")] * 2]
        (counted,) = served.control("tjansteguiden/executions")
        assert (counted["call"], counted["about"], counted["count"]) == ("add_message", order, 2)


def test_ko_sets_a_status_too():
    with serving.sandbox() as served:
        order = first(served, "delivered")
        params = {"method": "set_status", "api_user": "reader", "id": order, "status": "cancelled"}
        told = tree(served.client.get(KO_DOOR, params=params))
        assert names(told) == ["response"]
        assert rows(served)[order]["status"] == "cancelled"
        assert served.control("tjansteguiden/events")[-1]["by"] == "reader"


def test_an_order_waits_is_active_and_waits_again():
    with serving.sandbox() as served:
        changes = served.control("tjansteguiden/events")
    lives: dict[str, list[str]] = {}
    for n, each in enumerate(changes):
        assert form(each) == {
            "order": "text",
            "n": "number",
            "status": "text",
            "at": "text",
            "by": "text",
        }, n
        lives.setdefault(each["order"], []).append(each["status"])
        assert each["n"] == len(lives[each["order"]])
    assert ["new", "active", "waiting", "active", "waiting", "active", "delivered"] in (
        lives.values()
    )
    assert ["delivered"] in lives.values(), "active already at first sight"
    assert ["new", "active", "waiting", "cancelled"] in lives.values()


def test_the_operator_cancels_three_days_later():
    with serving.sandbox(pace="manual", limit=sandbox.Limit(orders=12)) as served:
        served.advance(scenario=2 * 86400)
        order = list(rows(served))[11]
        assert rows(served)[order]["status"] == "waiting"
        served.advance(scenario=4 * 86400)
        assert rows(served)[order]["status"] == "cancelled"


def test_what_tl_set_stands_until_the_scenario_goes_on_and_a_final_status_stays():
    with serving.sandbox(pace="manual") as served:
        served.advance(scenario=130)
        one, other, *_ = rows(served)
        served.guide("set_status", id=one, status="received")
        served.guide("set_status", id=other, status="cancelled")
        assert rows(served)[one]["status"] == "received"
        served.advance(scenario=30 * 86400)
        assert rows(served)[one]["status"] == "delivered"
        assert rows(served)[other]["status"] == "cancelled"

"""Tjänsteguiden: each status and log type field by field; the turn; what can be asked of it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from app import errors
from app.notifications.notification import Attention, Channel, Kind, Notification
from app.sources import base, tjansteguiden
from app.sources.tjansteguiden import calls, words
from tests.sources import arrivals, feeding

KIND = tjansteguiden.KIND
FEED = calls.TjansteguidenFeed(url="https://g.example/log", api_user="1234", api_key="hush")
SHARP = FEED.model_copy(update={"recheck": timedelta(0)})
NOW = feeding.NOW

ROW = {
    "id": "70013",
    "type": "order",
    "date": "2025-03-04 11:48:00",
    "service": "2440",
    "xsp": "31420",
    "delivery": "2025-03-10 00:00:00",
    "customer": "80001",
}
KEPT = {
    "service": "2440",
    "xsp": "31420",
    "delivery": "2025-03-10 00:00:00",
    "customer": "80001",
}
ABOUT = feeding.NOTHING | {
    "flavour": "tjansteguiden",
    "resource_type": "order",
    "order_id": "70013",
}
CREATED = ABOUT | {
    "event_type": "orders",
    "kind": "created",
    "occurred_at": datetime(2025, 3, 4, 10, 48, tzinfo=UTC),
    "occurred_at_raw": "2025-03-04 11:48:00",
    "warnings": ("zone_assumed",),
    "summary": KEPT,
}
STATUSES = [
    ("new", {"attention": "buyer_action"}),
    ("received", {"state": "acknowledged"}),
    ("active", {"state": "inProgress"}),
    ("waiting", {"state": "pending"}),
    ("cancelled", {"state": "cancelled"}),
    ("delivered", {"state": "completed", "summary": KEPT | {"already_active": True}}),
]


def entry(method: str, told: Any, order: Any = "70013") -> bytes:
    return json.dumps({"method": method, "order": order, "entry": told}).encode()


def row(status: str, **over: Any) -> dict[str, Any]:
    return ROW | {"status": status} | over


def read(body: bytes) -> Notification:
    told = KIND.parse(feeding.arrival(body))
    assert isinstance(told, Notification)
    return told


# ── words ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("status", "rest"), STATUSES)
def test_each_status_at_first_sight_says_exactly_this(status, rest):
    told = feeding.told(KIND, entry("orders", row(status)))
    assert told == CREATED | {"raw_state": status} | rest


@pytest.mark.parametrize(("status", "rest"), STATUSES)
def test_each_status_later_says_exactly_this(status, rest):
    later = KIND.later(read(entry("orders", row(status)))).model_dump(exclude={"raw"})
    assert later == ABOUT | {"event_type": "orders", "kind": "state_changed"} | rest | {
        "raw_state": status,
        "summary": KEPT,
    }


def test_every_status_and_log_type_of_the_tables_is_walked():
    assert {status for status, _ in STATUSES} == set(words.STATUSES)
    assert {type_ for type_, _, _ in LINES} - {"hint"} == set(words.LOG_TYPES)


def test_a_status_nobody_knows_is_kept_and_told_of():
    told = feeding.told(KIND, entry("orders", row("paused", delivery="asap")))
    assert told == CREATED | {
        "raw_state": "paused",
        "summary": KEPT | {"delivery": "asap"},
        "warnings": ("unknown_state", "zone_assumed"),
    }


LINES = [
    ("error", "error_message", {"attention": "alarm"}),
    ("alert", "jeopardy", {"attention": "alarm"}),
    ("system", "note", {}),
    ("log", "note", {}),
    ("hint", "other", {"warnings": ("unknown_type", "zone_assumed")}),
]


@pytest.mark.parametrize(("type_", "kind", "rest"), LINES)
def test_each_log_type_says_exactly_this(type_, kind, rest):
    line = {"id": "5", "date": "2025-03-04 12:01", "type": type_, "message": "Hej", "user": "Eva"}
    assert (
        feeding.told(KIND, entry("order_log", line))
        == ABOUT
        | {
            "event_id": "70013:log:5",
            "event_type": f"order_log.{type_}",
            "kind": kind,
            "occurred_at": datetime(2025, 3, 4, 11, 1, tzinfo=UTC),
            "occurred_at_raw": "2025-03-04 12:01",
            "summary": {"message": "Hej"},
            "warnings": ("zone_assumed",),
        }
        | rest
    )


def test_a_line_without_an_id_is_known_by_what_it_says():
    line = {"date": "2025-03-04 12:01", "type": "log", "message": "Hej"}
    first, again = (read(entry("order_log", line)).event_id for _ in range(2))
    other = read(entry("order_log", line | {"message": "Hopp"})).event_id
    assert first == again != other
    assert first is not None
    assert first.startswith("70013:log:")


def test_an_order_info_says_exactly_this():
    told = ROW | {
        "status": "active",
        "accessid": "XX0101",
        "servicename": "BB-100-100",
        "reference": "SP-1",
    }
    assert feeding.told(KIND, entry("order_info", told)) == ABOUT | {
        "event_type": "order_info",
        "kind": "value_changed",
        "access_id": "XX0101",
        "external_id": "SP-1",
        "summary": KEPT | {"service_name": "BB-100-100"},
    }


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        (entry("orders", row("new"), None), 23, "order"),
        (entry("orders", row("new"), {}), 24, "order"),
        (entry("customers", row("new")), 24, "method"),
        (b"[]", 22, None),
    ],
)
def test_an_entry_without_its_order_is_refused(body, code, path):
    refusal = feeding.refused(KIND, body)
    assert refusal.code == code
    assert [fault.path for fault in refusal.faults] == ([path] if path else [])


def test_of_a_row_only_the_status_is_content_and_of_an_info_all_but_the_status():
    def content(method, told):
        return KIND.content(entry(method, told))

    assert content("orders", row("new")) == content("orders", row("new", delivery="asap"))
    assert content("orders", row("new")) != content("orders", row("active"))
    assert content("order_info", row("new")) == content("order_info", row("active"))
    assert content("order_info", row("new")) != content("order_info", row("new", delivery="asap"))
    assert KIND.snapshot_key(read(entry("orders", row("new")))) == "70013"
    assert KIND.snapshot_key(read(entry("order_info", row("new")))) == "70013:info"
    assert KIND.snapshot_key(read(entry("order_log", {"type": "log"}))) is None


# ── the turn ─────────────────────────────────────────────────────────────────────────────────────


def test_waiting_active_waiting_is_three_and_delivered_stays():
    operator, inbox, cursor = feeding.GuideOperator(), feeding.Inbox(KIND), {}
    for n, status in enumerate(["waiting", "active", "active", "waiting", "delivered"]):
        operator.rows["70013"] = row(status)
        cursor = feeding.turn(operator, inbox, FEED, cursor, NOW + timedelta(minutes=n))
    rows = [told for told in inbox.told if told.event_type == "orders"]
    assert [(told.event_id, told.kind, told.raw_state) for told in rows] == [
        ("70013:1", "created", "waiting"),
        ("70013:2", "state_changed", "active"),
        ("70013:3", "state_changed", "waiting"),
        ("70013:4", "state_changed", "delivered"),
    ]
    assert [told.summary for told in rows] == [KEPT] * 4
    assert operator.calls[-2:] == [("order_info", "70013"), ("order_log", "70013")]
    calls_before = len(operator.calls)
    feeding.turn(operator, inbox, FEED, cursor, NOW + timedelta(hours=1))
    assert operator.calls[calls_before:] == [("orders", "2025-03-03")]


def test_the_day_is_that_of_the_oldest_order_not_final_else_yesterday():
    old = row("active", id="1", date="2025-01-20 10:00")
    operator = feeding.GuideOperator([old, row("delivered", id="2")])
    inbox = feeding.Inbox(KIND)
    cursor = feeding.turn(operator, inbox, FEED, {})
    assert (cursor["day"], cursor["open"]) == ("2025-01-20", {"2025-01-20": ["1"]})
    operator.rows["1"]["status"] = "cancelled"
    cursor = feeding.turn(operator, inbox, FEED, cursor, NOW + timedelta(days=3))
    assert (cursor["day"], cursor["open"]) == ("2025-03-06", {})
    assert inbox.told[-1].order_id == "1"
    assert ("1:2", "cancelled") in {(told.event_id, told.state) for told in inbox.told}


def test_an_order_open_for_more_than_ninety_days_is_let_go_with_a_warning():
    cursor = {"day": "2024-11-01", "open": {"2024-11-01": ["1"]}, "at": "2025-03-04T15:59:00Z"}
    answer = b"<orders><response/><status>success</status></orders>"
    _, end = feeding.page(KIND, FEED, answer, cursor)
    assert (end.cursor["open"], end.cursor["day"]) == ({}, "2025-03-03")
    assert "open for more than 90 days" in end.warnings[0]


def test_orders_not_final_are_reread_every_ten_minutes():
    operator = feeding.GuideOperator([row("active", id=str(n)) for n in range(3)])
    operator.logs["1"] = [{"id": "7", "type": "log", "message": "Hej", "date": "2025-03-04 12:00"}]
    inbox = feeding.Inbox(KIND)
    cursor = feeding.turn(operator, inbox, FEED, {})
    cursor = feeding.turn(operator, inbox, FEED, cursor, NOW + timedelta(minutes=9))
    assert [method for method, _ in operator.calls] == ["orders", "orders"]
    cursor = feeding.turn(operator, inbox, FEED, cursor, NOW + timedelta(minutes=10))
    assert operator.calls[3:] == [
        (method, str(n)) for n in range(3) for method in ("order_info", "order_log")
    ]
    assert "1:log:7" in inbox.ids
    assert [told.kind for told in inbox.told if told.event_id == "0:info:1"] == ["value_changed"]
    feeding.turn(operator, inbox, FEED, cursor, NOW + timedelta(minutes=19))
    assert len(operator.calls) == 3 + 6 + 1


def test_a_status_an_order_info_tells_is_one_of_the_order_s():
    operator, inbox = feeding.GuideOperator([row("active")]), feeding.Inbox(KIND)
    cursor = feeding.turn(operator, inbox, SHARP, {})
    operator.infos["70013"] = {"status": "delivered"}
    cursor = feeding.turn(operator, inbox, SHARP, cursor)
    assert ("70013:2", "completed") in {(told.event_id, told.state) for told in inbox.told}
    assert cursor["open"] == {}


@pytest.mark.parametrize(
    "answer",
    [
        b"<a><response><message>Order not found</message></response><status>error</status></a>",
        b"<order_info><note>a & b</note></order_info>",
        b"<html>maintenance</html>",
        b"<order_info><response/><status>success</status></order_info>",
    ],
)
def test_one_order_that_cannot_be_read_does_not_stop_the_others(answer):
    cursor = {"open": {"2025-03-04": ["1", "2"]}, "done": ["2025-03-04", "1"], "budget": 5}
    asked = cursor | {"ask": ["order_info", "1"]}
    entries, end = feeding.page(KIND, FEED, answer, asked)
    assert (entries, end.more, end.cursor["ask"]) == ([], True, ["order_log", "1"])
    assert end.warnings[0].startswith("order_info of order 1 was left out")
    refused = KIND.refused(FEED, cursor | {"ask": ["order_log", "1"]}, 404)
    assert refused is not None
    assert refused.cursor["ask"] == ["order_info", "2"]
    assert KIND.refused(FEED, asked, 401) is None
    assert KIND.refused(FEED, {"day": "2025-03-04"}, 404) is None


def test_a_hash_that_is_over_asks_for_a_new_login_wherever_it_is_told():
    over = (
        b"<x><response><message>Hash key has expired</message></response><status>error</status></x>"
    )
    for cursor in ({}, {"ask": ["order_info", "1"]}, {"ask": ["order_log", "1"]}):
        with pytest.raises(errors.StaleGrant):
            feeding.page(KIND, FEED, over, cursor)
    with pytest.raises(errors.StaleGrant):
        KIND.command_result("set_status", 200, over)
    with pytest.raises(errors.SenderFault) as fault:
        KIND.grant(FEED, over, NOW)
    assert not isinstance(fault.value, errors.StaleGrant)


def test_new_orders_are_not_kept_waiting_by_a_long_round():
    count = 1003
    operator = feeding.GuideOperator([row("active", id=f"{n:05}") for n in range(count)])
    inbox = feeding.Inbox(KIND)
    cursor = feeding.turn(operator, inbox, SHARP, {})
    assert len(operator.calls) == 1 + 2 * 1000
    feeding.turn(operator, inbox, SHARP, cursor)
    assert len(operator.calls) == 2 + 2 * count
    assert {name for method, name in operator.calls if method == "order_log"} == set(operator.rows)


def test_one_order_is_read_aside():
    operator, inbox = feeding.GuideOperator([row("active")]), feeding.Inbox(KIND)
    feeding.turn(operator, inbox, FEED, KIND.backfill(FEED, "order", " 70013 "))
    assert operator.calls == [("order_info", "70013"), ("order_log", "70013")]
    assert inbox.ids == ["70013:1", "70013:info:1"]
    with pytest.raises(errors.InvalidParameter):
        KIND.backfill(FEED, "service", "1")


@pytest.mark.parametrize(
    ("cursor", "start", "day"),
    [
        ({}, "beginning", "2024-12-04"),
        ({}, "now", "2025-03-04"),
        ({}, date(2025, 2, 1), "2025-02-01"),
        ({"day": "2025-02-03", "open": {}}, "now", "2025-02-03"),
        (KIND.rewound(FEED, "beginning"), "now", "2024-12-04"),
        (KIND.rewound(FEED, date(2025, 1, 2)), "now", "2025-01-02"),
    ],
)
def test_the_day_that_is_asked_from(cursor, start, day):
    feed = FEED.model_copy(update={"start": start})
    request = KIND.next_request(feed, cursor, NOW, base.Grant("H", NOW))
    assert request is not None
    assert feeding.asked(request) == {"method": "orders", "hash": "H", "date": day}


@pytest.mark.parametrize(
    ("now", "date", "taken"),
    [
        (datetime(2025, 3, 4, 16, 0, 50, tzinfo=UTC), "2025-03-04 17:00", True),
        (datetime(2025, 3, 4, 16, 0, 50, tzinfo=UTC), "2025-03-04 16:50", False),
        (datetime(2025, 10, 26, 1, 10, tzinfo=UTC), "2025-10-26 02:15:00", True),
    ],
)
def test_a_feed_that_starts_now_misses_no_order_of_this_minute_or_hour(now, date, taken):
    feed = FEED.model_copy(update={"start": "now"})
    rows = {"response": {"order": [row("new") | {"date": date}]}, "status": "success"}
    page = list(KIND.read_page(feed, iter([json.dumps(rows).encode()]), {}, now))
    assert (len(page) == 2) is taken


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(sorted(words.STATUSES)), st.booleans()),
        max_size=20,
    )
)
@settings(max_examples=60)
def test_every_change_between_two_turns_is_one_notification(steps):
    """Each step: an order takes a status; with True the feed is then read."""
    operator, inbox, cursor = feeding.GuideOperator(), feeding.Inbox(KIND), {}
    seen: dict[str, list[str]] = {}
    for n, (number, status, turned) in enumerate(steps):
        order = str(number)
        operator.rows[order] = row(status, id=order)
        if turned:
            cursor = feeding.turn(operator, inbox, FEED, cursor, NOW + timedelta(minutes=n))
            for name, told in operator.rows.items():
                if (seen.setdefault(name, []) or [None])[-1] != told["status"]:
                    seen[name].append(told["status"])
    for name, expected in seen.items():
        rows = [told for told in inbox.told if (told.order_id, told.event_type) == (name, "orders")]
        assert [told.raw_state for told in rows] == expected
        assert [told.event_id for told in rows] == [
            f"{name}:{n}" for n in range(1, len(expected) + 1)
        ]


def test_xml_and_json_tell_the_same():
    told = []
    for form in ("xml", "json"):
        feed = SHARP.model_copy(update={"format": form})
        operator = feeding.GuideOperator([row("active"), row("new", id="å<&")])
        operator.logs["70013"] = [{"id": "7", "type": "log", "message": "a < b & c"}]
        inbox, cursor = feeding.Inbox(KIND), {}
        for _ in range(2):
            cursor = feeding.turn(operator, inbox, feed, cursor)
        told.append([one.model_dump() for one in inbox.told])
    assert told[0] == told[1]
    assert len(told[0]) == 5


@pytest.mark.parametrize("form", ["orders", "serviceguide"])
def test_orders_of_either_door_are_read(form):
    body = arrivals.shared("examples/tjansteguiden/orders-KO.xml").replace(
        b"serviceguide", form.encode()
    )
    inbox = feeding.Inbox(KIND)
    entries, _ = feeding.page(KIND, FEED, body, {})
    for one in entries:
        inbox.accept(one)
    assert [(told.order_id, told.raw_state, told.state) for told in inbox.told] == [
        ("90001", "new", None),
        ("90002", "delivered", "completed"),
    ]
    assert inbox.told[1].summary["already_active"] is True


# ── doors ────────────────────────────────────────────────────────────────────────────────────────


def test_tl_logs_in_with_its_key_and_shows_the_hash_for_twenty_minutes():
    request = KIND.login(FEED, NOW)
    assert request is not None
    assert feeding.asked(request) == {"method": "api_login", "api_key": "hush", "api_user": "1234"}
    assert (request.purpose, request.changes_state) == ("login", False)
    grant = KIND.grant(FEED, arrivals.shared("examples/tjansteguiden/api_login.xml"), NOW)
    assert (grant.value, grant.expires_at) == ("ABC123", NOW + timedelta(minutes=20))
    with pytest.raises(errors.SenderFault, match="no hash_key"):
        KIND.grant(FEED, b"<api_login><response/><status>success</status></api_login>", NOW)


def test_ko_shows_its_user_alone():
    feed = calls.TjansteguidenFeed(
        url="https://ko.example/orders", api_user="1234", door="ko", format="json"
    )
    assert KIND.login(feed, NOW) is None
    request = KIND.next_request(feed, {"ask": ["order_info", "7"]}, NOW, None)
    assert request is not None
    assert feeding.asked(request) == {
        "method": "order_info",
        "api_user": "1234",
        "id": "7",
        "output_format": "json",
    }


# ── what is done ─────────────────────────────────────────────────────────────────────────────────


def test_at_first_sight_info_and_customer_are_asked_for_and_received_is_set_last():
    info = base.Step("order_info", {}, changes_state=False)
    customer = base.Step("customer_info", {}, changes_state=False)
    received = base.Step("set_status", {"status": "received"}, changes_state=True)
    writing = FEED.model_copy(update={"write_back": "on_commit"})
    new, delivered = (read(entry("orders", row(status))) for status in ("new", "delivered"))
    assert KIND.follow_ups(FEED, new) == (info, customer)
    assert KIND.follow_ups(writing, new) == (info, customer, received)
    assert KIND.follow_ups(writing, delivered) == (info, customer)
    assert KIND.follow_ups(writing, KIND.later(new)) == ()
    assert KIND.follow_ups(writing, read(entry("order_info", row("new")))) == ()


@pytest.mark.parametrize("status", words.STATUSES)
def test_received_comes_too_late_for_an_order_that_is_no_longer_new(status):
    new, latest = read(entry("orders", row("new"))), read(entry("orders", row(status)))
    assert KIND.overtaken("set_status", new, latest) is (status != "new")
    assert KIND.overtaken("order_info", new, latest) is False


def test_an_order_we_could_not_take_over_is_told_only_where_it_is_so_configured():
    note = read(entry("orders", row("new"))).model_copy(
        update={
            "kind": Kind.NOTE,
            "attention": Attention.FOLLOW_UP,
            "event_type": "follow_up",
            "summary": {"message": "order_info failed: it was answered 404"},
        }
    )
    telling = FEED.model_copy(update={"tell_failures": "error"})
    (step,) = KIND.follow_ups(telling, note)
    assert (step.command, step.arguments["type"], step.changes_state) == (
        "add_message",
        "error",
        True,
    )
    KIND.command(FEED, "1", step.command, step.arguments, None)
    assert KIND.follow_ups(FEED, note) == ()
    itself = note.model_copy(update={"summary": {"message": "add_message failed: 404"}})
    assert KIND.follow_ups(telling, itself) == ()


@pytest.mark.parametrize("status", words.STATUSES)
def test_every_status_can_be_set(status):
    grant = base.Grant("H", NOW)
    request = KIND.command(FEED, "70013", "set_status", {"status": status}, grant)
    assert request.method == "GET"
    assert request.changes_state is True
    assert feeding.asked(request) == {
        "method": "set_status",
        "hash": "H",
        "id": "70013",
        "status": status,
    }


@pytest.mark.parametrize("type_", words.LOG_TYPES)
def test_every_type_of_message_can_be_added(type_):
    told = {"type": type_, "message": "Fel på åäö & mer"}
    request = KIND.command(FEED, "1", "add_message", told, base.Grant("H", NOW))
    assert request.changes_state is True
    assert feeding.asked(request) == {"method": "add_message", "hash": "H", "id": "1"} | told


@pytest.mark.parametrize(
    ("order", "command", "arguments", "told"),
    [
        ("1", "set_status", {}, "status must be one of new, received, active, waiting"),
        ("1", "set_status", {"status": "done"}, "status must be one of"),
        ("1", "set_status", {"status": "new", "id": "2"}, "set_status takes status, not id"),
        ("1", "add_message", {"type": "x", "message": "a"}, "type must be one of error, alert"),
        ("1", "add_message", {"type": "log"}, "message must be a text of 1 to 1000"),
        ("1", "add_message", {"type": "log", "message": "a" * 1001}, "message must be a text"),
        (" ", "set_status", {"status": "new"}, "order_id is empty"),
        ("1", "order_info", {"a": 1}, "takes no arguments, not a"),
        ("1", "orders", {}, "no command 'orders'; expected add_message, customer_info, order"),
    ],
)
def test_a_command_that_cannot_be_sent_is_told_why(order, command, arguments, told):
    with pytest.raises(errors.InvalidParameter, match=told):
        KIND.command(FEED, order, command, arguments, None)


def test_what_became_of_a_command():
    body = arrivals.shared("examples/tjansteguiden/set_status-TL.xml")
    done = KIND.command_result("set_status", 200, body)
    assert done == base.Done("Status changed to delivered for order 90001")
    refused = (
        b"<set_status><response><message>Unknown status</message></response>"
        b"<status>error</status></set_status>"
    )
    assert KIND.command_result("set_status", 200, refused) == base.Failed(
        "the operator answers: Unknown status", again=False
    )
    assert KIND.command_result("set_status", 404, b"") == base.Failed(
        "it was answered 404", again=False
    )
    assert KIND.command_result("set_status", 503, b"") == base.Failed(
        "it was answered 503", again=True
    )
    assert KIND.command_result("set_status", 200, b"<html/>") == base.Failed(
        "the answer is an HTML page; expected XML or JSON", again=True
    )
    assert KIND.command_result("set_status", 429, b"") == base.Throttled(timedelta(minutes=1))


def test_what_reading_commands_told():
    answer = b"<order_info><response><id>7</id><status>new</status><a>b</a></response></order_info>"
    done = KIND.command_result("order_info", 200, answer, "7")
    assert isinstance(done, base.Done)
    assert [json.loads(one.body) for one in done.entries] == [
        {"method": "orders", "order": "7", "entry": {"id": "7", "status": "new"}},
        {"method": "order_info", "order": "7", "entry": {"id": "7", "status": "new", "a": "b"}},
    ]
    again = KIND.read_entry(FEED, answer, "order", "7")
    assert again == done.entries[-1]
    log = b'{"response": {"log": {"id": 5, "type": "log"}}, "status": "success"}'
    done = KIND.command_result("order_log", 200, log, "7")
    assert isinstance(done, base.Done)
    assert [read(one.body).event_id for one in done.entries] == ["7:log:5"]


PERSON = {
    "id": "80001",
    "socket": "XX0101A01",
    "serial": "190001010101",
    "firstname": "Test",
    "surname": "Testsson",
    "email": "test@example.org",
    "address": "Provgatan 1",
    "zip": "12345",
    "city": "Demostad",
    "phone": "0700000000",
    "premise": "1002",
}


def test_a_person_is_told_apart_and_never_in_an_entry():
    body = arrivals.shared("examples/tjansteguiden/customer_info-TL.xml")
    assert KIND.personal(body) == PERSON
    bare = body.replace(b"<response>", b"").replace(b"</response>", b"")
    assert KIND.personal(bare.replace(b"<status>success</status>", b"")) == PERSON
    done = KIND.command_result("customer_info", 200, body, "90001")
    assert done == base.Done(personal=PERSON)
    assert "Testsson" not in repr(done)


def log_of(*lines: tuple[str, str]) -> bytes:
    told = [{"type": "system", "date": at, "message": message} for at, message in lines]
    return json.dumps({"response": {"log": told}, "status": "success"}).encode()


ACTIVE = ("set_status", {"status": "active"})
HEJ = ("add_message", {"type": "log", "message": " Hej "})
RING = ("add_message", {"type": "log", "message": "Ring kunden.\r\nTack!"})


@pytest.mark.parametrize(
    ("sent", "log", "expected"),
    [
        # NOW is 17:00 in Stockholm
        (ACTIVE, [("2025-03-04 17:00:05", "Status changed to active")], True),
        (ACTIVE, [("2025-03-04 17:00", "Status changed to active for order 1")], True),
        (ACTIVE, [("2025-03-04 16:57:00", "Status changed to active")], False),
        (ACTIVE, [("2025-03-04 17:00:05", "Status changed to waiting")], False),
        (ACTIVE, [], False),
        (ACTIVE, [("när?", "Status changed to active")], None),
        (HEJ, [("2025-03-04 17:00:05", "Hej")], True),
        (HEJ, [("2025-03-04 17:00:05", "Hej då")], False),
        (RING, [("2025-03-04 17:00:05", "Ring kunden.\n Tack!")], True),
    ],
)
def test_whether_a_lost_command_was_done_is_looked_up_in_the_log(sent, log, expected):
    assert KIND.was_done(*sent, log_of(*log), NOW, FEED) is expected


def test_a_line_of_the_hour_that_comes_twice_is_taken_for_the_later_one():
    sent = datetime(2025, 10, 26, 1, 30, tzinfo=UTC)  # 02:30 in Stockholm, for the second time
    log = log_of(("2025-10-26 02:30:05", "Status changed to active"))
    assert KIND.was_done(*ACTIVE, log, sent, FEED) is True


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<!DOCTYPE html><html><body>Closed</body></html>", "an HTML page"),
        (b"<html><body>Closed</body></html>", "an HTML page"),
        (b'<!DOCTYPE orders SYSTEM "orders.dtd"><orders/>', "XML with a DTD"),
    ],
)
def test_a_page_for_people_is_called_one(body, told):
    with pytest.raises(errors.SenderFault, match=told):
        list(KIND.read_page(FEED, iter([body]), {}, NOW))


@pytest.mark.parametrize("body", [b"<page><text>Closed</text></page>", b"<x/>", b'{"a": 1}'])
def test_what_is_no_answer_of_theirs_tells_neither_that_it_was_done_nor_that_it_was_not(body):
    for command in ("set_status", "add_message", "order_log"):
        assert isinstance(KIND.command_result(command, 200, body, "7"), base.Failed)
        assert KIND.command_result(command, 200, body, "7").again
    with pytest.raises(errors.SenderFault, match="no order_log"):
        KIND.was_done(*ACTIVE, body, NOW, FEED)


def test_an_operator_s_own_form_without_a_status_is_an_answer():
    body = b"<set_status><response><message>Ok</message></response></set_status>"
    assert KIND.command_result("set_status", 200, body) == base.Done("Ok")


def test_the_log_is_asked_for_after_a_lost_answer():
    grant = base.Grant("H", NOW)
    request = KIND.check_request(FEED, "7", "set_status", {"status": "new"}, NOW, grant)
    assert request is not None
    assert feeding.asked(request) == {"method": "order_log", "hash": "H", "id": "7"}
    assert KIND.check_request(FEED, "7", "order_info", {}, NOW, grant) is None
    with pytest.raises(errors.SenderFault):
        KIND.was_done("set_status", {"status": "new"}, b"<html>Maintenance</p></html>", NOW, FEED)


def test_what_we_did_ourselves_comes_home_as_ours():
    received = base.OwnAct("70013", "set_status", "received", NOW)
    message = base.OwnAct("70013", "add_message", "Hej", NOW)
    echo = read(entry("orders", row("received")))
    line = read(entry("order_log", {"type": "system", "message": "Status changed to received"}))
    ours = read(entry("order_log", {"type": "error", "message": "Hej"}))
    lines = read(entry("order_log", {"type": "error", "message": "Ring\nTack"}))
    assert KIND.origin(lines, [base.OwnAct("70013", "add_message", "Ring\r\nTack", NOW)]) == "self"
    for notification, act in ((echo, received), (line, received), (ours, message)):
        assert KIND.origin(notification, [act]) == "self"
        assert KIND.origin(notification, []) == "operator"
        other = base.OwnAct("1", act.action, act.text, NOW)
        assert KIND.origin(notification, [other]) == "operator"
    assert KIND.origin(echo, [message]) == "operator"
    assert KIND.origin(line, [message]) == "operator"
    assert KIND.origin(ours, [received]) == "operator"
    assert KIND.origin(read(entry("orders", row("active"))), [received]) == "operator"


def test_a_kind_that_is_not_accepted_is_refused():
    accept = frozenset({Kind.STATE_CHANGED})
    assert feeding.refused(KIND, entry("orders", row("new")), accept=accept).code == 100


def test_the_kind_tells_what_it_is():
    assert (KIND.name, KIND.channel) == ("tjansteguiden", Channel.PULL)
    assert KIND.files(b"{}") == ()
    assert dict(KIND.limits) == {}

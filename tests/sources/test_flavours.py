"""Which flavour and kind a body is, how sources are read otherwise, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.notifications.notification import Flavour, Kind
from tests.sources import arrivals

STATE_CHANGE = {
    "eventId": "e-1",
    "eventTime": "2026-03-02T09:15:00Z",
    "eventType": "orderStateChangeNotification",
    "event": {"productOrder": {"id": "42", "state": "Held"}},
}
ONAP = {
    "eventId": "e-1",
    "eventDate": "2026-03-02T09:15:00Z",
    "eventType": "ServiceOrderStateChangeNotification",
    "event": {"id": "42", "state": "held"},
}
EVENT = {"eventType": "ProductOrderStateChangeEvent", "event": {"productOrder": {"id": "42"}}}


def changed(body, **fields):
    return {key: value for key, value in (body | fields).items() if value is not ...}


def ordered(body, **fields):
    return body | {"event": {"productOrder": changed(body["event"]["productOrder"], **fields)}}


@pytest.mark.parametrize(
    ("event_type", "event", "flavour", "about"),
    [
        ("orderStateChangeNotification", {"productOrder": {}}, "tmf622_2015", "productOrder"),
        (
            "ProductOrderStateChangeNotification",
            {"productOrder": {}},
            "tmf622_2015",
            "productOrder",
        ),
        (
            "ServiceOrderStateChangeNotification",
            {"productOrder": {}},
            "tmf622_2015",
            "serviceOrder",
        ),
        ("ServiceOrderStateChangeNotification", {"serviceOrder": {}}, "tmf641_v3", "serviceOrder"),
        ("ServiceOrderStateChangeNotification", {}, "onap", "serviceOrder"),
        ("OrderStatusChangedNotification", {}, "onap", "productOrder"),
        ("ServiceOrderStateChangeEvent", {"serviceOrder": {}}, "tmf641_v4", "serviceOrder"),
        (
            "cancelServiceOrderStateChangeEvent",
            {"cancelServiceOrder": {}},
            "tmf641_v4",
            "cancelOrder",
        ),
        ("ProductOrderStateChangeEvent", {"productOrder": {}}, "tmf622_v4", "productOrder"),
    ],
)
def test_on_the_shared_path_name_and_shape_give_the_flavour(event_type, event, flavour, about):
    order = {"id": "42", "state": "held"}
    shape = dict.fromkeys(event, order) or order
    body = changed(STATE_CHANGE, eventType=event_type, event=shape)
    fields = arrivals.told(arrivals.arrival(body))
    assert (fields["flavour"], fields["resource_type"]) == (flavour, about)
    assert fields["order_id"] == "42"


def test_an_envelope_with_a_type_is_version_5():
    body = EVENT | {"@type": "ProductOrderStateChangeEvent"}
    assert arrivals.told(arrivals.arrival(body))["flavour"] == "tmf622_v5"


@pytest.mark.parametrize(
    ("flavour", "event_name", "event_type", "expected"),
    [
        # the path's own event, however spelled
        (
            Flavour.TMF622_V4,
            "productOrderStateChangeEvent",
            "ProductOrderStateChangeEvent",
            ("tmf622_v4", "state_changed", ()),
        ),
        (
            Flavour.TMF622_V4,
            "productOrderStateChangeEvent",
            "productOrderStatusChangeEvent",
            ("tmf622_v4", "state_changed", ()),
        ),
        (
            Flavour.TMF622_V4,
            "productOrderStateChangeEvent",
            "ProductOrderStateChangeNotification",
            ("tmf622_v4", "state_changed", ()),
        ),
        # another known event: the body wins
        (
            Flavour.TMF622_V4,
            "productOrderCreateEvent",
            "ProductOrderDeleteEvent",
            ("tmf622_v4", "removed", ("event_type_disagrees",)),
        ),
        # an unknown one: the path wins
        (
            Flavour.TMF622_V4,
            "productOrderCreateEvent",
            "SomethingElse",
            ("tmf622_v4", "created", ("event_type_disagrees",)),
        ),
        # null or blank: the path
        (Flavour.TMF622_V4, "productOrderCreateEvent", " ", ("tmf622_v4", "created", ())),
        # an event of the other family has its own flavour
        (
            Flavour.TMF641_V4,
            "serviceOrderCreateEvent",
            "ProductOrderCreateEvent",
            ("tmf622_v4", "created", ("event_type_disagrees",)),
        ),
    ],
)
def test_a_known_event_type_in_the_body_beats_the_path(flavour, event_name, event_type, expected):
    body = EVENT | {"eventType": event_type}
    if expected[0] == "tmf641_v4":
        body["event"] = {"serviceOrder": {"id": "42"}}
    fields = arrivals.told(arrivals.on_path(body, flavour, event_name))
    assert (fields["flavour"], fields["kind"], fields["warnings"]) == expected


# ── how a source is read ─────────────────────────────────────────────────────────────────────────


def test_a_time_without_a_zone_takes_the_sources():
    body = changed(STATE_CHANGE, eventTime="2026-07-01T12:00:00")
    zone = arrivals.reading(zone=ZoneInfo("Europe/Stockholm"))
    fields = arrivals.told(arrivals.arrival(body, reading=zone))
    assert fields["occurred_at"] == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert fields["occurred_at_raw"] == "2026-07-01T12:00:00"
    assert fields["warnings"] == ("zone_assumed",)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (changed(STATE_CHANGE, eventTime="2013-04-19T16:42:25-30:00"), "eventTime"),
        (changed(STATE_CHANGE, eventTime="2013-04-19T16:42:25"), "eventTime"),
        (changed(STATE_CHANGE, eventTime=..., eventDate="2026-03-02T09:15:00Z"), "eventTime"),
        (changed(STATE_CHANGE, eventId=..., eventUuid="e-1"), "eventId"),
        (ordered(STATE_CHANGE, id=" 42"), "event.productOrder.id"),
        (ordered(STATE_CHANGE, id=42), "event.productOrder.id"),
        (ordered(STATE_CHANGE, externalID="x"), "event.productOrder.externalId"),
        (ordered(STATE_CHANGE, completionDate=None), "event.productOrder.completionDate"),
        (changed(STATE_CHANGE, correlationId=None), "correlationId"),
        (
            changed(STATE_CHANGE, event={"productOrder": [{"id": "42", "state": "Held"}]}),
            "event.productOrder",
        ),
    ],
)
def test_a_strict_source_gets_away_with_no_tolerance(body, path):
    assert len(arrivals.told(arrivals.arrival(body))["warnings"]) == 1
    refusal = arrivals.refused(arrivals.arrival(body, reading=arrivals.reading(strict=True)))
    assert refusal.code == 24
    assert [fault.path for fault in refusal.faults] == [path]


@pytest.mark.parametrize(
    "body",
    [
        STATE_CHANGE,
        ONAP,
        changed(ONAP, event={}),
        ordered(STATE_CHANGE, state="Unheard"),
        ordered(STATE_CHANGE, note=[{"text": "a\0b"}]),
        changed(ONAP, event={"id": "42", "completionDateTime": None}),
    ],
)
def test_a_strict_source_may_send_what_the_contract_allows(body):
    it = arrivals.arrival(body, reading=arrivals.reading(strict=True))
    assert arrivals.told(it)["event_id"] == "e-1"


def test_a_kind_that_is_not_enabled_is_refused_with_100():
    accept = arrivals.reading(accept=frozenset({Kind.CREATED, Kind.REMOVED}))
    refusal = arrivals.refused(arrivals.arrival(STATE_CHANGE, reading=accept))
    assert refusal.code == 100
    assert "state_changed" in refusal.message
    assert "created, removed" in refusal.message
    allowed = arrivals.reading(accept=frozenset({Kind.STATE_CHANGED}))
    assert arrivals.told(arrivals.arrival(STATE_CHANGE, reading=allowed))["kind"] == "state_changed"


@pytest.mark.parametrize(
    ("event_type", "event", "expected"),
    [
        (
            "chargeCreateEvent",
            {"id": "ch-1"},
            {"flavour": "tmf622_v4", "resource_type": "other", "order_id": None, "state": None},
        ),
        (
            "EventsSubscriptionCreationNotification",
            {"eventsSubscription": {"id": "1"}},
            {"flavour": "onap", "resource_type": "other", "order_id": None, "state": None},
        ),
        (
            "ProductOrderNotification",
            {"productOrder": [{"id": "42", "state": "held"}]},
            {
                "flavour": "tmf622_2015",
                "resource_type": "productOrder",
                "order_id": "42",
                "state": "held",
            },
        ),
        (
            "ProductOrderNotification",
            {"productOrder": [{"id": "1"}, {"id": "2"}]},
            {
                "flavour": "tmf622_2015",
                "resource_type": "productOrder",
                "order_id": None,
                "state": None,
            },
        ),
        (
            "ProductOrderServiceTestCompleted",
            ["anything"],
            {"flavour": "onap", "resource_type": "other", "order_id": None, "state": None},
        ),
    ],
)
def test_an_unknown_event_type_is_refused_or_kept_as_other(event_type, event, expected):
    body = changed(STATE_CHANGE, eventType=event_type, event=event)
    refusal = arrivals.refused(arrivals.arrival(body))
    assert refusal.code == 24
    assert [fault.path for fault in refusal.faults] == ["eventType"]
    store = arrivals.reading(unknown_event_types="store")
    fields = arrivals.told(arrivals.arrival(body, reading=store))
    assert fields["kind"] == "other"
    assert (fields["event_type"], fields["event_id"]) == (event_type, "e-1")
    assert "unknown_event_type" in fields["warnings"]
    assert {name: fields[name] for name in expected} == expected


# ── what is refused ──────────────────────────────────────────────────────────────────────────────

INFORMATION = changed(STATE_CHANGE, eventType="orderInformationRequiredNotification")


@pytest.mark.parametrize(
    ("body", "code", "paths"),
    [
        # what 2015 requires
        (changed(STATE_CHANGE, eventId=...), 23, ["eventId"]),
        (changed(STATE_CHANGE, eventId=None), 23, ["eventId"]),
        (changed(STATE_CHANGE, eventTime=...), 23, ["eventTime"]),
        (changed(STATE_CHANGE, event=...), 23, ["event"]),
        (changed(STATE_CHANGE, event={}), 23, ["event.productOrder"]),
        (changed(STATE_CHANGE, event={"productOrder": None}), 23, ["event.productOrder"]),
        (
            changed(STATE_CHANGE, event={"productOrder": {}}),
            23,
            ["event.productOrder.id", "event.productOrder.state"],
        ),
        (ordered(STATE_CHANGE, state=...), 23, ["event.productOrder.state"]),
        (
            changed(STATE_CHANGE, eventType="orderRemoveNotification", event={}),
            23,
            ["event.productOrder"],
        ),
        (
            changed(
                STATE_CHANGE, eventType="orderCreationNotification", event={"productOrder": {}}
            ),
            23,
            ["event.productOrder.id"],
        ),
        (INFORMATION, 23, ["resourcePath", "fieldPath"]),
        # what Orange and ONAP require
        (changed(ONAP, eventId=...), 23, ["eventId"]),
        (changed(ONAP, eventDate=...), 23, ["eventDate"]),
        (changed(ONAP, event=...), 23, ["event"]),
        (changed(ONAP, event=None), 23, ["event"]),
        ({}, 23, ["eventType", "eventId", "eventDate", "event"]),
        (changed(ONAP, eventType=...), 23, ["eventType"]),
        # both missing and wrong: all told, 23
        (
            {
                "eventType": "orderStateChangeNotification",
                "eventId": [],
                "eventTime": "soon",
                "event": {"productOrder": {"id": 1.5}},
            },
            23,
            ["eventId", "eventTime", "event.productOrder.id", "event.productOrder.state"],
        ),
        # wrong type, format, value
        (changed(STATE_CHANGE, eventType=7), 24, ["eventType"]),
        (changed(STATE_CHANGE, eventType={"a": 1}), 24, ["eventType"]),
        (changed(STATE_CHANGE, eventType="o" * 300), 24, ["eventType"]),
        (changed(STATE_CHANGE, eventId=True), 24, ["eventId"]),
        (changed(STATE_CHANGE, eventId="  "), 24, ["eventId"]),
        (changed(STATE_CHANGE, eventId="x" * 256), 24, ["eventId"]),
        (changed(STATE_CHANGE, eventId="a\0"), 24, ["eventId"]),
        (changed(STATE_CHANGE, eventTime=1772442900), 24, ["eventTime"]),
        (changed(STATE_CHANGE, eventTime="2026-03-02"), 24, ["eventTime"]),
        (changed(STATE_CHANGE, eventTime="2017-05-09T16:1:04 AM.637766"), 24, ["eventTime"]),
        (changed(STATE_CHANGE, event=[]), 24, ["event"]),
        (changed(STATE_CHANGE, event="x"), 24, ["event"]),
        (changed(STATE_CHANGE, event={"productOrder": "x"}), 24, ["event.productOrder"]),
        (changed(STATE_CHANGE, event={"productOrder": []}), 24, ["event.productOrder"]),
        (changed(STATE_CHANGE, event={"productOrder": [{}, {}]}), 24, ["event.productOrder"]),
        (changed(STATE_CHANGE, event={"productOrder": [7]}), 24, ["event.productOrder.0"]),
        (ordered(STATE_CHANGE, state=7), 24, ["event.productOrder.state"]),
        (ordered(STATE_CHANGE, completionDate="soon"), 24, ["event.productOrder.completionDate"]),
        (ordered(STATE_CHANGE, orderItem={}), 24, ["event.productOrder.orderItem"]),
        (
            ordered(STATE_CHANGE, orderItem=[{"id": "1"}, {"id": []}]),
            24,
            ["event.productOrder.orderItem.1.id"],
        ),
        (ordered(STATE_CHANGE, orderItem=[{}] * 5001), 24, ["event.productOrder.orderItem"]),
        (ordered(STATE_CHANGE, externalID=[7]), 24, ["event.productOrder.externalID.0"]),
        (ordered(STATE_CHANGE, href="x" * 2001), 24, ["event.productOrder.href"]),
        (
            ordered(STATE_CHANGE, orderItem=[{"product": {"id": "\0"}}]),
            24,
            ["event.productOrder.orderItem.0.product.id"],
        ),
        (changed(ONAP, event=[]), 24, ["event"]),
        (changed(ONAP, event={"id": {}}), 24, ["event.id"]),
        (
            changed(ONAP, event={"orderItem": [{"orderMessage": [{"correctionRequired": "yes"}]}]}),
            24,
            ["event.orderItem.0.orderMessage.0.correctionRequired"],
        ),
        (EVENT | {"event": {"productOrder": {"id": False}}}, 24, ["event.productOrder.id"]),
        (EVENT | {"eventTime": "soon"}, 24, ["eventTime"]),
    ],
)
def test_a_fault_is_refused_with_its_code_and_its_path(body, code, paths):
    refusal = arrivals.refused(arrivals.arrival(body))
    assert refusal.code == code
    assert [fault.path for fault in refusal.faults] == paths
    for fault in refusal.faults[:5]:
        assert str(fault) in refusal.message


def test_a_number_out_of_range_is_no_id():
    raw = json.dumps(STATE_CHANGE).replace('"42"', "1e400").encode()
    refusal = arrivals.refused(arrivals.arrival(raw))
    assert (refusal.code, refusal.faults[0].path) == (24, "event.productOrder.id")


def test_near_spellings_are_offered():
    body = changed(STATE_CHANGE, eventType="orderStateChangdNotification")
    assert "orderStateChangeNotification" in arrivals.refused(arrivals.arrival(body)).message


def test_faults_and_messages_are_short_whatever_was_sent():
    long = "secret" * 1000
    body = ordered(
        changed(STATE_CHANGE, eventTime=long, eventId=long), orderItem=[{"state": []}] * 200
    )
    refusal = arrivals.refused(arrivals.arrival(body))
    assert len(refusal.faults) == 50
    assert len(refusal.message) < 1000
    assert "secret" not in refusal.message
    assert "and 197 more" in refusal.message


def test_the_depth_of_the_source_counts():
    shallow = arrivals.reading(max_depth=2)
    refusal = arrivals.refused(arrivals.arrival(STATE_CHANGE, reading=shallow))
    assert (refusal.code, "at most 2" in refusal.message) == (22, True)
    enough = arrivals.reading(max_depth=3)
    assert arrivals.told(arrivals.arrival(STATE_CHANGE, reading=enough))["order_id"] == "42"


# ── ids and what belongs to them ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sent", "told", "warned"),
    [
        ("00013856", "00013856", ()),
        (13856, "13856", ("number_as_text",)),
        ("\u00a042 ", "42", ("blank_trimmed",)),
        (0, "0", ("number_as_text",)),
        (10**254, "1" + "0" * 254, ("number_as_text",)),
    ],
)
def test_an_id_is_trimmed_text(sent, told, warned):
    fields = arrivals.told(arrivals.arrival(ordered(STATE_CHANGE, id=sent)))
    assert (fields["order_id"], fields["warnings"]) == (told, warned)


def test_all_external_ids_are_kept_by_their_type():
    ids = [
        {"id": " first ", "externalIdentifierType": "purchaseOrder"},
        {"id": "second"},
        {"id": "third", "externalIdentifierType": "purchaseOrder"},
        {"externalIdentifierType": "empty"},
        {"id": 7, "externalIdentifierType": "number"},
    ]
    body = {
        "@type": "x",
        "eventType": "ProductOrderStateChangeEvent",
        "correlationId": 9,
        "event": {"productOrder": {"@type": "x", "id": "42", "externalId": ids}},
    }
    fields = arrivals.told(arrivals.arrival(body))
    assert fields["external_id"] == "first"
    assert fields["refs"] == {
        "purchaseOrder": "first",
        "externalId.1": "second",
        "externalId.2": "third",
        "number": "7",
        "correlationId": "9",
    }


def test_items_inside_items_follow_their_outer_one():
    inner = [{"id": "1.1", "state": "held", "productOrderItem": [{"id": "1.1.1"}]}, {"id": "1.2"}]
    items = [{"id": "1", "action": "add", "productOrderItem": inner}, {"id": "2"}]
    body = EVENT | {"event": {"productOrder": {"id": "42", "productOrderItem": items}}}
    assert arrivals.told(arrivals.arrival(body))["items"] == (
        arrivals.item("1", "add"),
        arrivals.item("1.1", None, "held"),
        arrivals.item("1.1.1"),
        arrivals.item("1.2"),
        arrivals.item("2"),
    )


@pytest.mark.parametrize(
    ("event_type", "event", "expected"),
    [
        (
            "productSpecificProductOrderItemMilestoneEvent",
            {"id": "42", "orderItemId": "7", "milestoneName": "FOC"},
            {"kind": "milestone", "summary": {"milestone": {"name": "FOC"}}},
        ),
        (
            "serviceOrderItemStateChangeEvent",
            {"id": "42", "orderItemId": "7"},
            {"kind": "item_state_changed", "summary": {}},
        ),
        (
            "productOrderInformationRequiredEvent",
            {"id": "42", "orderItemId": "7"},
            {
                "kind": "information_required",
                "summary": {"item_id": "7", "field": None, "criteria": None},
            },
        ),
    ],
)
def test_an_event_of_mef_names_the_order_and_the_item(event_type, event, expected):
    fields = arrivals.told(arrivals.arrival({"eventType": event_type, "event": event}))
    assert {name: fields[name] for name in expected} == expected
    assert (fields["order_id"], fields["items"]) == ("42", (arrivals.item("7"),))
    assert fields["warnings"] == ("order_flat",)


def test_an_event_type_with_blanks_is_trimmed():
    fields = arrivals.told(arrivals.arrival(EVENT | {"eventType": " ProductOrderCreateEvent "}))
    assert fields["event_type"] == "ProductOrderCreateEvent"
    assert fields["warnings"] == ("blank_trimmed",)


def test_a_long_text_is_cut_in_the_summary():
    alert = [{"message": "x" * 5000}]
    order = {"id": "42", "productOrderJeopardyAlert": alert}
    body = {"eventType": "ProductOrderJeopardyAlertEvent", "event": {"productOrder": order}}
    assert len(arrivals.told(arrivals.arrival(body))["summary"]["message"]) == 2001

"""Covage: each of the 34 types wrapped in the seed's envelope, field by field."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app import errors
from app.notifications.notification import Channel, Kind, Notification
from app.sources import base, covage
from app.sources.covage import words
from tests.sources import arrivals, feeding

KIND = covage.KIND
FEED = covage.CovageFeed(url="https://c.example/x/", email="a@b.example", password="hush")
NOW = feeding.NOW

# The envelope of seed 002, and the order and service it is about.
ENVELOPE = {
    "event_uuid": "3cpkp1f1",
    "model": "event",
    "event_date": "2017-05-09T16:01:06.196355",
    "creation_date": "2017-05-09T15:59:55.669742",
    "modification_date": "2017-05-09T15:59:55.669742",
}
ORDER = {"object_type": "order", "object_uuid": "1i0cvu4c"}
SERVICE = {"object_type": "service", "object_uuid": "9h3gy2i9"}
EXPECTED = feeding.NOTHING | {
    "flavour": "covage",
    "event_id": "3cpkp1f1",
    "occurred_at": datetime(2017, 5, 9, 14, 1, 6, 196355, tzinfo=UTC),
    "occurred_at_raw": "2017-05-09T16:01:06.196355",
    "warnings": ("zone_assumed",),
}

RATHER = "buyer_action"
SLOT = {
    "start": datetime(2017, 4, 22, 8, 12, 0, 459593, tzinfo=UTC),
    "end": datetime(2017, 4, 22, 10, 12, 0, 459593, tzinfo=UTC),
}
ODD = {"warnings": ("zone_assumed", "meridiem_ignored")}
FILES = {
    "fichier 1": "https://blob.example/pvi/O1/W1/Public/file_name.pdf?se=TOKEN",
    "fichier 2": "https://blob.example/pvi/O1/W1/Public/plan%20b.pdf?se=TOKEN&x=1#y",
}
TOLD_FILES = [
    {"label": "fichier 1", "path": "/pvi/O1/W1/Public/file_name.pdf"},
    {"label": "fichier 2", "path": "/pvi/O1/W1/Public/plan%20b.pdf"},
]

# (type, data, kind, what else is not as in EXPECTED)
ROWS: list[tuple[str, Any, str, dict[str, Any]]] = [
    ("order-submitted", {"kosc_order_ref": "O1"}, "created", {"external_id": "O1"}),
    ("order-acknowledged", None, "state_changed", {"state": "acknowledged"}),
    ("order-running", None, "state_changed", {"state": "inProgress"}),
    (
        "order-completed",
        {"endpoints": [{"id": 1}], "service_uuid": "9h3gy2i9", "service_alias": "S1"},
        "state_changed",
        {
            "state": "completed",
            "service_id": "9h3gy2i9",
            "refs": {"service_alias": "S1"},
            "summary": {"endpoints": [{"id": 1}]},
        },
    ),
    (
        "order-rejected",
        {
            "reject_reason": "ar_ko",
            "reject_code": "CDE_ANNUL",
            "reject_subcode": "CLI003",
            "reject_description": None,
        },
        "state_changed",
        {
            "state": "rejected",
            "attention": "alarm",
            "summary": {
                "reject_reason": "ar_ko",
                "reject_code": "CDE_ANNUL",
                "reject_subcode": "CLI003",
            },
        },
    ),
    (
        "order-cancelled",
        {"reason": "sensible access"},
        "state_changed",
        {"state": "cancelled", "summary": {"reason": "sensible access"}},
    ),
    ("order-dropped", None, "state_changed", {"attention": "alarm"}),
    (
        "order-localloop-saturation",
        None,
        "jeopardy",
        {"state": "held", "attention": "alarm", "appointment": "void"},
    ),
    ("order-network-saturation", None, "jeopardy", {"state": "held", "attention": "alarm"}),
    (
        "order-localloop-desaturation-planned",
        {"desaturation_type": "LL_FREE_DESAT"},
        "milestone",
        {"summary": {"desaturation_type": "LL_FREE_DESAT"}},
    ),
    (
        "order-network-desaturation-planned",
        {"desaturation_type": "NW"},
        "milestone",
        {"summary": {"desaturation_type": "NW"}},
    ),
    (
        "order-localloop-desaturation-quote-emitted",
        None,
        "information_required",
        {"state": "pending", "attention": RATHER},
    ),
    (
        "order-localloop-desaturation-quote-accepted",
        None,
        "milestone",
        {"state": "held", "attention_clears": True},
    ),
    (
        "order-sensibleaccess",
        None,
        "information_required",
        {"state": "pending", "attention": RATHER},
    ),
    ("order-delayed", None, "information_required", {"state": "pending", "attention": RATHER}),
    (
        "order-sensibleaccess-orderconfirmed",
        None,
        "state_changed",
        {"state": "inProgress", "attention_clears": True},
    ),
    (
        "order-delayed-orderconfirmed",
        None,
        "state_changed",
        {"state": "inProgress", "attention_clears": True},
    ),
    ("order-requalified", None, "value_changed", {"appointment": "void"}),
    (
        "order-appointment-agreed",
        {
            "start_date": "2017-04-22T10:12:00 AM.459593",
            "end_date": "2017-04-22T12:12:00 AM.459593",
        },
        "milestone",
        {"appointment": SLOT} | ODD,
    ),
    (
        "order-appointment-agreed",
        {"start_date": "2017-04-22T08:12:00.459593Z", "end_date": None},
        "milestone",
        {"appointment": SLOT | {"end": None}},
    ),
    (
        "order-appointment-agreed",
        {"start_date": "2017-04-22T10:12:00 PM.459593", "end_date": None},
        "milestone",
        {"warnings": ("zone_assumed", "time_unreadable")},
    ),
    ("order-appointment-confirmed", None, "milestone", {}),
    (
        "order-appointment-declined",
        None,
        "jeopardy",
        {"attention": RATHER, "appointment": "void"},
    ),
    ("order-appointment-missed", None, "jeopardy", {"attention": RATHER, "appointment": "void"}),
    (
        "order-appointment-deferred",
        {"message": "Lorem"},
        "jeopardy",
        {"appointment": "void", "summary": {"message": "Lorem"}},
    ),
    (
        "order-on-site-intervention-succeeded",
        {"message": "Lorem"},
        "milestone",
        {"summary": {"message": "Lorem"}},
    ),
    (
        "order-on-site-intervention-failed",
        {"message": "Lorem"},
        "jeopardy",
        {"attention": "alarm", "summary": {"message": "Lorem"}},
    ),
    (
        "order-information-from-provider",
        {"message": "Waiting (OK or NOK)", "description": "Report"},
        "note",
        {"summary": {"message": "Waiting (OK or NOK)", "description": "Report"}},
    ),
    ("order-info", {"message": "Hello"}, "note", {"summary": {"message": "Hello"}}),
    (
        "order-info",
        {"message": "Fixed", "stop_deferred": True},
        "note",
        {"summary": {"message": "Fixed", "stop_deferred": True}},
    ),
    ("CRI", FILES, "milestone", {"summary": {"files": TOLD_FILES}}),
    ("service-activated", None, "state_changed", {"raw_state": "activated"}),
    ("service-terminated", None, "state_changed", {"raw_state": "terminated"}),
    ("service-modified", {"a": 1}, "value_changed", {"summary": {"data": {"a": 1}}}),
    ("service-updated", {"a": [1]}, "value_changed", {"summary": {"data": {"a": [1]}}}),
    ("service-slammed", None, "jeopardy", {"attention": "alarm"}),
    ("service-info", {"b": "c"}, "note", {"summary": {"data": {"b": "c"}}}),
    ("order-beamed", {"b": "c"}, "other", {"warnings": ("unknown_type", "zone_assumed")}),
]


def enveloped(type_: str, data: Any = None, **over: Any) -> dict[str, Any]:
    about = SERVICE if type_.startswith("service-") else ORDER
    return ENVELOPE | about | {"type": type_, "data": data} | over


@pytest.mark.parametrize(("type_", "data", "kind", "rest"), ROWS)
def test_each_type_says_exactly_this(type_, data, kind, rest):
    service = type_.startswith("service-")
    about = {"service_id": "9h3gy2i9"} if service else {"order_id": "1i0cvu4c"}
    expected = EXPECTED | about | {"kind": kind, "event_type": type_}
    expected["resource_type"] = "service" if service else "order"
    assert feeding.told(KIND, enveloped(type_, data)) == expected | rest


def test_every_type_of_the_table_is_walked():
    assert {row[0] for row in ROWS} - {"order-beamed"} == set(words.TYPES)
    assert len(words.TYPES) == 34


def test_every_type_of_the_seed_has_a_row():
    text = arrivals.shared("seeds/002_ed406c7951d2dadc.txt").decode()
    named = set(re.findall(r"^((?:order|service)-[a-z-]+|CRI)\b", text, re.MULTILINE))
    assert named == set(words.TYPES)


def test_the_newer_shape_says_the_same():
    uuid = "5f2c7c1e-3a55-4b8e-9d64-2f4d1c0a7b10"
    new = {
        "event_uuid": "0f0e",
        "object_alias": "O191128_31846",
        "object_uuid": uuid,
        "object_type": "order",
        "type": "order-running",
        "event_date": "2019-11-28T10:00:00.500000Z",
        "creation_date": "2019-11-28T10:00:00Z",
        "modification_date": "2019-11-28T10:00:00Z",
        "data": {},
    }
    assert feeding.told(KIND, new) == EXPECTED | {
        "event_id": "0f0e",
        "event_type": "order-running",
        "kind": "state_changed",
        "state": "inProgress",
        "resource_type": "order",
        "order_id": uuid,
        "refs": {"object_alias": "O191128_31846"},
        "occurred_at": datetime(2019, 11, 28, 10, 0, 0, 500000, tzinfo=UTC),
        "occurred_at_raw": "2019-11-28T10:00:00.500000Z",
        "warnings": (),
    }


@pytest.mark.parametrize(
    ("over", "rest"),
    [
        (
            {"event_date": "2017-05-09T16:1:04 AM.637766"},
            {
                "occurred_at": datetime(2017, 5, 9, 14, 1, 4, 637766, tzinfo=UTC),
                "occurred_at_raw": "2017-05-09T16:1:04 AM.637766",
                "warnings": ("meridiem_ignored", "zone_assumed"),
            },
        ),
        (
            {"event_date": "2017-05-09T04:01:04 PM.637766"},
            {
                "occurred_at": None,
                "occurred_at_raw": "2017-05-09T04:01:04 PM.637766",
                "warnings": ("time_unreadable",),
            },
        ),
        ({"event_date": None}, {"occurred_at": None, "occurred_at_raw": None, "warnings": ()}),
        (
            {"object_type": "service"},
            {
                "order_id": None,
                "service_id": "1i0cvu4c",
                "resource_type": "service",
                "warnings": ("zone_assumed", "object_type_disagrees"),
            },
        ),
        (
            {"object_type": "quote"},
            {
                "order_id": None,
                "refs": {"object_uuid": "1i0cvu4c"},
                "resource_type": "other",
                "warnings": ("zone_assumed", "object_type_disagrees"),
            },
        ),
        (
            {"object_uuid": None},
            {"order_id": None, "warnings": ("zone_assumed", "no_order_id")},
        ),
        ({"object_uuid": 7}, {"order_id": "7", "warnings": ("zone_assumed", "number_as_text")}),
        ({"data": [1]}, {"warnings": ("field_unreadable", "zone_assumed")}),
    ],
)
def test_what_is_odd_is_taken_and_told_of(over, rest):
    expected = EXPECTED | {
        "kind": "state_changed",
        "event_type": "order-running",
        "state": "inProgress",
        "resource_type": "order",
        "order_id": "1i0cvu4c",
    }
    assert feeding.told(KIND, enveloped("order-running", **over)) == expected | rest


@pytest.mark.parametrize(
    ("over", "code", "path"),
    [
        ({"event_uuid": None}, 23, "event_uuid"),
        ({"event_uuid": " "}, 23, "event_uuid"),
        ({"event_uuid": {}}, 24, "event_uuid"),
        ({"event_uuid": "x" * 256}, 24, "event_uuid"),
        ({"event_uuid": "a\0b"}, 24, "event_uuid"),
        ({"type": None}, 23, "type"),
        ({"object_uuid": True}, 24, "object_uuid"),
    ],
)
def test_an_event_without_its_id_or_type_is_refused(over, code, path):
    refusal = feeding.refused(KIND, enveloped("order-running", **over))
    assert (refusal.code, [fault.path for fault in refusal.faults]) == (code, [path])


def test_a_strict_source_gets_away_with_what_is_the_feed_s_custom_and_nothing_else():
    custom = enveloped("order-running", event_date="2017-05-09T16:1:04 AM.637766")
    assert feeding.told(KIND, custom, strict=True)["state"] == "inProgress"
    assert feeding.refused(KIND, enveloped("order-running", object_uuid=7), strict=True).code == 24


def test_a_kind_that_is_not_accepted_is_refused():
    refusal = feeding.refused(KIND, enveloped("order-info"), accept=frozenset({Kind.STATE_CHANGED}))
    assert (refusal.code, "note" in refusal.message) == (100, True)


def test_the_source_s_zone_wins():
    told = feeding.told(KIND, enveloped("order-running"), zone=ZoneInfo("UTC"))
    assert told["occurred_at"] == datetime(2017, 5, 9, 16, 1, 6, 196355, tzinfo=UTC)


def test_what_changes_at_every_read_is_no_content():
    first = json.dumps(enveloped("CRI", FILES, sort_value="a", modification_date="b")).encode()
    fresh = {label: url.replace("TOKEN", "FRESH") for label, url in FILES.items()}
    second = json.dumps(enveloped("CRI", fresh, sort_value="c", modification_date="d")).encode()
    other = {label: url.replace("Public", "Private") for label, url in FILES.items()}
    third = json.dumps(enveloped("CRI", other)).encode()
    assert KIND.content(first) == KIND.content(second) != KIND.content(third)
    assert KIND.content(json.dumps(enveloped("order-info", {"message": "a"})).encode()) != (
        KIND.content(json.dumps(enveloped("order-info", {"message": "b"})).encode())
    )


def test_files_of_a_report_are_offered_with_their_tokens():
    body = json.dumps(enveloped("CRI", FILES | {"note": "no link"})).encode()
    assert KIND.files(body) == (
        base.FileLink("fichier 1", FILES["fichier 1"]),
        base.FileLink("fichier 2", FILES["fichier 2"]),
    )
    assert "TOKEN" not in repr(KIND.files(body))
    assert KIND.files(json.dumps(enveloped("order-info", FILES)).encode()) == ()


@pytest.mark.parametrize(
    "sample", [f"sample{n:02}.json" for n in (1, 2, 3, 4)] + ["sample17.invalid.txt"]
)
def test_the_seed_s_own_events_are_read(sample):
    text = arrivals.shared(f"examples/covage/{sample}").decode()
    if sample.endswith("txt"):
        said = enveloped("CRI", json.loads(text.rstrip().removesuffix("}").rstrip() + '"}'))
    else:
        said = json.loads(text)
    for one in said if isinstance(said, list) else [said]:
        told = feeding.told(KIND, one)
        assert (told["kind"], told["event_id"]) in {
            ("state_changed", "3cpkp1f1"),
            ("state_changed", "109ao75u"),
            ("state_changed", "lrgecnfi"),
            ("created", "zk5c0whk"),
            ("milestone", "3cpkp1f1"),
        }
        assert told["occurred_at"] is not None


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


def test_a_message_is_posted_to_the_order():
    request = KIND.command(FEED, "ab/1", "events/info", {"message": "Hello there"}, feeding.GRANT)
    assert (request.method, request.url) == (
        "POST",
        "https://c.example/x/api/v2/orders/ab%2F1/events/info",
    )
    assert json.loads(request.body or b"") == {"message": "Hello there"}
    assert request.headers["Authorization"] == "Bearer secret"
    assert (request.changes_state, request.purpose) == (True, "events/info")
    assert KIND.limits == {"events/info": timedelta(minutes=5)}


@pytest.mark.parametrize(
    ("order", "arguments", "told"),
    [
        ("", {"message": "a"}, "order_id is empty"),
        ("1", {}, "message must be a text of 1 to 4000"),
        ("1", {"message": " "}, "message must be a text"),
        ("1", {"message": 1}, "message must be a text"),
        ("1", {"message": "a" * 4001}, "message must be a text"),
        ("1", {"message": "a", "stop_deferred": 1}, "stop_deferred must be true or false"),
        ("1", {"message": "a", "to": "b"}, "takes message and stop_deferred, not to"),
    ],
)
def test_a_message_that_cannot_be_sent_is_told_why(order, arguments, told):
    with pytest.raises(errors.InvalidParameter, match=told):
        KIND.command(FEED, order, "events/info", arguments, feeding.GRANT)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (201, b"{}", base.Done("the message is with the order")),
        (
            429,
            b'{"error": "Request was throttled. Retry in 42 s"}',
            base.Throttled(timedelta(seconds=42)),
        ),
        (
            429,
            b'{"detail": "Request was throttled. Expected available in 17 seconds."}',
            base.Throttled(timedelta(seconds=17)),
        ),
        (429, b"", base.Throttled(timedelta(minutes=5))),
        (
            403,
            b'{"error": "no"}',
            base.Failed(
                "403: the account is in neither of the groups admin and delivery", again=False
            ),
        ),
        (404, b'{"error": "Not found"}', base.Failed("404: Not found", again=False)),
        (500, b"<html>", base.Failed("500", again=True)),
    ],
)
def test_what_became_of_a_message(status, body, expected):
    assert KIND.command_result("events/info", status, body) == expected


def test_a_page_for_people_tells_nothing_of_a_message_whatever_its_status():
    with pytest.raises(errors.SenderFault, match="a page for people"):
        KIND.command_result("events/info", 200, b"\n<!DOCTYPE html><html></html>")


def test_whether_a_message_was_sent_is_looked_up_in_the_order_s_events():
    arguments = {"message": "Hello"}
    request = KIND.check_request(FEED, "o1", "events/info", arguments, NOW, feeding.GRANT)
    assert request is not None
    assert feeding.asked(request) == {
        "sort": "creation_date",
        "direction": "desc",
        "size": "100",
        "object_type": "order",
        "object_uuid": "o1",
    }
    sent = feeding.event(1, NOW + timedelta(seconds=1), type="order-info", data=arguments)
    old = feeding.event(2, NOW - timedelta(minutes=5), type="order-info", data=arguments)
    other = feeding.event(3, NOW, type="order-info", data={"message": "Bye"})

    def done(*events):
        return KIND.was_done("events/info", arguments, json.dumps(events).encode(), NOW, FEED)

    assert done(other, sent)
    assert done(old, other) is False
    assert done() is False
    with pytest.raises(errors.SenderFault):
        KIND.was_done("events/info", arguments, b"<html>", NOW, FEED)


def test_a_message_whose_blanks_were_changed_is_the_same_message():
    sent = feeding.event(1, NOW, type="order-info", data={"message": "Hello\nthere"})
    asked = {"message": " Hello\r\nthere "}
    assert KIND.was_done("events/info", asked, json.dumps([sent]).encode(), NOW, FEED)
    read = KIND.parse(feeding.arrival(json.dumps(sent).encode()))
    assert isinstance(read, Notification)
    ours = base.OwnAct(read.order_id, "events/info", asked["message"], NOW)
    assert KIND.origin(read, [ours]) == "self"


def test_a_message_of_the_hour_that_comes_twice_is_taken_for_the_later_one():
    at = datetime(2025, 10, 26, 1, 30, tzinfo=UTC)  # 02:30 in Paris, for the second time
    sent = feeding.event(1, at, type="order-info", data={"message": "Hello"})
    sent["creation_date"] = "2025-10-26T02:30:05.000000"
    assert KIND.was_done("events/info", {"message": "Hello"}, json.dumps([sent]).encode(), at, FEED)


def test_our_own_message_coming_home_is_ours():
    body = json.dumps(enveloped("order-info", {"message": "Hello"})).encode()
    read = KIND.parse(feeding.arrival(body))
    assert isinstance(read, Notification)
    ours = base.OwnAct("1i0cvu4c", "events/info", "Hello", NOW)
    assert KIND.origin(read, [ours]) == "self"
    assert KIND.origin(read, []) == "operator"
    for other in (
        base.OwnAct("other", "events/info", "Hello", NOW),
        base.OwnAct("1i0cvu4c", "events/info", "Bye", NOW),
        base.OwnAct("1i0cvu4c", "set_status", "Hello", NOW),
    ):
        assert KIND.origin(read, [other]) == "operator"


# ── logins ───────────────────────────────────────────────────────────────────────────────────────


def test_both_logins():
    request = KIND.login(FEED, NOW)
    assert request is not None
    assert (request.method, request.url) == ("POST", "https://c.example/x/api/v2/account/token/")
    assert json.loads(request.body or b"") == {"email": "a@b.example", "password": "hush"}
    grant = KIND.grant(FEED, b'{"access": "A", "refresh": "R", "user": {}}', NOW)
    assert (grant.value, grant.refresh) == ("Bearer A", "R")
    assert grant.expires_at == NOW + timedelta(hours=1)
    renewal = KIND.login(FEED, NOW, grant)
    assert renewal is not None
    assert renewal.url == "https://c.example/x/api/v2/account/token/refresh/"
    assert json.loads(renewal.body or b"") == {"refresh": "R"}
    assert KIND.grant(FEED, b'{"access": "B"}', NOW, grant).refresh == "R"

    first = FEED.model_copy(update={"login": "v1"})
    request = KIND.login(first, NOW)
    assert request is not None
    assert request.url == "https://c.example/x/api/account/token/"
    grant = KIND.grant(first, b'{"token": "T", "user": {}}', NOW)
    assert (grant.value, grant.expires_at) == ("JWT T", NOW + timedelta(hours=24))
    with pytest.raises(errors.SenderFault, match=r"has no access; is `login` \(v2\) right"):
        KIND.grant(FEED, b'{"token": "T"}', NOW)
    for answer in (b"{}", b'{"access": "a\\nb"}', b'{"access": ""}', b"<html>"):
        with pytest.raises(errors.SenderFault):
            KIND.grant(FEED, answer, NOW)


def test_one_event_is_asked_for_by_its_id():
    request = KIND.entry_request(FEED, "event", "3cpkp1f1", feeding.GRANT)
    assert request.url == "https://c.example/x/api/events/3cpkp1f1/"
    body = arrivals.shared("examples/covage/sample04.json")
    entry = KIND.read_entry(FEED, body, "event", "3cpkp1f1")
    assert json.loads(entry.body) == json.loads(body)
    with pytest.raises(errors.SenderFault):
        KIND.read_entry(FEED, b"[]", "event", "x")
    with pytest.raises(errors.InvalidParameter):
        KIND.entry_request(FEED, "order", "x", feeding.GRANT)


def test_the_kind_tells_what_it_is():
    assert (KIND.name, KIND.channel) == ("covage", Channel.PULL)
    assert KIND.title
    assert KIND.follow_ups(FEED, None) == ()
    assert KIND.refused(FEED, {"after": ["a", "b"]}, 404) is None
    assert KIND.personal(b"{}") == {}

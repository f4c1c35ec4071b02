"""Covage: seed 002's own requests, its types, pages, logins, messages and files."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime

import pytest

from app import sandbox
from app.sandbox import covage_events
from tests.sandbox import serving
from tests.sandbox.forms import form

SEED_EVENT = {
    "model": "text",
    "creation_date": "text",
    "modification_date": "text",
    "event_uuid": "text",
    "type": "text",
    "object_type": "text",
    "object_uuid": "text",
    "event_date": "text",
    "data": "null",
}
SEED_LISTED = {**SEED_EVENT, "sort_value": "text"}
NEW_LISTED = {**SEED_LISTED, "object_alias": "text", "data": {}}
del NEW_LISTED["model"]
ZONELESS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ASCENDING = {"sort": "creation_date", "direction": "asc"}


def holds(sort_value: str) -> str:
    (held,) = json.loads(base64.b64decode(sort_value))
    return held


def moment(shown: str) -> datetime:
    return datetime.fromisoformat(shown).replace(tzinfo=None)


def everything(served, size=100, **further):
    """All events by ascending creation, page by page with the sort value of the last."""
    events, after = [], {}
    while page := served.covage(
        "/api/events/", params={**ASCENDING, "size": size, **after, **further}
    ).json():
        events += page
        after = {"after": page[-1]["sort_value"]}
    return events


@pytest.fixture(scope="module")
def old():
    with serving.sandbox(covage=sandbox.Covage(shape="old")) as served:
        yield served


# --- the seed's requests -------------------------------------------------------------------------


def test_the_seeds_list_by_event_date(old):
    answer = old.covage("/api/events/?sort=event_date&direction=asc&size=2")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    events = answer.json()
    assert len(events) == 2
    for each in events:
        assert form({**each, "data": None}) == SEED_LISTED
        assert each["model"] == "event"
        assert re.fullmatch("[0-9a-z]{8}", each["event_uuid"])
        assert re.fullmatch(f"[0-9a-z]{{8}}|{UUID}", each["object_uuid"])
        for name in ("creation_date", "modification_date", "event_date"):
            assert re.fullmatch(ZONELESS, each[name])
        assert holds(each["sort_value"]) == each["event_date"]
    assert events[0]["event_date"] < events[1]["event_date"]


def test_the_seeds_list_of_one_object_is_by_falling_creation(old):
    order = old.covage("/api/events/?object_type=order&size=1").json()[0]["object_uuid"]
    answer = old.covage(f"/api/events/?object_type=order&object_uuid={order}&limit=2")
    events = answer.json()
    assert len(events) == 2
    assert {(each["object_type"], each["object_uuid"]) for each in events} == {("order", order)}
    assert events[0]["creation_date"] > events[1]["creation_date"]
    for each in events:
        assert holds(each["sort_value"]) == each["creation_date"]


def test_the_seeds_single_event(old):
    listed = next(each for each in everything(old) if each["type"] == "order-running")
    sort_value = listed.pop("sort_value")
    answer = old.covage(f"/api/events/{listed['event_uuid']}/")
    assert form(answer.json()) == SEED_EVENT
    assert answer.json() == listed
    assert sort_value
    assert old.covage("/api/events/none/").status_code == 404


def test_without_a_sort_events_come_by_falling_event_date(old):
    dates = [each["event_date"] for each in old.covage("/api/events/?size=200").json()]
    assert len(dates) > 100
    assert sorted(dates, reverse=True) == dates


def test_following_the_last_sort_value_by_creation_gives_every_event_once(old):
    published = [each["event_uuid"] for each in old.control("covage/events")]
    for size in (1, 7, 1000):
        assert [each["event_uuid"] for each in everything(old, size)] == published
    assert len(set(published)) == len(published)


def test_following_by_event_date_gives_every_event_too(old):
    events, after = [], {}
    while page := old.covage(
        "/api/events/", params={"sort": "event_date", "direction": "desc", "size": 50, **after}
    ).json():
        events += [each["event_uuid"] for each in page]
        after = {"after": page[-1]["sort_value"]}
    assert set(events) == {each["event_uuid"] for each in old.control("covage/events")}


def test_falling_creation_goes_back_from_a_sort_value(old):
    events = everything(old)
    params = {"sort": "creation_date", "size": 5, "after": events[20]["sort_value"]}
    page = old.covage("/api/events/", params=params).json()
    assert page == events[19:14:-1]


def test_a_list_of_services_has_services_only(old):
    events = everything(old, object_type="service")
    assert {each["type"].partition("-")[0] for each in events} == {"service"}


@pytest.mark.parametrize(
    "query", ["sort=type", "direction=up", "size=0", "size=x", "after=x", "after=WzFd"]
)
def test_a_parameter_without_a_meaning_is_400_in_covages_form(old, query):
    answer = old.covage(f"/api/events/?{query}")
    assert answer.status_code == 400
    assert form(answer.json()) == {"error": "text", "details": "null", "apirequest_uuid": "text"}
    assert answer.json()["apirequest_uuid"].startswith("KOSC_")


def test_a_page_is_never_longer_than_the_limit():
    with serving.sandbox(covage=sandbox.Covage(page_size=3, page_limit=10)) as served:
        assert len(served.covage("/api/events/").json()) == 3
        assert len(served.covage("/api/events/?size=5000").json()) == 10


# --- both shapes, all types ----------------------------------------------------------------------


def test_the_new_shape_has_an_alias_and_a_zone():
    with serving.sandbox(covage=sandbox.Covage(shape="new")) as served:
        for each in everything(served):
            assert form({**each, "data": {}}) == NEW_LISTED
            assert re.fullmatch(UUID, each["event_uuid"])
            assert re.fullmatch(UUID, each["object_uuid"])
            assert each["data"] is not None
            assert re.fullmatch(r"[OS]\d{6}_\d{5}", each["object_alias"])
            assert re.fullmatch(f"{ZONELESS}Z", each["event_date"])


def test_both_shapes_may_come_in_one_list(calm):
    assert {"model" in each for each in everything(calm)} == {True, False}


def test_zoneless_times_are_those_of_paris(calm):
    new = next(each for each in everything(calm) if "model" not in each)
    olds = [each for each in everything(calm) if "model" in each]
    first = moment(olds[0]["creation_date"])
    assert first == datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001 - zoneless is what it is
    assert new["creation_date"] == "2026-03-02T08:01:00.000000Z"


TEXT = {"message": "text"}
ENDPOINT = {"type": "text", "identifier": "text"}
DATA = {
    "order-submitted": {"kosc_order_ref": "text"},
    "order-completed": {
        "endpoints": [ENDPOINT],
        "service_uuid": "text",
        "service_alias": "text",
    },
    "order-on-site-intervention-succeeded": TEXT,
    "order-on-site-intervention-failed": TEXT,
    "order-appointment-deferred": TEXT,
    "order-rejected": {
        "reject_reason": "text",
        "reject_code": "text",
        "reject_subcode": "text",
        "reject_description": "null",
    },
    "order-cancelled": {"reason": "text"},
    "order-localloop-desaturation-planned": {"desaturation_type": "text"},
    "order-info": TEXT,
    "order-information-from-provider": {"message": "text", "description": "text"},
    "CRI": {"fichier 1": "text"},
}
TYPES = [
    "order-submitted", "order-dropped", "order-acknowledged", "order-running",
    "order-rejected", "order-localloop-saturation", "order-network-saturation",
    "order-localloop-desaturation-planned", "order-network-desaturation-planned",
    "order-localloop-desaturation-quote-emitted",
    "order-localloop-desaturation-quote-accepted", "order-requalified",
    "order-appointment-confirmed", "order-appointment-declined", "order-appointment-missed",
    "order-appointment-agreed", "order-appointment-deferred", "order-sensibleaccess",
    "order-sensibleaccess-orderconfirmed", "order-delayed", "order-delayed-orderconfirmed",
    "order-information-from-provider", "order-on-site-intervention-succeeded",
    "order-on-site-intervention-failed", "order-cancelled", "order-info", "order-completed",
    "CRI", "service-activated", "service-terminated", "service-modified", "service-slammed",
    "service-updated", "service-info",
]  # fmt: skip


def test_all_34_types_of_the_seed_come_with_the_seeds_data():
    shapes = [sandbox.Covage(shape=shape) for shape in ("old", "new")]
    assert len(set(TYPES)) == 34
    for chosen, empty in zip(shapes, ["null", {}], strict=True):
        with serving.sandbox(covage=chosen) as served:
            events = everything(served)
        assert {each["type"] for each in events} == set(TYPES)
        for each in events:
            if each["type"] == "order-appointment-agreed":
                assert each["data"].keys() == {"start_date", "end_date"}
                continue
            assert form(each["data"]) == DATA.get(each["type"], empty), each["type"]


def test_an_appointment_has_an_end_or_none_on_fibre(calm):
    ends = [e["data"]["end_date"] for e in everything(calm) if e["type"].endswith("agreed")]
    assert {end is None for end in ends} == {True, False}


def test_events_of_an_order_and_of_its_service_name_each_other(calm):
    events = everything(calm)
    made = {e["data"]["service_uuid"] for e in events if e["type"] == "order-completed"}
    activated = {e["object_uuid"] for e in events if e["type"] == "service-activated"}
    assert activated <= made


def test_an_ambiguous_hour_does_not_stop_the_list():
    night = datetime.fromisoformat("2026-10-25T00:20:00+00:00")
    limits = {"covage": sandbox.Limit(events=80)}
    with serving.sandbox(starts_at=night, limits=limits, every=600.0) as served:
        events = everything(served, size=3)
        assert len({each["event_uuid"] for each in events}) == len(events) == 80


# --- logins --------------------------------------------------------------------------------------


def test_the_first_login_gives_a_token_of_scheme_jwt(calm):
    told = calm.login(path="/api/account/token/")
    assert form(told) == {"token": "text", "user": {"email": "text", "groups": ["text"]}}
    url = f"{calm.url}/covage/api/events/"
    assert (
        calm.client.get(url, headers={"Authorization": f"JWT {told['token']}"}).status_code == 200
    )
    assert (
        calm.client.get(url, headers={"Authorization": f"Bearer {told['token']}"}).status_code
        == 401
    )
    again = calm.client.post("/covage/api/account/token/refresh/", json={"token": told["token"]})
    assert again.json()["token"] != told["token"]


def test_the_second_login_gives_access_for_an_hour_and_a_refresh_for_twelve():
    with serving.sandbox() as served:
        told = served.login()
        assert form(told) == {
            "access": "text",
            "refresh": "text",
            "user": {"email": "text", "groups": ["text"]},
        }
        url = f"{served.url}/covage/api/events/"
        headers = {"Authorization": f"Bearer {told['access']}"}
        assert served.client.get(url, headers=headers).status_code == 200
        served.advance(clock=3601)
        assert served.client.get(url, headers=headers).status_code == 401
        refresh = "/covage/api/v2/account/token/refresh/"
        fresh = served.client.post(refresh, json={"refresh": told["refresh"]}).json()
        headers = {"Authorization": f"Bearer {fresh['access']}"}
        assert served.client.get(url, headers=headers).status_code == 200
        served.advance(clock=12 * 3600)
        again = served.client.post(refresh, json={"refresh": told["refresh"]})
        assert again.status_code == 401


@pytest.mark.parametrize("path", ["/api/account/token/", "/api/v2/account/token/"])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"email": "sandbox", "password": "no"}', b'{"email": 1, "password": 2}']
)
def test_a_wrong_login_is_401(calm, path, body):
    assert calm.client.post(f"/covage{path}", content=body).status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer a.b.c", "Basic c2FuZGJveDpzYW5kYm94"])
def test_no_token_no_events(calm, header):
    answer = calm.client.get("/covage/api/events/", headers={"Authorization": header})
    assert answer.status_code == 401
    assert form(answer.json()) == {"error": "text", "details": "null", "apirequest_uuid": "text"}


# --- reports -------------------------------------------------------------------------------------


def report(served) -> str:
    events = everything(served)
    return next(each["data"]["fichier 1"] for each in events if each["type"] == "CRI")


def test_a_reports_link_differs_at_every_read_but_for_its_token(calm):
    first, second = report(calm), report(calm)
    assert first != second
    assert first.partition("?se=")[0] == second.partition("?se=")[0]
    assert re.fullmatch(rf"{calm.url}/covage/pvi/O\d+_\d+/W\d+_\d+/Public/\w+\.pdf\?se=\S+", first)
    for link in (first, second):
        answer = calm.client.get(link)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
        assert answer.content.startswith(b"%PDF-")


def test_a_reports_link_dies_after_30_minutes():
    with serving.sandbox() as served:
        link = report(served)
        served.advance(clock=1790)
        assert served.client.get(link).status_code == 200
        served.advance(clock=20)
        answer = served.client.get(link)
        assert (answer.status_code, b"AuthenticationFailed" in answer.content) == (403, True)


def test_a_link_with_another_token_or_none_is_refused(calm):
    link = report(calm)
    for spoilt in (link[:-1], link.partition("?")[0], link.replace("se=", "se=x")):
        assert calm.client.get(spoilt).status_code == 403


def test_the_journal_has_links_without_tokens(calm):
    told = calm.control("covage/events")
    links = [each["data"]["fichier 1"] for each in told if each["type"] == "CRI"]
    assert links
    assert all(link.endswith(".pdf") for link in links)


# --- messages ------------------------------------------------------------------------------------


def order_of(served) -> str:
    return served.covage("/api/events/?object_type=order&size=1").json()[0]["object_uuid"]


@pytest.mark.parametrize(
    "message",
    [{"message": "Hello there"}, {"message": "You fix your problem", "stop_deferred": True}],
)
def test_a_message_becomes_an_event_and_is_counted(message):
    with serving.sandbox() as served:
        order = order_of(served)
        answer = served.covage(f"/api/v2/orders/{order}/events/info", "POST", json=message)
        assert answer.status_code == 201
        event = answer.json()
        assert (event["type"], event["object_uuid"], event["data"]) == (
            "order-info",
            order,
            message,
        )
        newest = everything(served)[-1]
        assert newest["event_uuid"] == event["event_uuid"]
        assert served.control("covage/executions") == [
            {"call": "events/info", "about": order, "arguments": message, "count": 1}
        ]


def test_a_second_message_within_five_minutes_is_throttled():
    with serving.sandbox() as served:
        path = f"/api/v2/orders/{order_of(served)}/events/info"
        told = {"message": "Hello there"}
        assert served.covage(path, "POST", json=told).status_code == 201
        throttled = served.covage(path, "POST", json=told)
        assert throttled.status_code == 429
        assert 290 <= int(throttled.headers["Retry-After"]) <= 300
        served.advance(clock=301)
        assert served.covage(path, "POST", json=told).status_code == 201
        assert [each["count"] for each in served.control("covage/executions")] == [2]


def test_only_admins_and_deliverers_send_messages():
    with serving.sandbox() as served:
        path = f"/api/v2/orders/{order_of(served)}/events/info"
        served._token = served.login("reader")["access"]
        assert served.covage("/api/events/").status_code == 200
        assert served.covage(path, "POST", json={"message": "x"}).status_code == 403
        assert served.control("covage/executions") == []


@pytest.mark.parametrize(
    ("order", "body", "status"),
    [
        ("none", {"message": "x"}, 404),
        (None, {}, 400),
        (None, {"message": 1}, 400),
        (None, {"message": "x", "stop_deferred": "yes"}, 400),
        (None, [], 400),
    ],
)
def test_a_message_that_cannot_be_sent_is_not(calm, order, body, status):
    path = f"/api/v2/orders/{order or order_of(calm)}/events/info"
    assert calm.covage(path, "POST", json=body).status_code == status


def test_every_step_has_one_type():
    assert sorted(covage_events.TYPES.values()) == sorted(TYPES)

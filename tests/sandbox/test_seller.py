"""The seller: its hubs, what it pushes, how it tries again."""

from __future__ import annotations

import pytest

from app import sandbox
from app.sandbox import notices
from tests.sandbox import serving
from tests.sandbox.forms import form
from tests.sandbox.test_faults import settled

ONAP_HUB = "/seller/nbi/api/v4/hub"
TMF_HUBS = {
    "tmf622_2015": "/seller/hub",
    "tmf622_v4": "/seller/tmf-api/productOrderingManagement/v4/hub",
    "tmf622_v5": "/seller/tmf-api/productOrderingManagement/v5/hub",
}
CALLBACK = {"callback": "http://127.0.0.1:9/listener", "query": "eventType = A"}


# --- hubs ----------------------------------------------------------------------------------------


@pytest.fixture
def served():
    with serving.sandbox(pace="manual") as made:
        yield made


def test_onaps_hub_registers_lists_shows_and_deletes(served):
    made = served.client.post(ONAP_HUB, json=CALLBACK)
    assert made.status_code == 201
    hub = made.json()
    assert hub == {"id": hub["id"], **CALLBACK, "ewId": None, "ewHost": None}
    where = made.headers["Location"]
    assert where == f"{ONAP_HUB}/{hub['id']}"
    listed = served.client.get(ONAP_HUB)
    assert listed.json() == [hub]
    assert (listed.headers["X-Total-Count"], listed.headers["X-Result-Count"]) == ("1", "1")
    assert served.client.get(where).json() == hub
    assert served.client.delete(where).status_code == 204
    assert served.client.get(where).status_code == 404
    assert served.client.delete(where).status_code == 404
    assert served.client.get(ONAP_HUB).json() == []
    calls = [(each["call"], each["count"]) for each in served.control("seller/executions")]
    assert calls == [("register", 1), ("unregister", 1)]


def test_the_same_callback_again_is_400_at_onaps_hub(served):
    served.client.post(ONAP_HUB, json=CALLBACK)
    again = served.client.post(ONAP_HUB, json=CALLBACK)
    assert again.status_code == 400
    assert again.json().keys() >= {"code", "message", "description", "infoURL"}
    other = {**CALLBACK, "query": "eventType = B"}
    assert served.client.post(ONAP_HUB, json=other).status_code == 201
    assert [each["count"] for each in served.control("seller/executions")] == [1, 1]


@pytest.mark.parametrize("style", TMF_HUBS)
def test_a_tmf_hub_registers_refuses_a_duplicate_by_409_and_deletes(served, style):
    path = TMF_HUBS[style]
    made = served.client.post(path, json=CALLBACK)
    expected = {"id": "text", "callback": "text", "query": "text"}
    if style == "tmf622_v5":
        expected["@type"] = "text"
    assert (made.status_code, form(made.json())) == (201, expected)
    assert served.client.post(path, json=CALLBACK).status_code == 409
    where = made.headers["Location"]
    assert served.client.delete(where).status_code == 204
    assert served.client.post(path, json=CALLBACK).status_code == 201


def test_hubs_do_not_see_each_others_subscriptions(served):
    made = served.client.post(ONAP_HUB, json=CALLBACK).json()
    for path in TMF_HUBS.values():
        assert served.client.get(f"{path}/{made['id']}").status_code == 404
        assert served.client.post(path, json=CALLBACK).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"callback": 7},
        {"callback": "ftp://127.0.0.1/"},
        {"callback": "http://example.org/"},
        {"callback": "http://[::1/"},
        {"callback": "http://127.0.0.1/", "query": 7},
    ],
    ids=str,
)
def test_a_callback_it_will_not_push_to_is_refused(served, body):
    answer = served.client.post(ONAP_HUB, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "400")
    assert served.control("seller/executions") == []


# --- pushes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["onap", *TMF_HUBS])
def test_a_registered_callback_is_told_what_happens_from_then_on_in_the_hubs_style(style):
    receiver = serving.Receiver()
    chosen = sandbox.Seller(styles=(style,))
    with serving.serving(receiver) as url, serving.sandbox(pace="manual", seller=chosen) as served:
        served.advance(scenario=600)
        before = served.control("seller/events")
        assert before
        path = ONAP_HUB if style == "onap" else TMF_HUBS[style]
        served.client.post(path, json={"callback": f"{url}/told/here", "query": None})
        served.advance(scenario=7200)
        published = served.control("seller/events")[len(before) :]
        assert published
        assert receiver.wait(len(published)) == [each["body"] for each in published]
        assert {path for path, _, _ in receiver.pushes} == {"/told/here"}
        assert {headers["content-type"] for _, headers, _ in receiver.pushes} == {
            "application/json;charset=utf-8"
        }


def test_a_query_chooses_what_a_callback_is_told():
    receiver = serving.Receiver()
    wanted = "ServiceOrderStateChangeNotification"
    query = f"eventType = {wanted}, SomethingElse"
    with serving.serving(receiver) as url, serving.sandbox(pace="manual") as served:
        served.client.post(ONAP_HUB, json={"callback": url, "query": query})
        served.advance(scenario=86400 * 30)
        told = settled(served, 1)
        bodies = receiver.wait(told["delivered"])
        assert {each["eventType"] for each in bodies} == {wanted}
        assert {each["event"]["state"] for each in bodies} == {"completed", "failed"}


def test_an_unregistered_callback_is_told_no_more():
    receiver = serving.Receiver()
    with serving.serving(receiver) as url, serving.sandbox(pace="manual") as served:
        made = served.client.post(ONAP_HUB, json={"callback": url}).headers["Location"]
        served.client.delete(made)
        served.client.post(TMF_HUBS["tmf622_2015"], json={"callback": url})
        served.advance(scenario=7200)
        settled(served, 1)
        assert not [each for each in receiver.wait(1) if "eventDate" in each]


def test_a_target_is_told_everything_with_its_headers():
    receiver = serving.Receiver()
    with serving.serving(receiver) as url:
        target = sandbox.Target(f"{url}/listener", {"Authorization": "Bearer abc"})
        with serving.sandbox(seller=sandbox.Seller(targets=(target,))) as served:
            published = [each["body"] for each in served.control("seller/events")]
            assert receiver.wait(len(published)) == published
            told = settled(served, len(published))
    assert {headers["authorization"] for _, headers, _ in receiver.pushes} == {"Bearer abc"}
    assert told["delivered"] == told["attempts"] == len(published)
    assert (told["dropped"], told["statuses"]) == (0, {"201": len(published)})


def pushing(url, **chosen):
    target = sandbox.Target(url, styles=("onap",))
    return sandbox.Seller(targets=(target,), styles=("onap",), backoff=0.001, **chosen)


def test_a_push_nobody_took_is_sent_again_in_order():
    receiver = serving.Receiver(answer=lambda n: 201 if n % 2 == 0 else 503)
    limit = sandbox.Limit(events=8)
    with (
        serving.serving(receiver) as url,
        serving.sandbox(seller=pushing(url), limits={"seller": limit}) as served,
    ):
        bodies = receiver.wait(16)
        told = settled(served, 8)
        published = [each["body"] for each in served.control("seller/events")]
    assert bodies[::2] == bodies[1::2] == published
    assert told["statuses"] == {"503": 8, "201": 8}


@pytest.mark.parametrize("attempts", [1, 4])
def test_a_push_that_fails_every_time_is_dropped_and_counted(attempts):
    receiver = serving.Receiver(answer=lambda _: 400)
    limit = sandbox.Limit(events=3)
    with serving.serving(receiver) as url:
        chosen = pushing(url, attempts=attempts)
        with serving.sandbox(seller=chosen, limits={"seller": limit}) as served:
            told = settled(served, 3)
            published = [each["body"] for each in served.control("seller/events")]
    assert (told["delivered"], told["dropped"], told["attempts"]) == (0, 3, 3 * attempts)
    assert told["dropped_ids"] == [each["eventId"] for each in published]


def test_where_nobody_listens_is_no_answer():
    chosen = pushing("http://127.0.0.1:9/", attempts=2)
    with serving.sandbox(seller=chosen, limits={"seller": sandbox.Limit(events=2)}) as served:
        assert settled(served, 2)["statuses"] == {"none": 4}


# --- bodies --------------------------------------------------------------------------------------

ORDER_2015 = {"id": "text", "href": "text", "externalID": "text"}
ENVELOPE_2015 = {"eventId": "text", "eventTime": "text", "eventType": "text"}
CHARACTERISTICS = {"productCharacteristic": [{"name": "text", "value": "text"}]}
SEED_2015 = {
    "orderRemoveNotification": {**ENVELOPE_2015, "event": {"productOrder": ORDER_2015}},
    "orderStateChangeNotification": {
        **ENVELOPE_2015,
        "event": {"productOrder": {**ORDER_2015, "state": "text"}},
    },
    "orderValueChangeNotification": {
        **ENVELOPE_2015,
        "event": {
            "productOrder": {
                **ORDER_2015,
                "orderItem": [{"id": "text", "product": CHARACTERISTICS}],
            }
        },
    },
    "orderInformationRequiredNotification": {
        **ENVELOPE_2015,
        "resourcePath": "text",
        "fieldPath": "text",
        "event": {"productOrder": ORDER_2015},
    },
}
CREATED_2015 = [
    "id", "href", "externalId", "priority", "description", "category", "state", "orderDate",
    "requestedStartDate", "requestedCompletionDate", "expectedCompletionDate",
    "notificationContact", "note", "relatedParty", "orderItem",
]  # fmt: skip


def bodies(calm, style):
    return [each["body"] for each in calm.control("seller/events") if each["style"] == style]


def test_seed_003s_five_notifications_come_in_the_seeds_form(calm):
    seen = set()
    for body in bodies(calm, "tmf622_2015"):
        kind = body["eventType"]
        seen.add(kind)
        order = body["event"]["productOrder"]
        if kind == "orderCreationNotification":
            assert list(order) == CREATED_2015
            assert order["orderItem"][0].keys() >= {"id", "action", "state", "product"}
            continue
        assert form(body) == SEED_2015[kind]
        assert order["id"].startswith(" "), "as in the seed"
    assert seen == set(notices.NAMES["tmf622_2015"].values())


def test_what_is_missing_is_named_as_in_the_seed(calm):
    asked = [each for each in bodies(calm, "tmf622_2015") if "fieldPath" in each]
    for body in asked:
        order = body["event"]["productOrder"]["id"].strip()
        assert body["resourcePath"] == f"/order/{order} "
        assert body["fieldPath"].startswith("missing=")


ONAP_ORDER = ["id", "href", "externalId", "state", "orderDate", "completionDateTime", "orderItem"]
ONAP_ITEM = [
    "id", "action", "state", "percentProgress", "@type", "@schemaLocation", "@baseType",
    "orderItemRelationship", "service", "orderMessage", "orderItemMessage",
]  # fmt: skip


def test_onaps_three_notifications_are_flat_with_nulls(calm):
    told = bodies(calm, "onap")
    assert {each["eventType"] for each in told} == set(notices.NAMES["onap"].values())
    for body in told:
        assert list(body) == ["eventId", "eventDate", "eventType", "event"]
        assert list(body["event"]) == ONAP_ORDER
        (item,) = body["event"]["orderItem"]
        assert list(item) == ONAP_ITEM
        assert isinstance(item["percentProgress"], str)
        assert body["event"]["href"] == f"serviceOrder/{body['event']['id']}"
        ended = body["event"]["state"] == "completed"
        assert (body["event"]["completionDateTime"] is not None) == ended


def test_onap_announces_only_the_ends_of_an_order_and_leaks_inner_states_of_items(calm):
    told = bodies(calm, "onap")
    states = {
        e["event"]["state"] for e in told if e["eventType"].endswith("OrderStateChangeNotification")
    }
    assert states == {"completed", "failed"}
    items = {e["event"]["orderItem"][0]["state"] for e in told}
    assert "inProgressTaskCreated" in items


def test_v4_and_v5_have_their_own_names_and_fields():
    chosen = sandbox.Seller(styles=("tmf622_v4", "tmf622_v5"))
    with serving.sandbox(seller=chosen) as served:
        v4, v5 = bodies(served, "tmf622_v4"), bodies(served, "tmf622_v5")
    names = set(notices.NAMES["tmf622_v4"].values())
    assert {each["eventType"] for each in v4} == {each["@type"] for each in v5} == names
    asked = next(each for each in v5 if "informationRequired" in each["event"])
    assert form(asked["event"]["informationRequired"]) == {"op": "text", "path": "text"}
    assert any("fieldPath" in each for each in v4)


def test_event_ids_are_unique_and_their_own_for_each_seed(calm):
    ids = [each["eventId"] for style in ("tmf622_2015", "onap") for each in bodies(calm, style)]
    assert len(set(ids)) == len(ids)
    with serving.sandbox(seed=8) as served:
        others = [each["eventId"] for each in bodies(served, "tmf622_2015")]
    assert not set(ids) & set(others)

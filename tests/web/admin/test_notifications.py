"""`/admin/notifications`: what is told of the log, and what may be asked of it."""

import base64
import json
import re
from datetime import UTC, datetime

import pytest
import sqlalchemy

from app.store import personal
from app.web.admin import notifications
from tests.web import inside

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

# after seed 003, orderStateChangeNotification
SENT = {
    "eventId": "00001",
    "eventTime": "2013-04-19T16:42:25-04:00",
    "eventType": "orderStateChangeNotification",
    "event": {
        "productOrder": {
            "id": "42",
            "href": "http://serverlocation:port/orderManagement/productOrder/42",
            "externalID": "OrangeOrder789",
            "state": "InProgress",
            "orderDate": "2013-04-19T16:42:23.0Z",
            "orderItem": [{"id": "1", "action": "add", "state": "InProgress"}],
        }
    },
}
# DESIGN §5 without summary and raw; §12: conflict, sightings
TOLD = {
    "source": "local",
    "channel": "push",
    "flavour": "tmf622_2015",
    "event_id": "00001",
    "event_type": "orderStateChangeNotification",
    "kind": "state_changed",
    "resource_type": "productOrder",
    "order_id": "42",
    "about_order_id": None,
    "href": "http://serverlocation:port/orderManagement/productOrder/42",
    "external_id": "OrangeOrder789",
    "items": [{"id": "1", "action": "add", "state": "inProgress", "raw_state": "InProgress"}],
    "service_id": None,
    "access_id": None,
    "refs": {},
    "state": "inProgress",
    "raw_state": "InProgress",
    "attention": None,
    "origin": "operator",
    "occurred_at": "2013-04-19T20:42:25.000000Z",
    "occurred_at_raw": "2013-04-19T16:42:25-04:00",
    "principal": "jwt:local",
    "remote_addr": "127.0.0.1",
    "backfill": False,
    "appointment": None,
    "attention_clears": False,
    "conflict_of": None,
    "warnings": ["field_alias"],
    "content_type": "application/json;charset=utf-8",
    "conflict": False,
    "sightings": 0,
}
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}


async def test_a_list_tells_every_field_of_a_notification_and_no_other(door):
    await door.taken(SENT)
    answer = await door.get("/admin/notifications")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers.items() >= HEADERS.items()
    (told,) = answer.json()["items"]
    assert answer.json()["next"] is None
    assert UUID.fullmatch(told.pop("id"))
    assert MOMENT.fullmatch(told.pop("received_at"))
    assert told.pop("seq") >= 1
    assert told == TOLD


async def test_one_adds_its_summary_its_bytes_and_who_sent_it_again(door):
    body = (
        b'{"eventId": "1", "eventDate": "2026-03-02T09:15:00Z",\n "eventType":'
        b'"ServiceOrderStateChangeNotification", "event": {"id": "SO-1", "state": "held"}}'
    )
    await door.taken(body, body, body)
    (listed,) = await door.items("/admin/notifications")
    answer = await door.get(f"/admin/notifications/{listed['id']}")
    assert answer.headers.items() >= HEADERS.items()
    told = answer.json()
    again = told.pop("sightings_list")
    first, last = told.pop("first_seen_at"), told.pop("last_seen_at")
    more = {"summary": {}, "raw": body.decode(), "raw_encoding": "utf-8", "payload_gone_at": None}
    assert told == listed | more
    assert listed["sightings"] == 2
    assert [sorted(one) for one in again] == [["principal", "received_at", "remote_addr"]] * 2
    assert {one["principal"] for one in again} == {"jwt:local"}
    assert first == listed["received_at"] < last == again[-1]["received_at"]


async def test_what_is_no_text_is_told_as_base64_and_given_out_as_it_came(door):
    row = await door.refused(b'{"eventId": "\xff"}')
    assert (await door.act(f"/admin/quarantine/{row}/release", {"force": True})).is_success
    (listed,) = await door.items("/admin/notifications")
    told = (await door.get(f"/admin/notifications/{listed['id']}")).json()
    assert told["raw_encoding"] == "base64"
    assert base64.b64decode(told["raw"]) == b'{"eventId": "\xff"}'
    raw = await door.get(f"/admin/notifications/{listed['id']}/raw")
    assert raw.content == b'{"eventId": "\xff"}'


async def test_bytes_that_were_erased_are_gone(door):
    await door.taken(json.dumps(SENT).encode())
    (listed,) = await door.items("/admin/notifications")
    now = datetime.now(UTC)
    await door.runtime.write(lambda c: personal.erase(c, "local", "42", by="cli:ops", at=now))
    told = (await door.get(f"/admin/notifications/{listed['id']}")).json()
    assert (told["raw"], told["raw_encoding"]) == (None, None)
    raw = await door.get(f"/admin/notifications/{listed['id']}/raw")
    assert (raw.status_code, raw.json()["code"]) == (410, 70)


@pytest.mark.parametrize(
    ("sent", "given"),
    [
        ("application/json;charset=utf-8", "application/json;charset=utf-8"),
        ("application/merge-patch+json", "application/merge-patch+json"),
        ("application/json; profile=<script>", "application/octet-stream"),
    ],
)
async def test_the_exact_bytes_are_given_out_as_nothing_a_browser_would_run(door, sent, given):
    body = (
        b'{"eventId":"1",  "eventTime":"2026-03-02T09:15:00Z","eventType":'
        b'"orderRemoveNotification","event":{"productOrder":{"note":"<script>"}}}'
    )
    assert (await door.send(body, content_type=sent)).status_code == 201
    (listed,) = await door.items("/admin/notifications")
    raw = await door.get(f"/admin/notifications/{listed['id']}/raw")
    assert raw.content == body
    assert raw.headers["content-type"] == given
    assert raw.headers["content-disposition"] == f'attachment; filename="{listed["id"]}.json"'
    assert raw.headers.items() >= HEADERS.items()


@pytest.mark.parametrize(
    ("sent", "given"),
    [
        ("application/json", "application/json"),
        ('application/json; charset="UTF-8"', 'application/json; charset="UTF-8"'),
        ("application/cloudevents+json", "application/cloudevents+json"),
        ("text/plain", "text/plain"),
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/json\r\nX-Evil: 1", "application/octet-stream"),
        ("application/json, text/html", "application/octet-stream"),
        (None, "application/octet-stream"),
    ],
)
def test_only_a_harmless_content_type_is_given_back(sent, given):
    assert notifications.safe_type(sent) == given


async def test_what_retention_took_is_gone_and_the_rest_is_told_on(door):
    await door.taken(SENT)
    (listed,) = await door.items("/admin/notifications")
    with door.runtime.engine.begin() as connection:
        connection.execute(sqlalchemy.text("DELETE FROM payload"))
    raw = await door.get(f"/admin/notifications/{listed['id']}/raw")
    assert (raw.status_code, raw.json()["code"]) == (410, 70)
    told = (await door.get(f"/admin/notifications/{listed['id']}")).json()
    assert (told["raw"], told["raw_encoding"], told["summary"]) == (None, None, {})
    (after,) = await door.items("/admin/notifications")
    assert after == listed | {"content_type": None}


async def test_of_two_contents_of_one_event_the_later_is_marked(door):
    await door.taken(inside.state_change("1"), inside.state_change("1", state="Held"))
    later, first = await door.items("/admin/notifications?event_id=1")
    assert (first["conflict"], first["conflict_of"]) == (False, None)
    assert (later["conflict"], later["conflict_of"]) == (True, first["id"])


LOG = (
    inside.state_change("A", id="PO-1", externalId="X-1"),
    inside.state_change("B", id="PO-2", state="Held"),
    inside.state_change("A", id="PO-1", state="Held"),
    {
        "eventId": "C",
        "eventDate": "2026-03-02T09:15:00Z",
        "eventType": "ServiceOrderCreationNotification",
        "event": {"id": "SO-1", "state": "acknowledged", "externalId": "X-2"},
    },
    {
        "eventId": "D",
        "eventTime": "2026-03-02T09:15:00Z",
        "eventType": "orderInformationRequiredNotification",
        "resourcePath": "/order/PO-2",
        "fieldPath": "missing=address",
        "event": {"productOrder": {"id": "PO-2"}},
    },
)
ASKED = [  # of the log above and one more of another source, oldest first: which are shown
    ("", [0, 1, 2, 3, 4, 5]),
    ("source=local", [0, 1, 2, 3, 4]),
    ("source=choosy", [5]),
    ("source=nobody", []),
    ("kind=state_changed", [0, 1, 2]),
    ("kind=created", [3, 5]),
    ("kind=note", []),
    ("state=held", [1, 2]),
    ("state=acknowledged", [3]),
    ("order_id=PO-1", [0, 2]),
    ("order_id=po-1", []),
    ("event_id=A", [0, 2]),
    ("external_id=X-2", [3]),
    ("flavour=onap", [3, 5]),
    ("flavour=tmf622_2015", [0, 1, 2, 4]),
    ("channel=push", [0, 1, 2, 3, 4, 5]),
    ("channel=pull", []),
    ("attention=buyer_action", [4]),
    ("attention=alarm", []),
    ("conflict=true", [2]),
    ("conflict=false", [0, 1, 3, 4, 5]),
    ("q=PO-", [0, 1, 2, 4]),
    ("q=X-2", [3]),
    ("q=SO", []),  # too short to be the beginning of an id
    ("order_id=PO-1&state=held", [2]),
    ("kind=state_changed&conflict=false&q=PO-2", [1]),
]


async def test_a_filter_shows_what_it_asks_for_in_the_order_that_is_asked(door):
    await door.taken(*LOG)
    await door.taken({**LOG[3], "eventId": "E", "event": {}}, source="choosy")
    everything = [one["id"] for one in await door.items("/admin/notifications?order=asc")]
    for asked, expected in ASKED:
        shown = await door.items(f"/admin/notifications?order=asc&{asked}")
        assert [everything.index(one["id"]) for one in shown] == expected, asked
        backwards = await door.items(f"/admin/notifications?{asked}")
        assert backwards == shown[::-1], asked


async def test_the_log_is_told_in_the_order_it_was_committed(door):
    await door.taken(*LOG)
    told = await door.items("/admin/notifications?order=asc")
    assert [one["event_id"] for one in told] == ["A", "B", "A", "C", "D"]
    seqs = [one["seq"] for one in told]
    assert seqs == sorted(set(seqs))

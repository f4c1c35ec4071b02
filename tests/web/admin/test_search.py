"""`/admin/search`: a notification by whatever id somebody has in hand."""

import asyncio

import pytest

from app.store import indexing
from tests.web import inside

CANCEL = {
    "eventId": "ev-cancel",
    "eventTime": "2026-03-02T09:15:00Z",
    "eventType": "CancelProductOrderCreateEvent",
    "event": {"cancelProductOrder": {"id": "CPO-9", "productOrder": {"id": "PO-About"}}},
}
SERVICE = {
    "eventId": "ev-service",
    "eventDate": "2026-03-02T09:15:00Z",
    "eventType": "ServiceRemoveNotification",
    "event": {"id": "SVC-5"},
}
FOUND_BY = [
    ("PO-7001", "ev-order"),
    ("PO-70", "ev-order"),
    ("fibre-501", "ev-order"),
    ("ev-order", "ev-order"),
    ("CPO-9", "ev-cancel"),
    ("PO-About", "ev-cancel"),
    ("SVC-5", "ev-service"),
    ("ev-", "ev-cancel ev-order ev-service"),
    ("po-7001", ""),
    ("O-7001", ""),
    ("_O-7001", ""),
    ("%", ""),
    ("PO", ""),
    ("InProgress", ""),
]


@pytest.fixture
async def filled(door):
    """One order, one cancel task, one service."""
    order = inside.state_change("ev-order", id="PO-7001", externalId="fibre-501")
    await door.taken(order, CANCEL, SERVICE)
    return door


async def test_an_id_or_its_beginning_finds_what_bears_it(filled):
    for q, expected in FOUND_BY:
        shown = await filled.items(f"/admin/search?q={q.replace('%', '%25')}")
        assert sorted(one["event_id"] for one in shown) == expected.split(), q


async def test_words_of_messages_find_what_has_them_in_the_list_too(door):
    await door.taken(
        {
            "eventId": "ev-message",
            "eventDate": "2026-03-02T09:15:00Z",
            "eventType": "ServiceOrderStateChangeNotification",
            "event": {
                "id": "SO-1",
                "state": "held",
                "orderMessage": [{"messageInformation": "Tranchée bloquée"}],
            },
        },
        inside.state_change("ev-order"),
    )
    await asyncio.wrap_future(door.runtime.writer.run(lambda c: indexing.follow(c, 50)))
    for q in ("tranchee", "bloqu+tran"):
        for path in ("/admin/search?q=", "/admin/notifications?state=held&q="):
            assert [one["event_id"] for one in await door.items(path + q)] == ["ev-message"]
    assert await door.items("/admin/notifications?state=inProgress&q=tranchee") == []


async def test_bodies_and_what_tells_of_persons_find_nothing(door):
    told = {"note": [{"author": "Greta", "text": "Garbo"}], "relatedParty": [{"name": "Greta"}]}
    await door.taken(inside.state_change("ev-order", **told))
    await asyncio.wrap_future(door.runtime.writer.run(lambda c: indexing.follow(c, 50)))
    for q in ("greta", "garbo"):
        assert await door.items(f"/admin/search?q={q}") == []


async def test_our_own_id_finds_it_too_and_tells_the_same_as_the_list(filled):
    listed = await filled.items("/admin/notifications?event_id=ev-order")
    assert await filled.items(f"/admin/search?q={listed[0]['id']}") == listed


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        ("", 27, "q: is missing"),
        ("?q=", 28, "q"),
        ("?q=" + "x" * 256, 28, "q"),
        ("?q=a%00b", 28, "q"),
        ("?q=PO-1&source=local", 28, "source: is not known here"),
    ],
)
async def test_what_cannot_be_sought_is_told(shared, asked, code, told):
    answer = await shared.get(f"/admin/search{asked}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert told in answer.json()["message"]

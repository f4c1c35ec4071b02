"""`/admin/orders`: what became of each order, as a list and as a story."""

import asyncio
import time

import pytest

from tests.web import inside

DEADLINE = 20.0


def sent(order, state, clock, **more):
    """orderStateChangeNotification of `order` at `clock` (UTC) on 2 March 2026."""
    body = inside.state_change(id=order, state=state, **more)
    return {**body, "eventTime": f"2026-03-02T{clock}:00Z"}


async def listed(door, count, query=""):
    """The list, once it has as many orders as that."""
    ends = time.monotonic() + DEADLINE
    while len(found := await door.items(f"/admin/orders{query}")) < count:
        assert time.monotonic() < ends, found
        await asyncio.sleep(0.02)
    return found


async def test_an_order_is_listed_soon_after_its_first_notification(door):
    await door.taken(sent("o/1", "Held", "10:00", externalID="OUR-1"))
    (row,) = await listed(door, 1)
    assert len(row.pop("first_news_at")) == len(row.pop("last_news_at")) == 27
    assert row == {
        "source": "local",
        "resource_type": "productOrder",
        "order_id": "o/1",
        "place": 2,
        "state": "held",
        "raw_state": "Held",
        "final": False,
        "flags": ["late"],
        "open_attention": None,
        "attention": [],
        "appointment": None,
        "external_id": "OUR-1",
        "access_id": None,
        "service_id": None,
        "about_order_id": None,
        "occurred_at": "2026-03-02T10:00:00.000000Z",
        "state_since": "2026-03-02T10:00:00.000000Z",
        "news": 1,
        "folded_seq": 1,
    }


async def test_filters_and_pages_of_the_list(door):
    await door.taken(*(sent(f"o{n}", "Held", "10:00") for n in range(5)))
    await door.taken(sent("o1", "Completed", "11:00"))
    await listed(door, 1, "?state=completed")
    pages = [
        [row["order_id"] for row in page] async for page in door.pages("/admin/orders", limit=2)
    ]
    assert pages == [["o1", "o4"], ["o3", "o2"], ["o0"]]
    for query, expected in [
        ("?final=true", ["o1"]),
        ("?final=false&order=asc", ["o0", "o2", "o3", "o4"]),
        ("?q=o4", ["o4"]),
        ("?flag=late&order_id=o3", ["o3"]),
        ("?flag=removed", []),
        ("?attention=any", []),
        ("?attention=none&source=local", ["o1", "o4", "o3", "o2", "o0"]),
        ("?news_within=1h&state=completed", ["o1"]),
        ("?no_news_for=1h", []),
        ("?no_news_for=999999999w", []),
        ("?resource_type=service", []),
    ]:
        rows = await door.items(f"/admin/orders{query}")
        assert [row["order_id"] for row in rows] == expected, query


@pytest.mark.parametrize(
    "query",
    [
        "state=odd",
        "flag=odd",
        "attention=odd",
        "final=1",
        "no_news_for=soon",
        "after=!",
        "colour=x",
    ],
)
async def test_what_is_no_filter_is_28(shared, query):
    answer = await shared.get(f"/admin/orders?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, 28)


async def test_one_order_is_told_whole_from_the_log_as_it_is(door):
    await door.taken(
        sent("o/1", "InProgress", "10:00", orderItem=[{"id": "1", "state": "InProgress"}]),
        sent("o/1", "Completed", "12:00"),
        sent("o/1", "Held", "11:00"),
    )
    answer = await door.get("/admin/orders/local/o/1")
    story = answer.json()
    assert (story["source"], story["order_id"], story["resource_type"]) == (
        "local",
        "o/1",
        "productOrder",
    )
    assert (story["state"], story["final"], story["count"]) == ("completed", True, 3)
    assert story["flags"] == ["out_of_order", "late"]
    assert story["attention"] == []
    assert story["items"] == [
        {
            "id": "1",
            "action": None,
            "state": "inProgress",
            "raw_state": "InProgress",
            "disagrees": False,
        }
    ]
    assert [(entry["state"], entry["flags"]) for entry in story["timeline"]] == [
        ("inProgress", ["late"]),
        ("held", ["out_of_order", "late"]),
        ("completed", ["late"]),
    ]
    first = story["timeline"][0]
    assert {"notification_id", "kind", "occurred_at", "received_at", "channel"} <= set(first)
    assert (await door.get("/admin/orders/local/o%2F1")).json() == story


async def test_what_an_operator_wrote_is_told_beside_what_is_open(door):
    body = {
        "eventType": "ProductOrderJeopardyAlertEvent",
        "eventId": "j1",
        "event": {
            "productOrder": {
                "id": "o1",
                "productOrderJeopardyAlert": [{"message": "The duct is full"}],
            }
        },
    }
    answer = await door.send(
        body, path="/tmf-api/productOrderingManagement/v4/listener/productOrderStateChangeEvent"
    )
    assert answer.is_success, answer.text
    story = (await door.get("/admin/orders/local/o1")).json()
    assert story["open_attention"] == "alarm"
    assert [each["message"] for each in story["attention"]] == ["The duct is full"]
    assert [entry["message"] for entry in story["timeline"]] == ["The duct is full"]


async def test_a_task_to_cancel_is_told_on_its_order_and_on_its_own(door):
    task = {
        "eventType": "CancelProductOrderStateChangeEvent",
        "eventId": "c1",
        "event": {
            "cancelProductOrder": {"id": "o1", "state": "done", "productOrder": {"id": "o1"}}
        },
    }
    path = "/tmf-api/productOrderingManagement/v4/listener/cancelProductOrderStateChangeEvent"
    await door.taken(sent("o1", "Held", "10:00"))
    assert (await door.send(task, path=path)).is_success
    story = (await door.get("/admin/orders/local/o1")).json()
    assert (story["resource_type"], story["state"], story["count"]) == ("productOrder", "held", 2)
    assert story["other_resource_types"] == ["cancelOrder"]
    own = (await door.get("/admin/orders/local/o1?resource_type=cancelOrder")).json()
    assert (own["state"], own["raw_state"], own["final"]) == (None, "done", True)
    assert own["about_order_id"] == "o1"


@pytest.mark.parametrize(
    "path", ["local/none", "odd/o1", "local/o%00", "local/o1?resource_type=service"]
)
async def test_an_order_nobody_told_of_is_60(door, path):
    await door.taken(sent("o1", "Held", "10:00"))
    answer = await door.get(f"/admin/orders/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, 60)


async def test_how_far_the_orders_are_behind_is_a_metric(door):
    await door.taken(sent("o1", "Held", "10:00"))
    await listed(door, 1)
    text = (await door.get("/metrics")).text
    assert 'listener_follower_lag{follower="orders"} 0.0' in text
    assert 'listener_follower_lag_seconds{follower="orders"}' in text

"""The work list: in step with the orders' stories, and what people did survives every rebuild."""

import dataclasses
from datetime import timedelta

import pytest
import sqlalchemy

from app.orders import order
from app.store import attention, engine
from app.store.order_tables import ORDERS
from tests.arrivals import RECEIVED
from tests.store import filling
from tests.store.making import story

LATER = RECEIVED + timedelta(hours=1)


def follow(database, *stories):
    with database.begin() as connection:
        return attention.follow(connection, stories)


def act(database, step, *arguments):
    with database.begin() as connection:
        return step(connection, *arguments)


def listed(database, limit=100, after=None, **wanted):
    with engine.read(database) as connection:
        found = attention.page(connection, attention.Wanted(**wanted), after_id=after, limit=limit)
    return [row["notification_id"] for row in found]


def test_what_a_story_leaves_open_is_listed_oldest_first(database):
    follow(database, story("O-1", "n3", "n1"), story("O-2", "n2", source="other"))
    assert listed(database) == ["n1", "n2", "n3"]
    assert listed(database, source="covage") == ["n1", "n3"]
    assert listed(database, order_id="O-2") == ["n2"]
    assert listed(database, attention="buyer_action") == []
    assert listed(database, limit=1, after="n1") == ["n2"]


def test_saying_it_again_changes_nothing(database):
    for _ in range(2):
        follow(database, story("O-1", "n1", "n2"))
    assert listed(database, state="all") == ["n1", "n2"]


def test_what_the_story_cleared_goes_unless_somebody_had_a_hand_in_it(database):
    follow(database, story("O-1", "n1", "n2", "n3", "n4"), story("O-2", "n5"))
    assert act(database, attention.assign, "n2", "greta")
    assert act(database, attention.note, "n3", LATER, "jwt:ops", "called them")
    assert act(database, attention.close, "n4", LATER, "jwt:ops")
    follow(database, story("O-1", at=LATER))
    assert listed(database) == ["n5"]
    assert listed(database, state="all") == ["n2", "n3", "n4", "n5"]
    assert listed(database, state="cleared") == ["n2", "n3"]
    with engine.read(database) as connection:
        assert attention.one(connection, "n2")["cleared_at"] == LATER


def test_the_same_id_at_another_source_is_another_order(database):
    follow(database, story("O-1", "n1"), story("O-1", "n2", source="other"))
    follow(database, story("O-1"))
    assert listed(database) == ["n2"]


def test_a_notification_in_two_stories_is_listed_once(database):
    task = story("T-1", "n1", type_="cancelOrder")
    follow(database, task, story("O-1", "n1", "n2"))
    follow(database, story("O-1", "n1", "n2"))
    assert listed(database, order_id="T-1") == ["n1"]
    assert listed(database, order_id="O-1") == ["n2"]
    follow(database, story("O-1"))
    assert listed(database) == ["n1"]


def test_what_opens_again_is_open_again_but_what_was_closed_stays_closed(database):
    follow(database, story("O-1", "n1", "n2"))
    act(database, attention.assign, "n1", "greta")
    act(database, attention.close, "n2", LATER, "jwt:ops")
    follow(database, story("O-1", at=LATER))
    (told,) = follow(database, story("O-1", "n1", "n2"))
    assert [each.notification_id for each in told.attention] == ["n1"]
    assert listed(database) == ["n1"]
    assert listed(database, assignee="greta") == ["n1"]


def test_only_what_is_open_is_assigned_or_closed(database):
    follow(database, story("O-1", "n1"))
    assert act(database, attention.close, "n1", LATER, "jwt:ops")
    assert not act(database, attention.close, "n1", LATER, "jwt:other")
    assert not act(database, attention.assign, "n1", "greta")
    assert not act(database, attention.close, "nothing", LATER, "jwt:ops")
    with engine.read(database) as connection:
        found = attention.one(connection, "n1")
        assert attention.one(connection, "nothing") is None
    assert (found["state"], found["closed_by"], found["closed_at"]) == ("closed", "jwt:ops", LATER)


def test_what_nobody_has_taken_can_be_asked_for(database):
    follow(database, story("O-1", "n1", "n2"))
    act(database, attention.assign, "n1", "greta")
    assert listed(database, assignee="") == ["n2"]
    act(database, attention.assign, "n1", None)
    assert listed(database, assignee="") == ["n1", "n2"]


def test_notes_gather_in_order_up_to_a_bound(database, monkeypatch):
    monkeypatch.setattr(attention, "MOST_NOTES", 2)
    follow(database, story("O-1", "n1"))
    assert act(database, attention.note, "n1", RECEIVED, "jwt:ops", "one")
    assert act(database, attention.note, "n1", LATER, "jwt:ops", "t" * 3000)
    assert not act(database, attention.note, "n1", LATER, "jwt:ops", "three")
    with engine.read(database) as connection:
        notes = attention.one(connection, "n1")["notes"]
    assert [(note["by"], len(note["text"])) for note in notes] == [
        ("jwt:ops", 3),
        ("jwt:ops", 2000),
    ]


@pytest.mark.parametrize("told", [{"summary": {"message": "Port is busy"}}, {}])
def test_an_opening_tells_what_its_notification_said(database, told):
    (id_,) = filling.put(database, {"order_id": "O-1", "attention": "alarm", **told})
    follow(database, story("O-1", id_))
    with engine.read(database) as connection:
        (row,) = attention.page(connection, attention.Wanted(), after_id=None, limit=9)
    assert (row["kind"], row["event_type"]) == ("state_changed", "orderStateChangeNotification")
    assert row["message"] == told.get("summary", {}).get("message")


def test_what_is_open_is_counted_by_source_and_attention(database):
    orders = [story(f"O-{n}", f"n{n}") for n in range(7)]
    follow(database, *orders, story("O-8", "n8", word="buyer_action"))
    act(database, attention.close, "n0", LATER, "jwt:ops")
    with engine.read(database) as connection:
        assert attention.counts(connection) == {
            ("covage", "alarm"): (6, RECEIVED, ["O-1", "O-2", "O-3", "O-4", "O-5"]),
            ("covage", "buyer_action"): (1, RECEIVED, ["O-8"]),
        }


def put_row(database, told):
    row = {column.name: None for column in ORDERS.columns} | {
        "source": told.source, "resource_type": told.resource_type, "order_id": told.order_id,
        "place": 1, "final": False, **dict.fromkeys(order.FLAGS, False), "news": 1,
        "first_news_at": RECEIVED, "last_news_at": RECEIVED, "folded_seq": told.folded_seq,
        "open_attention": "alarm", "attention": [
            {"notification_id": each.notification_id, "attention": each.attention.value}
            for each in told.attention
        ],
    }  # fmt: skip
    with database.begin() as connection:
        connection.execute(sqlalchemy.insert(ORDERS).values(row))


def test_a_story_from_less_of_the_log_changes_nothing(database):
    told = story("O-1", "n1", seq=7)
    put_row(database, told)
    follow(database, told)
    follow(database, story("O-1", "n2", seq=6))
    assert listed(database) == ["n1"]
    follow(database, story("O-1", "n2", seq=7))
    assert listed(database) == ["n2"]


def test_what_is_closed_is_gone_from_the_row_of_its_order(database):
    told = dataclasses.replace(
        story("O-1", "n1"),
        attention=(*story("O-1", "n1").attention, *story("O-1", "n2", word="follow_up").attention),
    )
    put_row(database, told)
    follow(database, told)

    def row():
        with engine.read(database) as connection:
            asked = sqlalchemy.select(ORDERS.c.open_attention, ORDERS.c.attention)
            gravest, left = connection.execute(asked).one()
            return gravest, [each["notification_id"] for each in left]

    act(database, attention.close, "n1", LATER, "jwt:ops")
    assert row() == ("follow_up", ["n2"])
    act(database, attention.close, "n2", LATER, "jwt:ops")
    assert row() == (None, [])

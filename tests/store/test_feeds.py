"""The state of feeds: cursors that move with their rows, status, and the last turns."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import pytest

from app.store import engine, feeds
from tests.arrivals import RECEIVED

LATER = RECEIVED + timedelta(minutes=5)
TROUBLE = feeds.Trouble("timeout", "no answer within 30 s", "ask the operator")


@pytest.fixture
def feed(database):
    with database.begin() as connection:
        return feeds.connect(connection, "stadsnat", RECEIVED)


def act(database, step, *arguments, **named):
    with database.begin() as connection:
        step(connection, *arguments, **named)
    with engine.read(database) as connection:
        return feeds.one(connection, "stadsnat")


def test_a_new_feed_has_read_nothing(feed):
    assert feed.cursor == {}
    assert feed.connected_at == RECEIVED
    assert feed.entries == 0
    assert feed.cause is None


def test_connecting_again_changes_nothing(database, feed):
    act(database, feeds.advance, "stadsnat", {"since": "a"}, 1, RECEIVED)
    again = act(database, feeds.connect, "stadsnat", LATER)
    assert again.cursor == {"since": "a"}
    assert again.connected_at == RECEIVED


def test_the_cursor_moves_and_entries_are_counted_by_what_they_became(database, feed):
    moved = act(
        database, feeds.advance, "stadsnat", {"since": "e9"}, 2, LATER, appended=3, quarantined=1
    )
    assert (moved.cursor, moved.cursor_at) == ({"since": "e9"}, LATER)
    assert (moved.entries, moved.appended, moved.reread, moved.quarantined) == (6, 3, 2, 1)


def test_without_a_cursor_only_the_counters_move(database, feed):
    act(database, feeds.advance, "stadsnat", {"since": "e9"}, 0, RECEIVED)
    moved = act(database, feeds.advance, "stadsnat", None, 5, LATER)
    assert (moved.cursor, moved.cursor_at, moved.reread) == ({"since": "e9"}, RECEIVED, 5)


def test_a_failure_names_cause_and_remedy_and_leaves_the_cursor(database, feed):
    act(database, feeds.advance, "stadsnat", {"since": "e9"}, 0, RECEIVED)
    act(database, feeds.failed, "stadsnat", TROUBLE, RECEIVED, LATER)
    failed = act(database, feeds.failed, "stadsnat", TROUBLE, RECEIVED, LATER)
    assert (failed.cause, failed.last_error, failed.remedy) == (
        "timeout", "no answer within 30 s", "ask the operator",
    )  # fmt: skip
    assert failed.failures == 2
    assert failed.next_turn_at == LATER
    assert failed.cursor == {"since": "e9"}
    assert failed.last_success_at is None


def test_a_success_clears_the_trouble(database, feed):
    act(database, feeds.failed, "stadsnat", TROUBLE, RECEIVED, RECEIVED)
    well = act(database, feeds.succeeded, [("stadsnat", RECEIVED, LATER, False)])
    assert (well.cause, well.last_error, well.remedy, well.failures) == (None, None, None, 0)
    assert (well.last_success_at, well.next_turn_at) == (RECEIVED, LATER)
    assert well.caught_up_at is None


def test_when_it_first_ran_dry_is_kept(database, feed):
    act(database, feeds.succeeded, [("stadsnat", RECEIVED, LATER, True)])
    well = act(database, feeds.succeeded, [("stadsnat", LATER, LATER, True)])
    assert well.caught_up_at == RECEIVED


def test_many_successes_are_told_at_once(database, feed):
    act(database, feeds.connect, "other", RECEIVED)
    told = [("stadsnat", LATER, LATER, True), ("other", RECEIVED, LATER, False)]
    act(database, feeds.succeeded, told)
    act(database, feeds.succeeded, [])
    with engine.read(database) as connection:
        found = {one.name: one.last_success_at for one in feeds.listing(connection)}
    assert found == {"other": RECEIVED, "stadsnat": LATER}


def test_a_feed_is_paused_and_resumed(database, feed):
    paused = act(database, feeds.pause, "stadsnat", "jwt:ops", LATER)
    assert (paused.paused_at, paused.paused_by) == (LATER, "jwt:ops")
    resumed = act(database, feeds.pause, "stadsnat", "jwt:ops", None)
    assert (resumed.paused_at, resumed.paused_by) == (None, None)
    with database.begin() as connection:
        assert not feeds.pause(connection, "nobody", "jwt:ops", LATER)


def test_a_rewind_sets_the_cursor(database, feed):
    act(database, feeds.advance, "stadsnat", {"since": "e9"}, 0, RECEIVED)
    assert act(database, feeds.rewind, "stadsnat", {}, LATER).cursor == {}


def test_what_is_followed_only_grows(database, feed):
    act(database, feeds.followed, "stadsnat", 7)
    assert act(database, feeds.followed, "stadsnat", 3).followed_seq == 7


def test_only_the_last_hundred_turns_are_kept(database, feed):
    template = feeds.Turn("", "stadsnat", RECEIVED, 0.5, 1, 10, 9, 1, None, None)
    with database.begin() as connection:
        feeds.remember(connection, feeds.Turn(**{**asdict(template), "id": "0", "feed": "other"}))
        for n in range(105):
            feeds.remember(connection, feeds.Turn(**{**asdict(template), "id": f"{n:04}"}))
    with engine.read(database) as connection:
        kept = feeds.turns(connection, "stadsnat", 1000)
        assert [turn.id for turn in kept] == [f"{n:04}" for n in range(104, 4, -1)]
        assert kept[0].appended == 9
        assert len(feeds.turns(connection, "other")) == 1

"""The outbox: asked for once, one after the other, and what may be done with one in each state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.store import commands, engine
from tests.arrivals import RECEIVED
from tests.store.making import ask, command_row

LATER = RECEIVED + timedelta(minutes=1)


def act(database, step, *arguments, **named):
    with database.begin() as connection:
        return step(connection, *arguments, **named)


def states(database):
    with engine.read(database) as connection:
        return {row.id: row.state for row in commands.page(connection, limit=100)}


def test_a_command_comes_back_as_it_was_asked(database):
    one = command_row(follows="n1")
    assert act(database, commands.ask, one) is one
    with engine.read(database) as connection:
        assert commands.one(connection, "c1") == one
        assert commands.one(connection, "other") is None


def test_the_same_key_of_a_source_is_the_same_command(database):
    ask(database, command_row("c1", idempotency_key="k"))
    kept = act(
        database, commands.ask, command_row("c2", idempotency_key="k", command="add_message")
    )
    assert (kept.id, kept.command) == ("c1", "set_status")
    act(database, commands.ask, command_row("c3", idempotency_key="k", source="other"))
    assert states(database) == {"c1": "queued", "c3": "queued"}


def test_of_many_asked_at_once_those_known_stay_as_they_are(database):
    ask(database, command_row("c1", idempotency_key="k", arguments={"status": "waiting"}))
    asked = [
        command_row("c2", idempotency_key="k"),
        command_row("c3"),
        command_row("c4", idempotency_key="c3"),
    ]
    act(database, commands.ask_all, asked)
    act(database, commands.ask_all, [])
    assert states(database) == {"c1": "queued", "c3": "queued"}
    with engine.read(database) as connection:
        assert commands.one(connection, "c1").arguments == {"status": "waiting"}
        assert commands.one(connection, "c3") == asked[1]


def test_the_first_open_one_of_each_order_is_next(database):
    ask(
        database,
        command_row("c1"),
        command_row("c2"),
        command_row("c3", order_id="O-2", due_at=LATER),
        command_row("c4", order_id="O-3", source="other"),
        command_row("c5", order_id=None),
        command_row("c6", order_id=None),
    )
    act(database, commands.finish, "c1", "done", LATER)
    with engine.read(database) as connection:
        first = commands.first_of_orders(connection, "guide", 10)
        assert [one.id for one in first] == ["c2", "c5", "c6", "c3"]
        assert [one.id for one in commands.first_of_orders(connection, "guide", 2)] == ["c2", "c5"]
        assert commands.sources_with_open(connection) == {"guide", "other"}


def test_one_that_runs_or_is_unknown_holds_up_its_order(database):
    ask(database, command_row("c1"), command_row("c2"))
    act(database, commands.begin, "c1", LATER, 7)
    act(database, commands.put_back, "c1", LATER, "no answer", state="unknown")
    with engine.read(database) as connection:
        (first,) = commands.first_of_orders(connection, "guide", 10)
    assert (first.id, first.state, first.attempts, first.token) == ("c1", "unknown", 1, 7)


def test_an_attempt_begins_once(database):
    ask(database, command_row())
    assert act(database, commands.begin, "c1", LATER, 1)
    assert not act(database, commands.begin, "c1", LATER, 1)


def test_what_was_sent_to_an_order_last_is_known(database):
    ask(
        database,
        command_row("c1"),
        command_row("c2"),
        command_row("c3", command="other"),
        command_row("c4", order_id="O-2"),
    )
    with engine.read(database) as connection:
        assert commands.last_attempt(connection, command_row("c2")) is None
    act(database, commands.begin, "c1", LATER, 1)
    with engine.read(database) as connection:
        assert commands.last_attempt(connection, command_row("c2")) == LATER
        assert commands.last_attempt(connection, command_row("c3", command="other")) is None
        assert commands.last_attempt(connection, command_row("c4", order_id="O-2")) is None


@pytest.mark.parametrize(("undone", "last"), [(False, LATER), (True, None)])
def test_what_is_known_not_to_have_been_done_counts_for_no_limit(database, undone, last):
    ask(database, command_row())
    act(database, commands.begin, "c1", LATER, 1)
    act(database, commands.put_back, "c1", LATER, "no connection", undone=undone)
    with engine.read(database) as connection:
        assert commands.last_attempt(connection, command_row()) == last
        assert commands.one(connection, "c1").attempts == 1


@pytest.mark.parametrize(
    ("state", "cancelled", "retried"),
    [
        ("queued", True, True),
        ("running", False, False),
        ("unknown", False, True),
        ("done", False, False),
        ("failed", False, True),
        ("cancelled", False, True),
    ],
)
def test_what_may_be_done_with_one_depends_on_how_far_it_is(database, state, cancelled, retried):
    ask(database, replace(command_row("c1"), state=state), replace(command_row("c2"), state=state))
    assert act(database, commands.cancel, "c1", LATER, "by hand") is cancelled
    assert act(database, commands.retry, "c2", LATER) is retried


def test_a_retry_of_a_lost_one_asks_first(database):
    ask(database, replace(command_row(), state="unknown"))
    act(database, commands.retry, "c1", LATER)
    with engine.read(database) as connection:
        found = commands.one(connection, "c1")
    assert (found.state, found.due_at) == ("unknown", LATER)


@pytest.mark.parametrize(("undone", "state"), [(False, "unknown"), (True, "queued")])
def test_a_retry_of_a_failed_one_asks_first_where_it_may_have_been_done(database, undone, state):
    ask(database, command_row())
    act(database, commands.begin, "c1", RECEIVED, 1)
    act(database, commands.finish, "c1", "failed", RECEIVED, error="no answer", undone=undone)
    act(database, commands.retry, "c1", LATER)
    with engine.read(database) as connection:
        found = commands.one(connection, "c1")
    assert (found.state, found.attempts, found.asked_at) == (state, 0, LATER)
    assert (found.error, found.finished_at) == (None, None)


def test_a_retry_of_one_that_only_reads_asks_nothing(database):
    ask(database, command_row(harmful=False))
    act(database, commands.begin, "c1", RECEIVED, 1)
    act(database, commands.finish, "c1", "failed", RECEIVED, error="no answer")
    act(database, commands.retry, "c1", LATER)
    assert states(database) == {"c1": "queued"}


def test_the_rest_of_a_chain_is_cancelled(database):
    ask(
        database,
        replace(command_row("c1", follows="n1"), state="failed"),
        command_row("c2", follows="n1"),
        replace(command_row("c3", follows="n1"), state="running"),
        command_row("c4", follows="n2"),
    )
    assert act(database, commands.cancel_chain, "n1", LATER, "c1 failed") == 1
    assert states(database) == {"c1": "failed", "c2": "cancelled", "c3": "running", "c4": "queued"}


def test_our_acts_are_those_that_were_sent_and_change_something(database):
    ask(
        database,
        command_row("c1"),
        command_row("c2"),
        command_row("c3", harmful=False),
        command_row("c4", source="other"),
    )
    for id_ in ("c1", "c3", "c4"):
        act(database, commands.begin, id_, LATER, 1)
    with engine.read(database) as connection:
        acts = commands.acts(connection, "guide", RECEIVED)
        assert list(acts) == [commands.Act("O-1", "set_status", {"status": "active"}, LATER)]
        assert list(commands.acts(connection, "guide", LATER)) == []


def test_the_list_is_filtered_and_paged_newest_first(database):
    ask(database, *(command_row(f"c{n}", order_id=f"O-{n % 2}") for n in range(5)))
    act(database, commands.finish, "c4", "done", LATER, result={"message": "ok"})
    with engine.read(database) as connection:
        found = commands.page(connection, order_id="O-0", limit=2)
        assert [one.id for one in found] == ["c4", "c2"]
        assert found[0].result == {"message": "ok"}
        rest = commands.page(connection, order_id="O-0", after_id="c2", limit=2)
        assert [one.id for one in rest] == ["c0"]
        assert [one.id for one in commands.page(connection, state="done", limit=9)] == ["c4"]
        assert commands.page(connection, source="nobody", limit=9) == []

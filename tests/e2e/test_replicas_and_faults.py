"""Law 4 and 5 end to end: operators that go wrong in every way, pollers that are killed.

Against the sandbox with all faults on but a changed history the log holds exactly what the
operators published, once each; what we do there is done once, also where its answer is lost.
"""

from __future__ import annotations

import signal
from collections import Counter

import pytest

from tests.e2e import world


@pytest.fixture(params=[world.SUITE, pytest.param(world.FULL, marks=pytest.mark.faults)],
                ids=["small", "full"])  # fmt: skip
def size(request) -> world.Size:
    return request.param


@pytest.fixture(params=["postgresql, two replicas", "sqlite, one"])
def shaken(request, tmp_path, size):
    """A world after all of it happened and everything asked for was done."""
    on_sqlite = request.param.startswith("sqlite")
    url = request.getfixturevalue("sqlite_url" if on_sqlite else "postgres_url")
    with world.of(tmp_path, url, size, replicas=1 if on_sqlite else 2) as one:
        one.shake()
        one.until("all that was published", lambda: not one.missing())
        ask(one)
        one.kill()
        one.until("all that was asked for", lambda: not one.open_commands())
        one.until("what came of it", lambda: not one.missing())
        one.until("the last one killed", lambda: all(each.asks for each in one.replicas))
        yield one


def ask(one: world.World) -> None:
    """A message to some orders of Tjänsteguiden and of Covage; statuses are written back."""
    guide = one.made.operators["tjansteguiden"]._orders.all()
    for order in guide[: one.size.asked]:
        message = {"type": "log", "message": f"Message to {order.id}"}
        one.command("tjansteguiden", str(order.id), "add_message", **message)
    covage = one.rows("SELECT DISTINCT order_id FROM log WHERE source = 'covage'"
                      " AND kind = 'created' ORDER BY order_id")  # fmt: skip
    for (order_id,) in covage[: one.size.asked]:
        one.command("covage", order_id, "events/info", message=f"Message to {order_id}")


def test_the_log_holds_what_was_published_once_each_and_what_we_did_was_done_once(shaken):
    for operator, source in zip(world.operators_of(), world.SOURCES, strict=True):
        logged = Counter(shaken.logged(source))
        assert max(logged.values()) == 1, f"{operator}: something is there twice"
        published = shaken.published(operator)
        if operator == "tjansteguiden":
            kept = shaken.made.operators[operator]._orders.all()
            every = {f"{order.id}:log:{line.id}" for order in kept for line in order.log}
            assert set(published) <= {event for event in logged if ":log:" in event} <= every
            assert len(published) > shaken.size.orders / 10
        else:
            assert set(published) == set(logged)
    assert shaken.logged("stadsnat") == shaken.published("on_api"), "in the list's order"
    assert shaken.rows("SELECT count(*) FROM log WHERE conflict_of IS NOT NULL") == [(0,)]
    assert_the_last_status_is_known(shaken)
    assert_each_act_was_done_once(shaken)
    assert_every_fault_struck(shaken)
    assert {each.end(signal.SIGTERM) for each in shaken.replicas} == {0}


def assert_the_last_status_is_known(one: world.World) -> None:
    """Of each order of Tjänsteguiden the newest row in the log tells where it stands."""
    newest = {order: statuses[-1] for order, statuses in one.statuses().items()}
    kept = one.made.operators["tjansteguiden"]._orders.all()
    assert newest == {str(order.id): order.status for order in kept}
    assert sum(len(statuses) > 1 for statuses in one.statuses().values()) > one.size.orders / 10


def assert_each_act_was_done_once(one: world.World) -> None:
    undone = one.rows(
        "SELECT source, order_id, command, state, error FROM command WHERE state <> 'done'"
        " AND (command <> 'set_status' OR state <> 'cancelled')"
    )
    assert undone == []
    done = one.executed("tjansteguiden") | one.executed("covage")
    wanted = {order for (order,) in one.rows("SELECT order_id FROM command WHERE state = 'done'"
                                             " AND command = 'add_message'")}  # fmt: skip
    assert {about for call, about, _ in done if call == "add_message"} == wanted
    assert set(done.values()) == {1}
    calls = Counter(call for call, _, _ in done)
    assert calls["add_message"] == one.size.asked
    assert calls["events/info"] == one.size.asked
    states = dict(one.rows("SELECT state, count(*) FROM command WHERE command = 'set_status'"
                           " GROUP BY state"))  # fmt: skip
    assert set(states) <= {"done", "cancelled"}, "cancelled: the order had gone on"
    assert calls["set_status"] == states["done"] > 0


def assert_every_fault_struck(one: world.World) -> None:
    struck: Counter[str] = Counter()
    for each in one.made.operators.values():
        struck.update({name: fault["struck"] for name, fault in each.faults.report().items()})
    assert not [name for name, n in struck.items() if n == 0]

"""Leases: one holder at a time, taken over when it dies, and what it began is refused after."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from app.store import engine, leases
from app.store.leases import Fence

TERM = timedelta(seconds=60)


def beat(database, *replicas):
    with database.begin() as connection:
        return [leases.beat(connection, replica, TERM) for replica in replicas][-1]


def die(database, replica):
    """Its term ran out a while ago."""
    with database.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE replica SET expires_at = '2020-01-01T00:00:00.000000Z' WHERE id = '{replica}'"
        )


def take(database, replica, names, most=100):
    with database.begin() as connection:
        leases.declare(connection, names)
        return leases.take(connection, replica, names, most)


def stale(database, *fences):
    with database.begin() as connection:
        return leases.check(connection, fences)


def test_the_database_tells_the_time(database):
    before = datetime.now(UTC)
    with engine.read(database) as connection:
        told = leases.now(connection)
    after = datetime.now(UTC)
    assert before - timedelta(milliseconds=1) <= told <= after


def test_a_lease_is_taken_once(database):
    beat(database, "a", "b")
    assert take(database, "a", ["one", "two"]) == [Fence("one", 1), Fence("two", 1)]
    assert take(database, "b", ["one", "two"]) == []


def test_no_more_is_taken_than_asked_for(database):
    beat(database, "a", "b")
    names = ["one", "two", "three"]
    assert [fence.name for fence in take(database, "a", names, most=2)] == ["one", "three"]
    assert [fence.name for fence in take(database, "b", names, most=2)] == ["two"]
    assert take(database, "b", names, most=0) == []


def test_what_a_dead_replica_held_is_taken_over_with_a_higher_token(database):
    beat(database, "a")
    take(database, "a", ["one"])
    die(database, "a")
    beat(database, "b")
    assert take(database, "b", ["one"]) == [Fence("one", 2)]
    assert stale(database, Fence("one", 1), Fence("one", 2)) == {Fence("one", 1)}


def test_one_that_slept_past_its_term_keeps_what_nobody_took(database):
    beat(database, "a")
    fences = take(database, "a", ["one"])
    die(database, "a")
    beat(database, "a")
    assert stale(database, *fences) == set()
    beat(database, "b")
    assert take(database, "b", ["one"]) == []


def test_a_lease_that_is_not_there_is_stale(database):
    assert stale(database, Fence("nothing", 0)) == {Fence("nothing", 0)}
    assert stale(database) == set()


def test_whoever_leaves_gives_back_at_once(database):
    beat(database, "a", "b")
    take(database, "a", ["one", "two"])
    with database.begin() as connection:
        leases.leave(connection, "a")
    assert beat(database, "b") == 1
    assert take(database, "b", ["one", "two"]) == [Fence("one", 2), Fence("two", 2)]


def test_only_ones_own_is_released(database):
    beat(database, "a", "b")
    take(database, "a", ["one", "two"])
    with database.begin() as connection:
        leases.release(connection, "b", ["one"])
        leases.release(connection, "a", ["two"])
    assert take(database, "b", ["one", "two"]) == [Fence("two", 2)]
    with engine.read(database) as connection:
        assert leases.held(connection, "a") == [Fence("one", 1)]


def test_the_living_are_counted(database):
    assert beat(database, "a", "b") == 2
    die(database, "b")
    assert beat(database, "c") == 2


@pytest.mark.parametrize("most", [3, 10])
def test_many_that_take_at_once_share_without_overlap(database, most):
    names = [f"feed-{n:02}" for n in range(10)]
    replicas = [f"replica-{n}" for n in range(4)]
    beat(database, *replicas)
    with database.begin() as connection:
        leases.declare(connection, names)
    taken: list[Fence] = []

    def attempt(replica):
        with database.begin() as connection:
            taken.extend(leases.take(connection, replica, names, most))

    threads = [threading.Thread(target=attempt, args=(replica,)) for replica in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fence.name for fence in taken) == names
    assert {fence.token for fence in taken} == {1}

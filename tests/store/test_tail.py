"""The tail: whoever waits for the next row hears of it, whoever wrote it."""

from __future__ import annotations

import threading
import time

import pytest

from app.store import credentials, engine, tail
from tests.store import filling, making

SOON = 10.0
"""Seconds after which a test gives up; far above what it should take."""


@pytest.fixture
def follower(database):
    made = tail.Tail(database)
    made.start()
    yield made
    made.close()


def waiting(follower, after_seq, timeout=SOON):
    """A thread that waits, and the list its answer comes in."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(follower.wait(after_seq, timeout)))
    thread.start()
    return thread, answers


def test_what_is_there_already_is_told_at_once(database, follower):
    filling.put(database, {}, {})
    assert follower.wait(0, SOON) == 2
    assert follower.wait(1, SOON) == 2


def test_nothing_new_is_nothing_new_when_the_time_is_up(database, follower):
    filling.put(database, {})
    started = time.monotonic()
    assert follower.wait(1, 0.2) <= 1
    assert 0.2 <= time.monotonic() - started < SOON


def test_a_commit_of_anyone_wakes_all_who_wait(database, follower):
    waiters = [waiting(follower, 0) for _ in range(5)]
    other = engine.create(database.url.render_as_string(hide_password=False))
    filling.put(other, {})
    other.dispose()
    for thread, _ in waiters:
        thread.join(SOON)
    assert [answers for _, answers in waiters] == [[1]] * 5


def test_it_takes_far_less_than_the_regular_look(database, follower):
    follower.wait(0, 0.1)
    thread, answers = waiting(follower, 0)
    filling.put(database, {})
    follower.nudge()
    started = time.monotonic()
    thread.join(SOON)
    assert answers == [1]
    assert time.monotonic() - started < tail.IDLE


def test_each_row_is_followed_by_the_next(database, follower):
    for n in range(1, 30):
        thread, answers = waiting(follower, n - 1)
        filling.put(database, {})
        follower.nudge()
        thread.join(SOON)
        assert answers == [n]


def test_closing_sends_all_who_wait_home(database):
    follower = tail.Tail(database)
    follower.start()
    thread, answers = waiting(follower, 0, timeout=60.0)
    follower.close()
    follower.close()
    thread.join(SOON)
    assert answers == [0]
    assert follower.wait(0, 60.0) == 0


def test_a_tail_that_never_started_can_be_closed(database):
    tail.Tail(database).close()


def test_a_withdrawal_is_heard_of_within_its_time(database):
    heard = threading.Semaphore(0)
    follower = tail.Tail(database)
    follower.on_wake(heard.release)
    follower.start()
    assert heard.acquire(timeout=SOON)
    started = time.monotonic()
    with database.begin() as connection:
        credentials.add(connection, making.stored())
    assert heard.acquire(timeout=SOON)
    assert time.monotonic() - started < 2 * tail.IDLE + 1.0
    follower.close()


def test_a_burst_of_commits_calls_back_seldom(database):
    calls = []
    follower = tail.Tail(database)
    follower.on_wake(lambda: calls.append(time.monotonic()))
    follower.start()
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        filling.put(database, {})
        follower.nudge()
    follower.close()
    assert 1 <= len(calls) <= 4


def test_it_comes_back_when_the_database_does(database, follower):
    filling.put(database, {})
    assert follower.wait(0, SOON) == 1
    if database.dialect.name == "postgresql":
        with database.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
    thread, answers = waiting(follower, 1)
    engine.dispose(database)
    filling.put(database, {})
    thread.join(SOON)
    assert answers == [2]

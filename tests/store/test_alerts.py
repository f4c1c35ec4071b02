"""What was told stays told, and what is to be told waits: whatever happens in between."""

import itertools
from datetime import timedelta

import pytest

from app.store import alerted, alerts, engine
from tests.arrivals import RECEIVED

KEY = alerts.Key("ops", "covage", "alarm")
HOLDS = {KEY: alerts.Condition(3, "3 orders raise an alarm at covage", ("O-1", "O-2"))}
T = [RECEIVED + timedelta(minutes=n) for n in range(9)]


@pytest.fixture
def do(database):
    """Does a step of the store in a transaction."""

    def step(act, *arguments):
        with database.begin() as connection:
            return act(connection, *arguments)

    return step


@pytest.fixture
def observe(do):
    ids = (f"alert-{n}" for n in itertools.count(1))

    def observed(holds, at, channels=("ops", "other")):
        do(alerts.observe, holds, channels, at, lambda: next(ids))

    return observed


def listed(database):
    with engine.read(database) as connection:
        return alerts.listing(connection)


def due(database, at):
    with engine.read(database) as connection:
        return alerts.due(connection, at)


def told(do, database, at):
    """Tell all that is due at `at`; what was told."""
    found = []
    for alert in due(database, at):
        assert do(alerts.claim, alert, at, at + timedelta(minutes=3))
        do(alerts.told, alert, at)
        found.append((alert.id, "opened" if alert.over_at is None else "cleared"))
    return found


def test_what_begins_is_told_once_and_so_is_its_end(database, do, observe):
    observe(HOLDS, T[0])
    (alert,) = listed(database)
    assert (alert.key, alert.count, alert.orders) == (KEY, 3, ["O-1", "O-2"])
    assert told(do, database, T[0]) == [("alert-1", "opened")]
    observe(HOLDS, T[1])
    assert told(do, database, T[1]) == []
    observe({}, T[2])
    assert told(do, database, T[2]) == [("alert-1", "cleared")]
    observe({}, T[3])
    assert listed(database) == []
    observe(HOLDS, T[4])
    assert told(do, database, T[4]) == [("alert-2", "opened")]


def test_what_ends_before_anybody_could_be_told_is_dropped(database, observe):
    observe(HOLDS, T[0])
    observe({}, T[1])
    assert listed(database) == []


def test_what_ends_after_an_attempt_is_told_to_be_over_for_nobody_knows_who_heard(
    database, do, observe
):
    observe(HOLDS, T[0])
    (alert,) = due(database, T[0])
    do(alerts.claim, alert, T[0], T[3])
    do(alerts.failed, alert, "no answer", T[2])
    observe({}, T[1])
    assert told(do, database, T[1]) == [("alert-1", "cleared")]


def test_one_attempt_is_made_at_a_time_and_a_dead_one_is_made_again(database, do, observe):
    observe(HOLDS, T[0])
    (alert,) = due(database, T[0])
    assert do(alerts.claim, alert, T[0], T[3])
    assert not do(alerts.claim, alert, T[1], T[4])
    assert due(database, T[2]) == []
    assert [again.id for again in due(database, T[3])] == ["alert-1"]


def test_a_failure_is_told_and_tried_again_later(database, do, observe):
    observe(HOLDS, T[0])
    (alert,) = due(database, T[0])
    do(alerts.claim, alert, T[0], T[3])
    do(alerts.failed, alert, "no answer", T[2])
    (waiting,) = listed(database)
    assert (waiting.attempts, waiting.error, waiting.told_at) == (1, "no answer", None)
    assert due(database, T[1]) == []
    assert told(do, database, T[2]) == [("alert-1", "opened")]


def test_what_ends_while_it_is_told_is_told_to_be_over_next(database, do, observe):
    observe(HOLDS, T[0])
    (alert,) = due(database, T[0])
    do(alerts.claim, alert, T[0], T[3])
    observe({}, T[1])
    do(alerts.told, alert, T[1])
    assert told(do, database, T[1]) == [("alert-1", "cleared")]


def test_what_comes_back_before_its_end_was_told_goes_on_in_silence(database, do, observe):
    observe(HOLDS, T[0])
    told(do, database, T[0])
    observe({}, T[1])
    observe(HOLDS, T[2])
    assert told(do, database, T[3]) == []
    observe({}, T[4])
    assert told(do, database, T[4]) == [("alert-1", "cleared")]


def test_what_comes_back_while_its_end_is_told_is_another_alert(database, do, observe):
    observe(HOLDS, T[0])
    told(do, database, T[0])
    observe({}, T[1])
    (ending,) = due(database, T[1])
    do(alerts.claim, ending, T[1], T[4])
    observe(HOLDS, T[2])
    do(alerts.told, ending, T[2])
    assert told(do, database, T[3]) == [("alert-2", "opened")]


def test_what_a_channel_is_no_more_told_is_forgotten(database, do, observe):
    observe(HOLDS, T[0])
    told(do, database, T[0])
    with engine.read(database) as connection:
        assert not alerts.differs(connection, HOLDS, ["ops"])
        assert alerts.differs(connection, {}, ["ops"])
        assert alerts.differs(connection, HOLDS, ["other"])
    observe({}, T[1], channels=("other",))
    assert listed(database) == []


def attempt(error=None, *, id_="a1-opened", channel="ops", at=T[0]):
    text = "3 orders raise an alarm at covage"
    return alerted.Attempt(channel, id_, "opened", "covage", "alarm", text, at, error)


def remembered(database, most=10):
    with engine.read(database) as connection:
        return alerted.latest(connection, most)


def test_a_message_is_remembered_once_a_channel_however_often_it_is_tried(database, do):
    for error, at in (("answered 500", T[0]), ("timed out", T[1]), (None, T[2])):
        do(alerted.note, attempt(error, at=at))
    do(alerted.note, attempt("no route", channel="other", at=T[3]))
    missed, arrived = remembered(database)
    assert (arrived.channel, arrived.attempts, arrived.error) == ("ops", 3, None)
    assert (arrived.begun_at, arrived.tried_at, arrived.told_at) == (T[0], T[2], T[2])
    assert (missed.channel, missed.attempts, missed.told_at) == ("other", 1, None)
    assert missed.error == "no route"


def test_only_the_last_messages_are_remembered(database, do, monkeypatch):
    monkeypatch.setattr(alerted, "KEPT", 2)
    for n in range(4):
        do(alerted.note, attempt(id_=f"a{n}-opened", at=T[n]))
    assert [one.id for one in remembered(database)] == ["a3-opened", "a2-opened"]
    assert len(remembered(database, 1)) == 1

"""The numbers of the drawn timeline."""

from datetime import UTC, datetime, timedelta

from app.ui import drawing

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def entry(state, happened, came=None):
    return {
        "notification_id": f"n{happened}",
        "kind": "state_changed",
        "state": state,
        "attention": None,
        "channel": "push",
        "occurred_at": BEGIN + timedelta(minutes=happened),
        "received_at": BEGIN + timedelta(minutes=happened if came is None else came),
    }


def test_event_time_and_arrival_time_stand_at_their_places():
    figure = drawing.timeline([entry("acknowledged", 0), entry("completed", 50, came=100)])
    assert [(mark.happened, mark.came) for mark in figure.marks] == [(20.0, 20.0), (500.0, 980.0)]


def test_of_states_at_one_moment_the_last_is_written():
    told = [entry("acknowledged", 0), entry("inProgress", 100), entry("completed", 100)]
    assert [mark.label for mark in drawing.timeline(told).marks] == [
        "acknowledged",
        "",
        "completed",
    ]


def test_nothing_told_is_nothing_drawn():
    assert drawing.timeline([]) is None

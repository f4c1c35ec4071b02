"""How long silence is too long: as configured, else as finished orders show; and who is silent."""

from datetime import timedelta

import pytest

from app.store import engine, orders, silence
from tests import arrivals
from tests.arrivals import RECEIVED
from tests.store.making import expect, placed, told

HOUR = timedelta(hours=1)


def news(order_id, state, hours, source="local", **fields):
    at = RECEIVED + hours * HOUR
    return {"source": source, "order_id": order_id, "state": state, "received_at": at,
            "occurred_at": at, **fields}  # fmt: skip


def test_the_nearest_rank_is_taken():
    assert silence.percentile(range(1, 21)) == 19
    assert silence.percentile(range(1, 101)) == 95
    assert silence.percentile([7.0]) == 7


def test_the_longest_silence_in_each_state_counts():
    moments = [("acknowledged", 0), (None, 1), ("inProgress", 4), ("inProgress", 5), ("held", 9)]
    rows = [arrivals.notification(**news("O-1", state, at)) for state, at in moments]
    assert silence.gaps(rows) == {"acknowledged": 3 * 3600, "inProgress": 4 * 3600}
    assert silence.gaps([arrivals.notification(**news("O-1", None, n)) for n in (0, 2)]) == {
        "none": 2 * 3600
    }
    assert (
        silence.gaps([*rows[:2], arrivals.notification(**news("O", None, 9, backfill=True))]) == {}
    )


def test_twenty_finished_orders_show_what_is_usual(database):
    def finish(first, last):
        for n in range(first, last):
            told(database, news(f"O-{n}", "acknowledged", 0), news(f"O-{n}", "completed", n + 1))

    def learn():
        with engine.read(database) as connection:
            return silence.learn(connection, "local")

    finish(0, 19)
    told(database, news("O-open", "acknowledged", 0), news("O-open", "held", 500))
    assert learn() == []
    finish(19, 20)
    assert learn() == [silence.Learned("local", "acknowledged", 19 * 3600.0, 20)]


def test_what_is_configured_goes_before_what_was_learned(database):
    learned = [silence.Learned("local", state, 60.0, 20) for state in ("held", "pending")]
    with database.begin() as connection:
        silence.keep(connection, "local", [*learned, learned[0]][:1], RECEIVED)
        silence.keep(connection, "local", learned, RECEIVED)
    with engine.read(database) as connection:
        assert silence.patience(connection, {"local": {"held": HOUR}, "other": {"none": HOUR}}) == {
            ("local", "held"): HOUR,
            ("local", "pending"): timedelta(seconds=60),
            ("other", "none"): HOUR,
        }


KNOWN = {("local", "held"): 5 * HOUR, ("local", "acknowledged"): HOUR, ("local", "none"): HOUR}


def test_an_order_is_silent_once_its_state_has_lasted_too_long_without_news(database):
    told(
        database,
        news("O-1", "held", 0),
        news("O-2", "held", 6),
        news("O-3", "acknowledged", 6),
        news("O-4", "completed", 0),
        news("O-5", "inProgress", 0),
        news("O-6", None, 0),
        news("O-7", "held", 0, source="other"),
    )
    now = RECEIVED + 8 * HOUR
    with engine.read(database) as connection:
        cutoffs = tuple(silence.cutoffs(KNOWN, now).items())
        asked = orders.Filter(silent=cutoffs)
        found = orders.page(connection, asked, after=None, limit=9, ascending=True)
        nobody = orders.Filter(silent=())
        assert orders.page(connection, nobody, after=None, limit=9, ascending=True) == []
        assert silence.counts(connection, KNOWN, now) == {"local": (3, ["O-1", "O-3", "O-6"])}
    assert [row["order_id"] for row in found] == ["O-1", "O-3", "O-6"]


def test_an_order_nobody_told_of_is_silent_by_what_was_answered(database):
    expect(
        database,
        placed("O-1", source="local"),
        placed("O-2", source="local", placed_at=RECEIVED + 2 * HOUR),
        placed("O-3", source="local", answer="in progress"),
        placed("O-4", source="local", answer=None),
    )
    told(database, news("O-4", "held", 2))
    with engine.read(database) as connection:
        now = RECEIVED + 2.5 * HOUR
        assert silence.counts(connection, KNOWN, now) == {"local": (1, ["O-1"])}


@pytest.mark.parametrize(
    ("answer", "state"),
    [("RECEIVED", "acknowledged"), (None, "none"), ("Held", "held"), ("who knows", "none")],
)
def test_an_answer_is_a_state(answer, state):
    assert silence.state_of(answer) == state


def test_a_row_is_quiet_by_its_last_news():
    row = {"source": "local", "answer": "RECEIVED", "placed_at": RECEIVED, "order": None}
    assert silence.is_quiet(row, KNOWN, RECEIVED + HOUR)
    assert not silence.is_quiet(row, KNOWN, RECEIVED + HOUR / 2)
    held = {"state": "held", "last_news_at": RECEIVED, "final": False}
    assert not silence.is_quiet({**row, "order": held}, KNOWN, RECEIVED + HOUR)
    assert silence.is_quiet({**row, "order": held}, KNOWN, RECEIVED + 5 * HOUR)
    assert not silence.is_quiet({**row, "source": "other"}, KNOWN, RECEIVED + 5 * HOUR)

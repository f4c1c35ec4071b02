"""What came by the minute, how orders stand, what waits: counted from what is kept, by index."""

from __future__ import annotations

import collections
import itertools
import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy

from app.orders import timeline
from app.store import engine, orders, pulse
from app.store.order_tables import ORDERS
from tests.arrivals import RECEIVED
from tests.store import (
    filling,
    making,
    test_attention,
    test_orders,
    test_quarantine,
)

STATES = ("acknowledged", "held", "completed", None)
NOW = datetime(2026, 11, 21, 6, 30, 20, tzinfo=UTC)


def at(clock):
    hour, minute, second = (int(part) for part in clock.split(":"))
    return NOW.replace(hour=hour, minute=minute, second=second)


def identifier(moment, n=0):
    """A UUIDv7 of `moment`."""
    ms = f"{int(moment.timestamp() * 1000):012x}"
    return f"{ms[:8]}-{ms[8:]}-7000-8000-{n:012x}"


def arrive(database, *clocks, event_id=None):
    for n, clock in enumerate(clocks):
        told = {"id": identifier(at(clock), n), "received_at": at(clock)}
        filling.put(database, {**told, **({"event_id": event_id} if event_id else {})})


def refuse(database, *clocks, body=b"{"):
    holds = [
        making.refused(body, id=identifier(at(clock)), received_at=at(clock)) for clock in clocks
    ]
    for hold in holds:
        making.hold(database, hold)


def read(database, look, *asked):
    with engine.read(database) as connection:
        return look(connection, *asked)


def eventful(database):
    """The minutes in which anything came."""
    return {
        f"{one.at:%H:%M}": (one.accepted, one.repeated, one.refused)
        for one in read(database, pulse.minutes, NOW)
        if (one.accepted, one.repeated, one.refused) != (0, 0, 0)
    }


def test_an_hour_without_anything_is_sixty_empty_minutes(database):
    told = read(database, pulse.minutes, NOW)
    assert [one.at for one in told] == [
        datetime(2026, 11, 21, 5, 31, tzinfo=UTC) + timedelta(minutes=n) for n in range(60)
    ]
    assert eventful(database) == {}


def test_each_notification_counts_in_its_minute_and_older_ones_not_at_all(database):
    arrive(database, "05:30:59", "05:31:00", "06:29:59", "06:30:00", "06:30:19")
    assert eventful(database) == {"05:31": (1, 0, 0), "06:29": (1, 0, 0), "06:30": (2, 0, 0)}


def test_a_repeat_counts_when_it_came_again(database):
    arrive(database, "05:40:00", "05:40:30", "06:12:00", event_id="once")
    assert eventful(database) == {"05:40": (1, 1, 0), "06:12": (0, 1, 0)}


def test_a_body_refused_again_and_again_counts_where_it_first_and_last_came(database):
    refuse(database, "05:45:00", "05:50:00", "06:01:00")
    refuse(database, "06:01:30", body=b"[")
    assert eventful(database) == {"05:45": (0, 0, 1), "06:01": (0, 0, 2)}


def test_a_minute_is_counted_up_to_a_bound(database, monkeypatch):
    monkeypatch.setattr(pulse, "MOST", 2)
    arrive(database, "06:10:00", "06:10:10", "06:10:20")
    assert eventful(database) == {"06:10": (2, 0, 0)}


def test_sqlite_counts_every_minute_by_an_index(sqlite_url):
    made = engine.create(sqlite_url)
    with made.connect() as connection:
        told = [
            row.detail
            for counting in pulse._COUNTS["sqlite"].values()
            for row in connection.execute(
                sqlalchemy.text(f"EXPLAIN QUERY PLAN {counting.text}"), {"of": "[]", "most": 1}
            )
        ]
    made.dispose()
    found = {line.partition(" (")[0] for line in told if " USING " in line}
    assert found == {
        "SEARCH log USING COVERING INDEX log_id",
        "SEARCH sighting USING COVERING INDEX sighting_received",
        "SEARCH quarantine USING COVERING INDEX sqlite_autoindex_quarantine_1",
        "SEARCH quarantine USING INDEX quarantine_again",
    }
    assert not [line for line in told if re.match("SCAN (log|sighting|quarantine)", line)]


def test_sqlite_counts_what_waits_by_indexes_that_have_it_all(sqlite_url):
    made = engine.create(sqlite_url)
    asked = []

    @sqlalchemy.event.listens_for(made, "before_cursor_execute")
    def _on_execute(_connection, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    with made.connect() as connection:
        pulse.openings(connection)
        pulse.unheard(connection)
        pulse.silent(connection, {("guide", "held"): timedelta(hours=1)}, NOW)
        pulse.failed_commands(connection, ["guide"], NOW)
        told = [
            row.detail
            for statement, parameters in [one for one in asked if "SELECT" in one[0]]
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    made.dispose()
    assert {line.partition(" (")[0] for line in told if "INDEX " in line and " e " not in line} == {
        "SCAN opening USING COVERING INDEX opening_open",
        "SEARCH expected_order USING COVERING INDEX expected_order_unheard",
        "SCAN orders USING COVERING INDEX orders_unfinished",
        "SEARCH looked USING AUTOMATIC COVERING INDEX",
        "SEARCH command USING COVERING INDEX command_state",
        "SEARCH command USING INDEX command_state",
    }


def test_orders_are_counted_by_state_the_most_first(database):
    test_orders.put(
        database,
        *(
            test_orders.told(n, order_id=f"o-{n}", state=state)
            for n, state in enumerate(("held", "completed", "held", None), start=1)
        ),
    )
    assert read(database, pulse.by_state) == [("held", 2), (None, 1), ("completed", 1)]


def test_the_count_of_orders_follows_every_change_and_none_that_was_not_committed(database):
    chance = random.Random(4)
    seq = itertools.count(1)
    for _ in range(60):
        some = [
            test_orders.told(
                next(seq), order_id=f"o-{chance.randrange(9)}", state=chance.choice(STATES)
            )
            for _ in range(chance.randrange(1, 5))
        ]
        with database.connect() as connection:
            for one in some:
                orders.put(connection, [timeline.fold([one])])
            if chance.random() < 0.2:
                orders.remove(connection, [timeline.fold([some[0]]).key])
            if chance.random() < 0.7:
                connection.commit()
        with engine.read(database) as connection:
            states = connection.execute(sqlalchemy.select(ORDERS.c.state)).scalars()
            assert dict(pulse.by_state(connection)) == collections.Counter(states)


def test_two_that_count_at_once_do_not_wait_for_each_other(postgres_url):
    made = engine.create(postgres_url)
    with made.connect() as one, made.connect() as other:
        for n, connection in enumerate((one, other, one, other), start=1):
            held = test_orders.told(n, order_id=f"o-{n}", state="held")
            orders.put(connection, [timeline.fold([held])])
        other.commit()
        one.commit()
        assert pulse.by_state(one) == [("held", 4)]
    made.dispose()


def test_what_is_open_on_the_work_list_waits_by_its_sort(database):
    test_attention.follow(
        database,
        making.story("a", "n1", "n4"),
        making.story("b", "n2", source="guide"),
        making.story("c", "n3", word="buyer_action"),
    )
    test_attention.follow(database, making.story("b", source="guide", seq=2))
    assert read(database, pulse.openings) == {
        "alarm": pulse.Waiting(2, RECEIVED),
        "buyer_action": pulse.Waiting(1, RECEIVED),
    }


def test_what_is_open_in_quarantine_waits_since_the_oldest_came(database):
    assert read(database, pulse.in_quarantine) == pulse.Waiting(0, None)
    for n, clock in enumerate(("03:00:00", "04:00:00", "05:00:00")):
        refuse(database, clock, body=b"%d" % n)
    test_quarantine.mark(database, identifier(at("03:00:00")), "discarded")
    assert read(database, pulse.in_quarantine) == pulse.Waiting(2, at("04:00:00"))


def test_commands_of_a_source_that_failed_lately_wait_since_the_oldest_was_asked_for(database):
    for n, (clock, state, source) in enumerate(
        (
            ("01:00:00", "failed", "guide"),
            ("03:00:00", "failed", "guide"),
            ("03:10:00", "failed", "covage"),
            ("03:20:00", "done", "guide"),
            ("04:00:00", "failed", "guide"),
        )
    ):
        one = making.command_row(identifier(at(clock), n), asked_at=at(clock), source=source)
        making.ask(database, replace(one, state=state))
    waiting = read(database, pulse.failed_commands, ["orange", "guide"], at("02:00:00"))
    assert waiting == {"guide": pulse.Waiting(2, at("03:00:00"))}


def test_those_heard_of_too_long_ago_for_their_source_and_state_are_silent(database, monkeypatch):
    test_orders.put(
        database,
        *(
            test_orders.told(
                n, order_id=f"o-{n}", state=state, source=source, received_at=at(clock)
            )
            for n, (source, state, clock) in enumerate(
                (
                    ("guide", "held", "01:00:00"),
                    ("guide", "held", "02:00:00"),
                    ("guide", "pending", "01:00:00"),
                    ("covage", None, "03:00:00"),
                    ("covage", "completed", "01:00:00"),
                    ("guide", "held", "06:00:00"),
                ),
                start=1,
            )
        ),
    )
    known = {("guide", "held"): timedelta(hours=2), ("covage", "none"): timedelta(hours=1)}
    assert read(database, pulse.silent, known, NOW) == {
        "covage": pulse.Waiting(1, at("03:00:00")),
        "guide": pulse.Waiting(2, at("01:00:00")),
    }
    assert read(database, pulse.silent, {}, NOW) == {}
    monkeypatch.setattr(pulse, "LOOKED", 1)
    assert read(database, pulse.silent, known, NOW) == {
        "guide": pulse.Waiting(1, at("01:00:00"), more=True)
    }


def test_placed_orders_never_told_of_wait_since_the_oldest_was_placed(database, monkeypatch):
    making.expect(
        database,
        *(
            making.placed(order_id, source=source, placed_at=at(clock))
            for order_id, source, clock in (
                ("told", "guide", "01:00:00"),
                ("over", "guide", "01:30:00"),
                ("first", "guide", "02:00:00"),
                ("then", "guide", "03:00:00"),
                ("told", "covage", "04:00:00"),
            )
        ),
    )
    making.told(
        database,
        {"source": "guide", "order_id": "told", "state": "held"},
        {"source": "guide", "order_id": "over", "state": "completed"},
    )
    assert read(database, pulse.unheard) == {
        "covage": pulse.Waiting(1, at("04:00:00")),
        "guide": pulse.Waiting(2, at("02:00:00")),
    }
    monkeypatch.setattr(pulse, "LOOKED", 2)
    assert read(database, pulse.unheard) == {"guide": pulse.Waiting(2, at("02:00:00"), more=True)}


def test_where_nothing_was_placed_nothing_is_missed(database):
    assert read(database, pulse.unheard) == {}


def test_what_a_source_told_since_a_moment_is_counted_as_far_as_is_looked(database, monkeypatch):
    arrive(database, "05:30:59", "06:00:00", "06:10:00")
    (source,) = {row.source for row in read(database, _sources)}
    assert read(database, pulse.heard, source, at("06:00:00")) == pulse.Waiting(2, None)
    assert read(database, pulse.heard, "other", at("05:00:00")) == pulse.Waiting(0, None)
    monkeypatch.setattr(pulse, "MOST", 2)
    assert read(database, pulse.heard, source, at("05:00:00")) == pulse.Waiting(2, None, more=True)


def _sources(connection):
    return connection.execute(sqlalchemy.text("SELECT source FROM log")).all()

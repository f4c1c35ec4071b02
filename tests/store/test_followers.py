"""How far those who follow the log have come."""

from __future__ import annotations

from app.store import engine, epochs, followers, stats
from tests.arrivals import RECEIVED
from tests.store import filling


def test_a_follower_begins_at_the_beginning(database):
    with engine.read(database) as connection:
        assert followers.position(connection, "orders") == (epochs.current(connection), 0)


def test_a_follower_goes_on_where_it_was(database):
    with database.begin() as connection:
        followers.advance(connection, "orders", "e1", 7)
        followers.advance(connection, "relay", "e1", 3)
        followers.advance(connection, "orders", "e2", 9)
    with engine.read(database) as connection:
        assert followers.position(connection, "orders") == ("e2", 9)
        assert followers.listing(connection) == [("orders", 9), ("relay", 3)]


def test_how_far_a_follower_is_behind_is_a_metric(database):
    filling.put(database, {}, {}, {})
    with database.begin() as connection:
        followers.advance(connection, "orders", "e", 1)
        followers.advance(connection, "relay", "e", 3)
    with engine.read(database) as connection:
        assert followers.waiting_since(connection, 1) == RECEIVED
        assert followers.waiting_since(connection, 3) is None
        found = {
            (gauge.name, gauge.labels["follower"]): gauge.value
            for gauge in stats.gauges(connection)
            if "follower" in gauge.labels
        }
    assert found["listener_follower_lag", "orders"] == 2
    assert found["listener_follower_lag_seconds", "orders"] > 0
    assert found["listener_follower_lag", "relay"] == 0
    assert found["listener_follower_lag_seconds", "relay"] == 0

"""Epochs: a new one begins far beyond anything handed out, on both engines."""

from __future__ import annotations

import pytest

from app.store import engine, epochs, log
from tests import arrivals
from tests.store import filling


def begin(database, reason="promoted"):
    with database.begin() as connection:
        return epochs.begin(connection, reason, arrivals.RECEIVED)


def current(database):
    with engine.read(database) as connection:
        return epochs.current(connection)


def head(database):
    with engine.read(database) as connection:
        return log.head(connection)


def test_a_new_database_is_in_its_first_epoch(database):
    assert len(current(database)) == 36


def test_a_new_epoch_is_in_force_at_once(database):
    before = current(database)
    begun = begin(database)
    assert begun != before
    assert current(database) == begun


@pytest.mark.parametrize("rows", [0, 3])
def test_the_next_seq_is_far_beyond_what_was_handed_out(database, rows):
    filling.put(database, *({} for _ in range(rows)))
    begin(database)
    filling.put(database, {})
    assert head(database) == 1_000_001 if rows == 0 else 2_000_001


def test_each_epoch_jumps_again(database):
    seen = []
    for _ in range(3):
        filling.put(database, {})
        seen.append(head(database))
        begin(database)
    assert seen == [1, 2_000_001, 4_000_001]


def test_a_row_behind_the_sequence_is_not_handed_out_again(database):
    filling.put(database, {}, {})
    with database.begin() as connection:
        rewound = (
            "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'log'"
            if database.dialect.name == "sqlite"
            else "SELECT setval('log_seq', 1)"
        )
        connection.exec_driver_sql(rewound)
    begin(database)
    filling.put(database, {})
    assert head(database) == 2_000_001


def test_an_epoch_that_is_taken_back_never_was(database):
    before = current(database)
    with database.connect() as connection, connection.begin() as transaction:
        epochs.begin(connection, "promoted", arrivals.RECEIVED)
        transaction.rollback()
    assert current(database) == before
    filling.put(database, {})
    assert head(database) >= 1

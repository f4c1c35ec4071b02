"""Partitions of `payload`: always there when a batch reaches them."""

from __future__ import annotations

import pytest
import sqlalchemy

from app.store import engine, log, payloads
from tests.store import filling


@pytest.fixture
def postgres(postgres_url):
    made = engine.create(postgres_url)
    yield made
    made.dispose()


def partitions(postgres):
    with engine.read(postgres) as connection:
        found = connection.exec_driver_sql(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'payload'::regclass"
        )
        return sorted(name for (name,) in found)


def jump(postgres, to):
    with postgres.begin() as connection:
        connection.exec_driver_sql("SELECT setval('log_seq', %s)", (to,))


def test_the_first_two_are_there_from_the_start(postgres):
    assert partitions(postgres) == ["payload_p0", "payload_p1"]


def test_a_batch_that_crosses_into_the_next_is_stored_whole(postgres):
    jump(postgres, 1_999_998)
    ids = filling.put(postgres, *({"raw": b"%d" % n} for n in range(4)))
    with engine.read(postgres) as connection:
        assert [log.raw(connection, id_)[0] for id_ in ids] == [b"0", b"1", b"2", b"3"]
    assert partitions(postgres) == ["payload_p0", "payload_p1", "payload_p2", "payload_p3"]


def test_one_that_was_made_in_vain_is_made_again(postgres):
    with postgres.connect() as connection:
        for _ in range(2):
            with connection.begin() as transaction:
                payloads.ensure_partition(connection, 5_000_000)
                transaction.rollback()
    jump(postgres, 4_999_999)
    filling.put(postgres, {})
    assert "payload_p5" in partitions(postgres)


def test_what_is_known_is_not_asked_for_again(postgres):
    asked = []
    sqlalchemy.event.listen(
        postgres, "before_cursor_execute", lambda *given: asked.append(given[2])
    )
    with postgres.connect() as connection:
        for seq in (1, 2, 999_999):
            payloads.ensure_partition(connection, seq)
            connection.commit()
    assert len(asked) == 2


def test_readers_are_not_held_up_while_one_is_made(postgres):
    filling.put(postgres, {})
    with postgres.begin() as writing, engine.read(postgres) as reading:
        writing.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        reading.exec_driver_sql("SELECT * FROM payload").all()
        payloads.ensure_partition(writing, 7_000_000)
        assert len(reading.exec_driver_sql("SELECT * FROM payload").all()) == 1
    assert "payload_p7" in partitions(postgres)


def test_a_partition_has_the_key_of_the_whole(postgres):
    with postgres.begin() as connection:
        payloads.ensure_partition(connection, 3_000_000)
    inspected = sqlalchemy.inspect(postgres)
    assert inspected.get_pk_constraint("payload_p3")["constrained_columns"] == ["seq"]


def test_sqlite_has_none(sqlite_url):
    made = engine.create(sqlite_url)
    with made.begin() as connection:
        payloads.ensure_partition(connection, 5_000_000)
    made.dispose()

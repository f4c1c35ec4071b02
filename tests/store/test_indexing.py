"""What follows the log so that it is found by its words and counted."""

from __future__ import annotations

import itertools
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from app.notifications import findable
from app.store import engine, indexing, log, personal, search, stats
from tests.arrivals import RECEIVED
from tests.store import filling


def follow(database, most=500):
    """Have the next rows of the log indexed; how many there were."""
    with database.begin() as connection:
        return indexing.follow(connection, most)


def found(database, q, *, near=0, after_seq=None, limit=50, ascending=True, **conditions):
    """By the indexes, unless rows `near` by are looked at first."""
    with engine.read(database) as connection:
        asked = log.Filter(**conditions).conditions()
        sought = search.Sought(q, asked, after_seq, limit, ascending)
        return search.seqs(connection, sought, near=near)


@pytest.fixture
def told(database):
    """Four notifications with words, indexed."""
    filling.put(
        database,
        {"summary": {"message": "Trench blocked by water"}, "refs": {"crm": "CRM-77"}},
        {"summary": {"message": "Water in the trench"}, "state": "held"},
        {"summary": {"orderMessage": [{"messageInformation": "Kanaltätning"}]}},
        {"refs": {"crm": "CRM-770"}, "source": "other"},
    )
    follow(database)
    return database


SOUGHT = (
    ("trench", [1, 2]),
    ("TREN wat", [1, 2]),
    ("water-in", [2]),
    ("trench-blocked", [1]),
    ("blocked-trench", []),
    ("trench blocked by water crm 77", [1]),
    ("trench blocked in water crm 77", []),
    ("crm-77", [1]),
    ("crm-770", [4]),
    ("crm", [1, 4]),
    ("cr", []),
    ("by", [1]),
    ("kanaltatn", [3]),
    ("Kanaltätning", [3]),
    ("rench", []),
    ('" OR 1', []),
    ("trench & !water | 'x':*", []),
    ("NOT trench", []),
    ("*", []),
    ("%", []),
)


def test_words_and_their_beginnings_find_rows_near_by_and_by_the_index(told):
    for near, (q, expected) in itertools.product((0, 2, 5000), SOUGHT):
        assert found(told, q, near=near) == expected, (q, near)
        assert found(told, q, near=near, ascending=False) == expected[::-1], (q, near)


def test_a_search_goes_on_from_a_place_keeps_to_conditions_and_ends(told):
    for near in (0, 1, 5000):
        assert found(told, "trench", near=near, after_seq=1) == [2]
        assert found(told, "trench", near=near, after_seq=2, ascending=False) == [1]
        assert found(told, "trench", near=near, state="held") == [2]
        assert found(told, "crm", near=near, source="other") == [4]
        assert found(told, "trench", near=near, limit=1) == [1]


def test_words_are_found_in_order_however_far_is_looked_first(database, monkeypatch):
    monkeypatch.setattr(search, "STRETCHES", {"sqlite": (2, 5), "postgresql": (2, 5)})
    said = {"summary": {"message": "water"}}
    filling.put(database, *(said if n in {2, 3, 7, 9} else {} for n in range(1, 11)))
    follow(database)
    for ascending, limit in itertools.product((True, False), (1, 2, 3, 50)):
        pages: list[int] = []
        while page := found(
            database,
            "water",
            after_seq=(pages or [None])[-1],
            limit=limit,
            ascending=ascending,
        ):
            pages += page
        assert pages == sorted([2, 3, 7, 9], reverse=not ascending), limit


def test_what_has_an_id_and_what_has_a_word_are_found_in_one_list(told):
    filling.put(told, {"order_id": "trench-7"})
    assert found(told, "trench") == [1, 2, 5]
    assert found(told, "trench", limit=2, ascending=False) == [5, 2]


def test_nothing_is_found_by_words_before_it_was_indexed(database):
    filling.put(database, {"summary": {"message": "water"}})
    assert found(database, "water") == []
    follow(database)
    assert found(database, "water") == [1]


def test_what_was_done_is_not_done_again(told):
    before = counts(told)
    assert follow(told) == 0
    assert counts(told) == before
    filling.put(told, {"summary": {"message": "trench"}}, {}, {})
    assert [follow(told, 2), follow(told, 2), follow(told, 2)] == [2, 1, 0]
    assert found(told, "trench") == [1, 2, 5]


def test_counts_are_those_of_the_log_wherever_the_follower_is(told):
    whole = {"notifications": 6, "by_source": {"local": 4, "other": 2},
             "by_kind": {"created": 1, "state_changed": 5}, "quarantine": 0}  # fmt: skip
    filling.put(told, {"kind": "created"}, {"source": "other"})
    assert counts(told) == whole
    assert follow(told, 1) == 1
    assert counts(told) == whole
    follow(told)
    assert counts(told) == whole


def test_counting_does_not_read_the_log_again(told):
    with told.begin() as connection:
        connection.exec_driver_sql("UPDATE tally SET n = n + 100 WHERE source = 'other'")
    assert counts(told)["by_source"] == {"local": 3, "other": 101}


@pytest.mark.parametrize("near", [0, 5000])
@pytest.mark.parametrize("followed", ["before", "after"])
def test_erasing_takes_the_words_of_messages_and_leaves_those_of_refs(database, near, followed):
    summary = {"message": "Greta Garbo is not at home"}
    filling.put(
        database,
        {"order_id": "O-1", "summary": summary, "refs": {"crm": "CRM-77"}},
        {"order_id": "O-2", "summary": summary},
    )
    if followed == "before":
        follow(database)
    with database.begin() as connection:
        personal.erase(connection, "local", "O-1", by="cli:ops", at=RECEIVED)
    follow(database)
    assert found(database, "garbo", near=near) == [2]
    assert found(database, "crm-77", near=near) == [1]


def test_words_read_before_an_erasure_are_not_written_after_it(postgres_url):
    database = engine.create(postgres_url)
    filling.put(database, {"order_id": "O-1", "summary": {"message": "Greta"}})
    with database.connect() as erasing, erasing.begin():
        personal.erase(erasing, "local", "O-1", by="cli:ops", at=RECEIVED)
        follower = threading.Thread(target=follow, args=(database,))
        follower.start()
        until_one_waits(database)
    follower.join(30)
    assert found(database, "greta") == []
    database.dispose()


def until_one_waits(database):
    """Wait until a connection waits for an advisory lock."""
    ends = time.monotonic() + 30
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while time.monotonic() < ends:
        with engine.read(database) as connection:
            if connection.exec_driver_sql(waiting).scalar_one():
                return
    raise TimeoutError("nobody waits")


WORDS = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3).map(" ".join)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=WORDS, cut=st.integers(3, 8))
def test_every_word_is_found_by_the_index_by_its_beginning(database, message, cut):
    message = message.replace("\0", "").encode("utf-8", "replace").decode()
    filling.put(database, {"summary": {"message": message}})
    with engine.read(database) as connection:
        head = log.head(connection)
    follow(database)
    for word in findable.fold(message):
        assert head in found(database, word)
        assert head in found(database, word[: max(cut, 3)])


def counts(database):
    with engine.read(database) as connection:
        return stats.counts(connection)

"""Quarantine: kept once, counted, within its quota, on both engines (law 2)."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from app.store import append, engine, quarantine, quota
from tests.arrivals import RECEIVED
from tests.store.making import hold, refused

LATER = RECEIVED + timedelta(hours=1)


def one(database, id_):
    with engine.read(database) as connection:
        return quarantine.one(connection, id_)


def listed(database, *, state=None, source=None, after_id=None, limit=50):
    with engine.read(database) as connection:
        return quarantine.page(
            connection, state=state, source=source, after_id=after_id, limit=limit
        )


def usage(database, source="orange"):
    with engine.read(database) as connection:
        found = {row["source"]: row for row in quota.usage(connection)}
    return found.get(source)


def mark(database, id_, status, notification_id=None):
    with database.begin() as connection:
        return quarantine.mark(connection, id_, status, "jwt:anna", LATER, notification_id)


@pytest.fixture
def small_quota(monkeypatch):
    """Three full rows or 100 bytes, then two digests."""
    monkeypatch.setattr(quota, "FULL_ROWS", 3)
    monkeypatch.setattr(quota, "FULL_BYTES", 100)
    monkeypatch.setattr(quota, "DIGESTS", 2)


def test_a_refused_body_is_kept_with_everything_known_of_it(database):
    held = refused(b"\x00\xff{")
    assert hold(database, held) == [held.id]
    found = one(database, held.id)
    assert found["body"] == b"\x00\xff{"
    assert found["faults"] == [{"path": "", "problem": "it ends early", "expected": "an object"}]
    expected = {
        "source": "orange", "code": 22, "message": "The body is not JSON.", "state": "open",
        "count": 1, "received_at": RECEIVED, "last_received_at": RECEIVED, "channel": "push",
        "flavour": "tmf622_v4", "event_name": "productOrderStateChangeEvent",
        "content_type": "application/json", "principal": "jwt:orange",
        "remote_addr": "192.0.2.1", "length": 3, "truncated": False, "kept": True,
        "resolved_at": None, "resolved_by": None, "notification_id": None,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_a_body_refused_again_is_counted_on_its_first_row(database):
    first, again = refused(), refused(received_at=LATER)
    hold(database, first)
    assert hold(database, again) == [first.id]
    found = one(database, first.id)
    assert (found["count"], found["received_at"], found["last_received_at"]) == (2, RECEIVED, LATER)
    assert one(database, again.id) is None


def test_many_copies_in_one_batch_are_one_row(database):
    ids = hold(database, *(refused() for _ in range(500)))
    assert len(set(ids)) == 1
    assert [(row["id"], row["count"]) for row in listed(database)] == [(ids[0], 500)]


def test_2000_copies_grow_it_by_one_row(database):
    for _ in range(4):
        hold(database, *(refused() for _ in range(500)))
    assert [row["count"] for row in listed(database)] == [2000]
    assert usage(database)["rows"] == 1


@pytest.mark.parametrize(
    "other", [{"source": "covage"}, {"code": 24}, {"raw_digest": hashlib.sha256(b"[").digest()}]
)
def test_another_source_code_or_body_is_another_row(database, other):
    hold(database, refused(), refused(**other))
    assert len(listed(database)) == 2


def test_a_batch_answers_each_in_its_order(database):
    known = refused(b"1")
    hold(database, known)
    a, b = refused(b"2"), refused(b"3", source="covage")
    ids = hold(database, a, refused(b"1"), b, refused(b"2"))
    assert ids == [a.id, known.id, b.id, a.id]


def test_text_that_no_column_takes_is_kept_without_what_it_refuses(database):
    faults = ({"path": "a\0b", "problem": "\ud800", "expected": "text"},)
    held = refused(message="NUL \0 and \udfff", faults=faults, content_type="a\0")
    hold(database, held)
    found = one(database, held.id)
    assert found["message"] == "NUL \N{REPLACEMENT CHARACTER} and ?"
    assert found["faults"][0]["path"] == "a\N{REPLACEMENT CHARACTER}b"


def test_a_sender_cannot_make_the_reason_as_long_as_he_likes(database):
    faults = [{"path": "x" * 10_000, "problem": "y", "expected": "z"}] * 1000
    held = refused(message="m" * 10_000, faults=faults)
    hold(database, held)
    found = one(database, held.id)
    assert (len(found["message"]), len(found["faults"])) == (200, 20)
    assert len(found["faults"][0]["path"]) == 200


def test_beyond_its_rows_a_source_leaves_only_digest_and_reason(database, small_quota):
    ids = hold(database, *(refused(b"%d" % n) for n in range(4)))
    assert [one(database, id_)["kept"] for id_ in ids] == [True, True, True, False]
    last = one(database, ids[3])
    assert (last["body"], last["faults"], last["message"]) == (None, [], "The body is not JSON.")
    assert last["raw_digest"] == hashlib.sha256(b"3").digest()


def test_beyond_its_bytes_too(database, small_quota):
    ids = hold(database, refused(b"x" * 60), refused(b"y" * 60), refused(b"z" * 40))
    assert [one(database, id_)["kept"] for id_ in ids] == [True, False, True]
    assert usage(database)["bytes"] == 100


def test_beyond_its_digests_a_refusal_is_only_counted(database, small_quota):
    hold(database, *(refused(b"%d" % n) for n in range(5)))
    over = [refused(b"over %d" % n) for n in range(3)]
    assert hold(database, *over) == [held.id for held in over]
    hold(database, refused(b"over 0"))
    assert len(listed(database)) == 5
    assert {k: v for k, v in usage(database).items() if k != "bytes"} == {
        "source": "orange", "rows": 3, "digests": 2, "overflow": 4, "full": True,
    }  # fmt: skip


def test_one_source_does_not_use_up_the_place_of_another(database, small_quota):
    hold(database, *(refused(b"%d" % n) for n in range(9)))
    held = refused(source="covage")
    hold(database, held)
    assert one(database, held.id)["kept"]
    assert (usage(database)["full"], usage(database, "covage")["full"]) == (True, False)


def test_a_repeat_is_counted_though_the_quota_is_used_up(database, small_quota):
    ids = hold(database, *(refused(b"%d" % n) for n in range(5)))
    hold(database, refused(b"4"), refused(b"0"))
    assert [one(database, id_)["count"] for id_ in ids] == [2, 1, 1, 1, 2]
    assert usage(database)["overflow"] == 0


def test_released_it_names_who_when_and_the_notification(database):
    (id_,) = hold(database, refused())
    assert mark(database, id_, "released", "0199-n")
    found = one(database, id_)
    assert (found["state"], found["resolved_by"], found["resolved_at"]) == (
        "released", "jwt:anna", LATER,
    )  # fmt: skip
    assert found["notification_id"] == "0199-n"


@pytest.mark.parametrize("status", ["released", "discarded"])
def test_resolved_it_lets_go_of_its_bytes_and_its_place(database, status):
    ids = hold(database, refused(b"1"), refused(b"22"))
    mark(database, ids[0], status)
    assert one(database, ids[0])["body"] is None
    assert (usage(database)["rows"], usage(database)["bytes"]) == (1, 2)


def test_what_is_not_open_is_not_marked_again(database):
    (id_,) = hold(database, refused())
    assert mark(database, id_, "discarded")
    assert not mark(database, id_, "released", "0199-n")
    assert one(database, id_)["state"] == "discarded"
    assert usage(database)["rows"] == 0


@pytest.mark.parametrize("id_", ["0199", "", "a\0b"])
def test_what_is_not_there_is_not_marked(database, id_):
    assert not mark(database, id_, "discarded")
    assert one(database, id_) is None


@pytest.mark.parametrize("status", ["released", "discarded"])
def test_refused_again_after_that_it_is_open_again_with_its_bytes(database, status):
    first = refused(b"123")
    hold(database, first)
    mark(database, first.id, status, "0199-n")
    assert hold(database, refused(b"123", received_at=LATER)) == [first.id]
    found = one(database, first.id)
    assert (found["state"], found["count"], found["body"]) == ("open", 2, b"123")
    assert (found["resolved_by"], found["resolved_at"], found["notification_id"]) == (
        None,
        None,
        None,
    )
    assert (usage(database)["rows"], usage(database)["bytes"]) == (1, 3)


@pytest.mark.parametrize("status", [None, "released", "discarded"])
def test_what_a_feed_shows_again_and_again_is_refused_once_and_stays_as_it_was_left(
    database, status
):
    first = refused(b"123", channel="pull", reread=True)
    hold(database, first)
    if status is not None:
        mark(database, first.id, status, "0199-n")
    before = one(database, first.id)
    again = refused(b"123", channel="pull", reread=True, received_at=LATER)
    assert hold(database, again, again) == [append.Unchanged()] * 2
    assert one(database, first.id) == before


def test_a_digest_that_a_feed_shows_again_gets_its_bytes_once_there_is_a_place(
    database, small_quota
):
    ids = hold(database, *(refused(b"%d" % n, reread=True) for n in range(4)))
    mark(database, ids[0], "discarded")
    assert hold(database, refused(b"3", reread=True)) == [append.Unchanged()]
    assert (one(database, ids[3])["body"], one(database, ids[3])["count"]) == (b"3", 1)


def test_opened_again_without_a_place_it_is_a_digest(database, small_quota):
    ids = hold(database, *(refused(b"%d" % n) for n in range(3)))
    mark(database, ids[0], "discarded")
    hold(database, refused(b"new"))
    hold(database, refused(b"0"))
    assert (one(database, ids[0])["state"], one(database, ids[0])["kept"]) == ("open", False)
    assert (usage(database)["rows"], usage(database)["digests"]) == (3, 1)


def test_a_digest_gets_its_bytes_once_there_is_a_place(database, small_quota):
    ids = hold(database, *(refused(b"%d" % n) for n in range(4)))
    mark(database, ids[0], "discarded")
    hold(database, refused(b"3"))
    assert one(database, ids[3])["body"] == b"3"
    assert (usage(database)["rows"], usage(database)["digests"]) == (3, 0)


def test_a_discarded_digest_gives_its_place_back(database, small_quota):
    ids = hold(database, *(refused(b"%d" % n) for n in range(5)))
    mark(database, ids[4], "discarded")
    assert usage(database)["digests"] == 1


def test_the_list_shows_the_newest_first_a_page_at_a_time(database):
    ids = hold(database, *(refused(b"%d" % n) for n in range(5)))
    first = [row["id"] for row in listed(database, limit=3)]
    rest = [row["id"] for row in listed(database, limit=3, after_id=first[-1])]
    assert first + rest == ids[::-1]


def test_the_list_has_no_bytes_but_says_whether_there_are(database):
    hold(database, refused())
    (row,) = listed(database)
    assert row["kept"] is True
    assert not {"body", "faults"} & set(row)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"state": "open"}, {1, 2}),
        ({"state": "discarded"}, {0}),
        ({"source": "covage"}, {2}),
        ({"source": "orange", "state": "open"}, {1}),
        ({"source": "a\0"}, set()),
    ],
)
def test_the_list_can_be_narrowed(database, asked, expected):
    ids = hold(database, refused(b"0"), refused(b"1"), refused(b"2", source="covage"))
    mark(database, ids[0], "discarded")
    assert {row["id"] for row in listed(database, **asked)} == {ids[n] for n in expected}


def test_two_that_hold_the_same_at_once_make_one_row(database):
    rounds = 20
    ids: list[list[str]] = []

    def holding(name):
        mine = [refused(b"%d" % n, source=s) for n in range(rounds) for s in ("orange", "covage")]
        ids.append([hold(database, *order)[0] for order in _both_ways(mine, name)])

    threads = [threading.Thread(target=holding, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = listed(database, limit=500)
    assert len(rows) == 2 * rounds
    assert {row["count"] for row in rows} == {3}
    assert len(ids) == 3
    assert (usage(database)["rows"], usage(database, "covage")["rows"]) == (rounds, rounds)


def _both_ways(holds, name):
    pairs = [holds[n : n + 2] for n in range(0, len(holds), 2)]
    return [pair[::-1] if name % 2 else pair for pair in pairs]


def test_a_hold_that_is_taken_back_leaves_no_count(database):
    with database.connect() as connection, connection.begin() as transaction:
        quarantine.hold(connection, [replace(refused(), id="x")])
        transaction.rollback()
    assert listed(database) == []
    assert usage(database) is None or usage(database)["rows"] == 0


def test_those_of_one_source_and_reason_are_found_and_counted(database):
    first = refused(b"1", code=24)
    rows = (first, refused(b"2", code=24), refused(b"3"), refused(b"4", code=24, source="covage"))
    ids = hold(database, *rows)
    (later,) = hold(database, refused(b"5", code=24))
    mark(database, ids[1], "discarded")
    with engine.read(database) as connection:
        many = quarantine.Many(ids[3], source="orange", code=24)
        assert quarantine.still_open(connection, many, 9) == [ids[0]]
        assert quarantine.count_open(connection, many) == (1, first.received_at)
        some = quarantine.Many(later, ids=(ids[2], ids[1], later))
        assert quarantine.still_open(connection, some, 9) == [later, ids[2]]
        assert quarantine.still_open(connection, some, 1) == [later]
        assert quarantine.count_open(connection, quarantine.Many("0")) == (0, None)
        found = quarantine.page(
            connection, state=None, source=None, code=22, after_id=None, limit=9
        )
    assert [row["id"] for row in found] == [ids[2]]

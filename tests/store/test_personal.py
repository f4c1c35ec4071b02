"""Personal data: apart, and gone from everywhere when it is erased."""

from __future__ import annotations

import pytest

from app.notifications.notification import Channel
from app.store import commands, engine, files, log, personal, quarantine, quota
from app.store.personal import Person
from tests.arrivals import RECEIVED
from tests.store.filling import put
from tests.store.making import command_row, file

NAME = "Greta Garbo"
PERSON = Person("guide", "O-1", RECEIVED, {"name": NAME, "ssn": "19050918-0000"})


def act(database, step, *arguments, **named):
    with database.begin() as connection:
        return step(connection, *arguments, **named)


def erase(database, order="O-1", source="guide"):
    return act(database, personal.erase, source, order, by="cli:ops", at=RECEIVED)


def hold(id_, body, source="guide"):
    return quarantine.Hold(
        id=id_, source=source, raw_digest=id_.encode().ljust(32), code=24, message=f"not {NAME}",
        faults=({"path": "x", "problem": NAME, "expected": "y"},), received_at=RECEIVED,
        channel="pull", flavour=None, event_name=None, content_type=None, principal=None,
        remote_addr=None, body=body, length=len(body), truncated=False,
    )  # fmt: skip


@pytest.fixture
def known(database):
    """Everything there can be of order O-1 of `guide`, and as much of another order."""
    ids = put(
        database,
        {"source": "guide", "order_id": "O-1", "raw": f"<n>{NAME}</n>".encode(),
         "summary": {"message": NAME}, "channel": Channel.PULL},
        {"source": "guide", "order_id": "C-1", "about_order_id": "O-1", "raw": NAME.encode()},
        {"source": "guide", "order_id": "O-2", "raw": f"<n>{NAME}</n>".encode()},
        {"source": "other", "order_id": "O-1", "raw": f"<n>{NAME}</n>".encode()},
    )  # fmt: skip
    act(database, personal.put, PERSON)
    act(database, personal.put, Person("guide", "O-2", RECEIVED, {"name": NAME}))
    act(database, quarantine.hold, [
        hold("q1", f'{{"id": "O-1", "name": "{NAME}"}}'.encode()),
        hold("q2", f'{{"id": "O-2", "name": "{NAME}"}}'.encode()),
        hold("q3", f'{{"id": "O-1", "name": "{NAME}"}}'.encode(), "other"),
    ])  # fmt: skip
    act(database, files.want, file("f1", source="guide", notification_id=ids[0], label=NAME))
    act(database, files.store, "f1", NAME.encode(), None, RECEIVED)
    act(database, commands.ask, command_row("c1", arguments={"type": "error", "message": NAME}))
    act(database, commands.finish, "c1", "done", RECEIVED, result={"message": NAME})
    return ids


def everywhere(database):
    """Each row of each table that holds the name, by table."""
    found = {}
    with engine.read(database) as connection:
        tables = ("ledger", "log", "payload", "quarantine", "personal", "file", "command", "job",
                  "feed_turn", "audit_trail")  # fmt: skip
        for table in tables:
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall()
            held = [row for row in rows if any(NAME in _text(value) for value in row)]
            if held:
                found[table] = len(held)
    return found


def _text(value):
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", errors="replace")
    return str(value)


def test_a_person_is_kept_as_told_and_the_last_word_counts(database):
    act(database, personal.put, Person("guide", "O-1", RECEIVED, {"name": "old"}))
    act(database, personal.put, PERSON)
    with engine.read(database) as connection:
        assert personal.one(connection, "guide", "O-1") == PERSON
        assert personal.one(connection, "guide", "O-9") is None


def test_an_erased_order_is_gone_from_everywhere_and_only_it(database, known):
    assert everywhere(database) == {
        "payload": 4, "quarantine": 3, "personal": 2, "file": 1, "command": 1,
    }  # fmt: skip
    erased = erase(database)
    assert erased == personal.Erased(
        notifications=2, quarantined=1, files=1, commands=1, person=True
    )
    assert everywhere(database) == {"payload": 2, "quarantine": 2, "personal": 1}


def test_that_it_was_told_stays(database, known):
    erase(database)
    with engine.read(database) as connection:
        (row,) = connection.exec_driver_sql(
            "SELECT state, payload_gone_at FROM log WHERE order_id = 'O-1' AND source = 'guide'"
        ).fetchall()
        assert row.state == "inProgress"
        assert row.payload_gone_at is not None
        count = connection.exec_driver_sql("SELECT count(*) FROM ledger").scalar_one()
        assert count == len(known)


def test_bytes_that_were_erased_are_not_there_rather_than_empty(database, known):
    erase(database)
    with engine.read(database) as connection:
        assert log.one(connection, known[0])["raw"] is None
        assert log.raw(connection, known[0]) is None
        rows = log.page(
            connection, log.Filter(), after_seq=None, limit=9, ascending=True, also=("raw",)
        )
    assert [row["raw"] is None for row in rows] == [True, True, False, False]


def test_erasing_again_or_for_nothing_does_no_harm(database, known):
    erase(database)
    again = erase(database)
    assert (again.quarantined, again.files, again.person) == (0, 0, False)
    assert erase(database, "O-9").notifications == 0


def test_the_quota_of_the_quarantine_is_let_go(database, known):
    with engine.read(database) as connection:
        before = {used["source"]: used["rows"] for used in quota.usage(connection)}
    erase(database)
    with engine.read(database) as connection:
        after = {used["source"]: used["rows"] for used in quota.usage(connection)}
    assert (before["guide"], after["guide"]) == (2, 1)
    assert before["other"] == after["other"]

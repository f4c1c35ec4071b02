"""Files of events: wanted once, kept, given up."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from app.store import engine, files
from tests.arrivals import RECEIVED
from tests.store.making import file

LATER = RECEIVED + timedelta(minutes=1)


def act(database, step, *arguments, **named):
    with database.begin() as connection:
        step(connection, *arguments, **named)


def wanted(database):
    with engine.read(database) as connection:
        return files.wanted(connection, "covage", 10)


def test_a_file_is_wanted_once(database):
    act(database, files.want, file("f1"))
    act(database, files.want, file("f2"))
    act(database, files.want, file("f3", label="fichier 2", due_at=LATER))
    assert wanted(database) == [file("f1"), file("f3", label="fichier 2", due_at=LATER)]
    with engine.read(database) as connection:
        assert files.sources_with_wanted(connection) == {"covage"}


def test_what_is_stored_comes_back_byte_for_byte(database):
    act(database, files.want, file())
    act(database, files.store, "f1", b"\x00pdf", "application/pdf", LATER)
    with engine.read(database) as connection:
        found, body = files.one(connection, "f1")
        assert files.of_notification(connection, "n1") == [found]
        assert files.one(connection, "f9") is None
    assert body == b"\x00pdf"
    assert (found.state, found.length, found.content_type, found.fetched_at) == (
        "stored", 4, "application/pdf", LATER,
    )  # fmt: skip
    assert found.digest == hashlib.sha256(b"\x00pdf").digest()
    assert wanted(database) == []


def test_a_failure_is_counted_and_the_last_one_is_the_end(database):
    act(database, files.want, file())
    act(database, files.failed, "f1", "answered 503", LATER)
    (again,) = wanted(database)
    assert (again.attempts, again.error, again.due_at) == (1, "answered 503", LATER)
    act(database, files.failed, "f1", "answered 404", None)
    with engine.read(database) as connection:
        found, body = files.one(connection, "f1")
    assert (found.state, found.attempts, body) == ("failed", 2, None)


def test_what_is_not_wanted_any_more_is_not_stored(database):
    act(database, files.want, file())
    act(database, files.failed, "f1", "gone", None)
    act(database, files.store, "f1", b"late", None, LATER)
    with engine.read(database) as connection:
        assert files.one(connection, "f1")[1] is None

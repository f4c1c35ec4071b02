"""Credentials at rest: added, listed, withdrawn, on both engines."""

from __future__ import annotations

from datetime import timedelta

from app.store import credentials, engine
from tests.arrivals import RECEIVED
from tests.store.making import stored


def add(database, *added):
    with database.begin() as connection:
        for one in added:
            credentials.add(connection, one)


def revoke(database, id_):
    with database.begin() as connection:
        return credentials.revoke(connection, id_, RECEIVED)


def read(database, question, *arguments):
    with engine.read(database) as connection:
        return question(connection, *arguments)


def test_a_credential_comes_back_as_it_was(database):
    one = stored(label="2027", expires_at=RECEIVED + timedelta(days=365))
    add(database, one)
    assert read(database, credentials.listing) == [one]


def test_the_list_is_of_all_or_of_one_source(database):
    a, b = stored("a"), stored("b", source="covage")
    add(database, a, b)
    assert read(database, credentials.listing) == [b, a]
    assert read(database, credentials.listing, "orange") == [a]
    assert read(database, credentials.listing, "nobody") == []


def test_a_revoked_one_is_listed_but_not_active(database):
    add(database, stored("a"), stored("b"))
    assert revoke(database, "a")
    assert [one.id for one in read(database, credentials.active)] == ["b"]
    assert [one.revoked_at for one in read(database, credentials.listing)] == [RECEIVED, None]


def test_only_what_is_active_can_be_revoked(database):
    add(database, stored("a"))
    assert revoke(database, "a")
    assert not revoke(database, "a")
    assert not revoke(database, "nobody")


def test_an_expired_one_is_left_to_who_knows_the_time(database):
    add(database, stored(expires_at=RECEIVED - timedelta(days=1)))
    assert len(read(database, credentials.active)) == 1


def test_the_latest_word_on_the_tokens_of_a_source_holds(database):
    assert read(database, credentials.source_states) == {}
    for hours, source in ((0, "orange"), (1, "covage"), (2, "orange")):
        with database.begin() as connection:
            moment = RECEIVED + timedelta(hours=hours)
            credentials.set_tokens_not_before(connection, source, moment)
    assert read(database, credentials.source_states) == {
        "orange": RECEIVED + timedelta(hours=2),
        "covage": RECEIVED + timedelta(hours=1),
    }

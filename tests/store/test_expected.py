"""The orders we placed: kept, replaced, found."""

from dataclasses import replace
from datetime import timedelta

from app.store import engine, expected
from tests.arrivals import RECEIVED


def placed(order_id="O-1", **fields):
    given = {
        "source": "stadsnat", "order_id": order_id, "own_ref": "S-7", "access_id": "STTA0001",
        "placed_at": RECEIVED, "answer": "RECEIVED", "put_at": RECEIVED, "put_by": "jwt:ops",
    }  # fmt: skip
    return expected.Expected(**{**given, **fields})


def test_what_was_placed_comes_back_as_it_was_put(database):
    first, bare = placed(), placed("O/2", own_ref=None, access_id=None, answer=None)
    with database.begin() as connection:
        expected.put(connection, [first, bare])
    with engine.read(database) as connection:
        assert expected.one(connection, "stadsnat", "O-1") == first
        assert expected.one(connection, "stadsnat", "O/2") == bare
        assert expected.one(connection, "other", "O-1") is None
        assert expected.one(connection, "stadsnat", "O\0") is None


def test_what_is_put_again_takes_the_place_of_what_was_known(database):
    later = replace(placed(own_ref=None), placed_at=RECEIVED + timedelta(days=1))
    with database.begin() as connection:
        expected.put(connection, [placed(), placed("O-2")])
        expected.put(connection, [placed(answer="x"), later])
        expected.put(connection, [])
    with engine.read(database) as connection:
        assert expected.one(connection, "stadsnat", "O-1") == later
        assert expected.one(connection, "stadsnat", "O-2") == placed("O-2")

"""Engines: what is closed, and when."""

from __future__ import annotations

import sqlalchemy

from app.store import engine


def test_a_connection_that_is_lent_is_closed_when_it_is_given_back(database):
    closed: list[object] = []
    sqlalchemy.event.listen(database, "close", lambda connection, _: closed.append(connection))
    with database.connect() as lent:
        driver = lent.connection.driver_connection
        engine.dispose(database)
        assert closed == []
        assert lent.exec_driver_sql("SELECT 1").scalar_one() == 1
    assert closed == [driver]

"""SQLite's write lock is had in turn: nobody passes who waits, and nobody waits for ever."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time

import pytest
import sqlalchemy

from app.store import engine, turnstile

GREEDY = """
import sqlite3, sys, time
from app.store import turnstile
one = sqlite3.connect(sys.argv[1], isolation_level=None)
print("begun", flush=True)
while True:
    turnstile.begin(one, sys.argv[1], 5.0)
    one.execute("INSERT INTO t VALUES (0)")
    time.sleep(0.02)
    one.execute("COMMIT")
"""


@pytest.fixture
def path(tmp_path):
    made = str(tmp_path / "some.db")
    with sqlite3.connect(made) as one:
        one.execute("PRAGMA journal_mode=WAL")
        one.execute("CREATE TABLE t (n INTEGER)")
    one.close()
    return made


@pytest.fixture
def one(path):
    made = sqlite3.connect(path, isolation_level=None)
    yield made
    made.close()


@pytest.fixture
def greedy(path):
    """Another process that writes without a pause, 20 ms a transaction."""
    process = subprocess.Popen([sys.executable, "-c", GREEDY, path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def written(one):
    return one.execute("SELECT count(*) FROM t WHERE n = 0").fetchone()[0]


def test_whoever_waits_goes_before_whoever_just_wrote(path, one, greedy):
    turns = []
    for _ in range(10):
        before = written(one)
        turnstile.begin(one, path, 5.0)
        turns.append(written(one) - before)
        one.execute("INSERT INTO t VALUES (1)")
        one.execute("COMMIT")
    assert max(turns) <= 2  # the one that has it, and one that stood before us


def test_patience_has_an_end(path, one):
    other = sqlite3.connect(path, isolation_level=None)
    turnstile.begin(other, path, 1.0)
    began = time.monotonic()
    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        turnstile.begin(one, path, 0.05)
    assert time.monotonic() - began < 1.0
    other.execute("COMMIT")
    turnstile.begin(one, path, 0.05)
    other.close()


def test_a_killed_process_holds_nobody_up(path, one, greedy):
    greedy.kill()
    greedy.wait()
    turnstile.begin(one, path, 1.0)
    one.execute("COMMIT")


def test_what_is_not_about_waiting_is_told_as_it_is(path, one):
    turnstile.begin(one, path, 0.5)
    with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
        turnstile.begin(one, path, 0.5)


def test_an_engine_waits_its_turn_and_says_so_in_its_own_words(path):
    made = engine.create(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    turnstile.begin(other, path, 1.0)
    engine.PATIENCE, before = 0.05, engine.PATIENCE
    try:
        with pytest.raises(sqlalchemy.exc.OperationalError, match="locked"), made.begin():
            pass
    finally:
        engine.PATIENCE = before
        other.close()
        made.dispose()

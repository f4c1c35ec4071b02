"""SQLite's write lock is had in turn: nobody passes who waits, and nobody waits for ever."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy

from app.store import engine, turnstile

GREEDY = """
import sqlite3, sys, time
from app.store import turnstile
one = sqlite3.connect(sys.argv[1], isolation_level=None)
turn = turnstile.Turnstile(sys.argv[1])
print("begun", flush=True)
while True:
    turn.begin(one, 5.0)
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


@pytest.fixture
def turn(path):
    """Where `one` queues."""
    made = turnstile.Turnstile(path)
    yield made
    made.close()


@pytest.fixture
def holder(path):
    """Another connection that has the write lock."""
    made, turn = sqlite3.connect(path, isolation_level=None), turnstile.Turnstile(path)
    turn.begin(made, 1.0)
    yield made
    made.close()
    turn.close()


def written(one):
    return one.execute("SELECT count(*) FROM t WHERE n = 0").fetchone()[0]


def test_whoever_waits_goes_before_whoever_just_wrote(turn, one, greedy):
    turns = []
    for _ in range(10):
        before = written(one)
        turn.begin(one, 5.0)
        turns.append(written(one) - before)
        one.execute("INSERT INTO t VALUES (1)")
        one.execute("COMMIT")
    assert max(turns) <= 2  # the one that has it, and one that stood before us


def test_patience_has_an_end(turn, one, holder):
    began = time.monotonic()
    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        turn.begin(one, 0.05)
    assert time.monotonic() - began < 1.0
    holder.execute("COMMIT")
    turn.begin(one, 0.05)


def test_a_killed_process_holds_nobody_up(turn, one, greedy):
    greedy.kill()
    greedy.wait()
    turn.begin(one, 1.0)
    one.execute("COMMIT")


def test_what_is_not_about_waiting_is_told_as_it_is(turn, one):
    turn.begin(one, 0.5)
    with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
        turn.begin(one, 0.5)


def test_who_reads_is_as_patient_as_ever_after_a_write(turn, one):
    turn.begin(one, 0.5)
    one.execute("COMMIT")
    assert one.execute("PRAGMA busy_timeout").fetchone() == (0,)
    turn.be_patient(one, 5.0)
    assert one.execute("PRAGMA busy_timeout").fetchone() == (5000,)


def test_an_engine_waits_its_turn_and_says_so_in_its_own_words(path, holder, monkeypatch):
    made = engine.create(f"sqlite:///{path}")
    monkeypatch.setattr(engine, "PATIENCE", 0.05)
    with pytest.raises(sqlalchemy.exc.OperationalError, match="locked"), made.begin():
        pass
    made.dispose()


def test_an_engine_lets_go_of_the_queue_with_its_connections(path):
    def held():
        descriptors = Path("/proc/self/fd").iterdir()
        return sum(one.exists() and one.readlink() == Path(f"{path}-turn") for one in descriptors)

    made = engine.create(f"sqlite:///{path}")
    with made.begin(), engine.read(made):
        assert held() == 2
    made.dispose()
    assert held() == 0

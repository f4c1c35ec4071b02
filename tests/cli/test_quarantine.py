"""`listener quarantine release|discard --all …`: many refused bodies by one command."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from app import clearing
from app.store import audit, engine, jobs, leases, schema
from tests.store import test_quarantine
from tests.web import inside

HOUSE = Path(__file__).parent.parent.parent
WHY = (
    "eventType: is missing; expected the name of an event; "
    "eventDate: is missing; expected a date and time such as 2026-03-02T09:15:00Z"
)
SOURCES = '[[source]]\nname = "local"\n\n[[source]]\nname = "other"\n'


def good(order_id):
    return json.dumps(inside.state_change(id=order_id)).encode()


@pytest.fixture
def held(home):
    """A quarantine: of `local` two that would be taken today and one that would not; one more."""
    (home / "listener.toml").write_text(SOURCES)
    database = engine.create(f"sqlite:///{home / 'data' / 'listener.db'}")
    schema.upgrade(database)
    rows = [
        test_quarantine.refused(body, source=source, code=code, flavour=None, event_name=None)
        for body, source, code in (
            (good("o-1"), "local", 100),
            (b'{"eventId": "e", "event": {}}', "local", 22),
            (good("o-2"), "local", 100),
            (good("o-3"), "other", 100),
        )
    ]
    ids = test_quarantine.hold(database, *rows)
    yield ids
    database.dispose()


@pytest.fixture
def states(home, held):
    """Reads what became of each, in the order of `held`."""

    def read():
        database = engine.create(f"sqlite:///{home / 'data' / 'listener.db'}")
        found = {row["id"]: row["state"] for row in test_quarantine.listed(database, limit=9)}
        database.dispose()
        return [found[id_] for id_ in held]

    return read


def test_all_of_a_source_are_released_and_what_is_still_refused_says_why(command, held, states):
    outcome = command("quarantine", "release", "--source", "local", "--yes")
    assert outcome.code == 1
    assert "✓ 2 released" in outcome.err
    assert f"✗ 1 still refused, 23: {WHY} (such as {held[1]})\n" in outcome.err
    assert "--force" in outcome.err
    assert states() == ["released", "open", "released", "open"]


def test_all_that_were_refused_with_a_code_are_discarded(command, held, states):
    outcome = command("quarantine", "discard", "--code", "100", "--yes")
    assert (outcome.code, "3 discarded" in outcome.err) == (0, True)
    assert states() == ["discarded", "open", "discarded", "discarded"]


def test_all_that_are_open_are_taken_as_they_are(command, held, states):
    assert command("quarantine", "release", "--all", "--force", "--yes").code == 0
    assert states() == ["released"] * 4
    again = command("quarantine", "release", "--all", "--yes")
    assert (again.code, "none of them is open" in again.err) == (0, True)


def test_what_was_asked_of_many_is_in_the_audit_trail(command, held, home):
    command("quarantine", "discard", "--source", "other", "--yes")
    database = engine.create(f"sqlite:///{home / 'data' / 'listener.db'}")
    with engine.read(database) as connection:
        rows = audit.page(connection, after_id=None, limit=9)
    database.dispose()
    acts = {(row["action"], row["target"]) for row in rows}
    assert acts == {("quarantine.discard_many", "other"), ("quarantine.discard", held[3])}
    assert all(row["principal"].startswith("cli:") for row in rows)


def test_nothing_is_done_to_many_before_somebody_agreed(command, states, monkeypatch, tmp_path):
    (tmp_path / "nothing").touch()
    with (tmp_path / "nothing").open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        outcome = command("quarantine", "discard", "--all")
    assert outcome.code == 1
    assert "Discard: 4 refused bodies?" in outcome.err
    assert states() == ["open"] * 4


@pytest.mark.parametrize("words", [(), ("x", "--all"), ("x", "--source", "local")], ids=str)
@pytest.mark.parametrize("act", ["release", "discard"])
def test_rows_are_named_one_by_one_or_all_at_once(command, states, act, words):
    outcome = command("quarantine", act, *words)
    assert outcome.code == 2
    assert "name their ids; or all at once" in outcome.err
    assert states() == ["open"] * 4


def test_the_list_may_be_of_one_code(command, held):
    (row,) = command("quarantine", "list", "--code", "22", "--json").lines
    assert row["id"] == held[1]


def test_an_interrupt_ends_the_job_where_it_stands(held, states, home):
    database = engine.create(f"sqlite:///{home / 'data' / 'listener.db'}")
    with database.begin() as connection:  # somebody else is at it, so that this one waits
        leases.beat(connection, "act:else", timedelta(hours=1))
        leases.declare(connection, [clearing.NAME])
        assert leases.take(connection, "act:else", [clearing.NAME], 1)
    words = [sys.executable, "-m", "app", "quarantine", "discard", "--all", "--yes"]
    there = {**os.environ, "PYTHONPATH": str(HOUSE)}
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=there) as process:
        ends = time.monotonic() + 30
        while not (asked := the_jobs(database)):
            assert time.monotonic() < ends
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    (job,) = asked
    assert (process.returncode, "what was done stays done" in told) == (130, True)
    with engine.read(database) as connection:
        ended = jobs.one(connection, job.id)
    database.dispose()
    assert (ended.state, ended.error.startswith("stopped by cli:")) == ("failed", True)
    assert states() == ["open"] * 4


def the_jobs(database):
    with engine.read(database) as connection:
        return jobs.waiting(connection, jobs.QUARANTINE)

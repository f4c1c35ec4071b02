"""`listener export`, over a database of its own."""

import json
import stat

import pytest

from app.store import audit, engine, schema
from tests.store import filling


@pytest.fixture
def filled(home, monkeypatch):
    """Three notifications."""
    monkeypatch.setenv("LISTENER_DATABASE_URL", f"sqlite:///{home / 'listener.db'}")
    database = engine.create(f"sqlite:///{home / 'listener.db'}")
    schema.upgrade(database)
    filling.put(
        database,
        {"order_id": "A-1", "raw": b'{"name": "Greta"}'},
        {"order_id": "B-1"},
        {"order_id": "A-2", "state": "held"},
    )
    yield database
    database.dispose()


def test_everything_goes_to_stdout_and_the_count_to_stderr(filled, command):
    outcome = command("export")
    assert [line["order_id"] for line in outcome.lines] == ["A-1", "B-1", "A-2"]
    assert "3 notifications" in outcome.err
    assert "Greta" not in outcome.out


def test_filters_and_forms_are_kept(filled, command):
    assert "PO" not in command("export", "--state", "held", "--format", "csv").out
    assert len(command("export", "--state", "held", "--format", "csv").out.splitlines()) == 2
    found = json.loads(command("export", "--order", "A-2", "--format", "cloudevents").out)
    assert [event["subject"] for event in found] == ["A-2"]


def test_a_file_is_new_and_its_owners_alone(filled, command, home):
    outcome = command("export", "--output", "out.ndjson")
    assert (outcome.code, outcome.out) == (0, "")
    assert len((home / "out.ndjson").read_text().splitlines()) == 3
    assert stat.S_IMODE((home / "out.ndjson").stat().st_mode) == 0o600
    again = command("export", "--output", "out.ndjson")
    assert again.code == 1
    assert "cannot make out.ndjson" in again.err


def test_bytes_leave_when_asked_for_and_that_is_in_the_audit_trail(filled, command):
    assert "Greta" in command("export", "--personal").out
    with engine.read(filled) as connection:
        (act,) = audit.page(connection, after_id=None, limit=5)
    assert act["action"] == "export.personal"
    assert act["principal"].startswith("cli:")

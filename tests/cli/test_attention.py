"""`listener attention …` and `listener stats`: the work list at the keyboard."""

import pytest

from app.store import attention, audit, engine
from tests.store import filling
from tests.store.making import story


@pytest.fixture
def opened(database):
    (id_,) = filling.put(
        database, {"order_id": "O-1", "attention": "alarm", "summary": {"message": "busy"}}
    )
    with database.begin() as connection:
        attention.follow(connection, [story("O-1", id_, source="local")])
    return id_


def test_what_is_open_is_shown(command, opened):
    done = command("attention", "list")
    assert done.code == 0
    assert all(word in done.out for word in (opened, "O-1", "alarm", "busy"))
    (told,) = command("attention", "list", "--json", "--source", "local").lines
    assert (told["notification_id"], told["state"]) == (opened, "open")
    assert command("attention", "list", "--attention", "follow_up").out == ""


def test_it_is_taken_noted_and_closed(command, opened, database):
    assert command("attention", "assign", opened, "greta").code == 0
    assert command("attention", "note", opened, "called them").code == 0
    (told,) = command("attention", "list", "--assignee", "greta", "--json").lines
    assert [note["text"] for note in told["notes"]] == ["called them"]
    assert command("attention", "assign", opened, "--nobody").code == 0
    assert command("attention", "close", opened).code == 0
    again = command("attention", "close", opened)
    assert (again.code, "is closed" in again.err) == (1, True)
    assert "nothing is left to do" in command("attention", "list").err
    with engine.read(database) as connection:
        acts = [row["action"] for row in audit.page(connection, after_id=None, limit=9)]
    assert acts == [f"attention.{act}" for act in ("close", "assign", "note", "assign")]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("assign", "x"), 2, "not clear to whom"),
        (("assign", "x", "greta", "--nobody"), 2, "not clear to whom"),
        (("note", "x", " "), 2, "1 to 2000 characters, not only blanks"),
        (("close", "x"), 1, "the work list has no x"),
        (("list", "--state", "gone"), 2, "'gone' is none of: open"),
    ],
)
def test_what_makes_no_sense_is_refused(command, opened, words, code, told):
    done = command("attention", *words)
    assert done.code == code
    assert told in done.err


def test_everything_is_counted(command, opened):
    (told,) = command("stats", "--json").lines
    assert told["notifications"] == 1
    assert told["by_source"] == {"local": 1}
    shown = command("stats").out
    assert "state_changed" in shown

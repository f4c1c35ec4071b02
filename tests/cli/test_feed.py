"""`listener feed`, `command`, `hub`, `personal` as their user meets them, with nothing serving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.store import engine, personal
from tests.feeds.conftest import table
from tests.sandbox import serving as sandboxes


@pytest.fixture(scope="module")
def sandbox():
    begun = datetime.now(UTC) - timedelta(days=2)
    with sandboxes.sandbox(starts_at=begun, pace="manual") as served:
        served.advance(scenario=36 * 3600)
        yield served


@pytest.fixture
def configured(home, sandbox, monkeypatch):
    """A folder whose listener.toml names the sandbox's operators."""
    hub = f"{sandbox.url}/seller/nbi/api/v4/hub"
    seller = f'[[source]]\nname = "seller"\nhub = {{ url = "{hub}", form = "onap" }}\n'
    tables = [table(name, sandbox.url, every="1h") for name in ("stadsnat", "covage", "guide")]
    (home / "listener.toml").write_text("\n".join([*tables, seller]))
    monkeypatch.setenv("LISTENER_PUBLIC_URL", "http://127.0.0.1:9")
    return home


def test_a_feed_is_polled_and_listed(command, configured):
    polled = command("feed", "poll", "stadsnat")
    assert polled.code == 0
    assert "new" in polled.err
    listed = command("feed", "list", "--json")
    rows = {row["name"]: row for row in listed.lines}
    assert rows["stadsnat"]["events"] > 0
    assert rows["stadsnat"]["lag_seconds"] < 60
    assert rows["guide"]["status"] == "starting"
    whole = command("feed", "list", "stadsnat")
    assert "appended" in whole.out


def test_a_feed_that_is_none_is_a_usage_error_that_names_those_there_are(command, configured):
    for arguments in (("feed", "poll", "seller"), ("feed", "list", "x"), ("feed", "audit", "x")):
        outcome = command(*arguments)
        assert outcome.code == 2
        assert "covage, guide, stadsnat" in outcome.err


def test_a_rewind_shows_its_plan_and_asks(command, configured, monkeypatch):
    command("feed", "poll", "stadsnat")
    (row,) = [r for r in command("feed", "list", "--json").lines if r["name"] == "stadsnat"]
    planned = command("feed", "rewind", "stadsnat", "--yes")
    told = f"the log has {row['events']} notifications of it"
    assert (planned.code, told in planned.err) == (0, True)
    outcome = command("feed", "rewind", "stadsnat", "--to", "tomorrow")
    assert outcome.code == 1
    assert "expected beginning or a day" in outcome.err


def test_a_feed_of_a_disabled_source_is_not_waited_for(command, configured):
    written = configured / "listener.toml"
    text = written.read_text().replace('name = "stadsnat"', 'name = "stadsnat"\nenabled = false')
    written.write_text(text)
    outcome = command("feed", "poll", "stadsnat")
    assert (outcome.code, "stadsnat is disabled" in outcome.err) == (1, True)


def test_a_paused_feed_says_so(command, configured):
    assert command("feed", "pause", "stadsnat").code == 0
    (row,) = [r for r in command("feed", "list", "--json").lines if r["name"] == "stadsnat"]
    assert row["status"] == "paused"
    outcome = command("feed", "poll", "stadsnat")
    assert (outcome.code, "paused" in outcome.err) == (1, True)
    assert command("feed", "resume", "stadsnat").code == 0


def test_an_audit_ends_with_one_where_history_changed(command, configured, sandbox):
    assert command("feed", "audit", "stadsnat").code == 0
    sandbox.fault("on_api", "changed_history", rate=1.0)
    try:
        changed = command("feed", "audit", "stadsnat", "--json")
    finally:
        sandbox.control("on_api/faults/changed_history", "DELETE")
    assert changed.code == 1
    (told,) = changed.lines
    assert sum(told["faults"].values()) > 0
    assert {event["fault"] for event in told["events"]} <= {
        "missing",
        "changed",
        "reordered",
        "late",
    }


def test_one_object_s_history_is_backfilled(command, configured, sandbox):
    order = sandbox.control("covage/events")[0]["object_uuid"]
    outcome = command("feed", "backfill", "covage", "--order", order)
    assert (outcome.code, " new" in outcome.err) == (0, True)
    nobody = command("feed", "backfill", "covage", "--order", "none")
    assert "covage tells nothing of the order none" in nobody.err
    assert command("feed", "backfill", "covage").code == 2


def test_a_command_is_sent_once_and_listed(command, configured, sandbox):
    order = sandbox.control("covage/events")[0]["object_uuid"]
    arguments = (order, "events/info", "-a", "message=Hello there", "--key", "k1", "--json")
    first = command("command", "send", "covage", *arguments)
    assert (first.code, first.lines[0]["state"]) == (0, "done")
    again = command("command", "send", "covage", *arguments)
    assert again.lines[0]["id"] == first.lines[0]["id"]
    executed = [one["count"] for one in sandbox.control("covage/executions")]
    assert executed == [1]
    (listed,) = command("command", "list", "--json").lines
    assert listed["id"] == first.lines[0]["id"]
    over = command("command", "cancel", listed["id"])
    assert (over.code, "is done" in over.err) == (1, True)


def test_a_key_is_not_taken_for_another_command(command, configured):
    asked = ("command", "send", "covage", "O-1", "events/info", "--no-wait", "--key", "k2")
    assert command(*asked, "-a", "message=Hello").code == 0
    other = command(*asked, "-a", "message=Good bye")
    assert (other.code, "used before" in other.err) == (2, True)


def test_a_command_the_kind_does_not_know_is_a_usage_error(command, configured):
    outcome = command("command", "send", "covage", "O-1", "dance")
    assert (outcome.code, "events/info" in outcome.err) == (2, True)


def test_a_person_is_shown_and_erased(command, configured):
    command("feed", "poll", "guide")
    now = datetime.now(UTC)
    opened = engine.create(f"sqlite:///{configured / 'data' / 'listener.db'}")
    with opened.begin() as connection:
        personal.put(connection, personal.Person("guide", "O-1", now, {"name": "Greta"}))
    opened.dispose()
    shown = command("personal", "show", "guide", "O-1", "--json")
    assert (shown.code, shown.lines[0]["told"]) == (0, {"name": "Greta"})
    erased = command("personal", "erase", "guide", "O-1", "--yes")
    assert (erased.code, "the person's data" in erased.err) == (0, True)
    assert command("personal", "show", "guide", "O-1").code == 1


def test_a_hub_is_registered_listed_and_left(command, configured, sandbox):
    assert command("hub", "register", "seller").code == 0
    (row,) = command("hub", "list", "--json").lines
    assert (row["source"], row["state"], row["form"]) == ("seller", "registered", "onap")
    hub = sandbox.client.get("/seller/nbi/api/v4/hub").json()
    assert [one["id"] for one in hub] == [row["remote_id"]]
    assert command("hub", "unregister", "seller").code == 0
    assert sandbox.client.get("/seller/nbi/api/v4/hub").json() == []
    assert command("hub", "unregister", "seller").code == 1
    assert command("hub", "register", "covage").code == 2

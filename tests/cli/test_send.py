import json
import re
import time

import pytest

CREATED = "tmf622_2015.orderCreationNotification"


@pytest.fixture
def beside(served, home, monkeypatch):
    """Commands work on what the shared listener keeps."""
    monkeypatch.setenv("LISTENER_DATA_DIR", str(served.folder / "data"))
    return served


@pytest.fixture
def bad(home):
    path = home / "bad.json"
    path.write_text('{"eventType": "orderCreationNotification"}')
    return str(path)


def test_every_sample_is_taken(command, beside):
    names = command("send", "--samples").out.split()
    assert CREATED in names
    asked = [word for name in names for word in ("--sample", name)]
    outcome = command("send", *asked, "--url", beside.url, "--json")
    assert outcome.code == 0, outcome.out
    assert [line["name"] for line in outcome.lines] == names
    assert {line["status"] for line in outcome.lines} <= {201, 204}


def test_answers_are_shown_in_a_table(command, beside):
    outcome = command("send", "--sample", CREATED, "--url", beside.url)
    assert re.search(rf"{re.escape(CREATED)} +201 +[\d.]+ +taken", outcome.out)


def test_a_refused_body_is_shown_with_its_code_and_ends_with_1(command, beside, bad):
    outcome = command("send", bad, "--url", beside.url)
    assert outcome.code == 1
    assert re.search(r"bad\.json +400 +[\d.]+ +23 ", outcome.out)
    assert "listener quarantine list" in outcome.err


def test_a_token_of_ones_own_is_used_as_it_is(command, beside):
    outcome = command(
        "send", "--sample", CREATED, "--url", beside.url, "--token", "nonsense", "--json"
    )
    assert outcome.code == 1
    assert [line["status"] for line in outcome.lines] == [401]
    assert "nothing of it was kept" in outcome.err


def test_a_header_of_ones_own_is_sent(command, beside):
    key = command("credential", "add", "local", "--type", "api_key").out.strip()
    header = ("--header", f"X-API-Key: {key}")
    send = ("send", "--sample", CREATED, "--url", beside.url, *header, "--json")
    ends = time.monotonic() + 5  # seconds until a new key is known
    while (outcome := command(*send)).code != 0 and time.monotonic() < ends:
        time.sleep(0.02)
    assert [line["status"] for line in outcome.lines] == [201]


def test_our_own_token_is_not_shown_to_strangers(command, home):
    outcome = command("send", "--sample", CREATED, "--url", "https://elsewhere.example")
    assert outcome.code == 2
    assert "--token" in outcome.err


def test_where_nothing_listens_the_next_step_is_to_serve(command, home):
    outcome = command("send", "--sample", CREATED, "--url", "http://127.0.0.1:1")
    assert outcome.code == 1
    assert "no answer from http://127.0.0.1:1" in outcome.err
    assert "listener serve" in outcome.err


@pytest.mark.parametrize(
    ("words", "next_step"),
    [
        ((), "listener send --samples"),
        (("--sample", "nothing"), "listener send --samples"),
        (("no-such-file.json",), "name files that are there"),
        (("--sample", CREATED, "--header", "bare"), "--header 'Name: value'"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_would_be_right(command, words, next_step):
    outcome = command("send", *words)
    assert outcome.code == 2
    assert next_step in outcome.err


# --- and what one then sees -----------------------------------------------------------------------


def event(home, n):
    body = {
        "eventId": f"cli-{n}",
        "eventDate": "2026-11-20T12:00:00Z",
        "eventType": "ServiceOrderStateChangeNotification",
        "event": {"id": f"order-{n}", "state": "completed"},
    }
    path = home / f"{n}.json"
    path.write_text(json.dumps(body, indent=3))
    return path


def test_what_was_sent_is_listed_shown_and_given_back_to_the_byte(command, beside, home):
    path = event(home, "seen")
    assert command("send", str(path), "--url", beside.url).code == 0
    (row,) = command("notifications", "--order", "order-seen", "--json").lines
    assert (row["source"], row["kind"], row["state"]) == ("local", "state_changed", "completed")
    assert (row["event_id"], row["conflict"], row["sightings"]) == ("cli-seen", False, 0)
    listed = command("notifications", "--state", "completed", "-q", "order-seen").out
    assert re.search(r"seq +received +source +kind +state +order", listed)
    assert re.search(
        rf"^{row['seq']} .* state_changed +completed +order-seen", listed, re.MULTILINE
    )
    for which in (row["id"], str(row["seq"])):
        assert command("notifications", which, "--raw").out == path.read_text()
        assert command("notifications", which, "--json").lines[0]["id"] == row["id"]
        assert "order-seen" in command("notifications", which).out


def test_the_latest_is_last_and_no_more_than_asked_for(command, beside, home):
    for n in ("one", "two", "three"):
        command("send", str(event(home, n)), "--url", beside.url)
    rows = command("notifications", "-q", "order-t", "-n", "2", "--json").lines
    assert [row["order_id"] for row in rows] == ["order-two", "order-three"]


def test_one_that_is_not_there_is_a_failure(command, beside):
    assert command("notifications", "999999999").code == 1
    assert "there is no notification" in command("notifications", "nobody").err


def test_a_refused_body_is_looked_at_and_taken_as_it_is(command, beside, home):
    path = home / "odd.json"
    path.write_text('{"eventType": "orderCreationNotification", "odd": 1}')
    command("send", str(path), "--url", beside.url)
    row = command("quarantine", "list", "--json").lines[0]
    assert (row["code"], row["state"], row["source"]) == (23, "open", "local")
    assert row["id"] in command("quarantine", "list").out
    shown = command("quarantine", "show", row["id"])
    assert "eventId" in shown.out
    assert command("quarantine", "show", row["id"], "--raw").out == path.read_text()
    refused = command("quarantine", "release", row["id"])
    assert refused.code == 1
    assert "still refused" in refused.err
    assert "--force" in refused.err
    assert command("quarantine", "release", row["id"], "--force").code == 0
    (released,) = [
        each
        for each in command("quarantine", "list", "--state", "released", "--json").lines
        if each["id"] == row["id"]
    ]
    (told,) = command("notifications", released["notification_id"], "--json").lines
    assert (told["kind"], told["raw"]) == ("other", path.read_text())
    assert command("quarantine", "release", row["id"]).code == 1


def test_a_discarded_body_is_gone_and_cannot_be_discarded_again(command, beside, home):
    path = home / "useless.json"
    path.write_text('{"useless": true}')
    command("send", str(path), "--url", beside.url)
    row = command("quarantine", "list", "--json").lines[0]
    assert command("quarantine", "discard", row["id"]).code == 0
    again = command("quarantine", "discard", row["id"])
    assert again.code == 1
    assert "listener quarantine list" in again.err
    assert command("quarantine", "show", row["id"], "--raw").code == 1


def test_rows_that_are_not_there_are_failures_that_say_where_to_look(command, beside):
    for act in ("show", "release", "discard"):
        outcome = command("quarantine", act, "nobody")
        assert outcome.code == 1
        assert "listener quarantine list" in outcome.err

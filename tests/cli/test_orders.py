"""`listener order`, `listener orders`, `listener orders rebuild`: the story in a terminal."""

import csv
import io
import json

import pytest

from app.notifications.notification import Appointment, Item
from app.store import engine, schema
from tests.orders.telling import at
from tests.store import filling


@pytest.fixture
def filled(home):
    """A database with a few orders that nobody has folded yet."""
    database = engine.create(f"sqlite:///{home / 'data' / 'listener.db'}")
    schema.upgrade(database)
    filling.put(
        database,
        {
            "order_id": "o/1",
            "state": "held",
            "attention": "alarm",
            "occurred_at": at("09:00"),
            "received_at": at("09:00:05"),
            "items": (Item(id="1", state="held"),),
            "appointment": Appointment(start=at("08:00", day=5)),
            "summary": {"message": "The duct is full\x1b[31m"},
        },
        {
            "order_id": "o/1",
            "state": "inProgress",
            "raw_state": "InProgress",
            "occurred_at": at("08:00"),
            "received_at": at("11:00"),
        },
        {"order_id": "o/2", "source": "orange", "state": "completed"},
    )
    database.dispose()
    return home


def test_an_order_is_drawn_through_time(command, filled):
    outcome = command("order", "local", "o/1")
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "order        o/1",
        "source       local",
        "what         productOrder",
        "state        held",
        "since        2026-03-02T09:00:00.000000Z",
        "appointment  2026-03-05 08:00:00Z",
        "flags        out_of_order, late",
        "open         alarm",
        "items        item 1 held",
        "told first   held by local, inProgress by local",
        "",
        "● 2026-03-02 08:00:00Z  state_changed inProgress",
        "│   local, push, received 3 h later",
        "│   out_of_order, late",
        "● 2026-03-02 09:00:00Z  state_changed held alarm",
        "│   local, push, received 5 s later",
        "│   item 1 held",
        "│   appointment 2026-03-05 08:00:00Z",
        "│   The duct is full\N{REPLACEMENT CHARACTER}[31m",
    ]


def test_an_order_is_told_as_json(command, filled):
    (story,) = command("order", "local", "o/1", "--json").lines
    assert (story["state"], story["flags"]) == ("held", ["out_of_order", "late"])
    assert [entry["seq"] for entry in story["timeline"]] == [2, 1]


def test_an_order_nobody_told_of_says_what_to_do(command, filled):
    outcome = command("order", "local", "none")
    assert outcome.code == 1
    assert "listener orders --query" in outcome.err


def test_the_list_is_made_by_a_rebuild_that_tells_how_far_it_is(command, filled):
    assert "listener orders rebuild" in command("orders").err
    outcome = command("orders", "rebuild")
    assert outcome.code == 0
    assert "2 orders rebuilt from 3 notifications" in outcome.err
    lines = command("orders").out.splitlines()
    assert [line.split()[0] for line in lines] == ["order", "o/2", "o/1"]
    assert lines[2].split()[-3:] == ["alarm", "out_of_order", "late"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--source", "orange"), ["o/2"]),
        (("--state", "held"), ["o/1"]),
        (("--final",), ["o/2"]),
        (("--open",), ["o/1"]),
        (("--flag", "late"), ["o/1"]),
        (("--attention", "alarm"), ["o/1"]),
        (("--attention", "any"), ["o/1"]),
        (("--attention", "none"), ["o/2"]),
        (("--no-news-for", "1h", "--oldest"), ["o/1", "o/2"]),
        (("--what", "service"), []),
        (("--query", "o/2"), ["o/2"]),
        (("--limit", "1"), ["o/2"]),
    ],
)
def test_the_list_shows_what_is_asked_for(command, filled, options, expected):
    command("orders", "rebuild")
    assert [row["order_id"] for row in command("orders", *options, "--json").lines] == expected


@pytest.mark.parametrize(
    "options", [("--flag", "odd"), ("--attention", "odd"), ("--state", "odd"), ("--what", "odd")]
)
def test_what_is_no_filter_is_a_fault_of_usage(command, home, options):
    assert command("orders", *options).code == 2


def test_the_list_may_be_called_by_its_name_too(command, filled):
    command("orders", "rebuild")
    (row,) = command("orders", "list", "--source", "orange", "--json").lines
    assert row["order_id"] == "o/2"


def test_options_of_the_list_are_refused_where_they_would_do_nothing(command, filled):
    outcome = command("orders", "--source", "orange", "outstanding")
    assert (outcome.code, outcome.out) == (2, "")
    assert "listener orders outstanding --help" in outcome.err


def test_an_id_is_never_cut_in_a_list(command, filled):
    whole = "0198e2f0-aaaa-bbbb-cccc-0123456789ab"
    database = engine.create(f"sqlite:///{filled / 'data' / 'listener.db'}")
    filling.put(database, {"order_id": whole, "state": "completed"})
    database.dispose()
    command("orders", "rebuild")
    assert whole in command("orders").out
    assert whole in command("notifications").out


def test_all_orders_that_fit_are_given_out_as_rows_by_their_ids(command, filled):
    assert command("orders", "rebuild").code == 0
    outcome = command("orders", "--export", "csv")
    head, *rows = list(csv.reader(io.StringIO(outcome.out)))
    assert [dict(zip(head, row, strict=True))["order_id"] for row in rows] == ["o/1", "o/2"]
    held = command("orders", "--state", "held", "--export", "ndjson")
    (row,) = (json.loads(line) for line in held.out.splitlines())
    assert (row["order_id"], row["state"], row["flags"]) == (
        "o/1",
        "held",
        ["out_of_order", "late"],
    )


@pytest.mark.parametrize("option", [("--limit", "5"), ("--oldest",), ("--json",)])
def test_an_export_refuses_what_would_do_nothing(command, filled, option):
    outcome = command("orders", "--export", "csv", *option)
    assert outcome.code == 2
    assert f"{option[0]} would do nothing" in outcome.err

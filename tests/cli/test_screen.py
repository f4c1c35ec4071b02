import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from app.cli import screen

NOON = datetime(2026, 11, 20, 12, 0, 0, 250000, tzinfo=UTC)


def test_columns_are_aligned_and_nothing_is_cut(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    screen.table(("id", "n"), [("a" * 40, 1), ("b", 100)], numbers=("n",))
    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading == "id" + " " * 40 + "  n"
    assert first == "a" * 40 + "    1"
    assert second == "b" + " " * 39 + "  100"


def test_what_an_operator_sent_cannot_move_the_cursor(capsys):
    screen.table(("order",), [("\x1b[2J\x07evil",)])
    assert capsys.readouterr().out.splitlines()[1] == "\ufffd[2J\ufffdevil"


def test_markup_of_an_operator_is_text(capsys):
    screen.table(("order",), [("[bold red]x[/]",)])
    screen.json_line({"order": "[bold red]x[/]"})
    table, line = capsys.readouterr().out.split("\n", 1)[1].splitlines()
    assert table == "[bold red]x[/]"
    assert json.loads(line) == {"order": "[bold red]x[/]"}


def test_a_list_is_as_wide_as_what_it_holds_and_nothing_is_cut(capsys):
    known = [(("a", "held"), ("late",)), (("b" * 12, None), ())]
    coming = iter([(("c" * 14, "held"), ("alarm",))])
    screen.listing({"order": 0, "state": 6}, known, coming)
    assert capsys.readouterr().out.splitlines() == [
        "order         state   remarks",
        "a             held    late",
        "bbbbbbbbbbbb  -",
        "cccccccccccccc  held    alarm",
    ]


@pytest.mark.parametrize(
    ("value", "shown"), [(True, "yes"), (False, "no"), ([], "-"), ({}, "-"), (0, "0")]
)
def test_yes_no_and_nothing_are_words_for_people(capsys, value, shown):
    screen.fields({"it": value})
    assert capsys.readouterr().out == f"it  {shown}\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NOON, "2026-11-20T12:00:00.250000Z"),
        ({"at": NOON, "raw": b"\xff{}"}, {"at": "2026-11-20T12:00:00.250000Z", "raw": "\ufffd{}"}),
        ((1, None, True), [1, None, True]),
    ],
)
def test_json_holds_times_as_rfc_3339_and_bytes_as_text(capsys, value, expected):
    screen.json_line(value)
    assert json.loads(capsys.readouterr().out) == expected


def test_one_thing_in_full_shows_its_bytes_as_lines(capsys):
    screen.fields({"id": "x", "raw": b'{\n "a": 1\n}', "none": None})
    assert capsys.readouterr().out.splitlines() == [
        "id    x",
        "raw",
        "    {",
        '     "a": 1',
        "    }",
        "none  -",
    ]


def test_colours_mean_something_and_no_color_is_honoured(monkeypatch):
    def shown(environment):
        console = Console(
            file=io.StringIO(), force_terminal=True, color_system="standard", _environ=environment
        )
        console.print(screen.cell("rejected"))
        return console.file.getvalue()

    assert "\x1b[31mrejected" in shown({})
    assert "\x1b[31m" not in shown({"NO_COLOR": "1"})

import re
import subprocess
import sys

import pytest

from app.cli import commands

EVERY = [
    ("serve",),
    ("token",),
    ("send",),
    ("notifications",),
    ("export",),
    ("order",),
    ("orders", "rebuild"),
    ("check",),
    ("openapi",),
    ("credential", "add"),
    ("credential", "list"),
    ("credential", "revoke"),
    ("credential", "void"),
    ("orders", "list"),
    ("orders", "expect"),
    ("orders", "outstanding"),
    ("attention", "list"),
    ("attention", "assign"),
    ("attention", "note"),
    ("attention", "close"),
    ("stats",),
    ("alerts", "list"),
    ("alerts", "test"),
    ("quarantine", "list"),
    ("quarantine", "show"),
    ("quarantine", "release"),
    ("quarantine", "discard"),
    ("db", "upgrade"),
    ("db", "check"),
    ("db", "promoted"),
    ("db", "info"),
    ("demo",),
    ("work",),
    ("sandbox",),
    ("feed", "list"),
    ("feed", "poll"),
    ("feed", "pause"),
    ("feed", "resume"),
    ("feed", "rewind"),
    ("feed", "backfill"),
    ("feed", "audit"),
    ("command", "send"),
    ("command", "list"),
    ("command", "retry"),
    ("command", "cancel"),
    ("hub", "register"),
    ("hub", "list"),
    ("hub", "unregister"),
    ("personal", "show"),
    ("personal", "erase"),
]


def walk(group, prefix=()):
    for each in group.registered_commands:
        yield (*prefix, each.name or each.callback.__name__)
    for each in group.registered_groups:
        yield from walk(each.typer_instance, (*prefix, each.name))


def test_the_commands_are_those_that_are_promised():
    assert sorted(walk(commands.build())) == sorted(EVERY)


@pytest.mark.parametrize(
    "entry", [entry for entry in commands.ENTRIES if not entry.many], ids=lambda entry: entry.name
)
def test_the_list_says_of_a_command_what_it_says_of_itself(entry):
    (act,) = entry.acts()
    assert act.does.__doc__.splitlines()[0] == entry.help


LOADED = """
import sys
from app import cli
try:
    cli.main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""
SLOW = {"alembic", "fastapi", "httpx", "psycopg", "sqlalchemy", "starlette", "structlog", "uvicorn"}


@pytest.mark.parametrize("words", [("--help",), ("token",)], ids=" ".join)
def test_what_a_command_does_not_use_is_not_loaded(words, home):
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=True
    )
    loaded = set(ran.stderr.split())
    assert "typer" in loaded
    assert not loaded & SLOW


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_help_explains_every_command_by_example(command, words):
    outcome = command(*words, "--help")
    assert outcome.code == 0
    assert "Usage: " in outcome.out
    assert re.search(rf"Examples\s+.*listener {' '.join(words)}\b", outcome.out, re.DOTALL)


def test_a_command_with_commands_below_it_is_explained_by_example_too(command):
    outcome = command("orders", "--help")
    assert re.search(r"Examples\s+.*listener orders --source", outcome.out, re.DOTALL)


def test_help_shows_options_in_brackets_as_they_are_typed(command):
    assert "[ID or SEQ]" in command("notifications", "--help").out


def test_the_version_is_told(command):
    outcome = command("--version")
    assert (outcome.code, outcome.out.split()[0]) == (0, "tmf-listener")


def test_no_command_at_all_shows_what_there_is(command):
    outcome = command()
    assert outcome.code == 2
    assert "notifications" in outcome.out + outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ("frobnicate",),
        ("token", "--scope", "root"),
        ("token", "--ttl", "soon"),
        ("serve", "--port", "0x"),
        ("notifications", "--kind", "odd"),
    ],
)
def test_wrong_usage_ends_with_2(command, words):
    outcome = command(*words)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Error" in outcome.err


def test_a_wrong_setting_ends_with_2_and_names_the_variable_and_the_next_step(command, monkeypatch):
    monkeypatch.setenv("LISTENER_PORT", "eighty")
    outcome = command("token")
    assert outcome.code == 2
    assert "LISTENER_PORT" in outcome.err
    assert "next:  mend it, then see every fault at once: listener check" in outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ("notifications",),
        ("attention", "close", "x"),
        ("quarantine", "release", "x"),
        ("quarantine", "discard", "--all"),
    ],
    ids=" ".join,
)
def test_without_a_database_the_next_step_is_to_serve_and_none_is_made(command, home, words):
    outcome = command(*words)
    assert outcome.code == 1
    assert "there is no database yet at data/listener.db" in outcome.err
    assert "listener serve" in outcome.err
    assert not (home / "data").exists()

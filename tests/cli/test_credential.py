import contextlib
import sqlite3

import pytest


@pytest.fixture(autouse=True)
def database_with_our_tables(home, monkeypatch, sqlite_url):
    monkeypatch.setenv("LISTENER_DATABASE_URL", sqlite_url)


def test_the_secret_is_all_that_stdout_holds_and_is_never_shown_again(command):
    made = command("credential", "add", "local", "--type", "api_key", "--label", "2027")
    assert made.code == 0, made.err
    secret = made.out.strip()
    assert "X-API-Key" in made.err
    listed = command("credential", "list", "--json")
    (row,) = listed.lines
    assert row["id"] == secret.partition(".")[0]
    assert (row["source"], row["type"], row["label"], row["status"]) == (
        "local", "api_key", "2027", "active",
    )  # fmt: skip
    assert secret.partition(".")[2] not in listed.out


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("api_key", "X-API-Key"),
        ("basic", "user local"),
        ("callback_key", "/externalapi/listener/v1/KEY/listener"),
        ("client", "client_id local"),
    ],
)
def test_how_each_type_is_presented_is_said(command, kind, said):
    assert said in command("credential", "add", "local", "--type", kind).err


def test_two_of_a_type_are_active_and_a_third_is_refused(command):
    add = ("credential", "add", "local", "--type", "client")
    assert [command(*add).code for _ in range(2)] == [0, 0]
    refused = command(*add)
    assert refused.code == 1
    assert "revoke one of them first" in refused.err


def test_a_revoked_credential_makes_room(command):
    add = ("credential", "add", "local", "--type", "basic")
    first = command(*add).out.partition(".")[0]
    command(*add)
    assert command("credential", "revoke", first).code == 0
    assert command(*add).code == 0
    by_id = {row["id"]: row["status"] for row in command("credential", "list", "--json").lines}
    assert by_id[first] == "revoked"


def test_the_table_shows_when_a_credential_ends(command):
    command("credential", "add", "local", "--type", "api_key", "--expires", "90d")
    shown = command("credential", "list", "local").out
    assert "active" in shown
    assert shown.count(":") >= 4, "made at, ends at"


def test_an_unknown_source_is_refused_with_those_there_are(command):
    refused = command("credential", "add", "telia", "--type", "api_key")
    assert refused.code == 2
    assert "choose one of: local" in refused.err


def test_an_unknown_id_is_a_failure_that_says_where_to_look(command):
    refused = command("credential", "revoke", "nobody")
    assert refused.code == 1
    assert "listener credential list" in refused.err


def test_acts_are_in_the_audit_trail(command, sqlite_url):
    made = command("credential", "add", "local", "--type", "api_key").out.partition(".")[0]
    command("credential", "revoke", made)
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
        rows = connection.execute("SELECT action, target, principal FROM audit_trail ORDER BY id")
        acts = rows.fetchall()
    assert [act[:2] for act in acts] == [("credential.add", made), ("credential.revoke", made)]
    assert all(act[2].startswith("cli:") for act in acts)


def test_the_first_credential_may_come_before_the_first_start(command, home, monkeypatch):
    monkeypatch.delenv("LISTENER_DATABASE_URL")
    assert command("credential", "add", "local", "--type", "api_key").code == 0
    assert (home / "data/listener.db").exists()


def test_tokens_issued_until_now_are_voided_for_one_source(command, sqlite_url):
    assert command("credential", "void", "local").code == 0
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
        (row,) = connection.execute("SELECT source, tokens_not_before FROM source_state").fetchall()
    assert row[0] == "local"
    assert row[1].endswith("Z")

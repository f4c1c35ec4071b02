import io

import pytest


@pytest.fixture
def on(home, monkeypatch):
    def use(url):
        monkeypatch.setenv("LISTENER_DATABASE_URL", url)
        monkeypatch.setenv("LISTENER_SECRET", "s" * 32)

    return use


def test_an_empty_database_is_refused_until_it_is_upgraded(command, on, empty_postgres_url):
    on(empty_postgres_url)
    refused = command("db", "check")
    assert refused.code == 2
    assert "listener db upgrade" in refused.err
    assert command("db", "upgrade").code == 0
    assert command("db", "upgrade").code == 0, "again is harmless"
    assert command("db", "check").code == 0


def test_info_tells_schema_epoch_head_and_counts(command, on, database_url):
    on(database_url)
    outcome = command("db", "info", "--json")
    assert outcome.code == 0, outcome.err
    (told,) = outcome.lines
    assert told["head"] == 0
    assert told["notifications"] == 0
    assert told["quarantine"] == 0
    assert told["schema"]
    assert told["epoch"]


def test_info_for_people_names_each_value(command, on, sqlite_url):
    on(sqlite_url)
    assert "epoch" in command("db", "info").out


def test_promoted_begins_another_epoch_only_when_told_to(command, on, database_url, monkeypatch):
    on(database_url)
    (before,) = command("db", "info", "--json").lines
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert command("db", "promoted").code == 1
    (same,) = command("db", "info", "--json").lines
    assert same["epoch"] == before["epoch"]
    assert command("db", "promoted", "--yes").code == 0
    (after,) = command("db", "info", "--json").lines
    assert after["epoch"] != before["epoch"]


def test_a_database_that_is_away_is_a_failure_with_a_next_step(command, on):
    on("postgresql://listener@127.0.0.1:1/listener")
    outcome = command("db", "info")
    assert outcome.code == 1
    assert "next:  " in outcome.err
    assert "Traceback" not in outcome.err
    assert "does not answer" in outcome.err


def test_a_check_tells_that_the_database_is_away(command, on):
    on("postgresql://listener@127.0.0.1:1/listener")
    outcome = command("check")
    assert outcome.code == 2
    assert "the database does not answer" in outcome.err

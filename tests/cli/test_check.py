def test_a_sound_configuration_is_shown_and_nothing_is_made(command, home):
    outcome = command("check")
    assert outcome.code == 0
    assert outcome.out.splitlines()[1].split(maxsplit=4) == [
        *("local", "tmf", "push", "yes"),
        "any but callback_key",
    ]
    assert list(home.iterdir()) == []


def test_every_fault_is_told_with_its_place(command, home):
    (home / "listener.toml").write_text(
        """
        [[source]]
        name = "orange"
        kind = "semaphore"
        [[source]]
        name = "covage"
        colour = "red"
        """
    )
    outcome = command("check")
    assert outcome.code == 2
    assert "[[source]] 1 (orange)" in outcome.err
    assert "[[source]] 2 (covage)" in outcome.err
    assert "2 faults in the configuration" in outcome.err
    assert "next:  " in outcome.err


def test_an_old_schema_is_a_fault_that_names_the_command(command, monkeypatch, empty_postgres_url):
    monkeypatch.setenv("LISTENER_DATABASE_URL", empty_postgres_url)
    monkeypatch.setenv("LISTENER_SECRET", "s" * 32)
    outcome = command("check")
    assert outcome.code == 2
    assert "listener db upgrade" in outcome.err


def test_postgresql_without_a_secret_is_a_fault(command, monkeypatch, postgres_url):
    monkeypatch.setenv("LISTENER_DATABASE_URL", postgres_url)
    outcome = command("check")
    assert outcome.code == 2
    assert "LISTENER_SECRET" in outcome.err


def test_a_database_that_is_up_to_date_is_well_and_stays_as_it_is(
    command, monkeypatch, home, sqlite_url
):
    monkeypatch.setenv("LISTENER_DATABASE_URL", sqlite_url)
    before = (home / "listener.db").read_bytes()
    outcome = command("check")
    assert outcome.code == 0, outcome.err
    assert {file.name.partition("-")[0] for file in home.iterdir()} == {"listener.db"}
    assert (home / "listener.db").read_bytes() == before


def test_postgresql_that_is_up_to_date_is_well(command, monkeypatch, postgres_url):
    monkeypatch.setenv("LISTENER_DATABASE_URL", postgres_url)
    monkeypatch.setenv("LISTENER_SECRET", "s" * 32)
    outcome = command("check")
    assert outcome.code == 0, outcome.err


def test_a_password_is_never_shown(command, monkeypatch, postgres_url):
    at = postgres_url.index("@") if "@" in postgres_url else None
    assert at, postgres_url
    monkeypatch.setenv("LISTENER_DATABASE_URL", postgres_url.replace("@", ":hush-hush@", 1))
    monkeypatch.setenv("LISTENER_SECRET", "s" * 32)
    outcome = command("check")
    assert "hush-hush" not in outcome.out + outcome.err

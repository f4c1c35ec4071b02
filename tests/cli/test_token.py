import base64
import json

import pytest


def claims(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_a_token_is_all_that_stdout_holds(command):
    outcome = command("token")
    assert outcome.code == 0
    assert outcome.out.count("\n") == 1
    assert len(outcome.out.strip().split(".")) == 3
    assert outcome.err == ""


def test_a_token_speaks_for_local_reads_and_writes_and_lives_an_hour(command):
    told = claims(command("token").out)
    assert told["source"] == "local"
    assert set(told["scope"].split()) == {"notifications:write", "notifications:read"}
    assert told["exp"] - told["iat"] in (3600, 3601)


def test_a_token_is_what_was_asked_for(command):
    outcome = command(
        "token", "--source", "local", "--scope", "admin", "--scope", "personal", "--ttl", "5m"
    )
    told = claims(outcome.out)
    assert set(told["scope"].split()) == {"admin", "personal"}
    assert told["exp"] - told["iat"] in (300, 301)


def sources(home, *names):
    (home / "listener.toml").write_text(
        "\n".join(f'[[source]]\nname = "{name}"\nkind = "tmf"' for name in names)
    )


def test_the_only_source_that_pushes_is_the_one_that_is_meant(command, home):
    sources(home, "orange")
    assert claims(command("token").out)["source"] == "orange"


def test_of_several_sources_local_is_meant(command, home):
    sources(home, "orange", "local")
    assert claims(command("token").out)["source"] == "local"


@pytest.mark.parametrize("words", [("token",), ("token", "--source", "telia")])
def test_an_unclear_source_is_refused_with_those_there_are(command, home, words):
    sources(home, "orange", "covage")
    outcome = command(*words)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "covage, orange" in outcome.err

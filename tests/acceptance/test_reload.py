"""SIGHUP reads listener.toml again; a bad file keeps the configuration in force and says so."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest

from tests import serving
from tests.acceptance import bodies, seeing

FIRST = '[[source]]\nname = "first"\n'
SECOND = FIRST + '[[source]]\nname = "second"\n'
BAD = {
    "not TOML": ("[[source", "is not TOML"),
    "an unknown key": (SECOND + 'colour = "red"\n', "colour: unknown key"),
    "an unknown kind": (SECOND + 'kind = "fax"\n', "there is no kind 'fax'"),
    "a name twice": (SECOND + FIRST, "name: the same as that of"),
    "a secret that is not there": (
        SECOND + 'auth = [{ type = "api_key", key = "${NOWHERE}" }]\n',
        "NOWHERE",
    ),
    "an issuer that is not there": (
        SECOND + 'auth = [{ type = "jwt", issuer = "sso", client_id = "x" }]\n',
        "there is no issuer 'sso'",
    ),
}


@pytest.fixture(scope="module")
def reloading(tmp_path_factory):
    with serving.listener(tmp_path_factory.mktemp("reload"), config=FIRST) as server:
        yield server


def lines(server: serving.Listener, event: str) -> list[dict[str, Any]]:
    """What the server logged of `event`."""
    found = [json.loads(line) for line in server.log.splitlines() if f'"{event}"' in line]
    return [line for line in found if line["event"] == event]


def reload(server: serving.Listener, config: str, event: str) -> dict[str, Any]:
    """Put `config` in place, SIGHUP, and wait for the line of `event` it brings."""
    before = len(lines(server, event))
    (server.folder / "listener.toml").write_text(config)
    assert server.process is not None
    server.process.send_signal(signal.SIGHUP)
    ends = time.monotonic() + serving.DEADLINE
    while len(found := lines(server, event)) == before:
        assert time.monotonic() < ends, server.log[-2000:]
        time.sleep(0.01)
    return found[-1]


def sent(server: serving.Listener, source: str) -> int:
    return server.post(bodies.body(), bearer=serving.token(source=source)).status_code


@pytest.mark.parametrize("why", BAD)
def test_a_bad_file_keeps_the_configuration_in_force_and_says_what_is_wrong(reloading, why):
    reload(reloading, FIRST, "reloaded")
    config, told = BAD[why]
    said = reload(reloading, config, "reload_refused")
    assert said["level"] == "error"
    assert told in said["reason"]
    assert said["kept"] == "the configuration in force"
    assert (sent(reloading, "first"), sent(reloading, "second")) == (201, 403)


def test_a_good_file_is_in_force_at_once_and_what_it_leaves_out_is_not(reloading):
    assert reload(reloading, SECOND, "reloaded")["sources"] == 2
    assert (sent(reloading, "first"), sent(reloading, "second")) == (201, 201)
    reload(reloading, '[[source]]\nname = "second"\nenabled = false\n', "reloaded")
    assert (sent(reloading, "first"), sent(reloading, "second")) == (403, 403)
    items = seeing.get(reloading, "/admin/sources").json()["items"]
    assert [(one["name"], one["enabled"]) for one in items] == [("second", False)]

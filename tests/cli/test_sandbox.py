"""`listener sandbox` from outside: what it prints, serves, refuses, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx
import pytest

from app import settings, sources
from app.cli import sandbox as places
from app.sandbox import server

HOUSE = Path(__file__).parent.parent.parent
DEADLINE = 30


class Sandbox:
    """A sandbox in a process of its own, once it has printed where it is."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "app", "sandbox", "--port", "0", *arguments]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(HOUSE), "PYTHONUNBUFFERED": "1"},
            text=True,
        )
        self.lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith('name = "seller"'):
                break
        self.url = next(line.split()[1] for line in self.lines if line.startswith("URL "))

    def end(self, sig: int) -> tuple[int, str]:
        """The exit code, and what it said on stderr."""
        self.process.send_signal(sig)
        _, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, err


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    made = Sandbox(
        tmp_path_factory.mktemp("sandbox"),
        *("--pace", "burst", "--orders", "20", "--seed", "3", "--control"),
        *("--fault", "on_api.server_error", "--fault", "covage.duplicates=0.25"),
    )
    yield made
    made.process.kill()
    made.process.communicate()


def test_it_serves_as_many_orders_as_were_asked_for(sandbox):
    told = httpx.get(f"{sandbox.url}/_control/").json()
    assert told["orders"] == 20
    assert told["done"]


def test_the_faults_that_were_asked_for_are_on(sandbox):
    told = httpx.get(f"{sandbox.url}/_control/").json()["operators"]
    rates = {
        operator: {name: fault["rate"] for name, fault in one["faults"].items()}
        for operator, one in told.items()
    }
    assert rates == {
        "on_api": {"server_error": 1.0},
        "covage": {"duplicates": 0.25},
        "tjansteguiden": {},
        "seller": {},
    }
    path = "/on-api/api/2.3.1/orderevents/"
    assert httpx.get(f"{sandbox.url}{path}", auth=("sandbox", "sandbox")).status_code == 500


def test_what_it_prints_for_listener_toml_is_a_configuration_of_ours(tmp_path):
    text = "\n".join(place.table("http://127.0.0.1:8090") for place in places.PLACES)
    (tmp_path / "listener.toml").write_text(text)
    found = settings.read_configuration(
        settings.Settings(config=tmp_path / "listener.toml"), {}, kinds=sources.discover()
    )
    assert [source.name for source in found.sources] == [
        table["name"] for table in tomllib.loads(text)["source"]
    ]


def test_every_operator_of_the_sandbox_is_told_with_its_path():
    assert {place.operator for place in places.PLACES} == set(server.PATHS)
    for place in places.PLACES:
        assert place.path.startswith(server.PATHS[place.operator])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--pace", "fast"], "burst, manual or"),
        (["--pace", "0"], "burst, manual or"),
        (["--fault", "telia.slow_body"], "on_api, covage"),
        (["--fault", "on_api.rain"], "truncated_body"),
        (["--fault", "on_api.slow_body=2"], "0 to 1"),
        (["--fault", "on_api.slow_body=often"], "0 to 1"),
    ],
)
def test_what_it_does_not_know_ends_with_2_and_names_what_it_does(command, arguments, told):
    outcome = command("sandbox", *arguments)
    assert outcome.code == 2
    assert told in outcome.err


def test_told_to_stop_it_ends_with_0_even_while_it_answers(tmp_path):
    made = Sandbox(tmp_path, "--orders", "5", "--pace", "burst", "--fault", "on_api.endless_body")
    path = f"{made.url}/on-api/api/2.3.1/orderevents/"
    with httpx.stream("GET", path, auth=("sandbox", "sandbox")) as answer:
        assert answer.status_code == 200
        code, err = made.end(signal.SIGTERM)
    assert code == 0
    assert "Traceback" not in err

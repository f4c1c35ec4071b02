"""The command line as its user meets it: arguments in, two streams and an exit code out."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app import cli

HOUSE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """Its answer, where it is a JSON document a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Command = Callable[..., Outcome]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own with nothing configured in it."""
    for name in [name for name in os.environ if name.startswith("LISTENER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def command(home: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs `listener` with the arguments given, in `home`."""

    def run(*arguments: str) -> Outcome:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        told = capfd.readouterr()
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else 0, told.out, told.err)

    return run


@dataclass(frozen=True)
class Served:
    """A listener that serves, and what it said when it was ready."""

    url: str
    folder: Path
    greeting: str


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Served]]:
    """`listener serve --hello` in `folder`, once it has greeted; stopped afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("LISTENER_")}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--hello", "--port", str(port)],
            cwd=folder,
            env={**clean, "PYTHONPATH": str(HOUSE)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        try:
            greeting = ""
            while "Then see it" not in greeting:
                line = process.stdout.readline()
                assert line, (folder / "log").read_text()
                greeting += line
            yield process, Served(f"http://127.0.0.1:{port}", folder, greeting)
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A listener with nothing configured, shared by the tests of this run."""
    with serving(tmp_path_factory.mktemp("served")) as (_, told):
        yield told

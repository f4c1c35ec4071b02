"""The command line as its user meets it: arguments in, two streams and an exit code out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app.store import engine
from tests import serving


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
def database(home: Path, sqlite_template: Path) -> Iterator[engine.Database]:
    """The database in `home`, with our tables in it."""
    (home / "data").mkdir()
    (home / "data" / "listener.db").write_bytes(sqlite_template.read_bytes())
    made = engine.create(f"sqlite:///{home / 'data' / 'listener.db'}")
    yield made
    made.dispose()


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


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Listener]:
    """A listener with nothing configured that greets, shared by the tests of this run."""
    folder = tmp_path_factory.mktemp("served")
    nothing = {"LISTENER_SECRET": "", "LISTENER_DATA_DIR": ""}
    with serving.listener(folder, environment=nothing, arguments=("--hello",)) as server:
        yield server
        server.terminate()

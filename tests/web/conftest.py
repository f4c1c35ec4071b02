"""A `listener serve` for the tests of the JSON doors, with a source that has a callback key."""

import subprocess
import sys

import pytest

from tests import serving
from tests.web.asking import Asking

SOURCES = """
[[source]]
name = "local"

[[source]]
name = "keyed"
auth = [{ type = "callback_key" }]

[[source]]
name = "choosy"
accept = ["created"]
unknown_event_types = "store"
"""
SCOPES = ("notifications:write", "notifications:read", "admin")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A listener on SQLite with the sources above."""
    with serving.listener(tmp_path_factory.mktemp("web"), config=SOURCES) as made:
        yield made


@pytest.fixture(scope="session")
def bearer():
    """A token for everything, on behalf of the source `local`."""
    return {"Authorization": f"Bearer {serving.token(scopes=SCOPES)}"}


@pytest.fixture(scope="session")
def callback_key(server):
    """A callback key of the source `keyed`, made as an operator would make it."""
    command = [sys.executable, "-m", "app", "credential", "add", "keyed", "--type", "callback_key"]
    done = subprocess.run(
        command, cwd=server.folder, env=server.environment, check=True, capture_output=True
    )
    return done.stdout.decode().split()[-1]


@pytest.fixture(scope="session")
def asking(server):
    """The server, to be asked."""
    return Asking(server)

"""A `listener serve` for the tests of the JSON doors, with a source that has a callback key."""

import subprocess
import sys

import pytest
import requests

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
SCOPES = ("notifications:write", "notifications:read", "admin", "commands", "personal")


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


@pytest.fixture(scope="session")
def cursors(asking):
    """A cursor of each list, as it was given out."""
    for n in range(2):
        asking.told()
        row = asking.refused(f'{{"eventType": "listed {n}"}}'.encode())
        asking.act(f"/admin/quarantine/{row}/discard")
        asking.refused(f'{{"eventType": "open {n}"}}'.encode())
    given = {
        path: asking.get(path, limit=1).json()["next"]
        for path in ("/admin/notifications", "/admin/quarantine", "/admin/audit")
    }
    return given | {
        "/admin/search": given["/admin/notifications"],
        "/admin/commands": given["/admin/audit"],  # a place in ids, wherever they are from
        "/admin/attention": given["/admin/audit"],
        "/admin/expected": given["/admin/audit"],
        "/admin/orders": given["/admin/notifications"],
    }


@pytest.fixture
def line():
    """Connections that are kept for a test, for to open one takes as long as to ask."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def ask(server, cursors, callback_key, line):
    def asked(case, headers):
        if case.query and "after" in case.query and case.meta.generation.mode.is_positive:
            case.query["after"] = cursors[case.path]
        if case.path_parameters and "key" in case.path_parameters and headers:
            case.path_parameters["key"] = callback_key
        case.call_and_validate(base_url=server.url, session=line, headers=headers)

    return asked


def pytest_ignore_collect(collection_path, config):
    """Leave out the long form of the contract's test, unless `-m fuzz` asks for it."""
    at_length = collection_path.name == "test_contract_at_length.py"
    return True if at_length and config.option.markexpr != "fuzz" else None

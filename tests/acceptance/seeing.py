"""What an admin sees of the server, by its documented doors: the web and the command line."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from tests import serving
from tests.acceptance import wire


def get(server: serving.Listener, path: str) -> wire.Answer:
    """GET an admin path as somebody who may read; it must be there."""
    bearer = serving.token(source=None, scopes=("notifications:read",))
    answer = wire.exchange(server.port, wire.request("GET", path, bearer=bearer))
    assert answer.status == 200, answer.body
    return answer


def act(server: serving.Listener, path: str, body: bytes | None = None) -> wire.Answer:
    """POST to an admin path as the admin `tests`."""
    bearer = serving.token(source=None, scopes=("admin",))
    return wire.exchange(server.port, wire.request("POST", path, body, bearer=bearer))


def quarantined(server: serving.Listener) -> int:
    """How many rows of the quarantine are open."""
    return int(get(server, "/admin/stats").json()["quarantine"])


def held(server: serving.Listener, row: str) -> dict[str, Any]:
    """Row `row` of the quarantine."""
    return dict(get(server, f"/admin/quarantine/{row}").json())


def listed(server: serving.Listener, event_id: str) -> list[dict[str, Any]]:
    """The notifications with this event id, oldest first."""
    page = get(server, f"/admin/notifications?event_id={event_id}&order=asc")
    return list(page.json()["items"])


def raw(server: serving.Listener, id_: str) -> bytes:
    """The exact bytes of notification `id_`."""
    return get(server, f"/admin/notifications/{id_}/raw").body


def command(
    server: serving.Listener, *arguments: str, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run `listener` beside `server`, on its data and configuration; it must end with `code`."""
    return _run(server, ["-m", "app", *arguments], code)


def commands(server: serving.Listener, *lines: str) -> list[str]:
    """Run several commands of words without blanks, in one process, for a start takes a second.

    Each must end with 0; gives what each wrote to stdout.
    """
    done = _run(server, ["-c", _EACH, *lines], 0)
    return done.stdout.split(_END)[: len(lines)]


_END = "\n--- end of a command ---\n"
_EACH = f"""
import sys
from app import cli
for line in sys.argv[1:]:
    try:
        cli.main(line.split())
    except SystemExit as end:
        if end.code:
            raise
    print({_END!r}, end="", flush=True)
"""


def _run(
    server: serving.Listener, arguments: list[str], code: int
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=server.folder,
        env=server.environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done

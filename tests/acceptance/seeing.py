"""What an admin sees of the server, by its documented doors: the web and the command line."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from tests import serving


def held(server: serving.Listener, row: str) -> dict[str, Any]:
    """Row `row` of the quarantine, as the admin is shown it."""
    answer = server.get(f"/admin/quarantine/{row}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def listed(server: serving.Listener, event_id: str) -> list[dict[str, Any]]:
    """The notifications with this event id, oldest first."""
    answer = server.get(f"/admin/notifications?event_id={event_id}&order=asc")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def raw(server: serving.Listener, id_: str) -> bytes:
    """The exact bytes of notification `id_`."""
    answer = server.get(f"/admin/notifications/{id_}/raw")
    assert answer.status_code == 200, answer.text
    return answer.content


def command(
    server: serving.Listener, *arguments: str, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run `listener` beside `server`, on its data and configuration; it must end with `code`."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=server.folder,
        env=server.environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done

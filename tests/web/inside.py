"""The whole application without a socket, over a real runtime, for tests of what the doors say.

    async with inside.opened(url, folder) as door:
        answer = await door.get("/admin/stats")

Not here: a process of its own (`tests.serving`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastapi
import httpx

from app import main, settings
from app.runtime import Runtime
from tests import serving

DEADLINE = 20.0
READ, WRITE, ADMIN = "notifications:read", "notifications:write", "admin"
SOURCES = """
[[source]]
name = "local"

[[source]]
name = "choosy"
accept = ["created"]

[[source]]
name = "keyed"
enabled = false
strict = true
unknown_event_types = "store"
success_status = 200
auth = [{ type = "callback_key" }, { type = "basic" }, { type = "api_key" }]
"""


def state_change(event_id: str | None = None, **order: Any) -> dict[str, Any]:
    """orderStateChangeNotification of order `PO-1`; `order` is added to the order."""
    return {
        "eventId": event_id or uuid.uuid4().hex,
        "eventTime": "2026-03-02T10:15:00+01:00",
        "eventType": "orderStateChangeNotification",
        "event": {"productOrder": {"id": "PO-1", "state": "InProgress", **order}},
    }


@dataclass(frozen=True)
class Door:
    """The application and somebody who asks it; `scopes` are those of the token shown."""

    app: fastapi.FastAPI
    client: httpx.AsyncClient
    runtime: Runtime

    async def get(self, path: str, *, scopes: tuple[str, ...] = (READ,)) -> httpx.Response:
        """GET as nobody's source."""
        return await self.client.get(path, headers=shown(scopes))

    async def act(
        self, path: str, body: Any = None, *, scopes: tuple[str, ...] = (ADMIN,)
    ) -> httpx.Response:
        """POST `body` (null: none) as the admin `tests`."""
        return await self.client.post(path, json=body, headers=shown(scopes))

    async def send(
        self,
        body: bytes | dict[str, Any],
        *,
        path: str = serving.PATH,
        source: str = "local",
        content_type: str = "application/json;charset=utf-8",
    ) -> httpx.Response:
        """POST a notification as `source`."""
        bearer = serving.token(source=source, scopes=(WRITE,))
        headers = {"Authorization": f"Bearer {bearer}", "Content-Type": content_type}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(path, content=content, headers=headers)

    async def taken(self, *bodies: bytes | dict[str, Any], source: str = "local") -> None:
        """Send each of `bodies`, which must be taken."""
        for body in bodies:
            answer = await self.send(body, source=source)
            assert answer.status_code == httpx.codes.CREATED, answer.text

    async def refused(self, body: bytes | dict[str, Any], *, source: str = "local") -> str:
        """Send `body`, which must be refused; the id of its row in quarantine."""
        answer = await self.send(body, source=source)
        assert answer.is_client_error, answer.text
        return str(answer.json()["referenceError"])

    async def items(self, path: str) -> list[dict[str, Any]]:
        """The items of a list."""
        answer = await self.get(path)
        assert answer.status_code == httpx.codes.OK, answer.text
        return list(answer.json()["items"])

    async def pages(self, path: str, limit: int) -> AsyncIterator[list[dict[str, Any]]]:
        """The pages of a list by their cursors, until there is no next one."""
        after = ""
        while True:
            glue = "&" if "?" in path else "?"
            answer = await self.get(f"{path}{glue}limit={limit}{after}")
            assert answer.status_code == httpx.codes.OK, answer.text
            page = answer.json()
            yield page["items"]
            if page["next"] is None:
                return
            after = f"&after={page['next']}"


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """What `look` finds, once it finds something."""
    ends = time.monotonic() + DEADLINE
    while not (found := await look()):
        assert time.monotonic() < ends, look
        await asyncio.sleep(0.02)
    return found


async def over(door: Door, answer: httpx.Response) -> dict[str, Any]:
    """The job that `answer`, a 202, began, once it is over."""
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text

    async def look() -> Any:
        job = (await door.get(f"/admin/jobs/{answer.json()['job']}")).json()
        return job if job["finished_at"] else None

    job: dict[str, Any] = await until(look)
    return job


def shown(scopes: tuple[str, ...]) -> dict[str, str]:
    """The header of a token with `scopes`, of no source."""
    return {"Authorization": f"Bearer {serving.token(source=None, scopes=scopes)}"}


@contextlib.asynccontextmanager
async def opened(
    url: str, folder: Path, config: str = SOURCES, **further: Any
) -> AsyncIterator[Door]:
    """The application on the database `url`, started.

    `config` is the text of listener.toml, `further` are settings by their names.
    """
    file = folder / "listener.toml"
    file.write_text(config)
    app = main.create_app(
        settings.Settings(
            database_url=url,
            data_dir=folder,
            config=file,
            secret=serving.SECRET,
            log_level="warning",
            **further,
        ),
        work=True,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://listener.test") as client,
    ):
        yield Door(app, client, app.state.runtime)

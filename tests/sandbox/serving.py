"""A sandbox served by uvicorn in a thread, a client for it, and a place that receives pushes.

with serving.sandbox(Settings(...)) as served:
    served.on_api("/api/2.3.1/orderevents/").json()
    served.control("on_api/events")
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import httpx
import uvicorn

from app import sandbox as operators

DEADLINE = 10.0
STARTS = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BASIC = ("sandbox", "sandbox")


class Server(uvicorn.Server):
    """uvicorn, telling by an event that it serves and ending at once when told to."""

    def __init__(self, configuration):
        super().__init__(configuration)
        self.serves = threading.Event()

    async def main_loop(self):
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self.serves.set()
        await self._end.wait()

    async def shutdown(self, sockets=None):
        """As uvicorn's, without its rest of a tenth of a second."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for task in list(self.server_state.tasks):
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)
        await self.lifespan.shutdown()

    def end(self):
        self._loop.call_soon_threadsafe(self._end.set)


@contextlib.contextmanager
def serving(app) -> Iterator[str]:
    """The URL at which `app` is served while inside."""
    configuration = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", ws="none")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = Server(configuration)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        assert server.serves.wait(DEADLINE), "uvicorn did not start"
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.end()
            thread.join(DEADLINE)
            assert not thread.is_alive()


@dataclass
class Served:
    """A sandbox that answers at `url`."""

    url: str
    client: httpx.Client
    _token: str = ""
    _hash: str = ""

    def on_api(self, path: str, method: str = "GET", **further) -> httpx.Response:
        return self.client.request(method, f"/on-api{path}", auth=BASIC, **further)

    def covage(self, path: str, method: str = "GET", **further) -> httpx.Response:
        self._token = self._token or self.login()["access"]
        headers = {"Authorization": f"Bearer {self._token}"}
        return self.client.request(method, f"/covage{path}", headers=headers, **further)

    def login(self, name: str = "sandbox", path: str = "/api/v2/account/token/") -> dict:
        told = {"email": name, "password": name}
        return self.client.post(f"/covage{path}", json=told).raise_for_status().json()

    def guide(self, method: str, **given: str) -> httpx.Response:
        self._hash = self._hash or self.hash()
        params = {"method": method, "hash": self._hash, **given}
        return self.client.get("/tjansteguiden/plain/serviceguide_log", params=params)

    def hash(self) -> str:
        params = {"method": "api_login", "api_user": "sandbox", "api_key": "sandbox"}
        params["output_format"] = "json"
        told = self.client.get("/tjansteguiden/plain/serviceguide_log", params=params).json()
        return told["response"]["hash_key"]

    def control(self, path: str = "", method: str = "GET", body: object = None):
        answer = self.client.request(method, f"/_control/{path}", json=body)
        return answer.raise_for_status().json()

    def fault(self, operator: str, name: str, **chosen: object) -> None:
        self.control(f"{operator}/faults/{name}", "PUT", chosen)

    def advance(self, **seconds: float) -> dict:
        return self.control("advance", "POST", seconds)


def settings(**chosen: object) -> operators.Settings:
    """Small, fixed in time, with control."""
    usual = operators.Settings(
        seed=7, control=True, starts_at=STARTS, every=60.0, limit=operators.Limit(orders=30)
    )
    return replace(usual, **chosen)


@contextlib.contextmanager
def sandbox(**chosen: object) -> Iterator[Served]:
    """A sandbox of `settings(**chosen)`."""
    made = operators.create(settings(**chosen))
    with (
        serving(made.app) as url,
        httpx.Client(base_url=url, timeout=DEADLINE, verify=False) as client,
    ):
        yield Served(url, client)


@dataclass
class Receiver:
    """Takes pushes; answers with `answer(n)`, the status for push number n from 1."""

    answer: Callable[[int], int] = lambda _: 201
    pushes: list[tuple[str, dict[str, str], dict]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        with self.changed:
            self.pushes.append((scope["path"], headers, json.loads(body)))
            status = self.answer(len(self.pushes))
            self.changed.notify_all()
        start = {"type": "http.response.start", "status": status}
        await send({**start, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def _live(self, receive, send):
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    def wait(self, count: int) -> list[dict]:
        """The bodies, once there are at least `count`."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.pushes) >= count, DEADLINE), len(
                self.pushes
            )
            return [body for _, _, body in self.pushes]

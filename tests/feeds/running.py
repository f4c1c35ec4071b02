"""Feeds of a runtime in this process, on a database of the test's own, and an ON-API to ask.

async with running.feeds(tmp_path, database_url, running.source("ko", operator.url)) as live:
    await live.until(lambda: live.events() == [...])
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from app import clock, feeds as polling, runtime as runtimes, settings
from app.store import engine, feeds, jobs, log
from tests.operators import Asked, Reply

DEADLINE = 20.0
SECRET = "a-secret-that-only-tests-know-0123456789"
QUICK = "0.05s"
PUBLIC_URL = "http://127.0.0.1:9"


def source(name: str, url: str, *, every: str = QUICK, kind: str = "on_api", **more: Any) -> str:
    """A `[[source]]` that is asked at `url`, as listener.toml has it."""
    feed = {"url": url, "every": every, "username": "sp1", "password": "hunter2", **more}
    keys = ", ".join(f"{key} = {json.dumps(value)}" for key, value in feed.items())
    return f'[[source]]\nname = "{name}"\nkind = "{kind}"\nfeed = {{ {keys} }}\n'


def event(id_: str, order: str = "o-1", state: str = "DONE_SUCCESS") -> dict[str, Any]:
    """An event of the ON-API."""
    return {
        "event": id_,
        "order": {
            "path": f"/api/2.3.1/orders/{order}", "accessId": "STTA0001", "service": "BB-100-10",
            "operation": "ACTIVATE", "state": state, "message": "",
        },
    }  # fmt: skip


@dataclass
class OnApi:
    """The `orderevents` and `orders` of one operator.

    `instead` answers in their place while it is set. `orders`: by path.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    instead: Reply | None = None
    password: str = "c3AxOmh1bnRlcjI="

    def __call__(self, asked: Asked) -> Reply:
        if self.instead is not None:
            return self.instead
        if asked.headers.get("authorization") != f"Basic {self.password}":
            return Reply(401)
        if "/orders/" in asked.path:
            return self.one(self.orders.get(asked.path))
        since = asked.query.get("since")
        ids = [one["event"] if isinstance(one, dict) else None for one in self.history]
        after = ids.index(since) + 1 if since is not None and since in ids else 0
        return self.page(self.history[after:])

    def one(self, order: dict[str, Any] | None) -> Reply:
        """`order` as an answer."""
        headers = {"Content-Type": "application/json"}
        if order is None:
            return Reply(404, json.dumps({"cause": "no such order"}).encode(), headers)
        return Reply(body=json.dumps(order).encode(), headers=headers)

    def page(self, events: list[dict[str, Any]]) -> Reply:
        """`events` as an answer."""
        return Reply(body=json.dumps(events).encode(), headers={"Content-Type": "application/json"})


@dataclass
class Live:
    """A runtime whose feeds run."""

    runtime: runtimes.Runtime

    async def until(self, condition: Callable[[], Any], what: str = "") -> Any:
        """Wait until `condition` holds; gives what it gave. Fails after a while."""
        ends = time.monotonic() + DEADLINE
        while not (found := await asyncio.to_thread(condition)):
            assert time.monotonic() < ends, what or f"not so in time: {self.feeds()}"
            await asyncio.sleep(0.01)
        return found

    def events(self, name: str = "ko") -> list[str]:
        """The event ids in the log of source `name`, in its order."""
        return [row["event_id"] for row in self.rows(name)]

    def rows(self, name: str = "ko") -> list[dict[str, Any]]:
        """The log of source `name`, in its order."""
        with engine.read(self.runtime.engine) as connection:
            asked = log.Filter(source=name)
            return log.page(connection, asked, after_seq=None, limit=100_000, ascending=True)

    def feed(self, name: str = "ko") -> feeds.Feed | None:
        """The feed's row."""
        with engine.read(self.runtime.engine) as connection:
            return feeds.one(connection, name)

    def feeds(self) -> list[feeds.Feed]:
        """All feeds' rows."""
        with engine.read(self.runtime.engine) as connection:
            return feeds.listing(connection)

    def turns(self, name: str = "ko") -> list[feeds.Turn]:
        """The turns that are remembered, newest first."""
        with engine.read(self.runtime.engine) as connection:
            return feeds.turns(connection, name)

    async def write(self, act: Callable[[engine.Connection], Any]) -> Any:
        """Write as any room does."""
        return await asyncio.wrap_future(self.runtime.writer.run(act))

    async def job(self, action: str, name: str = "ko", **arguments: Any) -> jobs.Job:
        """Ask for a job and wait until it is over."""
        job = jobs.Job(
            uuid.uuid4().hex, name, action, arguments, "jwt:ops", self.runtime.clock.now()
        )
        await self.write(lambda connection: jobs.ask(connection, job))

        def over() -> jobs.Job | None:
            with engine.read(self.runtime.engine) as connection:
                found = jobs.one(connection, job.id)
            return found if found is not None and found.finished_at is not None else None

        return await self.until(over, f"{action} was not done")


def _write(folder: Path, sources: tuple[str, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "listener.toml").write_text("\n".join(sources))


@contextlib.asynccontextmanager
async def runtime(
    folder: Path,
    database_url: str,
    *sources: str,
    public_url: str | None = PUBLIC_URL,
    time: clock.Clock | None = None,
) -> AsyncIterator[Live]:
    """A runtime that is started; its feeds are not. `time`: its clock, if not the real one."""
    _write(folder, sources)
    live = runtimes.build(
        settings.Settings(
            database_url=database_url,
            data_dir=folder,
            config=folder / "listener.toml",
            secret=SECRET,
            log_format="json",
            public_url=public_url,
        ),
        time,
    )
    live.start()
    try:
        yield Live(live)
    finally:
        live.close()


@contextlib.asynccontextmanager
async def feeds_of(
    folder: Path,
    database_url: str,
    *sources: str,
    term: float = 2.0,
    public_url: str | None = PUBLIC_URL,
    time: clock.Clock | None = None,
) -> AsyncIterator[Live]:
    """A runtime whose feeds run until the block ends."""
    made = runtime(folder, database_url, *sources, public_url=public_url, time=time)
    async with made as live:
        started = await polling.start(live.runtime, term=timedelta(seconds=term))
        try:
            yield live
        finally:
            await polling.stop(started)

"""`listener hub …`: our subscriptions at operators' hubs, as a source's `hub` declares them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Final

import typer

from app import feeds as polling, runtime as runtimes, settings
from app.cli import acting, acts, database, failure, screen
from app.sources import base
from app.store import engine, hubs

REGISTER_EXAMPLES = ("listener hub register orange",)
LIST_EXAMPLES = ("listener hub list", "listener hub list --json")
UNREGISTER_EXAMPLES = ("listener hub unregister orange",)
COLUMNS = ("source", "form", "state", "remote_id", "registered_at", "checked_at", "error")

PATIENCE: Final = 60.0
"""Seconds to wait for the hub's answer."""

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="As in listener.toml.")]


def register(source: Source) -> None:
    """Subscribe to a source's hub, and keep the subscription alive from now on."""
    found = asyncio.run(_register(source))
    if found is None or found.state != "registered":
        reason = (found.error if found is not None else None) or "the hub did not answer in time"
        msg = f"{source} is not registered yet: {reason}"
        raise failure.CommandFailed(
            msg, "it is tried again by whatever serves; see: listener hub list"
        )
    screen.done(f"{source} is registered at {found.hub_url}")


def listing(
    *, as_json: Annotated[bool, typer.Option("--json", help="A JSON line each.")] = False
) -> None:
    """List our subscriptions and how they stand."""
    with database.opened(settings.load()) as opened, engine.read(opened) as connection:
        rows = hubs.listing(connection)
    if as_json:
        for row in rows:
            screen.json_line(asdict(row))
    elif rows:
        screen.table(COLUMNS, [[getattr(row, name) for name in COLUMNS] for row in rows])
    else:
        screen.remark("there is none")


def unregister(source: Source) -> None:
    """End the subscription at a source's hub."""
    if not asyncio.run(_unregister(source)):
        msg = f"{source} is still registered: its hub did not answer in time"
        raise failure.CommandFailed(
            msg, "it is tried again by whatever serves; see: listener hub list"
        )
    screen.done(f"{source} is not registered any more")


async def _register(name: str) -> hubs.Registration | None:
    async with _registrar() as live:
        source = _declared(live, name)
        assert source.hub is not None  # noqa: S101 - `_declared` sees to it
        now = live.clock.now()
        wanted = hubs.Registration(
            name, source.hub.form, source.hub.url, source.hub.query, asked_at=now, due_at=now
        )

        def write(connection: engine.Connection) -> None:
            hubs.want(connection, wanted)
            database.record(connection, "hub.register", name, at=now)

        await live.write(write)

        def settled(connection: engine.Connection) -> hubs.Registration | None:
            found = hubs.one(connection, name)
            return found if found is not None and _is_settled(found, now) else None

        return await acting.until(live, settled, seconds=PATIENCE)


@asynccontextmanager
async def _registrar() -> AsyncIterator[runtimes.Runtime]:
    """A runtime that keeps subscriptions, unless another process does."""
    live = acting.quiet()
    try:
        live.start()
        running = await polling.start(live, only=(), polling=False)
        try:
            yield live
        finally:
            await polling.stop(running)
    finally:
        live.close()


def _is_settled(found: hubs.Registration, since: datetime) -> bool:
    looked = found.checked_at is not None and found.checked_at >= since
    return looked or (found.error is not None and found.due_at > since)


async def _unregister(name: str) -> bool:
    async with _registrar() as live:
        now = live.clock.now()

        def write(connection: engine.Connection) -> bool:
            database.record(connection, "hub.unregister", name, at=now)
            return hubs.unwant(connection, name, now)

        if not await live.write(write):
            msg = f"{name} is not registered"
            raise failure.CommandFailed(msg, "see what is: listener hub list")

        def gone(connection: engine.Connection) -> bool | None:
            return True if hubs.one(connection, name) is None else None

        return await acting.until(live, gone, seconds=PATIENCE) or False


def _declared(live: runtimes.Runtime, name: str) -> base.SourceConfig:
    source = live.source(name)
    if source is None or source.hub is None:
        with_hub = ", ".join(s.name for s in live.configuration.sources if s.hub is not None)
        msg = f"no source with a hub is called {name!r}"
        give = "give one a hub = {…} in listener.toml"
        raise failure.usage(msg, f"choose one of: {with_hub}; or {give}" if with_hub else give)
    return source


ACTS = (
    acts.Act(register, REGISTER_EXAMPLES),
    acts.Act(listing, LIST_EXAMPLES, name="list"),
    acts.Act(unregister, UNREGISTER_EXAMPLES),
)

"""Having something done at a source: by the process that has its feed, else by this one.

The command asks in the database; where no other process holds the feed, this one takes its lease
for as long as the command lasts. Not here: what is asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from app import errors, feeds as polling, runtime as runtimes, settings, telemetry
from app.cli import failure, opening
from app.doors import acts
from app.sources import base
from app.store import engine, jobs

LOOK: Final = 0.1
"""Seconds between two looks at whether it is done."""

Found = TypeVar("Found")


def feed_of(found: settings.Configuration, name: str) -> base.SourceConfig:
    """The source called `name`, which is asked. Raises `CommandFailed` naming those there are."""
    asked = {source.name: source for source in found.sources if source.feed is not None}
    if name in asked:
        return asked[name]
    names = ", ".join(sorted(asked))
    msg = f"no source that is asked is called {name!r}"
    give = "give one a feed in listener.toml"
    raise failure.usage(msg, f"choose one of: {names}; or {give}" if asked else give)


@asynccontextmanager
async def at(name: str) -> AsyncIterator[runtimes.Runtime]:
    """A runtime that does what is asked of source `name`, unless another process does.

    Raises `CommandFailed` for a name that is no feed, and as `runtime.build` does.
    """
    live = quiet()
    try:
        feed_of(live.configuration, name)
        live.start()
        running = await polling.start(live, only={name}, polling=False, hubs=False)
        try:
            yield live
        finally:
            await polling.stop(running)
    finally:
        live.close()


def quiet() -> runtimes.Runtime:
    """A runtime that tells of trouble only: the command itself tells the rest."""
    found = settings.load().model_copy(update={"log_level": "error"})
    telemetry.configure(found.log_level, found.log_format)
    return runtimes.build(found)


async def until(
    live: runtimes.Runtime,
    look: Callable[[engine.Connection], Found | None],
    *,
    seconds: float | None = None,
) -> Found | None:
    """Look until `look` finds something, at most `seconds`; null where the time ran out."""

    def asked() -> Found | None:
        with engine.read(live.engine) as connection:
            return look(connection)

    ends = None if seconds is None else time.monotonic() + seconds
    while (found := await asyncio.to_thread(asked)) is None:
        if ends is not None and time.monotonic() > ends:
            return None
        await asyncio.sleep(LOOK)
    return found


def job(name: str, action: str, **arguments: Any) -> dict[str, Any]:
    """Have `action` done at the feed `name`; gives its result.

    Raises `CommandFailed` with the reason where it failed, or its source is disabled.
    """
    done = asyncio.run(_job(name, action, arguments))
    if done.error is not None:
        msg = f"{action} {name}: {done.error}"
        raise failure.CommandFailed(msg, f"see how the feed stands: listener feed list {name}")
    return done.result or {}


async def _job(name: str, action: str, arguments: dict[str, Any]) -> jobs.Job:
    async with at(name) as live:
        try:
            id_ = await acts.ask_feed(live, name, action, arguments, by=opening.operator())
        except errors.Conflict as error:
            raise failure.CommandFailed(error.message, "enable it there first") from error

        def over(connection: engine.Connection) -> jobs.Job | None:
            found = jobs.one(connection, id_)
            return found if found is not None and found.finished_at is not None else None

        done = await until(live, over)
        assert done is not None  # noqa: S101 - it waits without an end
        return done

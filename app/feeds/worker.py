"""All that is done for one source while this process holds its lease: turns, jobs, commands, files.

Not here: whether this process holds it (`sharing`).
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from app import loop
from app.feeds import commands, desk, files, following, poller, reading, session, status, trouble
from app.outbound import exchange, guard
from app.runtime import Runtime
from app.sources import base
from app.store import engine, feeds, leases, pages

FIRST_TURNS: Final = 0.01
"""Seconds between the first turns of two feeds, so that a start is no stampede."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the workers of a process share.

    `polling`: false where only what is asked is done. `settle`: see `commands.SETTLE`.
    """

    runtime: Runtime
    trust: ssl.SSLContext
    board: status.Board
    chance: random.Random
    polling: bool = True
    settle: timedelta = commands.SETTLE


class Worker:
    """Does the feed of `source` under `fence`; `taken` is called when another process has it."""

    def __init__(
        self,
        means: Means,
        source: base.SourceConfig,
        fence: leases.Fence,
        taken: Callable[[], None],
    ) -> None:
        self.source = source
        self.fence = fence
        self._means = means
        self._taken = taken
        self._tasks: list[asyncio.Task[None]] = []
        self._acts_bell = loop.Bell()
        self._desk_bell = loop.Bell()
        self._poll_bell = loop.Bell()
        runtime, feed = means.runtime, source.feed
        assert feed is not None  # noqa: S101 - only sources that are asked are shared
        kind = cast("base.PullKind", runtime.kinds[source.kind])
        policy = guard.policy([feed.url], feed.hosts, allow_private=feed.allow_private)
        self._client = exchange.Client(policy, means.trust, agent=f"tmf-listener/{runtime.version}")
        speaking = session.Session(source, kind, self._client, runtime.clock)
        self._kind = kind
        self._session = speaking
        self._reader = reading.Reader(runtime, source, kind, speaking, fence)
        self._fetcher = files.Fetcher(runtime, source, kind, speaking, self._client)

    async def start(self, feeds_here: int) -> None:
        """Begin; so do `feeds_here` in all. Raises `errors.Unavailable`, `pages.StaleFence`."""
        means, runtime = self._means, self._means.runtime
        state = await self._connect()
        follower = following.Follower(
            runtime, self.source, self._kind, self.fence, state.followed_seq
        )
        follow = self._followed(follower)
        self._outbox = commands.Outbox(
            runtime, self.source, self._kind, self._session, self._reader, follow, means.settle
        )
        turns = poller.Poller(
            runtime, self.source, self._reader, means.board, follow, state, means.chance
        )
        at_desk = desk.Desk(
            runtime, self.source, self._kind, self._reader, turns, follow, self._poll_bell
        )
        self._spawn(at_desk.turn, "jobs", self._desk_bell, 0.0)
        self._spawn(self._acts, "outbox", self._acts_bell, 0.0)
        if means.polling:
            first = self._first_turn(state, feeds_here, runtime.clock.now())
            self._spawn(turns.turn, "feed", self._poll_bell, first)

    async def stop(self) -> None:
        """End what is under way: what is committed stays, what is not is done again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def ring(self) -> None:
        """Look for what is asked of this source; from any thread."""
        self._desk_bell.ring()
        self._acts_bell.ring()

    def _spawn(
        self,
        turn: Callable[[], Coroutine[Any, Any, float]],
        what: str,
        bell: loop.Bell,
        first: float,
    ) -> None:
        async def guarded() -> float:
            try:
                return await turn()
            except (trouble.Taken, pages.StaleFence):
                self._taken()
                return 3600.0  # until we are stopped

        name = f"{what} {self.source.name}"
        repeated = loop.run(guarded, name=name, bell=bell, first=first, chance=self._means.chance)
        self._tasks.append(asyncio.create_task(repeated, name=name))

    def _followed(self, follower: following.Follower) -> poller.Follow:
        async def follow() -> None:
            if await follower.follow():
                self._acts_bell.ring()

        return follow

    async def _acts(self) -> float:
        """Do the commands and files that are due; gives the seconds until the next is."""
        return min(await self._outbox.turn(), await self._fetcher.turn())

    async def _connect(self) -> feeds.Feed:
        at = self._means.runtime.clock.now()

        def write(connection: engine.Connection) -> feeds.Feed:
            return feeds.connect(connection, self.source.name, at)

        return await self._means.runtime.write(write, under=self.fence)

    def _first_turn(self, state: feeds.Feed, feeds_here: int, now: datetime) -> float:
        """Seconds until the first turn: soon, but not before the end of a rest after failures."""
        assert self.source.feed is not None  # noqa: S101 - as above
        spread = min(self.source.feed.every.total_seconds(), feeds_here * FIRST_TURNS)
        first = self._means.chance.uniform(0.0, spread)
        if state.failures and state.next_turn_at is not None:
            first = max(first, (state.next_turn_at - now).total_seconds())
        return first

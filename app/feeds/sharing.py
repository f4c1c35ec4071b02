"""Which feeds this process does: replicas share them by leases, each about as many as the others.

`turn` keeps this replica alive, takes feeds that nobody who lives has, gives back what is more than
its share, and starts and stops their workers. Not here: what is done for a feed (`worker`).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Final

from app import errors, loop, telemetry
from app.feeds import registration, worker
from app.sources import base
from app.store import commands, engine, files, hubs, jobs, leases, pages

TERM: Final = timedelta(seconds=15)
"""How long a replica that is silent keeps its feeds."""

PREFIX: Final = "feed/"
"""The leases of feeds are called `feed/<source>`."""


class Sharing:
    """The feeds of this process. `only`: the sources it may take (null: all).

    A process that is there for one act (`acting`) does not count as one to share with. `hubs`: the
    lease of the hubs while it is held here, which it is taken for if `for_hubs`.
    """

    def __init__(
        self,
        means: worker.Means,
        *,
        term: timedelta = TERM,
        only: Collection[str] | None = None,
        acting: bool = False,
        for_hubs: bool = True,
    ) -> None:
        self._means = means
        self._term = term
        self._only = only
        self._for_hubs = for_hubs
        self._replica = f"{leases.ACTING if acting else ''}{uuid.uuid4()}"
        self._workers: dict[str, worker.Worker] = {}
        self._taken: set[str] = set()
        self.hubs: leases.Fence | None = None
        self.hub_bell = loop.Bell()
        self._alive_until = means.runtime.clock.monotonic()
        self._log = telemetry.logger("feeds")

    async def turn(self) -> float:
        """Beat, share, start and stop; gives the seconds until the next beat: half the term."""
        clock = self._means.runtime.clock
        began = clock.monotonic()
        wanted = self._wanted()
        try:
            held = await self._means.runtime.write(partial(self._beat, wanted=wanted))
        except errors.Unavailable:
            if clock.monotonic() >= self._alive_until:
                await self._stop(list(self._workers))
            return self._term.total_seconds() / 4
        self._alive_until = began + self._term.total_seconds()
        await self._follow(wanted, held)
        return self._term.total_seconds() / 2

    async def close(self) -> None:
        """Stop all workers and give everything back, so that another process may begin at once."""
        await self._stop(list(self._workers))
        try:
            await self._means.runtime.write(
                lambda connection: leases.leave(connection, self._replica)
            )
        except errors.Unavailable:
            self._log.info("leases_left_to_expire")

    def ring(self) -> None:
        """Have the workers look for what is asked of their sources; on the tail's thread."""
        with engine.read(self._means.runtime.engine) as connection:
            asked = (
                jobs.sources_with_open(connection)
                | commands.sources_with_open(connection)
                | files.sources_with_wanted(connection)
            )
            hubs_due = hubs.is_due(connection, self._means.runtime.clock.now())
        if hubs_due:
            self.hub_bell.ring()
        for name in asked:
            found = self._workers.get(name)
            if found is not None:
                found.ring()

    def _wanted(self) -> dict[str, base.SourceConfig]:
        """The sources to be done, by name: enabled, asked, and allowed here."""
        return {
            source.name: source
            for source in self._means.runtime.configuration.sources
            if source.enabled
            and source.feed is not None
            and (self._only is None or source.name in self._only)
        }

    def _beat(
        self, connection: engine.Connection, wanted: dict[str, base.SourceConfig]
    ) -> dict[str, leases.Fence]:
        """Keep this replica alive, give back, take; answers what is held, by source."""
        living = leases.beat(connection, self._replica, self._term)
        names = [PREFIX + name for name in wanted]
        leases.declare(connection, names)
        held = {fence.name: fence for fence in leases.held(connection, self._replica)}
        share = len(names) if self._only is not None else -(-len(names) // max(living, 1))
        kept = [name for name in sorted(held) if name in set(names)][:share]
        given = [name for name in held if name not in kept and name != registration.LEASE]
        leases.release(connection, self._replica, given)
        taken = leases.take(connection, self._replica, names, share - len(kept))
        self._take_hubs(connection, held)
        fences = [*(held[name] for name in kept), *taken]
        return {fence.name.removeprefix(PREFIX): fence for fence in fences}

    def _take_hubs(self, connection: engine.Connection, held: dict[str, leases.Fence]) -> None:
        """Hold the lease of the hubs, if nobody else does and there are any."""
        leases.declare(connection, [registration.LEASE])
        found = held.get(registration.LEASE)
        if found is None and self._for_hubs:
            found = next(
                iter(leases.take(connection, self._replica, [registration.LEASE], 1)), None
            )
        self.hubs = found

    async def _follow(
        self, wanted: dict[str, base.SourceConfig], held: dict[str, leases.Fence]
    ) -> None:
        """Stop the workers of what is not held, or not as it was; start those of what is."""
        gone = [
            name
            for name, one in self._workers.items()
            if name in self._taken or one.fence != held.get(name) or one.source != wanted.get(name)
        ]
        await self._stop(gone)
        for name, fence in held.items():
            if name not in self._workers:
                await self._start(wanted[name], fence, len(held))

    async def _start(self, source: base.SourceConfig, fence: leases.Fence, feeds_here: int) -> None:
        made = worker.Worker(self._means, source, fence, lambda: self._taken.add(source.name))
        try:
            await made.start(feeds_here)
        except (errors.Unavailable, pages.StaleFence):
            await made.stop()  # the next beat tries again
            return
        self._workers[source.name] = made
        self._log.info("feed_taken", feed=source.name, token=fence.token)

    async def _stop(self, names: list[str]) -> None:
        """End the workers of `names`; their leases are given back, or lost."""
        ended = [self._workers.pop(name) for name in names]
        self._taken.difference_update(names)
        await asyncio.gather(*(one.stop() for one in ended))
        for one in ended:
            self._means.board.forget(one.source.name)
            self._log.info("feed_left", feed=one.source.name)

"""What a feed's news asks us to do: commands of a chain, files to fetch. A follower of the log.

Its place in the log (`followed_seq`) moves in the transaction that asks, so that a process that
dies in between asks again, and asking again changes nothing. Not here: doing it (`commands`,
`files`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from app import loop
from app.notifications import notification as canonical
from app.outbound import exchange
from app.runtime import Runtime
from app.sources import base
from app.store import commands, engine, feeds, files, leases, log, telling

PART: Final = 500
MOST: Final = 150
"""Rows of the log looked at at once; what is asked for in one transaction, which is short so."""


class Follower:
    """Asks for what follows on new rows of `source`, under `fence`."""

    def __init__(
        self,
        runtime: Runtime,
        source: base.SourceConfig,
        kind: base.PullKind,
        fence: leases.Fence,
        followed_seq: int,
    ) -> None:
        self._runtime = runtime
        self._source = source
        self._kind = kind
        self._fence = fence
        self._followed = followed_seq
        self._lock = asyncio.Lock()

    async def follow(self) -> int:
        """Ask for what follows on all rows since the last one; answers how much was asked for.

        Raises `errors.Unavailable`, `pages.StaleFence`: nothing is lost by calling again.
        """
        asked, more = 0, True
        async with self._lock:
            while more:
                told, head = await loop.in_thread(self._since)
                more = len(told) == PART
                for some, upto in self._parts(told, told[-1].seq if more else head):
                    await self._ask(some, upto or head)
                    asked += len(some)
        return asked

    def _since(self) -> tuple[list[canonical.Notification], int]:
        """The next rows, and the log's head as it was then."""
        with engine.read(self._runtime.engine) as connection:
            head = log.head(connection)
            return telling.after(connection, self._source.name, self._followed, PART), head

    def _parts(
        self, told: Sequence[canonical.Notification], last: int | None
    ) -> Iterator[tuple[list[commands.Command | files.File], int | None]]:
        """What follows on `told`, part by part, each with how far it goes: the end to `last`."""
        part: list[commands.Command | files.File] = []
        for one in told:
            part += self._wanted(one)
            if len(part) >= MOST:
                yield part, one.seq
                part = []
        if told:
            yield part, last

    async def _ask(self, asked: Sequence[commands.Command | files.File], upto: int) -> None:
        """Put what was asked for into the outbox, and remember that it was done."""

        def write(connection: engine.Connection) -> None:
            commands.ask_all(
                connection, [one for one in asked if isinstance(one, commands.Command)]
            )
            for one in asked:
                if isinstance(one, files.File):
                    files.want(connection, one)
            feeds.followed(connection, self._source.name, upto)

        await self._runtime.write(write, under=self._fence)
        self._followed = max(self._followed, upto)

    def _wanted(self, told: canonical.Notification) -> list[commands.Command | files.File]:
        now = self._runtime.clock.now()
        asked = [
            commands.Command(
                id=self._runtime.new_id(),
                source=self._source.name,
                order_id=told.order_id,
                command=step.command,
                arguments=step.arguments,
                idempotency_key=f"{told.id}:{n}",
                harmful=step.changes_state,
                asked_by=f"feed:{self._source.name}",
                asked_at=now,
                due_at=now,
                follows=told.id,
            )
            for n, step in enumerate(self._kind.follow_ups(self._source.feed, told))
        ]
        linked = [
            files.File(
                id=self._runtime.new_id(),
                source=self._source.name,
                order_id=told.order_id,
                notification_id=told.id,
                event_id=told.event_id,
                label=link.label,
                address=exchange.shown(link.url),
                wanted_at=now,
                due_at=now,
            )
            for link in self._kind.files(told.raw)
        ]
        return [*asked, *linked]

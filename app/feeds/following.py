"""What a feed's news asks us to do: commands of a chain, files to fetch. A follower of the log.

Its place in the log (`followed_seq`) moves in the transaction that asks, so that a process that
dies in between asks again, and asking again changes nothing. Not here: doing it (`commands`,
`files`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from app import loop
from app.notifications import notification as canonical
from app.outbound import exchange
from app.runtime import Runtime
from app.sources import base
from app.store import commands, engine, feeds, files, leases, log, pages, telling

PART: Final = 500


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
                last = told[-1].seq if more else head
                asked += await self._ask(told, last or head)
        return asked

    def _since(self) -> tuple[list[canonical.Notification], int]:
        """The next rows, and the log's head as it was then."""
        with engine.read(self._runtime.engine) as connection:
            head = log.head(connection)
            return telling.after(connection, self._source.name, self._followed, PART), head

    async def _ask(self, told: Sequence[canonical.Notification], upto: int) -> int:
        """Put what follows on `told` into the outbox, and remember that it was done."""
        wanted = [self._wanted(one) for one in told]

        def write(connection: engine.Connection) -> None:
            if leases.check(connection, [self._fence]):
                raise pages.StaleFence
            for asked, linked in wanted:
                for command in asked:
                    commands.ask(connection, command)
                for file in linked:
                    files.want(connection, file)
            feeds.followed(connection, self._source.name, upto)

        if told:
            await asyncio.wrap_future(self._runtime.writer.run(write))
            self._followed = max(self._followed, upto)
        return sum(len(asked) + len(linked) for asked, linked in wanted)

    def _wanted(
        self, told: canonical.Notification
    ) -> tuple[list[commands.Command], list[files.File]]:
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
        return asked, linked

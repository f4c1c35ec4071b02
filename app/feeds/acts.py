"""What we did at an operator in the last day, by order: its echoes come back as news, and are ours.

Read once, then told by the outbox as it goes: whoever holds the lease is the only one who acts.
Not here: doing it (`commands`), what an echo looks like (its kind).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from app import loop
from app.runtime import Runtime
from app.sources import base
from app.store import commands, engine

ECHOES: Final = timedelta(hours=24)
"""For so long what we did may come back as news."""

AGAIN: Final = timedelta(hours=1)
"""So often it is read anew, so that what is too old goes."""

ByOrder = Mapping[str | None, Sequence[base.OwnAct]]


class Acts:
    """What we did at the operator of `source`."""

    def __init__(self, runtime: Runtime, source: str) -> None:
        self._runtime = runtime
        self._source = source
        self._by_order: dict[str | None, list[base.OwnAct]] = {}
        self._read_at: datetime | None = None
        self._told: list[commands.Act] = []
        self._reading = asyncio.Lock()

    async def since_yesterday(self, now: datetime) -> ByOrder:
        """The acts of the last 24 hours before `now`, by order."""
        async with self._reading:
            if self._read_at is None or now - self._read_at > AGAIN:
                self._told = []
                found = await loop.in_thread(self._read, now - ECHOES)
                self._by_order, self._read_at = {}, now
                self._keep([*found, *self._told])
        return self._by_order

    def tell(self, command: commands.Command, at: datetime) -> None:
        """`command` is about to be sent: said before it is, for its echo may come at once."""
        if not command.harmful:
            return
        act = commands.Act(command.order_id, command.command, command.arguments, at)
        self._told.append(act)
        self._keep([act])

    def _read(self, since: datetime) -> Sequence[commands.Act]:
        with engine.read(self._runtime.engine) as connection:
            return commands.acts(connection, self._source, since)

    def _keep(self, acts: Iterable[commands.Act]) -> None:
        for act in acts:
            own = base.OwnAct(act.order_id, act.command, _words(act.arguments), act.at)
            self._by_order.setdefault(act.order_id, []).append(own)


def _words(arguments: Mapping[str, Any]) -> str | None:
    """The status set or the message sent."""
    found = arguments.get("status", arguments.get("message"))
    return None if found is None else str(found)

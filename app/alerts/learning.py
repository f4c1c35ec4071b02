"""Learns once an hour, from finished orders, how long silence is usual (`store.silence`)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from app import loop
from app.runtime import Runtime
from app.store import engine, silence

EVERY: Final = timedelta(hours=1)


class Learner:
    """Learns for all sources of `runtime`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def turn(self) -> float:
        """Learn what there is to learn; gives the seconds until the next time."""
        now = self._runtime.clock.now()
        for source in [one.name for one in self._runtime.configuration.sources]:
            learned = await loop.in_thread(self._learn, source)
            keep = partial(silence.keep, source=source, learned=learned, at=now)
            await self._runtime.write(keep)
        return EVERY.total_seconds()

    def _learn(self, source: str) -> list[silence.Learned]:
        with engine.read(self._runtime.engine) as connection:
            return silence.learn(connection, source)

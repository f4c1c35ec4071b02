"""News of the log for the streams of a process: however many wait, one thread does.

Not here: what a stream then reads (`store.log`), and how it is sent (`ui`, `web`).
"""

from __future__ import annotations

import asyncio
from typing import Final

from app.store import tail

PATIENCE: Final = 1.0
"""Most seconds that news are waited for: whoever waits then looks whether to go on."""


class Live:
    """Belongs to one event loop."""

    def __init__(self, follower: tail.Tail) -> None:
        self._tail = follower
        self._head = 0
        self._looking: asyncio.Task[int] | None = None

    async def news(self, seen: int) -> int:
        """The log's head once it is beyond `seen`; after `PATIENCE`, as far as it is known."""
        if self._head <= seen:
            if self._looking is None or self._looking.done():
                waiting = asyncio.to_thread(self._tail.wait, self._head, PATIENCE)
                self._looking = asyncio.create_task(waiting)
            self._head = max(self._head, await asyncio.shield(self._looking))
        return self._head

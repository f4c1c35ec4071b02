"""The only thing that repeats over time: `run` gives a turn its turn, again and again.

A turn says how long to rest; what it raises is told and rested on, longer each time. Cancelling the
task is the way to end it; what it had a thread do (`in_thread`) ends with it. Not here: what a turn
does.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from app import telemetry

FIRST_REST: Final = 1.0
LONGEST_REST: Final = 60.0
"""Seconds to rest after a turn that raised: the first time, and at the most."""

Result = TypeVar("Result")


class Bell:
    """Ends a rest early: `ring` it from any thread."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def ring(self) -> None:
        """Let the turn come now; harmless when the loop is gone."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    async def rest(self, seconds: float) -> None:
        """Until `ring`, or for `seconds`."""
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await self._event.wait()
        except TimeoutError:
            pass
        finally:
            self._event.clear()


async def run(
    turn: Callable[[], Awaitable[float]],
    *,
    name: str,
    bell: Bell | None = None,
    first: float = 0.0,
    chance: random.Random | None = None,
) -> None:
    """Do `turn` until cancelled; it gives the seconds to rest after it.

    The first turn comes after `first` seconds, or when `bell` rings. A turn that raises is logged
    under `name` and tried again after 1 s, 2 s, 4 s … 60 s, up to half of it less (`chance`).
    """
    bell = bell or Bell()
    chance = chance or random.Random()  # noqa: S311 - jitter, not a secret
    failures = 0
    await bell.rest(first)
    while True:
        try:
            seconds = await turn()
            failures = 0
        except Exception as error:  # noqa: BLE001 - a loop outlives the trouble of one turn
            failures += 1
            seconds = min(FIRST_REST * 2 ** min(failures - 1, 10), LONGEST_REST)
            seconds *= chance.uniform(0.5, 1.0)
            telemetry.logger("loop").error(
                "turn_failed", loop=name, again_in=round(seconds, 1), exc_info=error
            )
        await bell.rest(seconds)


async def in_thread(job: Callable[..., Result], *given: object) -> Result:
    """What `job(*given)` gives, done by a thread; one that is cancelled waits for the thread's end.

    So nothing goes on with a connection that its owner is about to close. Keep `job` short.
    """
    doing = asyncio.ensure_future(asyncio.to_thread(job, *given))
    try:
        return await asyncio.shield(doing)
    finally:
        await asyncio.wait({doing})
        if not doing.cancelled():
            doing.exception()

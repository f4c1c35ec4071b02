"""Alerts: attention and source trouble told to people, once when it opens, once when it clears.

    running = await alerts.start(runtime)
    …
    await alerts.stop(running)

What is open and was told is in the store: a restart tells nothing twice and loses nothing; several
replicas share the work. Where a process dies between telling and noting it, the same alert comes
again under the same id.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Final

from app import channels, loop
from app.alerts import following, learning, messages, telling
from app.outbound import exchange
from app.runtime import Runtime

AT_LEISURE: Final = 60.0
"""Seconds after the start before anything is learned."""


@dataclass(frozen=True, slots=True)
class Running:
    """The alerts of a process while they run; they end by `stop`."""

    follower: following.Follower
    tasks: list[asyncio.Task[None]]


async def start(runtime: Runtime) -> Running:
    """Begin to tell what `runtime`, which is started, has to tell."""
    chance = random.Random()  # noqa: S311 - jitter, not a secret
    trust = await asyncio.to_thread(exchange.trusted)
    follower = following.Follower(runtime, telling.Teller(runtime, trust), chance)
    bell = loop.Bell()
    runtime.tail.on_wake(bell.ring)
    learner = learning.Learner(runtime)
    turns = {
        "alerts": loop.run(follower.turn, name="alerts", bell=bell, chance=chance),
        "learning": loop.run(learner.turn, name="learning", first=AT_LEISURE, chance=chance),
    }
    tasks = [asyncio.create_task(turn, name=name) for name, turn in turns.items()]
    return Running(follower, tasks)


async def tested(
    runtime: Runtime, asked: list[channels.AlertConfig], message: messages.Message
) -> dict[str, str | None]:
    """Tell `message` to each of `asked` now; by channel: null, or why it could not be told."""
    teller = telling.Teller(runtime, await asyncio.to_thread(exchange.trusted))
    try:
        return await following.tested(teller, asked, message)
    finally:
        await teller.aclose()


async def stop(running: Running) -> None:
    """End it: what was not told is told by the next process."""
    for task in running.tasks:
        task.cancel()
    await asyncio.gather(*running.tasks, return_exceptions=True)
    await running.follower.aclose()

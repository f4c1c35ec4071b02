"""PULL: the feeds of operators into the log, and what we do at operators.

    tasks = await feeds.start(runtime)
    …
    await feeds.stop(tasks)

Rooms of this floor never call each other: what is asked of a feed is a row in `store.jobs` or
`store.commands`. Source: DESIGN §8.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from app import errors, loop
from app.feeds import commands, registration, sharing, status, worker
from app.outbound import exchange
from app.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Running:
    """The feeds of a process while they run. `tasks` end by `stop`."""

    share: sharing.Sharing
    board: status.Board
    tasks: list[asyncio.Task[None]]


async def start(
    runtime: Runtime,
    *,
    only: Collection[str] | None = None,
    polling: bool = True,
    hubs: bool = True,
    term: timedelta = sharing.TERM,
    settle: timedelta = commands.SETTLE,
) -> Running:
    """Begin to do the feeds of `runtime`, which is started; share them with other replicas.

    `only`: these sources alone. `polling` false: no turns, only what is asked (jobs, commands,
    files), as the command line does where nobody else does it. `hubs` false: no subscriptions at
    operators' hubs. `term`, `settle`: how soon another replica takes over from one that died, and
    how long a lost request may still be carried out.
    """
    chance = random.Random()  # noqa: S311 - jitter, not a secret
    board = status.Board(runtime)
    trust = await asyncio.to_thread(exchange.trusted)
    means = worker.Means(runtime, trust, board, chance, polling, settle)
    share = sharing.Sharing(means, term=term, only=only, acting=not polling, for_hubs=hubs)
    registrar = registration.Registrar(runtime, trust, lambda: share.hubs, chance)
    runtime.tail.on_wake(share.ring)
    turns = {
        "sharing": loop.run(share.turn, name="sharing", chance=chance),
        "status": loop.run(board.turn, name="status", bell=board.bell, chance=chance),
        "hubs": loop.run(registrar.turn, name="hubs", bell=share.hub_bell, chance=chance),
    }
    tasks = [asyncio.create_task(turn, name=name) for name, turn in turns.items()]
    return Running(share, board, tasks)


async def stop(running: Running) -> None:
    """End all feeds: what is committed stays; other replicas may take over at once."""
    for task in running.tasks:
        task.cancel()
    await asyncio.gather(*running.tasks, return_exceptions=True)
    await running.share.close()
    with contextlib.suppress(errors.Unavailable):
        await running.board.turn()

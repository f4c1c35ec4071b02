"""`listener work`: feeds and followers without the doors: more hands, or a place of their own."""

from __future__ import annotations

import asyncio
import signal

import typer

from app import alerts, feeds as polling, projector, runtime as runtimes, settings, telemetry
from app.cli import acts

EXAMPLES = ("listener work", "LISTENER_DATABASE_URL=postgresql://… listener work")


def work() -> None:
    """Ask operators, do what is asked there, keep the orders, until SIGTERM; receive nothing."""
    found = settings.load()
    telemetry.configure(found.log_level, found.log_format)
    live = runtimes.build(found)
    try:
        asyncio.run(_work(live))
    finally:
        live.close()
    raise typer.Exit


async def _work(live: runtimes.Runtime) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    live.start()
    following = await projector.start(live)
    running = await polling.start(live)
    telling = await alerts.start(live)
    telemetry.logger("work").info("working")
    try:
        await ended.wait()
    finally:
        await alerts.stop(telling)
        await polling.stop(running)
        await projector.stop(following)
        telemetry.logger("work").info("stopped")


ACTS = (acts.Act(work, EXAMPLES),)

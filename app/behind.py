"""What is done behind the doors: orders kept, alerts told, operators asked; and the process it has.

It loads no door: what it does needs no HTTP but that by which it asks. Not here: which processes
there are (`launch`), the loops themselves (`projector`, `alerts`, `clearing`, `feeds`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from app import (
    alerts,
    clearing,
    feeds as polling,
    interpreter,
    processes,
    projector,
    runtime as runtimes,
    settings as config,
    telemetry,
)


@asynccontextmanager
async def working(runtime: runtimes.Runtime, *, feeds: bool = True) -> AsyncIterator[None]:
    """Keep the orders, tell alerts and ask operators (`feeds`) while inside.

    `runtime` is started. Several processes share the work.
    """
    async with AsyncExitStack() as ending:
        ending.push_async_callback(projector.stop, await projector.start(runtime))
        ending.push_async_callback(alerts.stop, await alerts.start(runtime))
        ending.push_async_callback(clearing.stop, await clearing.start(runtime))
        if feeds:
            ending.push_async_callback(polling.stop, await polling.start(runtime))
        yield


def work(
    settings: config.Settings, *, feeds: bool = True, lifeline: processes.Lifeline | None = None
) -> None:
    """Do what is done behind the doors until SIGTERM, SIGINT or the end of `lifeline`.

    `feeds`: whether operators are asked too. Raises `errors.ConfigurationError`.
    """
    telemetry.configure(settings.log_level, settings.log_format)
    runtime = runtimes.build(settings)
    with (
        contextlib.closing(runtime),
        asyncio.Runner(loop_factory=interpreter.new_loop) as runner,
    ):
        runner.run(_work(runtime, feeds, lifeline))


async def _work(
    runtime: runtimes.Runtime,
    feeds: bool,  # noqa: FBT001 - as in `work`
    lifeline: processes.Lifeline | None,
) -> None:
    ended = asyncio.Event()
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, ended.set)
    running.add_signal_handler(signal.SIGHUP, runtimes.reload, runtime)
    if lifeline is not None:
        lifeline.on_cut(lambda: os.kill(os.getpid(), signal.SIGTERM))
    runtime.start()
    async with working(runtime, feeds=feeds):
        interpreter.tune()
        telemetry.logger("work").info("working")
        await ended.wait()
    telemetry.logger("work").info("stopped")


def as_member(lifeline: processes.Lifeline, settings: config.Settings, feeds: bool) -> None:  # noqa: FBT001 - a process is given it by position
    """What is beside the doors: `work`, with the exit code of its kind of failure."""
    processes.ended(lambda: work(settings, feeds=feeds, lifeline=lifeline))

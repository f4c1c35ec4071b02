"""A replica that only asks operators, in a process of its own: `python -m tests.e2e.replica`.

As `listener work`, but quicker to take over from one that died, and to believe that a lost request
is not carried out any more.
"""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta

import uvloop

from app import feeds, runtime as runtimes, settings, telemetry

TERM = timedelta(seconds=1)
SETTLE = timedelta(seconds=2)


async def main() -> None:
    """Ask until SIGTERM."""
    found = settings.load()
    telemetry.configure(found.log_level, found.log_format)
    runtime = runtimes.build(found)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    runtime.start()
    running = await feeds.start(runtime, term=TERM, settle=SETTLE)
    await over.wait()
    await feeds.stop(running)
    runtime.close()


if __name__ == "__main__":
    uvloop.run(main())

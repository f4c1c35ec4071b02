"""A replica that only asks operators, in a process of its own: `python -m tests.e2e.replica`.

As `listener work`, but quicker to take over from one that died, to believe that a lost request is
not carried out any more, and to see what is asked of it; and it lives in the time of the story
(`BEHIND`: seconds).
"""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import datetime, timedelta

import uvloop

from app import clock, feeds, runtime as runtimes, settings, telemetry
from app.store import tail

TERM = timedelta(seconds=1)
SETTLE = timedelta(seconds=2)
LOOKS = 0.1
READY = "ready"


class Behind(clock.SystemClock):
    """A clock that is so many seconds behind."""

    def __init__(self, seconds: float) -> None:
        self._behind = timedelta(seconds=seconds)

    def now(self) -> datetime:
        """The present moment, as it was then."""
        return super().now() - self._behind


async def main() -> None:
    """Ask until SIGTERM."""
    found = settings.load()
    tail.IDLE = LOOKS
    telemetry.configure(found.log_level, found.log_format)
    runtime = runtimes.build(found, Behind(float(os.environ["BEHIND"])))
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    runtime.start()
    running = await feeds.start(runtime, term=TERM, settle=SETTLE)
    print(READY, flush=True)  # noqa: T201 - to whoever started it
    await over.wait()
    await feeds.stop(running)
    runtime.close()


if __name__ == "__main__":
    uvloop.run(main())

"""How the interpreter of a process that goes on for long is fitted to what it does.

Not here: what it does (`server`, `behind`).
"""

from __future__ import annotations

import asyncio
import gc
import sys

from uvicorn.loops import auto

SWITCH_INTERVAL = 0.0003
"""Seconds a thread may wait for the GIL. The writer takes it back after each of its statements; at
Python's 5 ms it waited longer for that than for the disk (docs/adr/0002)."""

COLLECT_AFTER = 20_000
"""Objects more than were let go of before the garbage collector looks at the young ones."""


def new_loop() -> asyncio.AbstractEventLoop:
    """An event loop as the doors have it."""
    return auto.auto_loop_factory()()


def tune() -> None:
    """Fit the interpreter to many short requests beside one writer thread.

    What was made while starting lives as long as the process: frozen, the collector no longer walks
    it, which stopped every request for 110 ms [M].
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 100)
    sys.setswitchinterval(SWITCH_INTERVAL)

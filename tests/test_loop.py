"""What repeats: at its own pace, whatever a turn raises, until it is cancelled."""

from __future__ import annotations

import asyncio
import random
import threading

import pytest

from app import loop


async def ended(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_turn_follows_the_other_at_its_own_pace():
    turns = []
    enough = asyncio.Event()

    async def turn():
        turns.append(None)
        if len(turns) == 3:
            enough.set()
        return 0.0

    task = asyncio.create_task(loop.run(turn, name="tests"))
    await asyncio.wait_for(enough.wait(), 5)
    await ended(task)


async def test_a_turn_that_raises_is_not_the_last(capsys):
    turns = []
    again = asyncio.Event()

    async def turn():
        turns.append(None)
        if len(turns) == 1:
            raise ValueError("broken")
        again.set()
        return 60.0

    class Soon(random.Random):
        def uniform(self, _low, _high):
            return 0.0

    task = asyncio.create_task(loop.run(turn, name="tests", chance=Soon()))
    await asyncio.wait_for(again.wait(), 5)
    await ended(task)


async def test_the_bell_ends_a_rest_from_any_thread():
    turns = asyncio.Queue()

    async def turn():
        await turns.put(None)
        return 3600.0

    bell = loop.Bell()
    task = asyncio.create_task(loop.run(turn, name="tests", bell=bell, first=3600.0))
    for _ in range(3):
        threading.Thread(target=bell.ring).start()
        await asyncio.wait_for(turns.get(), 5)
    await ended(task)


async def test_one_that_is_cancelled_waits_for_its_thread():
    begun, may_end, over = threading.Event(), threading.Event(), []

    def job(what):
        begun.set()
        may_end.wait(5)
        over.append(what)

    task = asyncio.create_task(loop.in_thread(job, "read"))
    await asyncio.to_thread(begun.wait, 5)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert over == ["read"]


async def test_what_a_thread_gives_or_raises_comes_back():
    assert await loop.in_thread(int, "7") == 7
    with pytest.raises(ValueError, match="invalid literal"):
        await loop.in_thread(int, "x")

"""What a follower that writes all the time leaves of ingest, on SQLite: at least half (DESIGN §4).

The writer alone, then with a follower whose every transaction takes up to 5 ms and is asked for
again as soon as it is done. Ratio in the same run, rounds interleaved, medians (`make bench`).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop
from rich.console import Console
from sqlalchemy import Connection, Engine

from app import intake
from app.store import engine, schema, writer
from tests.arrivals import candidate

CONNECTIONS = 64
SECONDS = 2.0
ROUNDS = 3
BUSY = 0.004


class _Quiet:
    """Nobody watches."""

    def committed(self, _seconds: float, _units: int) -> None:
        """Say nothing."""


def _follow(connection: Connection) -> None:
    """A follower's transaction: writes for about 4 ms."""
    ends = time.perf_counter() + BUSY
    for n in itertools.count():
        connection.exec_driver_sql(
            "INSERT INTO source_state (source) VALUES (?) ON CONFLICT DO NOTHING", (f"s{n % 500}",)
        )
        if time.perf_counter() >= ends:
            return


async def _ingest(one: writer.Writer, numbers: Iterator[int], seconds: float) -> int:
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    done = 0

    async def connection() -> None:
        nonlocal done
        while loop.time() < ends:
            n = next(numbers)
            entry = candidate(event_id=f"e{n}", order_id=f"o{n % 500}", raw=b'{"n": %d}' % n)
            future: asyncio.Future[list[writer.Outcome]] = loop.create_future()
            one.submit(writer.Unit((entry,), 500, future))
            await future
            done += 1

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return done


async def _beside_a_follower(one: writer.Writer, numbers: Iterator[int]) -> tuple[int, int]:
    turns = 0
    following = True

    async def follower() -> None:
        nonlocal turns
        while following:
            await asyncio.wrap_future(one.run(_follow))
            turns += 1

    task = asyncio.create_task(follower())
    done = await _ingest(one, numbers, SECONDS)
    following = False
    await task
    return done, turns


async def _measure(database: Engine) -> dict[str, float]:
    one = writer.Writer(database, intake.decide, observer=_Quiet())
    one.start()
    numbers = itertools.count()
    alone, beside, turns = [], [], []
    for _ in range(ROUNDS):
        alone.append(await _ingest(one, numbers, SECONDS) / SECONDS)
        done, turned = await _beside_a_follower(one, numbers)
        beside.append(done / SECONDS)
        turns.append(turned / SECONDS)
    one.close()
    medians = [statistics.median(each) for each in (alone, beside, turns)]
    return dict(zip(("alone", "beside", "turns"), medians, strict=True))


def main() -> None:
    """Measure, print, and write the JSON."""
    with tempfile.TemporaryDirectory(prefix="listener-bench-") as folder:
        database = engine.create(f"sqlite:///{folder}/follower.db")
        schema.upgrade(database)
        found = uvloop.run(_measure(database))
        database.dispose()
    found["ratio"] = found["beside"] / found["alone"]
    Path("bench/results").mkdir(exist_ok=True)
    Path("bench/results/follower.json").write_text(json.dumps(found, indent=1) + "\n")
    Console().print(
        f"writer alone {found['alone']:,.0f}/s, beside a follower of {found['turns']:,.0f} turns/s"
        f" {found['beside']:,.0f}/s: {found['ratio']:.2f} of it"
    )


if __name__ == "__main__":
    main()

"""Keeps the rows of the orders, and what is searched: follows the log, one among the replicas.

    running = await projector.start(runtime)
    …
    await projector.stop(running)

An order that is told of is folded anew, from all the log has of it; reading and folding hold no
lock, and what is written is one transaction of a few ms with the cursor in it. `rebuild` makes the
same rows from nothing. Not here: the fold (`orders.timeline`), SQL (`store.orders`), words and
tallies (`store.indexing`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from app import lead, loop, telemetry
from app.orders import order as orders, timeline
from app.runtime import Runtime
from app.store import (
    attention,
    engine,
    epochs,
    expected,
    followers,
    indexing,
    leases,
    log,
    orders as rows,
    pages,
    retold,
    stats,
)

NAME: Final = "orders"
"""The follower's name; its lease is called `follow/orders`."""

REST: Final = 0.25
"""Seconds to rest where there is nothing new."""

READ: Final = 2000
"""How many notifications are looked at together, at the most: many tell of few orders, and each
order is folded once for all of them."""

REMEMBERED: Final = 10_000
"""Of so many orders it is known how much of the log is in their rows: not to do it again."""

GOAL: Final = 0.002
"""Seconds that the orders, and the words, of a transaction should take, of the 5 ms it may take on
SQLite with both and its commit (DESIGN §4)."""

FEWEST, MOST = 48, 1000
"""Rows in one transaction."""


class Pace:
    """How many rows go into one transaction (`most`): as many as take about `GOAL` seconds."""

    def __init__(self) -> None:
        self.most = 4 * FEWEST

    def took(self, seconds: float, rows: int) -> None:
        """So many `rows` of one transaction took so many `seconds`."""
        if seconds > GOAL:
            self.most = max(FEWEST, min(self.most, rows) * 3 // 4)
        elif rows >= self.most:
            self.most = min(MOST, self.most * 5 // 4 + 1)


@dataclass(frozen=True, slots=True)
class Batch:
    """What follows on a part of the log: its stories, of how many rows, and up to where it goes."""

    stories: list[orders.Order]
    told: int
    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """What there is to do: the next stories, null for none; whether words are to be indexed."""

    batch: Batch | None
    words: bool


class Projector:
    """Follows the log and keeps what is made of it, while this process holds the lead."""

    def __init__(self, runtime: Runtime, *, term: timedelta = lead.TERM) -> None:
        self._runtime = runtime
        self._lead = lead.Lead(runtime, f"follow/{NAME}", term=term)
        self._pace = Pace()
        self._words_pace = Pace()
        self._folded: dict[orders.Key, int] = {}
        self._reading: asyncio.Future[Ahead] | None = None
        self._log = telemetry.logger("projector")

    async def turn(self) -> float:
        """Do the next part of the log; gives the seconds to rest until there is more.

        Raises `errors.Unavailable`: nothing is lost by another turn.
        """
        try:
            fence = await self._lead.hold()
            if fence is None:
                await self._forget()
                return self._lead.term.total_seconds() / 4
            return await self._do(fence)
        except pages.StaleFence:
            self._log.info("lead_lost")
            self._lead.lose()
            await self._forget()
            return REST
        except Exception:
            await self._forget()
            raise

    async def leave(self) -> None:
        """Give the lead back, once nothing is being read any more."""
        await self._forget()
        await self._lead.leave()

    async def _do(self, fence: leases.Fence) -> float:
        """As `turn`, with the lead. While a part is written the next is read, where there is one.

        Raises `pages.StaleFence`.
        """
        if self._reading is None:
            self._reading = self._read(None)
        ahead = await asyncio.shield(self._reading)
        self._reading = None
        if ahead.batch is None:
            if ahead.words:
                await self._write((), None, fence, words=True)
                return 0.0
            return REST
        if ahead.batch.told == READ:
            self._reading = self._read(ahead.batch.seq)
        await self._put(ahead.batch, ahead.words, fence)
        return 0.0

    def _read(self, after: int | None) -> asyncio.Future[Ahead]:
        return asyncio.ensure_future(asyncio.to_thread(self._look, after))

    async def _forget(self) -> None:
        """Let go of what was read ahead, and of what is thought to be written."""
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)
            self._reading = None
        self._folded.clear()

    def _look(self, after: int | None) -> Ahead:
        """The stories of the orders that the log tells of beyond `after` (null: the cursor).

        What is read is as new as the log now is: a later part may have nothing left to do, and
        finds the same.
        """
        with engine.read(self._runtime.engine) as connection:
            words = indexing.position(connection) < log.head(connection)
            start = followers.position(connection, NAME)[1] if after is None else after
            told = retold.after(connection, start, READ)
            if not told:
                return Ahead(None, words)
            wanted = {
                key
                for one in told
                for key in orders.keys(one)
                if self._folded.get(key, 0) < (one.seq or 0)
            }
            stories = list(_stories(connection, wanted))
            if len(self._folded) > REMEMBERED:
                self._folded.clear()
            self._folded |= {story.key: story.folded_seq for story in stories}
            seq = told[-1].seq or start
            return Ahead(Batch(stories, len(told), epochs.current(connection), seq), words)

    async def _put(self, batch: Batch, words: bool, fence: leases.Fence) -> None:  # noqa: FBT001 - as in `Ahead`
        """Write `batch` in transactions of a few ms, the last of them with its cursor.

        Each has the next `words` of the log indexed, too, so that they keep up. A batch that is
        left halfway is written again. Raises `pages.StaleFence`.
        """
        start = 0
        done = False
        while not done:
            part = batch.stories[start : start + self._most(self._pace)]
            start += len(part)
            done = start == len(batch.stories)
            await self._write(part, batch if done else None, fence, words=words)

    def _most(self, pace: Pace) -> int:
        """How many rows may be written at once: as the pace says, where that holds up others."""
        return pace.most if engine.writes_one_at_a_time(self._runtime.engine) else MOST

    async def _write(
        self,
        stories: Sequence[orders.Order],
        done: Batch | None,
        fence: leases.Fence,
        *,
        words: bool,
    ) -> None:
        """One transaction: the rows of `stories`, the cursor of what is `done`, the next words.

        Raises `pages.StaleFence` where another replica leads.
        """
        most = self._most(self._words_pace)

        def write(connection: engine.Connection) -> tuple[float, int, float]:
            began = time.perf_counter()
            if stories:
                _keep(connection, stories)
            if done is not None:
                followers.advance(connection, NAME, done.epoch, done.seq)
            kept = time.perf_counter()
            indexed = indexing.follow(connection, most) if words else 0
            return kept - began, indexed, time.perf_counter() - kept

        kept, indexed, took = await self._runtime.write(write, under=fence)
        self._pace.took(kept, len(stories))
        self._words_pace.took(took, indexed)


def _stories(connection: engine.Connection, keys: Collection[orders.Key]) -> Iterator[orders.Order]:
    for key, told in rows.rows_of(connection, keys).items():
        yield timeline.fold(told, key=key)


def _keep(connection: engine.Connection, stories: Sequence[orders.Order]) -> None:
    """Write the rows of `stories`, what they leave open, and which are over."""
    rows.put(connection, attention.follow(connection, stories))
    expected.follow(connection, stories)


# ── while the process lives ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Running:
    """The projector of a process while it runs; ends by `stop`."""

    projector: Projector
    task: asyncio.Task[None]


async def start(runtime: Runtime, *, term: timedelta = lead.TERM) -> Running:
    """Begin to follow the log of `runtime`, which is started, as soon as no other replica does.

    `term`: how soon another replica takes over from one that died.
    """
    made = Projector(runtime, term=term)
    bell = loop.Bell()
    runtime.tail.on_wake(bell.ring)
    task = asyncio.create_task(loop.run(made.turn, name="projector", bell=bell), name="projector")
    return Running(made, task)


async def stop(running: Running) -> None:
    """End it: what is committed stays, what is not is done again; another may begin at once."""
    running.task.cancel()
    await asyncio.gather(running.task, return_exceptions=True)
    await running.projector.leave()


# ── all over again ───────────────────────────────────────────────────────────────────────────────

Progress = Callable[[int, int], None]
"""Told how many notifications are done, of how many."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What `rebuild` did: the orders written, the notifications they tell, the rows removed."""

    orders: int
    notifications: int
    removed: int


def rebuild(
    database: engine.Database, tell: Progress, sleep: Callable[[float], None] = time.sleep
) -> Rebuilt:
    """Fold every order of the log anew, while the log grows and is followed.

    A row is replaced only by what tells at least as much, so that this and the follower do not
    undo each other. Repeating it is harmless. Each transaction takes a few ms and is followed by a
    pause at least as long (`sleep`), in which the next orders are read and folded.
    """
    with engine.read(database) as connection:
        whole = int(stats.counts(connection)["notifications"])
    pen = _Pen(database, sleep)
    written = done = 0
    for column in retold.NAMING:
        for stories in _all(database, column):
            pen.write(stories)
            written += len(stories)
            done += sum(story.count for story in stories)
            tell(min(done, whole), whole)
    with engine.read(database) as connection:
        strays = rows.strays(connection)
    for start in range(0, len(strays), FEWEST):
        pen.do(partial(rows.remove, keys=strays[start : start + FEWEST]))
    tell(whole, whole)
    return Rebuilt(written, done, len(strays))


def _all(database: engine.Database, column: str) -> Iterator[list[orders.Order]]:
    """The stories of all orders named in `column` of the log, some hundreds at a time."""
    last: str | None = None
    while True:
        with engine.read(database) as connection:
            ids = retold.named(connection, column, last, READ)
            told = rows.rows_of_ids(connection, ids)
        if not ids:
            return
        last = ids[-1]
        yield [timeline.fold(each, key=key) for key, each in told.items()]


class _Pen:
    """Writes to `database`: where that holds up others, in short transactions with pauses."""

    def __init__(self, database: engine.Database, sleep: Callable[[float], None]) -> None:
        self._database = database
        self._sleep = sleep
        self._pace = Pace()
        self._free_at = 0.0
        self._pauses = engine.writes_one_at_a_time(database)

    def write(self, stories: Sequence[orders.Order]) -> None:
        """Put the rows of `stories`, as many at a time as the pace allows."""
        start = 0
        while start < len(stories):
            most = self._pace.most if self._pauses else MOST
            part = stories[start : start + most]
            start += len(part)
            self._pace.took(self.do(partial(_keep, stories=part)), len(part))

    def do(self, work: Callable[[engine.Connection], object]) -> float:
        """Do `work` in a transaction after the pause that is owed; its seconds until the commit."""
        owed = self._free_at - time.perf_counter()
        if owed > 0 and self._pauses:
            self._sleep(owed)
        with self._database.connect() as connection:
            with connection.begin():
                started = time.perf_counter()
                work(connection)
                done = time.perf_counter()
            ended = time.perf_counter()
        self._free_at = 2 * ended - started
        return done - started

"""One feed: `turn()` reads it until it is dry, says how it fared, and when it is due again.

Not here: which process does it (`sharing`), how pages are read (`reading`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Final

from app import telemetry
from app.feeds import reading, status, trouble, units
from app.runtime import Runtime
from app.sources import base
from app.store import engine, feeds, pages

PAUSED: Final = 3600.0
"""Seconds between two looks of a feed that is paused; resuming it rings the bell."""

SPREAD: Final = 0.1
"""A turn comes up to this part of its interval early, so that feeds do not march in step, but not
earlier than its operator allows."""

KEPT_WARNINGS: Final = 10

Follow = Callable[[], Coroutine[Any, Any, None]]


class Poller:
    """The turns of one feed; `state` is its row as it was when this process took it over.

    `follow` is called where there is news, and at the first turn. `trouble` is that of the last
    turn.
    """

    def __init__(
        self,
        runtime: Runtime,
        source: base.SourceConfig,
        reader: reading.Reader,
        board: status.Board,
        follow: Follow,
        state: feeds.Feed,
        chance: random.Random,
    ) -> None:
        assert source.feed is not None  # noqa: S101 - only sources that are asked are polled
        self._runtime = runtime
        self._name = source.name
        self._every: timedelta = source.feed.every
        self._floor: timedelta = source.feed.FLOOR
        self._reader = reader
        self._board = board
        self._follow = follow
        self._chance = chance
        self._cursor: base.Cursor = state.cursor
        self._failures = state.failures
        self._paused = state.paused_at is not None
        self._told_well = state.caught_up_at is not None
        self._warnings = list(state.warnings)
        self._followed = False
        self._followed_of_turn = 0
        self._following: asyncio.Task[None] | None = None
        self.trouble: feeds.Trouble | None = None
        self._lock = asyncio.Lock()
        self._log = telemetry.logger("feeds").bind(feed=self._name)

    @property
    def cursor(self) -> base.Cursor:
        """Where the feed stands."""
        return self._cursor

    async def turn(self) -> float:
        """Read the feed until it is dry; gives the seconds until its next turn.

        Whatever goes wrong at the operator or here is told by the feed's status, not raised; but
        raises `trouble.Taken` where another process has the feed now.
        """
        async with self._lock:
            if self._paused:
                return PAUSED
            return await self._turn()

    async def pause(self, *, paused: bool) -> None:
        """Take no more turns, or take them again; a turn under way ends first."""
        async with self._lock:
            self._paused = paused

    async def rewind(self, cursor: base.Cursor, write: Callable[[], Awaitable[None]]) -> None:
        """Go on from `cursor`, once `write` has stored it; a turn under way ends first."""
        async with self._lock:
            await write()
            self._cursor = cursor
            self._failures = 0

    async def _turn(self) -> float:
        started, at = self._runtime.clock.monotonic(), self._runtime.clock.now()
        tally = reading.Tally()
        fault: Exception | None = None
        self._followed_of_turn = 0
        try:
            try:
                await self._reader.until_dry(self._cursor, tally, kept=self._kept)
            finally:
                await self._follow_up(tally)
        except pages.StaleFence as stale:
            raise trouble.Taken from stale
        except Exception as error:  # noqa: BLE001 - a feed's trouble is its status, whatever it is
            fault = error
        seconds = self._runtime.clock.monotonic() - started
        self.trouble = None if fault is None else trouble.of(fault)
        self._runtime.metrics.turn(self._name, self.trouble.cause if self.trouble else None)
        if fault is None:
            return await self._went_well(tally, seconds, at)
        return await self._went_wrong(fault, tally, seconds, at)

    async def _kept(self, cursor: base.Cursor, tally: reading.Tally) -> None:
        self._cursor = cursor
        idle = self._following is None or self._following.done()
        if idle and tally.appended - self._followed_of_turn >= units.ENTRIES:
            await self._follow_up_to_here()
            self._followed_of_turn = tally.appended
            self._following = asyncio.create_task(self._follow())

    async def _follow_up_to_here(self) -> None:
        """Wait for what follows on earlier parts; raises what that raised."""
        following, self._following = self._following, None
        if following is not None:
            self._followed = False
            await following

    async def _follow_up(self, tally: reading.Tally) -> None:
        await self._follow_up_to_here()
        if tally.appended > self._followed_of_turn or not self._followed:
            self._followed = False
            await self._follow()
            self._followed, self._followed_of_turn = True, tally.appended

    async def _went_well(self, tally: reading.Tally, seconds: float, at: datetime) -> float:
        rest = rest_of(self._every, self._floor, self._chance)
        recovered, self._failures = self._failures > 0, 0
        now = self._runtime.clock.now()
        news = tally.appended > 0 or tally.quarantined > 0 or recovered or not self._told_well
        self._told_well = True
        self._board.well(self._name, now, now + timedelta(seconds=rest), news=news)
        if tally.appended or tally.quarantined:
            self._log.info("turn", **_told(tally, seconds))
        elif recovered:
            self._log.info("recovered")
        warnings = list(dict.fromkeys(tally.warnings))[-KEPT_WARNINGS:]
        if tally.appended or tally.quarantined or warnings != self._warnings:
            await self._remember(self._row(tally, seconds, at, None), None, rest, warnings)
        return rest

    async def _went_wrong(
        self, fault: Exception, tally: reading.Tally, seconds: float, at: datetime
    ) -> float:
        self._failures += 1
        found = trouble.of(fault)
        rest = trouble.rest(fault, self._failures, self._chance)
        unforeseen = fault if found.cause == "internal" else None
        self._log.error(
            "turn_failed", cause=found.cause, reason=found.error, remedy=found.remedy,
            failures=self._failures, again_in=round(rest, 1), exc_info=unforeseen,
            **_told(tally, seconds),
        )  # fmt: skip
        self._board.forget(self._name)
        if found.cause != trouble.OUR_OWN:
            await self._remember(self._row(tally, seconds, at, found), found, rest, self._warnings)
        return rest

    def _row(
        self,
        tally: reading.Tally,
        seconds: float,
        at: datetime,
        found: feeds.Trouble | None,
    ) -> feeds.Turn:
        return feeds.Turn(
            id=self._runtime.new_id(),
            feed=self._name,
            at=at,
            seconds=seconds,
            requests=tally.requests,
            entries=tally.entries,
            appended=tally.appended,
            quarantined=tally.quarantined,
            cause=found.cause if found else None,
            error=found.error if found else None,
        )

    async def _remember(
        self, turn: feeds.Turn, found: feeds.Trouble | None, rest: float, warnings: list[str]
    ) -> None:
        """Write the turn, and the trouble there is."""
        now = self._runtime.clock.now()

        def write(connection: engine.Connection) -> None:
            feeds.remember(connection, turn)
            if found is not None:
                following = now + timedelta(seconds=rest)
                feeds.failed(connection, self._name, found, now, following)
            if warnings != self._warnings:
                feeds.warn(connection, self._name, warnings)

        await self._runtime.write(write)
        self._warnings = warnings


def rest_of(every: timedelta, floor: timedelta, chance: random.Random) -> float:
    """Seconds until the turn after one that did well: `every`, or a little less, but over `floor`.

    `every` itself is less than that only where somebody meant it (`feed_config`).
    """
    early = every.total_seconds() * chance.uniform(1 - SPREAD, 1.0)
    return max(early, min(every, floor).total_seconds())


def _told(tally: reading.Tally, seconds: float) -> dict[str, object]:
    return {
        "requests": tally.requests,
        "entries": tally.entries,
        "appended": tally.appended,
        "quarantined": tally.quarantined,
        "seconds": round(seconds, 3),
    }

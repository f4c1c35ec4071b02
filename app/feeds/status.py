"""How the feeds of this process fare, told the store in bundles: an empty turn costs no write.

A success is kept back and written with those of the other feeds, at most once a minute a feed, but
at once where there is news. Not here: what a turn does (`poller`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from app import loop
from app.runtime import Runtime
from app.store import feeds

AT_MOST: Final = timedelta(minutes=1)
"""A feed that does well says so this often."""

BUNDLE: Final = 2.0
"""Seconds between two bundles."""


class Board:
    """What is to be told of feeds: `well` by each that did well, `turn` every `BUNDLE` seconds."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._told: dict[str, datetime] = {}
        self._waiting: dict[str, tuple[str, datetime, datetime, bool]] = {}
        self.bell = loop.Bell()

    def well(self, feed: str, at: datetime, next_turn_at: datetime, *, news: bool) -> None:
        """The turn of `feed` ran dry at `at`; `news`: there is more to tell than that."""
        last = self._told.get(feed)
        if news or last is None or at - last >= AT_MOST:
            self._told[feed] = at
            self._waiting[feed] = (feed, at, next_turn_at, True)
        if news:
            self.bell.ring()

    def forget(self, feed: str) -> None:
        """Tell anew how `feed` fares when it does well again."""
        self._told.pop(feed, None)
        self._waiting.pop(feed, None)

    async def turn(self) -> float:
        """Write what waits; gives the seconds until the next bundle."""
        bundle, self._waiting = list(self._waiting.values()), {}
        if bundle:
            try:
                await self._runtime.write(partial(feeds.succeeded, told=bundle))
            except Exception:
                self._waiting = {row[0]: row for row in bundle} | self._waiting
                raise
        return BUNDLE

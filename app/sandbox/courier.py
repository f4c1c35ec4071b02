"""Pushing: each subscription is told every notice it wants, in order, again where nobody took it.

Not here: what a notice says (`notices`), who is subscribed (`hub`).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from app.outbound import post
from app.sandbox import faults, hub, notices, options

HEADERS: Final = {"Content-Type": "application/json;charset=utf-8", "User-Agent": "sandbox-seller"}
OK: Final = range(200, 300)


@dataclass(slots=True)
class Tally:
    """What became of a subscription's pushes."""

    delivered: int = 0
    dropped: int = 0
    attempts: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    dropped_ids: list[str] = field(default_factory=list)


class Courier:
    """Tells the subscriptions of `hubs` what stands in `log`."""

    def __init__(
        self,
        seed: int,
        settings: options.Seller,
        hubs: hub.Hubs,
        log: list[notices.Notice],
        active: faults.Faults,
    ) -> None:
        self._seed = seed
        self._settings = settings
        self._hubs = hubs
        self._log = log
        self._faults = active
        self._news = asyncio.Event()
        self._tallies: dict[str, Tally] = {}
        self._busy: dict[str, asyncio.Task[None]] = {}

    def nudge(self) -> None:
        """There is something new: a notice or a subscription."""
        self._news.set()

    def report(self) -> list[dict[str, Any]]:
        """`[{subscription, delivered, dropped, attempts, statuses, dropped_ids, waiting}]`."""
        out = []
        for each in self._hubs:
            tally = self._tallies.get(each.id, Tally())
            waiting = sum(each.wants(notice) for notice in self._log[each.place :])
            out.append({
                "subscription": each.id,
                "delivered": tally.delivered,
                "dropped": tally.dropped,
                "attempts": tally.attempts,
                "statuses": dict(tally.statuses),
                "dropped_ids": list(tally.dropped_ids),
                "waiting": waiting,
            })  # fmt: skip
        return out

    async def run(self) -> None:
        """Push until cancelled."""
        async with post.Poster() as poster:
            try:
                while True:
                    self._news.clear()
                    for each in self._hubs:
                        self._begin(each, poster)
                    await self._news.wait()
            finally:
                busy = list(self._busy.values())
                for task in busy:
                    task.cancel()
                await asyncio.gather(*busy, return_exceptions=True)
                self._busy.clear()

    def _begin(self, subscription: hub.Subscription, poster: post.Poster) -> None:
        if subscription.id in self._busy or subscription.place >= len(self._log):
            return
        task = asyncio.ensure_future(self._catch_up(subscription, poster))
        self._busy[subscription.id] = task
        task.add_done_callback(lambda _: self._end(subscription))

    def _end(self, subscription: hub.Subscription) -> None:
        """It has caught up; look once more, for something may have come just now."""
        self._busy.pop(subscription.id, None)
        self.nudge()

    async def _catch_up(self, subscription: hub.Subscription, poster: post.Poster) -> None:
        tally = self._tallies.setdefault(subscription.id, Tally())
        while subscription.live and subscription.place < len(self._log):
            notice = self._log[subscription.place]
            if subscription.wants(notice):
                again = self._faults.touches("duplicates", notice.number)
                for _ in range(1 + again):
                    await self._push(subscription, notice, tally, poster)
            subscription.place += 1

    async def _push(
        self,
        subscription: hub.Subscription,
        notice: notices.Notice,
        tally: Tally,
        poster: post.Poster,
    ) -> None:
        body = json.dumps(notices.body(self._seed, notice), ensure_ascii=False).encode()
        headers = {**HEADERS, **subscription.headers}
        pause = self._settings.backoff
        for attempt in range(self._settings.attempts):
            if attempt:
                await asyncio.sleep(pause)
                pause *= 2
            tally.attempts += 1
            try:
                status, _, _ = await poster.post(
                    subscription.url, body, headers, self._settings.timeout
                )
            except post.Unanswered:
                tally.statuses["none"] += 1
                continue
            tally.statuses[str(status)] += 1
            if status in OK:
                tally.delivered += 1
                return
        tally.dropped += 1
        tally.dropped_ids.append(notices.event_id(self._seed, notice))

"""The one engine: what happens to orders, and when. Operators are told and say it in their words.

An order's life is a row of `LIVES`, which one and how long each step takes is a function of the
seed and the order's number: the same seed gives the same happenings in the same order, at any pace.
The first orders go through the rows in turn, so that the smallest sandbox shows every step. Not
here: the pace (`server`), what an operator publishes.
"""

from __future__ import annotations

import bisect
import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from app.sandbox import chance


class Step(StrEnum):
    """Something that happens to an order or to the service it made."""

    SUBMITTED = "submitted"
    ALREADY_ACTIVE = "already_active"
    ACKNOWLEDGED = "acknowledged"
    RUNNING = "running"
    ACCESS_SENSITIVE = "access_sensitive"
    ACCESS_CONFIRMED = "access_confirmed"
    DELAYED = "delayed"
    DELAY_CONFIRMED = "delay_confirmed"
    ACCESS_SATURATED = "access_saturated"
    RELIEF_QUOTED = "relief_quoted"
    RELIEF_ACCEPTED = "relief_accepted"
    ACCESS_RELIEF_PLANNED = "access_relief_planned"
    NETWORK_SATURATED = "network_saturated"
    NETWORK_RELIEF_PLANNED = "network_relief_planned"
    REQUALIFIED = "requalified"
    APPOINTMENT_AGREED = "appointment_agreed"
    APPOINTMENT_CONFIRMED = "appointment_confirmed"
    APPOINTMENT_DECLINED = "appointment_declined"
    APPOINTMENT_MISSED = "appointment_missed"
    APPOINTMENT_DEFERRED = "appointment_deferred"
    VISIT_SUCCEEDED = "visit_succeeded"
    VISIT_FAILED = "visit_failed"
    REPORT = "report"
    PROVIDER_NOTE = "provider_note"
    NOTE = "note"
    REJECTED = "rejected"
    DROPPED = "dropped"
    CANCELLED = "cancelled"
    REMOVED = "removed"
    COMPLETED = "completed"
    SERVICE_ACTIVATED = "service_activated"
    SERVICE_MODIFIED = "service_modified"
    SERVICE_UPDATED = "service_updated"
    SERVICE_NOTE = "service_note"
    SERVICE_SLAMMED = "service_slammed"
    SERVICE_TERMINATED = "service_terminated"


@dataclass(frozen=True, slots=True)
class Happening:
    """Step `step`, the `nth` of its life, happened to order number `order` at `at` (UTC)."""

    order: int
    nth: int
    step: Step
    at: datetime


class Teller(Protocol):
    """An operator's ear: hears what happens to the orders it has."""

    @property
    def hears(self) -> frozenset[Step]:
        """The steps it has words for."""
        ...

    def wants(self, order: int) -> bool:
        """Whether order number `order` is one of its own."""
        ...

    @property
    def full(self) -> bool:
        """Whether it has published all it is to publish."""
        ...

    def tell(self, happening: Happening) -> None:
        """Hear it."""
        ...


@dataclass(frozen=True, slots=True)
class Life:
    """A way orders go: its name, how many of a hundred go it, (step, least, most seconds)."""

    name: str
    weight: int
    steps: tuple[tuple[Step, float, float], ...]

    @property
    def longest(self) -> float:
        """The most seconds from the first step to the last."""
        return sum(most for _, _, most in self.steps)


M: Final = 60.0
H: Final = 3600.0
D: Final = 86400.0
_SUBMITTED: Final = ((Step.SUBMITTED, 0.0, 0.0), (Step.ACKNOWLEDGED, M, 5 * M))
_STARTED: Final = (*_SUBMITTED, (Step.RUNNING, 5 * M, 30 * M))
_ENDED: Final = ((Step.COMPLETED, 30 * M, 2 * H), (Step.SERVICE_ACTIVATED, 1.0, M))
_AGREED: Final = (Step.APPOINTMENT_AGREED, H, 4 * H)
_VISITED: Final = ((Step.VISIT_SUCCEEDED, D, 2 * D), (Step.REPORT, 10 * M, H))

# fmt: off
LIVES: Final = (
    Life("plain", 40, (*_STARTED, *_ENDED)),
    Life("visited", 14, (
        *_STARTED, _AGREED, (Step.APPOINTMENT_CONFIRMED, M, H), *_VISITED, *_ENDED)),
    Life("sensitive", 5, (
        *_SUBMITTED, (Step.ACCESS_SENSITIVE, M, H), (Step.ACCESS_CONFIRMED, H, D),
        (Step.RUNNING, M, H), *_ENDED)),
    Life("delayed twice", 5, (
        *_STARTED, (Step.DELAYED, H, D), (Step.DELAY_CONFIRMED, H, D),
        (Step.DELAYED, H, D), (Step.DELAY_CONFIRMED, H, D), *_ENDED)),
    Life("rejected", 6, (
        (Step.SUBMITTED, 0.0, 0.0), (Step.REJECTED, 10 * M, 4 * H))),
    Life("missed", 6, (
        *_STARTED, _AGREED, (Step.APPOINTMENT_MISSED, D, 2 * D), _AGREED,
        (Step.VISIT_FAILED, D, 2 * D), (Step.APPOINTMENT_DEFERRED, M, H), _AGREED,
        *_VISITED, *_ENDED)),
    Life("already active", 4, (
        (Step.ALREADY_ACTIVE, 0.0, 0.0),)),
    Life("declined", 3, (
        *_STARTED, _AGREED, (Step.APPOINTMENT_DECLINED, M, H), (Step.REQUALIFIED, M, H), *_ENDED)),
    Life("access full", 3, (
        *_STARTED, (Step.ACCESS_SATURATED, H, 4 * H), (Step.RELIEF_QUOTED, H, D),
        (Step.RELIEF_ACCEPTED, H, D), (Step.ACCESS_RELIEF_PLANNED, H, D),
        (Step.RUNNING, D, 2 * D), *_ENDED)),
    Life("network full", 2, (
        *_STARTED, (Step.NETWORK_SATURATED, M, H), (Step.NETWORK_RELIEF_PLANNED, H, D), *_ENDED)),
    Life("dropped", 2, (
        *_STARTED, (Step.DROPPED, H, D))),
    Life("cancelled late", 3, (
        *_STARTED, (Step.DELAYED, M, H), (Step.CANCELLED, 3 * D, 4 * D), (Step.REMOVED, M, H))),
    Life("noted", 3, (
        *_SUBMITTED, (Step.PROVIDER_NOTE, M, H), (Step.NOTE, M, H), (Step.RUNNING, M, H),
        *_ENDED)),
    Life("taken over", 2, (
        *_STARTED, *_ENDED, (Step.SERVICE_MODIFIED, H, D), (Step.SERVICE_UPDATED, H, D),
        (Step.SERVICE_NOTE, H, D), (Step.SERVICE_SLAMMED, H, D))),
    Life("terminated", 2, (
        *_STARTED, (Step.COMPLETED, 30 * M, 2 * H), (Step.SERVICE_TERMINATED, 1.0, M))),
)
# fmt: on
LONGEST: Final = max(life.longest for life in LIVES)
_HUNDRED: Final = tuple(itertools.accumulate(life.weight for life in LIVES))


def life_of(seed: int, order: int) -> Life:
    """The life of order number `order`: the rows in turn, then by their weight."""
    if order < len(LIVES):
        return LIVES[order]
    drawn = chance.number(seed, "life", order) % _HUNDRED[-1]
    return LIVES[bisect.bisect_right(_HUNDRED, drawn)]


def life_named(name: str) -> Life:
    """The row of that name; raises `KeyError` where there is none."""
    return {life.name: life for life in LIVES}[name]


class Scenario:
    """Orders are submitted every `every` seconds from the start on and go through their lives.

    `starts_at` is the moment of order 0. `stamp` gives the time a happening is told with: by
    default the scenario's own time. Each of `tellers` is told what it hears, in time order.
    """

    def __init__(
        self,
        seed: int,
        tellers: Sequence[Teller],
        *,
        every: float,
        starts_at: datetime,
        stamp: Callable[[datetime], datetime] = lambda scenario_time: scenario_time,
    ) -> None:
        self._seed = seed
        self._ears = tuple((teller, teller.hears) for teller in tellers)
        self._every = every
        self._starts_at = starts_at
        self._stamp = stamp
        self._seconds = 0.0
        self._opened = 0
        self._waiting: list[tuple[float, int, int, Step, Teller | None]] = []

    @property
    def now(self) -> datetime:
        """The scenario's own time."""
        return self._starts_at + timedelta(seconds=self._seconds)

    @property
    def orders(self) -> int:
        """How many orders have been opened."""
        return self._opened

    @property
    def done(self) -> bool:
        """Whether nothing will happen any more by itself."""
        return not self._waiting and not self._hearing(self._opened)

    def advance(self, seconds: float) -> int:
        """Let `seconds` pass; gives how many steps happened."""
        return self._run(self._seconds + seconds)

    def finish(self) -> int:
        """Let all that is to happen happen; gives how many steps. Every teller must have an end."""
        return self._run(None)

    def place(self, order: int, life: Life, teller: Teller) -> None:
        """Begin `life` now for an order that only `teller` knows (its number is below zero)."""
        self._push(order, life, self._seconds, [teller.hears], teller)

    def now_happens(self, order: int, step: Step) -> None:
        """Make `step` happen to `order` this moment, whatever its life says."""
        nth = 1000 + chance.number(self._seed, order, step) % 1000
        self._tell(Happening(order, nth, step, self._stamp(self.now)), None)

    def _run(self, until: float | None) -> int:
        happened = 0
        while True:
            self._open_next()
            if self._waiting and all(teller.full for teller, _ in self._ears):
                self._forget_unheard()
            if not self._waiting or (until is not None and self._waiting[0][0] > until):
                break
            at, order, nth, step, only = heapq.heappop(self._waiting)
            self._seconds = max(self._seconds, at)
            self._tell(Happening(order, nth, step, self._stamp(self.now)), only)
            happened += 1
        if until is not None:
            self._seconds = max(self._seconds, until)
        return happened

    def _forget_unheard(self) -> None:
        self._waiting = [entry for entry in self._waiting if entry[4] is not None]
        heapq.heapify(self._waiting)

    def _tell(self, happening: Happening, only: Teller | None) -> None:
        if only is not None:
            only.tell(happening)
            return
        for teller, heard in self._ears:
            if happening.step in heard and teller.wants(happening.order) and not teller.full:
                teller.tell(happening)

    def _hearing(self, order: int) -> list[frozenset[Step]]:
        return [heard for each, heard in self._ears if each.wants(order) and not each.full]

    def _open_next(self) -> None:
        """Open every order that begins no later than the next step that waits."""
        while not self._waiting or self._waiting[0][0] >= self._opened * self._every:
            hearing = self._hearing(self._opened)
            if not hearing:
                return
            order, self._opened = self._opened, self._opened + 1
            self._push(order, life_of(self._seed, order), order * self._every, hearing, None)

    def _push(
        self,
        order: int,
        life: Life,
        at: float,
        hearing: Sequence[frozenset[Step]],
        only: Teller | None,
    ) -> None:
        own = chance.number(self._seed, "delays", order)
        for nth, (step, least, most) in enumerate(life.steps):
            at += least + (most - least) * chance.share(own, nth)
            if any(step in heard for heard in hearing):
                heapq.heappush(self._waiting, (at, order, nth, step, only))

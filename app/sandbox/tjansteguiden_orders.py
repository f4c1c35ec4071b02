"""Tjänsteguiden's orders: where each stands, and its log. Written by the scenario, TL and KO.

Not here: how they are asked for (`tjansteguiden`) and written down (`tjansteguiden_forms`).
Source: seed 001, facts/wire.md §4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.sandbox.scenario import Step

STATUSES: Final = ("new", "received", "active", "waiting", "cancelled", "delivered")
RECEIVED: Final = "received"
FINAL: Final = frozenset({"cancelled", "delivered"})
TYPES: Final = ("error", "alert", "system", "log")

STEPS: Final[Mapping[Step, str]] = {
    Step.SUBMITTED: "new",
    Step.ALREADY_ACTIVE: "delivered",
    Step.RUNNING: "active",
    Step.ACCESS_SENSITIVE: "waiting",
    Step.ACCESS_CONFIRMED: "active",
    Step.DELAYED: "waiting",
    Step.DELAY_CONFIRMED: "active",
    Step.ACCESS_SATURATED: "waiting",
    Step.NETWORK_SATURATED: "waiting",
    Step.COMPLETED: "delivered",
    Step.REJECTED: "cancelled",
    Step.DROPPED: "cancelled",
    Step.CANCELLED: "cancelled",
}
"""The status each step puts an order in."""

MESSAGES: Final[Mapping[Step, tuple[str, str]]] = {
    Step.APPOINTMENT_MISSED: ("alert", "Kunden var inte hemma"),
    Step.APPOINTMENT_AGREED: ("log", "Installatör bokad"),
    Step.VISIT_FAILED: ("error", "Installationen misslyckades"),
    Step.VISIT_SUCCEEDED: ("log", "Installationen klar"),
    Step.PROVIDER_NOTE: ("log", "Väntar på besked från nätägaren"),
}
"""Steps that only leave a message (type, text) in the log."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of an order's log; `by` is scenario or the name of the account."""

    id: int
    at: datetime
    type: str
    message: str
    by: str


@dataclass(slots=True)
class Kept:
    """An order as it stands: its id, its number in the scenario, when it came (UTC)."""

    id: int
    number: int
    came: datetime
    short: bool
    status: str = ""
    log: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Change:
    """Status number `n` (from 1) of an order."""

    order: int
    n: int
    status: str
    at: datetime
    by: str


class Orders:
    """All orders by id, oldest first, and every change of status there ever was."""

    def __init__(self) -> None:
        self._kept: dict[int, Kept] = {}
        self._counts: dict[int, int] = {}
        self._entries = 0
        self.changes: list[Change] = []

    def __len__(self) -> int:
        """How many orders there are."""
        return len(self._kept)

    def all(self) -> list[Kept]:
        """Every order, in the order of their coming."""
        return list(self._kept.values())

    def get(self, order: int) -> Kept | None:
        """The order with that id."""
        return self._kept.get(order)

    def latest(self) -> Kept | None:
        """The order that came last."""
        return next(reversed(self._kept.values()), None)

    def add(self, kept: Kept) -> None:
        """An order more."""
        self._kept[kept.id] = kept

    def set_status(self, kept: Kept, status: str, at: datetime, by: str) -> None:
        """Put it in `status` and write so in its log; the same status again is only written.

        `received` does not take back an order that has ended (~): only that it came is written.
        """
        if status == RECEIVED and kept.status in FINAL:
            self.write(kept, "system", f"Status {status} came too late", at, by)
            return
        if kept.status != status:
            kept.status = status
            self._counts[kept.id] = self._counts.get(kept.id, 0) + 1
            self.changes.append(Change(kept.id, self._counts[kept.id], status, at, by))
        self.write(kept, "system", f"Status changed to {status}", at, by)

    def write(self, kept: Kept, kind: str, message: str, at: datetime, by: str) -> None:
        """A line more in its log."""
        self._entries += 1
        kept.log.append(Entry(self._entries, at, kind, message, by))

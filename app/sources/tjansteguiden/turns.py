"""What a turn at Tjänsteguiden asks: the orders since a day, then those not final, one by one.

Pure. The cursor: `day` (asked from), `open` (orders not final, by day), `ask` ([method, order] of a
re-reading; absent: orders), `at` (when the last round of re-readings began), `done` (how far it
came: [day, order]; absent: to its end), `closing` (orders that became final, to be re-read once
more), `again` (those of them that could not be read, and how often), `failed` (the order whose
re-reading just failed), `budget` (re-readings left this turn), `from` (a moment: rows before it are
left out), `only` (one order, then dry).

A row tells the status of every order since `day`, the day of the oldest one not final, at most 90
days ago, else yesterday; a re-reading tells what rows do not: order_info and the log.
Source: DESIGN §8.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.notifications import timestamps
from app.notifications.notification import rfc3339
from app.sources import base
from app.sources.tjansteguiden import words

HORIZON: Final = timedelta(days=90)
BUDGET: Final = 1000
"""Orders that are re-read in one turn, so that new ones are not kept waiting."""

MOST_TRIES: Final = 20
"""Turns in which an order that became final is tried, where it cannot be read."""

CLOCKS_DIFFER: Final = timedelta(minutes=2)
"""How much the operator's clock may be behind ours."""

_BETWEEN_ROUNDS: Final = frozenset({"done", "budget"})


@dataclass(slots=True)
class Orders:
    """The orders not final, by the day they came (local, ISO), and those that became so."""

    days: dict[str, list[str]] = field(default_factory=dict)
    closing: list[str] = field(default_factory=list)
    _of: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> Orders:
        """Those of a cursor."""
        days = {day: list(orders) for day, orders in cursor.get("open", {}).items()}
        of = {order: day for day, orders in days.items() for order in orders}
        return cls(days, list(cursor.get("closing", ())), of)

    def kept(self) -> base.Cursor:
        """As a cursor keeps them."""
        return {"open": self.days} | ({"closing": self.closing} if self.closing else {})

    def see(self, order_id: str, status: str | None, day: str) -> None:
        """An order stands at `status`."""
        final = is_final(status)
        if final == (order_id not in self._of):
            return
        if final:
            self.remove(order_id)
            self.closing.append(order_id)
        else:
            self._of[order_id] = day
            insort(self.days.setdefault(day, []), order_id)

    def holds(self, order_id: str) -> bool:
        """Whether an order is not final."""
        return order_id in self._of

    def remove(self, order_id: str) -> None:
        """An order needs no more care."""
        day = self._of.pop(order_id, None)
        if day is None:
            return
        self.days[day].remove(order_id)
        if not self.days[day]:
            del self.days[day]

    def forget(self, before: str) -> list[str]:
        """Leave out what came before that day; give what that was."""
        gone = [order for day in self.days if day < before for order in self.days[day]]
        for order_id in gone:
            self.remove(order_id)
        return gone

    def after(self, done: tuple[str, str]) -> tuple[str, str] | None:
        """The (day, order) that follows on `done`; ("", "") is before all."""
        for day in sorted(day for day in self.days if day >= done[0]):
            orders = self.days[day]
            place = bisect_right(orders, done[1]) if day == done[0] else 0
            if place < len(orders):
                return day, orders[place]
        return None


def is_final(status: str | None) -> bool:
    """Whether nothing more is to be expected of an order."""
    return (status or "").casefold() in words.FINAL


def moment_of(text: Any, zone: ZoneInfo) -> datetime | None:
    """A row's date in UTC, the last it may mean; null where it is no time."""
    time = timestamps.read(text, pulled=True) if isinstance(text, str) else None
    return time.latest(zone) if time is not None else None


def earliest_of(moment: datetime) -> datetime:
    """The earliest the operator may write for `moment` of our clock: its times may lack seconds."""
    return (moment - CLOCKS_DIFFER).replace(second=0, microsecond=0)


def first_day(start: str | date, zone: ZoneInfo, now: datetime) -> str:
    """The day a first connection asks from."""
    today = now.astimezone(zone).date()
    if isinstance(start, date):
        return start.isoformat()
    return (today if start == "now" else today - HORIZON).isoformat()


def after_orders(
    cursor: Mapping[str, Any], orders: Orders, zone: ZoneInfo, now: datetime, recheck: timedelta
) -> base.PageEnd:
    """What follows on the rows."""
    today = now.astimezone(zone).date()
    dropped = orders.forget((today - HORIZON).isoformat())
    yesterday = (today - timedelta(days=1)).isoformat()
    on: base.Cursor = {"day": min([yesterday, *orders.days])}
    on |= {name: cursor[name] for name in ("from", "at", "done", "again") if name in cursor}
    orders.closing += [order for order in on.get("again", ()) if order not in orders.closing]
    told = f"{len(dropped)} order(s) are open for more than 90 days and no longer followed"
    warnings = (told,) if dropped else ()
    if "at" not in on:
        on["at"] = rfc3339(now)  # the first round can wait: what is new is asked for in its chain
    if "done" not in on and datetime.fromisoformat(on["at"]) + recheck <= now:
        on |= {"at": rfc3339(now), "done": ["", ""]}
    return _next(on | {"budget": BUDGET}, orders, warnings)


def after_reading(
    cursor: Mapping[str, Any], orders: Orders, warnings: tuple[str, ...] = ()
) -> base.PageEnd:
    """What follows on one re-reading: the order's log, or the next order."""
    method, order_id = cursor["ask"]
    if method == words.INFO:
        on = {**cursor, **orders.kept(), "ask": [words.LOG, order_id]}
        return base.PageEnd(on, more=True, warnings=warnings)
    if cursor.get("only"):
        return base.PageEnd({"only": True}, more=False, warnings=warnings)
    gone = {"ask", "open", "closing", "again", "failed"}
    on = {key: value for key, value in cursor.items() if key not in gone}
    again = dict(cursor.get("again", {}))
    if cursor.get("failed") != order_id:
        again.pop(order_id, None)
    on |= {"again": again} if again else {}
    on["budget"] = int(cursor.get("budget", 1)) - 1
    return _next(on, orders, warnings)


def left_out(cursor: Mapping[str, Any], why: str, *, whole: bool = False) -> base.PageEnd:
    """What follows on a re-reading that failed: the next, for the others' sake.

    `whole`: the order's log is left out, too. An order not final is read again in the next round;
    one that has become so, in the next turn.
    """
    method, order_id = cursor["ask"]
    orders = Orders.of(cursor)
    told = f"{method} of order {order_id} was left out: {why}"
    again = dict(cursor.get("again", {}))
    if not orders.holds(order_id) and cursor.get("failed") != order_id:
        again[order_id] = again.get(order_id, 0) + 1
        if again[order_id] > MOST_TRIES:
            del again[order_id]
            told += " (for good)"
    asked = {"ask": [words.LOG, order_id]} if whole else {}
    on = {**cursor, **asked, "again": again, "failed": order_id}
    return after_reading(on, orders, (told,))


def _next(cursor: base.Cursor, orders: Orders, warnings: tuple[str, ...]) -> base.PageEnd:
    """On to the next order, unless the round or the turn's budget is at its end."""
    if cursor["budget"] <= 0:
        rest = {key: value for key, value in cursor.items() if key != "budget"}
        return base.PageEnd(rest | orders.kept(), more=False, warnings=warnings)
    if orders.closing:
        asked = {"ask": [words.INFO, orders.closing.pop(0)]}
        return base.PageEnd(cursor | asked | orders.kept(), more=True, warnings=warnings)
    done = cursor.get("done")
    following = orders.after((done[0], done[1])) if done else None
    if following is None:
        rest = {key: value for key, value in cursor.items() if key not in _BETWEEN_ROUNDS}
        return base.PageEnd(rest | orders.kept(), more=False, warnings=warnings)
    asked = {"ask": [words.INFO, following[1]], "done": list(following)}
    return base.PageEnd(cursor | asked | orders.kept(), more=True, warnings=warnings)

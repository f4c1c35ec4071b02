"""How long silence is too long, by source and state: as configured, else as finished orders show.

Nothing here depends on the time of day by itself: who asks says what time it is. Not here: the
lists (`orders`, `expected`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from app.notifications import states
from app.notifications.notification import Notification, ResourceType
from app.orders import order
from app.store import orders
from app.store.order_tables import ORDERS
from app.store.work_tables import EXPECTED_ORDER, PATIENCE

NONE: Final = "none"
"""The state of an order whose state nobody told."""

FEWEST: Final = 20
"""Finished orders below which they show nothing."""

CASES: Final = 500
"""The newest finished orders of a source that are looked at."""

SHARE: Final = 0.95

MOST: Final = 1000
"""Silent orders of a source are counted up to so many."""

Patience = Mapping[tuple[str, str], timedelta]
"""By source and state: how long without news is usual. What is not there is never too long."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What finished orders show: news of `source` in `state` come within `seconds`, in `cases`."""

    source: str
    state: str
    seconds: float
    cases: int


def patience(
    connection: Connection, configured: Mapping[str, Mapping[str, timedelta]]
) -> dict[tuple[str, str], timedelta]:
    """The patience in force: what is `configured` (by source, state), else what was learned."""
    table = PATIENCE.c
    rows = connection.execute(select(table.source, table.state, table.seconds))
    known = {(source, state): timedelta(seconds=seconds) for source, state, seconds in rows}
    for source, spans in configured.items():
        known.update({(source, state): span for state, span in spans.items()})
    return known


def cutoffs(known: Patience, now: datetime) -> dict[tuple[str, str | None], datetime]:
    """By source and state (null: none was told): who was heard of before that is silent."""
    return {
        (source, None if state == NONE else state): now - span
        for (source, state), span in known.items()
    }


def counts(
    connection: Connection, known: Patience, now: datetime
) -> dict[str, tuple[int, list[str]]]:
    """By source: how many orders are silent, at most `MOST`, and the oldest five."""
    found: dict[str, tuple[int, list[str]]] = {}
    for source in sorted({source for source, _ in known}):
        own = {key: span for key, span in known.items() if key[0] == source}
        asked = orders.Filter(silent=tuple(cutoffs(own, now).items()))
        ids = _ids(connection, asked)
        ids += _never_told(connection, source, own, now)
        if ids:
            found[source] = min(len(ids), MOST), ids[:5]
    return found


def state_of(answer: str | None) -> str:
    """The state an order was placed into, as its operator answered: `RECEIVED` is acknowledged."""
    if answer is None:
        return NONE
    word = "acknowledged" if states.key(answer) == "received" else states.canonical(answer)
    return word or NONE


def is_quiet(row: Mapping[str, Any], known: Patience, now: datetime) -> bool:
    """Whether a row of `expected.outstanding` has been without news for too long."""
    told = row["order"]
    state = state_of(row["answer"]) if told is None else told["state"] or NONE
    since = row["placed_at"] if told is None else told["last_news_at"]
    span = known.get((row["source"], state))
    return span is not None and not (told and told["final"]) and since <= now - span


def gaps(told: Sequence[Notification]) -> dict[str, float]:
    """The longest silence in each state of one order that was told of as it happened, in seconds.

    `told` is in the order of the log. Empty for history that a feed began with.
    """
    found: dict[str, float] = {}
    state: str | None = None
    for before, after in itertools.pairwise(told):
        if before.backfill or after.backfill:
            return {}
        state = before.state or state
        seconds = (after.received_at - before.received_at).total_seconds()
        found[state or NONE] = max(found.get(state or NONE, 0.0), seconds)
    return found


def percentile(seconds: Iterable[float]) -> float:
    """The value that `SHARE` of `seconds` do not exceed (nearest rank)."""
    ordered = sorted(seconds)
    return ordered[math.ceil(SHARE * len(ordered)) - 1]


def finished(connection: Connection, source: str) -> list[order.Key]:
    """The newest finished orders of `source`, at most `CASES`."""
    row = ORDERS.c
    rows = (
        select(row.source, row.resource_type, row.order_id)
        .where(row.source == source, row.final.is_(True))
        .order_by(row.place.desc())
        .limit(CASES)
    )
    return [
        order.Key(source, ResourceType(type_), id_) for _, type_, id_ in connection.execute(rows)
    ]


def learn(connection: Connection, source: str) -> list[Learned]:
    """What the finished orders of `source` show, for each state at least `FEWEST` went through."""
    seen: dict[str, list[float]] = {}
    for told in orders.rows_of(connection, finished(connection, source)).values():
        for state, seconds in gaps(told).items():
            seen.setdefault(state, []).append(seconds)
    return [
        Learned(source, state, percentile(found), len(found))
        for state, found in sorted(seen.items())
        if len(found) >= FEWEST
    ]


def keep(connection: Connection, source: str, learned: Iterable[Learned], at: datetime) -> None:
    """Keep what was learned of `source` in the place of what was known."""
    connection.execute(delete(PATIENCE).where(PATIENCE.c.source == source))
    rows = [
        {"source": one.source, "state": one.state, "seconds": one.seconds, "cases": one.cases,
         "learned_at": at}
        for one in learned
    ]  # fmt: skip
    if rows:
        connection.execute(insert(PATIENCE), rows)


def _ids(connection: Connection, asked: orders.Filter) -> list[str]:
    """The ids of at most `MOST` orders, those with the oldest news first."""
    rows = select(ORDERS.c.order_id).where(*asked.conditions(connection.dialect.name))
    return list(connection.execute(rows.order_by(ORDERS.c.place).limit(MOST)).scalars())


def _never_told(connection: Connection, source: str, known: Patience, now: datetime) -> list[str]:
    if not known:
        return []
    table = EXPECTED_ORDER.c
    latest = now - min(known.values())
    rows = (
        select(EXPECTED_ORDER)
        .where(table.source == source, table.over_at.is_(None), table.placed_at <= latest)
        .where(table.told.is_(False))
        .order_by(table.id)
        .limit(MOST)
    )
    placed = [{**row, "order": None} for row in connection.execute(rows).mappings()]
    return [row["order_id"] for row in placed if is_quiet(row, known, now)]

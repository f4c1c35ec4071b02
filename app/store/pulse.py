"""How it beats: what came in each minute, how orders stand, what waits for somebody, since when.

Numbers for the overview, read by index and bounded, however long the log is. Not here: counts over
the whole log (`stats`), what is open and silent (`attention`, `silence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    TextClause,
    bindparam,
    func,
    literal_column,
    select,
    text,
)

from app.store import expected, silence, tables
from app.store.feed_tables import COMMAND
from app.store.order_tables import ORDERS
from app.store.work_tables import EXPECTED_ORDER, OPENING

MINUTES: Final = 60
MOST: Final = 10_000
"""Rows of one sort that are counted in a minute; a minute with more of them shows so many."""

MOST_COMMANDS: Final = 1000
"""Failed commands of one source are counted up to so many."""


LOOKED: Final = 4000
"""Unfinished orders that are looked at for those that are silent: those with the oldest news; and
placed ones for those never told of: those placed first."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What came in the minute that begins `at`: each number at most `MOST`.

    `accepted`: rows of the log, by push and pull. `repeated`: what was pushed again, as far as
    sightings are kept. `refused`: bodies; one refused again and again counts where it first came
    and where it last did.
    """

    at: datetime
    accepted: int
    repeated: int
    refused: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many things wait, the oldest since `since` (null: none does); `more`: or even more."""

    count: int
    since: datetime | None
    more: bool = False


def minutes(connection: Connection, now: datetime) -> list[Minute]:
    """The last `MINUTES` minutes, the oldest first; the last one is not over."""
    last = now.astimezone(UTC).replace(second=0, microsecond=0)
    edges = [last + timedelta(minutes=n) for n in range(1 - MINUTES, 2)]
    begins = [_begin(edge) for edge in edges]
    log = "log_postgresql" if connection.dialect.name == "postgresql" else "log"
    accepted = _counted(connection, _COUNTS[log], begins)
    repeated = _counted(connection, _COUNTS["sighting"], edges)
    first = _counted(connection, _COUNTS["refused"], begins)
    again = _counted(connection, _COUNTS["refused_again"], edges)
    return [
        Minute(at, accepted[n], repeated[n], first[n] + again[n]) for n, at in enumerate(edges[:-1])
    ]


def by_state(connection: Connection) -> list[tuple[str | None, int]]:
    """How many orders are in each state (null: none was told), the most first."""
    count = func.count()
    rows = select(ORDERS.c.state, count).group_by(ORDERS.c.state)
    found = [(state, n) for state, n in connection.execute(rows)]
    return sorted(found, key=lambda one: (-one[1], one[0] or ""))


def openings(connection: Connection) -> dict[str, Waiting]:
    """What is open on the work list, by its sort of attention."""
    row = OPENING.c
    rows = (
        select(row.attention, func.count(), func.min(row.since))
        .where(row.cleared_at.is_(None), row.closed_at.is_(None))
        .group_by(row.attention)
    )
    return {word: Waiting(count, since) for word, count, since in connection.execute(rows)}


def in_quarantine(connection: Connection, source: str | None = None) -> Waiting:
    """The refused bodies (null: of any source) that are neither released nor discarded."""
    row = tables.QUARANTINE.c
    held = select(func.count(), func.min(row.id)).where(row.status == "open")
    if source is not None:
        held = held.where(row.source == source)
    count, oldest = connection.execute(held).one()
    since = connection.execute(select(row.received_at).where(row.id == oldest)).scalar()
    return Waiting(count, since)


def failed_commands(connection: Connection, source: str, since: datetime) -> Waiting:
    """The commands at `source` that were asked for after `since` and failed for good."""
    row = COMMAND.c
    failed = (row.state == "failed", row.source == source, row.id >= _begin(since))
    some = select(row.asked_at).where(*failed).order_by(row.id).limit(MOST_COMMANDS).subquery()
    count, oldest = connection.execute(select(func.count(), func.min(some.c.asked_at))).one()
    return Waiting(count, oldest, more=count == MOST_COMMANDS)


def silent(connection: Connection, known: silence.Patience, now: datetime) -> dict[str, Waiting]:
    """By source: the silent ones among the `LOOKED` unfinished orders with the oldest news."""
    row = ORDERS.c
    unfinished: ColumnElement[bool] = literal_column("NOT orders.final")  # as its index says it
    rows = select(row.source, row.state, row.last_news_at).where(unfinished).order_by(row.place)
    told = connection.execute(rows.limit(LOOKED)).all()
    cutoffs = silence.cutoffs(known, now)
    found: dict[str, list[datetime]] = {}
    for source, state, heard in told:
        moment = cutoffs.get((source, state))
        if moment is not None and heard <= moment:
            found.setdefault(source, []).append(heard)
    more = len(told) == LOOKED
    return {source: Waiting(len(some), min(some), more) for source, some in sorted(found.items())}


def unheard(connection: Connection) -> dict[str, Waiting]:
    """By source: those among the `LOOKED` outstanding orders placed first never told of."""
    placed = EXPECTED_ORDER.c
    oldest = select(placed.id).where(placed.over_at.is_(None)).order_by(placed.id).limit(LOOKED)
    some = oldest.subquery()
    looked, last = connection.execute(select(func.count(), func.max(some.c.id))).one()
    if not looked:
        return {}
    told = select(ORDERS.c.place).where(expected.told_of()).exists()
    rows = (
        select(placed.source, func.count(), func.min(placed.placed_at))
        .where(placed.over_at.is_(None), placed.id <= last, ~told)
        .group_by(placed.source)
        .order_by(placed.source)
    )
    more = looked == LOOKED
    return {source: Waiting(n, since, more) for source, n, since in connection.execute(rows)}


def _begin(moment: datetime) -> str:
    """What no id made at `moment` or later sorts before: ids are UUIDv7, which begin with ms."""
    written = f"{int(moment.timestamp() * 1000):012x}"
    return f"{written[:8]}-{written[8:]}"


def _counted(connection: Connection, counting: TextClause, edges: Sequence[Any]) -> list[int]:
    asked = {f"edge_{n}": edge for n, edge in enumerate(edges)}
    found = {row.n: row.found for row in connection.execute(counting, {**asked, "most": MOST})}
    return [found[n] for n in range(MINUTES)]


def _statement(source: str, column: str, *, moments: bool = False, pattern: bool = False) -> Any:
    """How many rows of `source` have a `column` between each two of the edges."""
    at_least, below = ("~>=~", "~<~") if pattern else (">=", "<")
    parts = (
        f"SELECT {n} AS n, count(*) AS found FROM (SELECT 1 FROM {source}"  # noqa: S608 - our own words
        f" {column} {at_least} :edge_{n} AND {column} {below} :edge_{n + 1} LIMIT :most) AS x{n}"
        for n in range(MINUTES)
    )
    made = text(" UNION ALL ".join(parts))
    if not moments:
        return made
    kind = tables.UtcMoment()
    return made.bindparams(*(bindparam(f"edge_{n}", type_=kind) for n in range(MINUTES + 1)))


_COUNTS: Final[dict[str, TextClause]] = {
    "log": _statement("log WHERE", "id"),
    "log_postgresql": _statement("log WHERE", "id", pattern=True),
    "sighting": _statement("sighting WHERE", "received_at", moments=True),
    "refused": _statement("quarantine WHERE", "id"),
    "refused_again": _statement("quarantine WHERE count > 1 AND", "last_received_at", moments=True),
}
"""In PostgreSQL the log's ids are indexed by their bytes (`text_pattern_ops`)."""

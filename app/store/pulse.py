"""How it beats: what came in each minute, how orders stand, what waits for somebody, since when.

Numbers for the overview, read by index and bounded, however long the log is. Not here: counts over
the whole log (`stats`), what is open and silent (`attention`, `silence`).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, TextClause, func, select, text

from app.notifications.notification import rfc3339
from app.store import silence, tables
from app.store.order_tables import ORDER_TALLY
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
    moments = [rfc3339(edge) for edge in edges]
    accepted = _counted(connection, "log", begins)
    repeated = _counted(connection, "sighting", moments)
    first = _counted(connection, "refused", begins)
    again = _counted(connection, "refused_again", moments)
    return [
        Minute(at, accepted[n], repeated[n], first[n] + again[n]) for n, at in enumerate(edges[:-1])
    ]


def by_state(connection: Connection) -> list[tuple[str | None, int]]:
    """How many orders are in each state (null: none was told), the most first."""
    count = func.sum(ORDER_TALLY.c.n)
    rows = select(ORDER_TALLY.c.state, count).group_by(ORDER_TALLY.c.state).having(count > 0)
    found = [(state or None, int(n)) for state, n in connection.execute(rows)]
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


def heard(connection: Connection, source: str, since: datetime) -> Waiting:
    """The notifications of `source` received since `since`, among the `MOST` newest of the log."""
    row = tables.LOG.c
    newest = select(row.source, row.received_at).order_by(row.seq.desc()).limit(MOST).subquery()
    of_then = select(newest.c.source).where(newest.c.received_at >= since).subquery()
    of_it = func.count().filter(of_then.c.source == source)
    all_, count = connection.execute(select(func.count(), of_it).select_from(of_then)).one()
    return Waiting(count, None, more=all_ == MOST)


def in_quarantine(connection: Connection, source: str | None = None) -> Waiting:
    """The refused bodies (null: of any source) that are neither released nor discarded."""
    row = tables.QUARANTINE.c
    held = select(func.count(), func.min(row.id)).where(row.status == "open")
    if source is not None:
        held = held.where(row.source == source)
    count, oldest = connection.execute(held).one()
    since = connection.execute(select(row.received_at).where(row.id == oldest)).scalar()
    return Waiting(count, since)


def failed_commands(
    connection: Connection, sources: Sequence[str], since: datetime
) -> dict[str, Waiting]:
    """By source, of `sources`: the commands asked for after `since` that failed for good."""
    asked = {"of": json.dumps(list(sources)), "since": _begin(since), "most": MOST_COMMANDS}
    rows = connection.execute(_FAILED[connection.dialect.name], asked)
    return {
        source: Waiting(count, oldest, more=count == MOST_COMMANDS)
        for source, count, oldest in rows
        if count
    }


def silent(connection: Connection, known: silence.Patience, now: datetime) -> dict[str, Waiting]:
    """By source: the silent ones among the `LOOKED` unfinished orders with the oldest news."""
    cutoffs = [
        [source, state or "", rfc3339(moment)]
        for (source, state), moment in silence.cutoffs(known, now).items()
    ]
    asked = {"of": json.dumps(cutoffs), "most": LOOKED}
    rows = connection.execute(_SILENT[connection.dialect.name], asked)
    return {row.source: Waiting(row.n, row.oldest, more=row.looked == LOOKED) for row in rows}


def unheard(connection: Connection) -> dict[str, Waiting]:
    """By source: those of the `LOOKED` placed first of the outstanding orders never told of."""
    placed = EXPECTED_ORDER.c
    found = select(placed.source, placed.placed_at).where(
        placed.over_at.is_(None), placed.told.is_(False)
    )
    some = found.order_by(placed.id).limit(LOOKED).subquery()
    rows = (
        select(some.c.source, func.count(), func.min(some.c.placed_at))
        .group_by(some.c.source)
        .order_by(some.c.source)
    )
    counted = connection.execute(rows).all()
    more = sum(n for _, n, _ in counted) == LOOKED
    return {source: Waiting(n, since, more) for source, n, since in counted}


def _begin(moment: datetime) -> str:
    """What no id made at `moment` or later sorts before: ids are UUIDv7, which begin with ms."""
    written = f"{int(moment.timestamp() * 1000):012x}"
    return f"{written[:8]}-{written[8:]}"


def _counted(connection: Connection, what: str, edges: Sequence[str]) -> list[int]:
    """How many there are between each two of the edges, at most `MOST`."""
    spans = [[n, *span] for n, span in enumerate(itertools.pairwise(edges))]
    counting = _COUNTS[connection.dialect.name][what]
    rows = connection.execute(counting, {"of": json.dumps(spans), "most": MOST})
    found = {row.n: row.found for row in rows}
    return [found[n] for n in range(MINUTES)]


_EACH: Final = {"sqlite": "json_each(:of)", "postgresql": "json_array_elements(CAST(:of AS json))"}
"""The elements of a document, as rows: what is asked for many is planned once."""

_COUNT: Final = """
SELECT CAST(e.value ->> 0 AS integer) AS n, (
    SELECT count(*) FROM (
        SELECT 1 FROM {where} {at_least} {begin} AND {column} {below} {end} LIMIT :most
    ) AS counted
) AS found FROM {each} AS e
"""
_BY_ID: Final = {"begin": "(e.value ->> 1)", "end": "(e.value ->> 2)"}
_BY_MOMENT: Final = {
    "sqlite": _BY_ID,
    "postgresql": {name: f"CAST({word} AS timestamptz)" for name, word in _BY_ID.items()},
}
_COLUMNS: Final = {
    "log": ("log WHERE", "id"),
    "sighting": ("sighting WHERE", "received_at"),
    "refused": ("quarantine WHERE", "id"),
    "refused_again": ("quarantine WHERE count > 1 AND", "last_received_at"),
}


def _counting(what: str, dialect: str) -> TextClause:
    """In PostgreSQL the log's ids are indexed by their bytes (`text_pattern_ops`)."""
    table, column = _COLUMNS[what]
    by_bytes = (what, dialect) == ("log", "postgresql")
    at_least, below = ("~>=~", "~<~") if by_bytes else (">=", "<")
    between = _BY_ID if column == "id" else _BY_MOMENT[dialect]
    where = f"{table} {column}"
    words = {"where": where, "column": column, "at_least": at_least, "below": below}
    return text(_COUNT.format(each=_EACH[dialect], **words, **between))


_COUNTS: Final = {
    dialect: {what: _counting(what, dialect) for what in _COLUMNS} for dialect in _EACH
}

_FAILED: Final = {
    dialect: text(
        f"""
SELECT {name} AS source, (
    SELECT count(*) FROM (
        SELECT 1 FROM command
        WHERE state = 'failed' AND source = {name} AND id >= :since LIMIT :most
    ) AS counted
) AS n, (
    SELECT asked_at FROM command
    WHERE state = 'failed' AND source = {name} AND id >= :since ORDER BY id LIMIT 1
) AS oldest FROM {each} AS e
"""  # noqa: S608 - our own words
    ).columns(oldest=tables.UtcMoment())
    for (dialect, each), name in zip(_EACH.items(), ("e.value", "(e.value #>> '{}')"), strict=True)
}

_SILENT: Final = {
    dialect: text(
        f"""
WITH looked AS (
    SELECT source, coalesce(state, '') AS state, last_news_at FROM orders
    WHERE NOT orders.final ORDER BY place LIMIT :most
), until AS MATERIALIZED (
    SELECT (e.value ->> 0) AS source, (e.value ->> 1) AS state, {moment} AS moment FROM {each} AS e
)
SELECT looked.source, count(*) AS n, min(looked.last_news_at) AS oldest,
    (SELECT count(*) FROM looked) AS looked
FROM until JOIN looked ON looked.source = until.source
    AND looked.state = until.state AND looked.last_news_at <= until.moment
GROUP BY looked.source ORDER BY looked.source
"""  # noqa: S608 - our own words
    ).columns(oldest=tables.UtcMoment())
    for (dialect, each), moment in zip(
        _EACH.items(), ("(e.value ->> 2)", "CAST(e.value ->> 2 AS timestamptz)"), strict=True
    )
}

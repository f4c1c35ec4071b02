"""How many of what: counts over the whole log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from app.store import feeds, followers, indexing, leases, log, quota, standing, tables
from app.store.search_tables import TALLY

LAG = "Seconds since the operator's list was last read to its end"
AGE = "Seconds since the feed last brought something"
BEHIND = "How many seqs the follower is behind the end of the log"
WAITED = "Seconds since what the follower has to do next was received; 0 where there is nothing"
FAILURES = "Turns of the feed that failed, one after the other"


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number of the moment, for whoever watches (metrics)."""

    name: str
    meaning: str
    labels: Mapping[str, str]
    value: float


def counts(connection: Connection) -> dict[str, Any]:
    """`notifications`, `by_source` {name: n}, `by_kind` {kind: n}, `quarantine` (open rows)."""
    by_source: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    for source, kind, n in _tallies(connection):
        by_source[source] += n
        by_kind[kind] += n
    quarantine = tables.QUARANTINE
    still_open = select(func.count()).where(quarantine.c.status == "open")
    return {
        "notifications": sum(by_source.values()),
        "by_source": dict(sorted(by_source.items())),
        "by_kind": dict(sorted(by_kind.items())),
        "quarantine": connection.execute(still_open).scalar_one(),
    }


def _tallies(connection: Connection) -> Iterator[tuple[str, str, int]]:
    """(source, kind, how many) of the whole log: as the follower counted, and what came since."""
    log = tables.LOG.c
    counted = select(TALLY.c.source, TALLY.c.kind, TALLY.c.n)
    since = select(log.source, log.kind, func.count().label("n")).group_by(log.source, log.kind)
    for rows in (counted, since.where(log.seq > indexing.position(connection))):
        yield from ((row.source, row.kind, row.n) for row in connection.execute(rows))


def of_sort(connection: Connection, *, source: str | None, kind: str | None) -> int:
    """How many notifications there are of `source` and `kind` (null: of any)."""
    return sum(
        n for of, sort, n in _tallies(connection) if source in {None, of} and kind in {None, sort}
    )


def full_quarantines(connection: Connection) -> list[str]:
    """The sources whose quarantine has no place for whole bodies any more (law 2)."""
    return [used["source"] for used in quota.usage(connection) if used["full"]]


def gauges(connection: Connection) -> list[Gauge]:
    """What a scrape reads from the database: cheap at any size of the log."""
    found = [Gauge("listener_log_head", "The highest seq of the log", {}, log.head(connection))]
    told = (
        ("listener_quarantine_rows", "Open quarantine rows with their bytes", "rows"),
        ("listener_quarantine_bytes", "Bytes kept in quarantine", "bytes"),
        ("listener_quarantine_digests", "Open quarantine rows without bytes", "digests"),
        ("listener_quarantine_overflow", "Refusals that were only counted", "overflow"),
    )
    for used in quota.usage(connection):
        labels = {"source": used["source"]}
        found += [Gauge(name, meaning, labels, used[key]) for name, meaning, key in told]
    return found + _of_followers(connection) + _of_feeds(connection)


def _of_followers(connection: Connection) -> list[Gauge]:
    """How far behind the end of the log each follower is."""
    head, now = log.head(connection), leases.now(connection)
    found: list[Gauge] = []
    for name, seq in followers.listing(connection):
        oldest = followers.waiting_since(connection, seq)
        waited = 0.0 if oldest is None else (now - oldest).total_seconds()
        labels = {"follower": name}
        found += [
            Gauge("listener_follower_lag", BEHIND, labels, 0 if oldest is None else head - seq),
            Gauge("listener_follower_lag_seconds", WAITED, labels, max(waited, 0.0)),
        ]
    return found


def _of_feeds(connection: Connection) -> list[Gauge]:
    now = leases.now(connection)
    found: list[Gauge] = []
    for feed in feeds.listing(connection):
        values = (
            ("listener_feed_lag_seconds", LAG, standing.lag(feed, now)),
            ("listener_feed_age_seconds", AGE, standing.age(feed, now)),
            ("listener_feed_failures", FAILURES, float(feed.failures)),
        )
        labels = {"source": feed.name}
        found += [Gauge(name, told, labels, n) for name, told, n in values if n is not None]
    return found

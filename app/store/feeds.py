"""Where each feed stands and how it fares: cursor, status, totals, and its last turns.

The cursor moves only by `advance`, in the transaction of the rows it covers (law 5), or by
`rewind`. Not here: what a cursor means (its kind), who may turn a feed (`leases`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from app.store import tables
from app.store.feed_tables import FEED, FEED_TURN

KEPT_TURNS = 100
"""Turns of a feed that are remembered."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed's row; every field is explained at `feed_tables.Feed`."""

    name: str
    cursor: dict[str, Any]
    cursor_at: datetime | None
    connected_at: datetime
    caught_up_at: datetime | None
    paused_at: datetime | None
    paused_by: str | None
    last_turn_at: datetime | None
    last_success_at: datetime | None
    next_turn_at: datetime | None
    cause: str | None
    last_error: str | None
    last_error_at: datetime | None
    remedy: str | None
    failures: int
    entries: int
    appended: int
    reread: int
    quarantined: int
    followed_seq: int
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn that brought something or failed; `seconds` it took, `cause` null when it did well."""

    id: str
    feed: str
    at: datetime
    seconds: float
    requests: int
    entries: int
    appended: int
    quarantined: int
    cause: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a feed does not go on: `cause` (a word), what happened, what would help."""

    cause: str
    error: str
    remedy: str


def listing(connection: Connection) -> list[Feed]:
    """Every feed that was ever connected, by name."""
    rows = connection.execute(select(FEED).order_by(FEED.c.name)).mappings()
    return [Feed(**row) for row in rows]


def one(connection: Connection, name: str) -> Feed | None:
    """The feed called `name`; null when it was never connected."""
    row = connection.execute(select(FEED).where(FEED.c.name == name)).mappings().first()
    return None if row is None else Feed(**row)


def connect(connection: Connection, name: str, at: datetime) -> Feed:
    """The feed called `name`, made now with nothing read where it is new."""
    found = one(connection, name)
    if found is not None:
        return found
    zeros = dict.fromkeys(("failures", "entries", "appended", "reread", "quarantined"), 0)
    row = {"name": name, "cursor": {}, "connected_at": at, "warnings": [], "followed_seq": 0}
    connection.execute(insert(FEED).values(**row, **zeros))
    made = one(connection, name)
    assert made is not None  # noqa: S101 - it was made in this transaction
    return made


def advance(
    connection: Connection,
    feed: str,
    cursor: Mapping[str, Any] | None,
    reread: int,
    at: datetime,
    *,
    appended: int = 0,
    quarantined: int = 0,
) -> None:
    """Move the cursor of `feed` (null: leave it) and count what its entries became.

    In the transaction of the rows themselves. `reread`: entries known already, which is a counter,
    not a sighting (DESIGN §5).
    """
    values: dict[str, Any] = {
        "entries": FEED.c.entries + (reread + appended + quarantined),
        "reread": FEED.c.reread + reread,
        "appended": FEED.c.appended + appended,
        "quarantined": FEED.c.quarantined + quarantined,
    }
    if cursor is not None:
        values |= {"cursor": dict(cursor), "cursor_at": at}
    connection.execute(update(FEED).where(FEED.c.name == feed).values(**values))


def rewind(connection: Connection, feed: str, cursor: Mapping[str, Any], at: datetime) -> None:
    """Set the cursor by hand; what is read again is known again."""
    values = {"cursor": dict(cursor), "cursor_at": at, "next_turn_at": None}
    connection.execute(update(FEED).where(FEED.c.name == feed).values(**values))


def succeeded(connection: Connection, told: Sequence[tuple[str, datetime, datetime, bool]]) -> None:
    """Say of feeds (name, when, next turn, dry) that their turn did well; many at once."""
    if not told:
        return
    rows = [
        {"feed": name, "at": at, "next": following, "dry": at if dry else None}
        for name, at, following, dry in told
    ]
    connection.execute(_SUCCEEDED, rows)


def failed(
    connection: Connection, feed: str, trouble: Trouble, at: datetime, next_turn_at: datetime
) -> None:
    """Say that the turn of `feed` failed, and when the next one is due."""
    connection.execute(
        update(FEED)
        .where(FEED.c.name == feed)
        .values(
            last_turn_at=at,
            next_turn_at=next_turn_at,
            cause=trouble.cause,
            last_error=trouble.error,
            last_error_at=at,
            remedy=trouble.remedy,
            failures=FEED.c.failures + 1,
        )
    )


def warn(connection: Connection, feed: str, warnings: Sequence[str]) -> None:
    """Keep the last warnings the feed's pages gave."""
    connection.execute(update(FEED).where(FEED.c.name == feed).values(warnings=list(warnings)))


def pause(connection: Connection, feed: str, by: str | None, at: datetime | None) -> bool:
    """Pause `feed` (`at` null: resume it); false when there is none of that name."""
    values = {"paused_at": at, "paused_by": by if at is not None else None}
    done = connection.execute(update(FEED).where(FEED.c.name == feed).values(**values))
    return done.rowcount == 1


def followed(connection: Connection, feed: str, seq: int) -> None:
    """The follow-ups of `feed` are asked for up to row `seq` of the log."""
    ahead = (FEED.c.name == feed) & (FEED.c.followed_seq < seq)
    connection.execute(update(FEED).where(ahead).values(followed_seq=seq))


def remember(connection: Connection, turn: Turn) -> None:
    """Keep `turn` among the last 100 of its feed."""
    connection.execute(insert(FEED_TURN).values(asdict(turn)))
    newest = (
        select(FEED_TURN.c.id)
        .where(FEED_TURN.c.feed == turn.feed)
        .order_by(FEED_TURN.c.id.desc())
        .limit(KEPT_TURNS)
    )
    oldest_kept = min(connection.execute(newest).scalars())
    connection.execute(
        delete(FEED_TURN).where(FEED_TURN.c.feed == turn.feed, FEED_TURN.c.id < oldest_kept)
    )


def turns(connection: Connection, feed: str, limit: int = KEPT_TURNS) -> list[Turn]:
    """The last turns of `feed` that brought something or failed, newest first."""
    rows = (
        select(FEED_TURN)
        .where(FEED_TURN.c.feed == feed)
        .order_by(FEED_TURN.c.id.desc())
        .limit(limit)
    )
    return [Turn(**row) for row in connection.execute(rows).mappings()]


_AT = bindparam("at", type_=tables.UtcMoment())
_SUCCEEDED = (
    update(FEED)
    .where(FEED.c.name == bindparam("feed"))
    .values(
        last_turn_at=_AT,
        last_success_at=_AT,
        next_turn_at=bindparam("next", type_=tables.UtcMoment()),
        caught_up_at=func.coalesce(FEED.c.caught_up_at, bindparam("dry", type_=tables.UtcMoment())),
        cause=None,
        last_error=None,
        last_error_at=None,
        remedy=None,
        failures=0,
    )
)

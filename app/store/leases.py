"""Leases: which process does a feed, so that many may share the feeds and none does one twice.

A process keeps one row alive (`beat`), whatever it holds; a lease is its owner's as long as that
row lives, by the database's clock. Every change of hands raises the lease's token: whoever writes
under an older one is refused (`check`), however long it slept. Not here: who wants what (`feeds`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, or_, select, text, update

from app.store import tables
from app.store.feed_tables import LEASE, REPLICA

_NOW = {
    "sqlite": text("SELECT strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') AS now"),
    "postgresql": text("SELECT clock_timestamp() AS now"),
}


ACTING = "act:"
"""The names of replicas that share no feeds begin so: those there for one act, or to lead."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The lease called `name` as it was when work under it began."""

    name: str
    token: int


def now(connection: Connection) -> datetime:
    """The present moment by the database's clock, which all replicas share."""
    asked = _NOW[connection.dialect.name].columns(now=tables.UtcMoment())
    found: datetime = connection.execute(asked).scalar_one()
    return found


def beat(connection: Connection, replica: str, term: timedelta) -> int:
    """Keep `replica` alive for another `term`; answers how many live to share the work.

    Do it at half the term. Those whose names begin with `ACTING` are not counted. The rows of
    replicas that died long ago go.
    """
    at = now(connection)
    alive = update(REPLICA).where(REPLICA.c.id == replica).values(expires_at=at + term)
    if connection.execute(alive).rowcount == 0:
        connection.execute(insert(REPLICA).values(id=replica, expires_at=at + term))
    connection.execute(delete(REPLICA).where(REPLICA.c.expires_at < at - 100 * term))
    living = select(func.count()).where(
        REPLICA.c.expires_at > at, REPLICA.c.id.not_like(f"{ACTING}%")
    )
    return int(connection.execute(living).scalar_one())


def leave(connection: Connection, replica: str) -> None:
    """Give back all that `replica` holds, and end it: the others may take over at once."""
    connection.execute(update(LEASE).where(LEASE.c.owner == replica).values(owner=None))
    connection.execute(delete(REPLICA).where(REPLICA.c.id == replica))


def declare(connection: Connection, names: Collection[str]) -> None:
    """Make the leases called `names` where there are none yet."""
    known = set(connection.execute(select(LEASE.c.name)).scalars())
    for name in sorted(set(names) - known):
        connection.execute(_DECLARE, {"name": name})


def take(connection: Connection, replica: str, names: Collection[str], most: int) -> list[Fence]:
    """Take at most `most` of the leases `names` that nobody who lives holds."""
    if most <= 0 or not names:
        return []
    living = select(REPLICA.c.id).where(REPLICA.c.expires_at > now(connection))
    free = (
        select(LEASE.c.name)
        .where(LEASE.c.name.in_(names))
        .where(or_(LEASE.c.owner.is_(None), LEASE.c.owner.not_in(living)))
        .order_by(LEASE.c.name)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    taken = (
        update(LEASE)
        .where(LEASE.c.name.in_(list(connection.execute(free).scalars())))
        .values(owner=replica, token=LEASE.c.token + 1)
        .returning(LEASE.c.name, LEASE.c.token)
    )
    return [Fence(name, token) for name, token in connection.execute(taken)]


def release(connection: Connection, replica: str, names: Collection[str]) -> None:
    """Give back the leases called `names`, as far as `replica` holds them."""
    held = (LEASE.c.owner == replica) & LEASE.c.name.in_(names)
    connection.execute(update(LEASE).where(held).values(owner=None))


def held(connection: Connection, replica: str) -> list[Fence]:
    """What `replica` holds now."""
    rows = select(LEASE.c.name, LEASE.c.token).where(LEASE.c.owner == replica)
    return [Fence(name, token) for name, token in connection.execute(rows)]


def check(connection: Connection, fences: Iterable[Fence]) -> set[Fence]:
    """Those of `fences` that are stale: their lease changed hands, or is gone.

    Until the transaction ends none of the others can change hands: on PostgreSQL their rows are
    locked in shared mode, on SQLite the transaction that writes is the only one.
    """
    asked = set(fences)
    if not asked:
        return set()
    rows = (
        select(LEASE.c.name, LEASE.c.token)
        .where(LEASE.c.name.in_(sorted({fence.name for fence in asked})))
        .order_by(LEASE.c.name)
        .with_for_update(read=True)
    )
    valid = {Fence(name, token) for name, token in connection.execute(rows)}
    return asked - valid


_DECLARE = text("INSERT INTO lease (name, token) VALUES (:name, 0) ON CONFLICT (name) DO NOTHING")

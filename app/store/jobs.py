"""What one room asks of another: a row, done by whoever holds the source, its result kept.

Rooms of one floor never call each other; they meet here. Not here: what an action does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, insert, select, update

from app.store import tail
from app.store.feed_tables import JOB

KEPT: Final = 1000
"""Jobs that are over and remembered."""

OPEN: Final = ("queued", "running")

NO_SOURCE: Final = ""
"""The source of a job that is about none: a test of the alerts."""

QUARANTINE: Final = ":quarantine"
"""The source of a job that is about refused bodies; no source is called so."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job's row; every field is explained at `feed_tables.Job`."""

    id: str
    source: str
    action: str
    arguments: dict[str, Any]
    asked_by: str
    asked_at: datetime
    state: str = "queued"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    result: dict[str, Any] | None = None
    error: str | None = None


def ask(connection: Connection, job: Job) -> None:
    """Keep `job`; who can do it hears of it soon after the commit. Very old jobs go."""
    connection.execute(insert(JOB).values(asdict(job)))
    over = select(JOB.c.id).where(JOB.c.state.not_in(OPEN)).order_by(JOB.c.id.desc())
    oldest_kept = connection.execute(over.offset(KEPT).limit(1)).scalar()
    if oldest_kept is not None:
        old = and_(JOB.c.id <= oldest_kept, JOB.c.state.not_in(OPEN))
        connection.execute(delete(JOB).where(old))
    tail.wake(connection)


def one(connection: Connection, id_: str) -> Job | None:
    """The job `id_`; null where there is none."""
    found = connection.execute(select(JOB).where(JOB.c.id == id_)).mappings().first()
    return None if found is None else Job(**found)


def latest(connection: Connection, source: str, most: int) -> list[Job]:
    """The last jobs of `source`, at most `most`, newest first."""
    rows = select(JOB).where(JOB.c.source == source).order_by(JOB.c.id.desc()).limit(most)
    return [Job(**row) for row in connection.execute(rows).mappings()]


def waiting(connection: Connection, source: str) -> list[Job]:
    """The open jobs of `source` in the order they were asked for.

    One that runs was begun by a process that is no more, where whoever asks holds the source.
    """
    rows = select(JOB).where(JOB.c.state.in_(OPEN), JOB.c.source == source).order_by(JOB.c.id)
    return [Job(**row) for row in connection.execute(rows).mappings()]


def sources_with_open(connection: Connection) -> set[str]:
    """The sources that have open jobs."""
    rows = select(JOB.c.source).where(JOB.c.state.in_(OPEN)).distinct()
    return set(connection.execute(rows).scalars())


def begin(connection: Connection, id_: str, at: datetime) -> None:
    """Say that `id_` is being done."""
    connection.execute(update(JOB).where(JOB.c.id == id_).values(state="running", started_at=at))


def take(connection: Connection, id_: str, at: datetime) -> bool:
    """Begin `id_` where no lease says whose it is; false where another process was first."""
    this = and_(JOB.c.id == id_, JOB.c.state == "queued")
    taken = update(JOB).where(this).values(state="running", started_at=at)
    return connection.execute(taken).rowcount == 1


def advance(connection: Connection, id_: str, result: Mapping[str, Any]) -> bool:
    """Say how far `id_` has come; false where it is over: somebody stopped it."""
    this = update(JOB).where(JOB.c.id == id_).values(result=dict(result)).returning(JOB.c.state)
    return connection.execute(this).scalar() in OPEN


def stop(connection: Connection, id_: str, at: datetime, reason: str) -> bool:
    """End `id_` where it stands, for `reason`; false where it is over already."""
    this = and_(JOB.c.id == id_, JOB.c.state.in_(OPEN))
    values = {"state": "failed", "finished_at": at, "error": reason}
    return connection.execute(update(JOB).where(this).values(**values)).rowcount == 1


def finish(
    connection: Connection,
    id_: str,
    at: datetime,
    *,
    result: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> None:
    """Say how `id_` ended: done with its `result`, or failed for the reason `error`."""
    values: dict[str, Any] = {"finished_at": at, "error": error}
    values["state"] = "done" if error is None else "failed"
    values["result"] = None if result is None else dict(result)
    connection.execute(update(JOB).where(JOB.c.id == id_).values(**values))
    tail.wake(connection)

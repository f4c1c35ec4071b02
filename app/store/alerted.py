"""What each channel was told, when, and whether it arrived: the last of it, for people to see.

Not here: what is open and what is to be told (`alerts`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, delete, insert, select, update

from app.store.work_tables import ALERTED

KEPT: Final = 1000
"""Messages that are remembered."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to tell the message `id` to `channel`; `error`: why it did not arrive, or null.

    `event`: opened, cleared or test. `source`: null where it is of none.
    """

    channel: str
    id: str
    event: str
    source: str | None
    severity: str
    text: str
    at: datetime
    error: str | None


@dataclass(frozen=True, slots=True)
class Alerted:
    """A message's row; every field is explained at `work_tables.Alerted`."""

    channel: str
    id: str
    event: str
    source: str | None
    severity: str
    text: str
    begun_at: datetime
    tried_at: datetime
    told_at: datetime | None
    attempts: int
    error: str | None


def note(connection: Connection, attempt: Attempt) -> None:
    """Keep what came of `attempt`: one row a message and channel. Very old ones go."""
    told_at = attempt.at if attempt.error is None else None
    what = {"tried_at": attempt.at, "told_at": told_at, "error": attempt.error}
    row = ALERTED.c
    this = and_(row.channel == attempt.channel, row.id == attempt.id)
    again = update(ALERTED).where(this).values(**what, attempts=row.attempts + 1)
    if connection.execute(again).rowcount:
        return
    first = {name: value for name, value in asdict(attempt).items() if name != "at"}
    values = {**first, **what, "begun_at": attempt.at, "attempts": 1}
    connection.execute(insert(ALERTED).values(values))
    newest = select(row.begun_at).order_by(row.begun_at.desc())
    oldest_kept = connection.execute(newest.offset(KEPT - 1).limit(1)).scalar()
    if oldest_kept is not None:
        connection.execute(delete(ALERTED).where(row.begun_at < oldest_kept))


def latest(connection: Connection, most: int) -> list[Alerted]:
    """The last messages, at most `most`, those that were begun last first."""
    rows = select(ALERTED).order_by(ALERTED.c.begun_at.desc(), ALERTED.c.id, ALERTED.c.channel)
    return [Alerted(**row) for row in connection.execute(rows.limit(most)).mappings()]

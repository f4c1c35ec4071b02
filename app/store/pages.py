"""A page of a feed as a unit of the log: its entries, its cursor and its fence, all or nothing.

Not here: reading a page (`sources`), turning a feed (`feeds`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from app import errors
from app.store import append, feeds, leases, quarantine


class StaleFence(errors.ListenerError):
    """Another process has taken over; nothing was written."""


@dataclass(frozen=True, slots=True)
class Page:
    """What is committed beside the entries of a unit.

    `cursor`: where `feed` goes on once they are in the log (null: where it was); where there are
    entries and all were known, it stays where it was. `fallbacks`: one quarantine row an entry, for
    entries the database refuses.
    """

    feed: str
    cursor: Mapping[str, Any] | None
    fence: leases.Fence
    at: datetime
    fallbacks: tuple[quarantine.Hold, ...] = ()


def advance(connection: Connection, page: Page, outcomes: Sequence[append.Decision | str]) -> None:
    """Move the cursor with the rows, in their transaction (law 5), and count what they became."""
    appended = sum(isinstance(outcome, append.New) for outcome in outcomes)
    held = sum(isinstance(outcome, str) for outcome in outcomes)
    moves = appended or held or not outcomes
    feeds.advance(
        connection,
        page.feed,
        page.cursor if moves else None,
        len(outcomes) - appended - held,
        page.at,
        appended=appended,
        quarantined=held,
    )

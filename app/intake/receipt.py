"""What became of an arrival: the expected outcomes, matched exhaustively by who asked."""

from __future__ import annotations

from dataclasses import dataclass

from app.notifications import notification as canonical


@dataclass(frozen=True, slots=True)
class Appended:
    """A new row of the log."""

    seq: int
    id: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """Known already; counted as a sighting of `id`."""

    seq: int
    id: str


@dataclass(frozen=True, slots=True)
class Conflicted:
    """A new row whose event id was known with other content; `conflict_of` is the earlier id."""

    seq: int
    id: str
    conflict_of: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Refused and kept: quarantine row `id`."""

    id: str
    refusal: canonical.Refusal


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A feed shows what it showed before, without an event id or unreadable: nothing to keep."""


Released = Appended | Repeated | Conflicted
Receipt = Released | Quarantined
"""What becomes of a push."""

EntryReceipt = Receipt | Unchanged
"""What becomes of an entry of a feed."""

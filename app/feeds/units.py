"""A page as it is committed: parts of at most 500 entries or 1 MB, each with the cursor it covers.

Pure. Not here: reading a page (its kind), committing a part (`intake`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from app import errors
from app.sources import base

ENTRIES: Final = 500
BYTES: Final = 1_000_000


@dataclass(slots=True)
class Unit:
    """Entries to commit together. `cursor`: where to go on after them (null: where it was).

    `end` is the page's, with its last unit.
    """

    entries: list[base.Entry] = field(default_factory=list)
    cursor: base.Cursor | None = None
    end: base.PageEnd | None = None
    size: int = 0

    def add(self, entry: base.Entry) -> None:
        """Take one more entry."""
        self.entries.append(entry)
        self.size += len(entry.body)
        if entry.cursor is not None:
            self.cursor = entry.cursor

    def fits(self, entry: base.Entry) -> bool:
        """Whether `entry` has a place here; an empty unit takes one of any size."""
        full = len(self.entries) >= ENTRIES or self.size + len(entry.body) > BYTES
        return not self.entries or not full


def cut(parts: Iterator[base.Entry | base.PageEnd]) -> Iterator[Unit]:
    """The units of a page, in order; the last one has the page's end.

    What was whole before `parts` raised is given first. Raises what `parts` raises, and
    `errors.SenderFault` for a page without an end.
    """
    unit = Unit()
    try:
        for part in parts:
            if isinstance(part, base.PageEnd):
                unit.cursor, unit.end = part.cursor, part
                yield unit
                return
            if not unit.fits(part):
                yield unit
                unit = Unit()
            unit.add(part)
    except Exception:
        if unit.entries and unit.cursor is not None:
            yield unit
        raise
    raise errors.SenderFault("the page has no end")

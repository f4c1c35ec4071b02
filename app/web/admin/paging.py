"""Keyset paging of the admin lists: what may be asked, and the page that is given out.

Not here: what a cursor is (`store.cursors`); it carries the epoch, and one of another epoch is
answered 410/70 with the head to start from (law 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Query

from app.sources import base
from app.store import cursors

MOST: Final = 500
USUAL: Final = 50
PRINTABLE: Final = r"^[^\x00-\x1f\x7f]+$"

Source = Annotated[str | None, Query(pattern=base.NAME_PATTERN)]
Wanted = Annotated[str, Query(min_length=1, max_length=255, pattern=PRINTABLE)]
Identifier = Annotated[str, Path(alias="id")]


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is asked for: at most `limit` rows, after the cursor `after`."""

    limit: int
    after: str | None


def _asked(
    limit: Annotated[int, Query(ge=1, le=MOST)] = USUAL,
    after: Annotated[str | None, Query(max_length=256, pattern=r"^[A-Za-z0-9_-]+$")] = None,
) -> Page:
    return Page(limit, after)


Asked = Annotated[Page, Depends(_asked)]


def page(rows: Sequence[dict[str, Any]], limit: int, epoch: str, *, by: str) -> dict[str, Any]:
    """The page to give out; `rows` are `limit` + 1 where there are more, `by` names their place."""
    items = list(rows[:limit])
    more = len(rows) > limit
    return {"items": items, "next": cursors.encode(epoch, items[-1][by]) if more else None}

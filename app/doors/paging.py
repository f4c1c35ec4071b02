"""Keyset paging of the lists: what may be asked, and the page that is given out.

Not here: what a cursor is (`store.cursors`); it carries the epoch, and one of another epoch is
answered 410/70 with the head to start from (law 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from app.doors import deps
from app.sources import base
from app.store import cursors

MOST: Final = 500
USUAL: Final = 50
PRINTABLE: Final = r"^[^\x00-\x1f\x7f]+$"

Source = Annotated[str | None, Field(pattern=base.NAME_PATTERN)]
Wanted = Annotated[str, Field(min_length=1, max_length=255, pattern=PRINTABLE)]
"""An identifier somebody looks for."""


def _storable(text: str) -> str:
    """PostgreSQL has no NUL in a text, so there is no row of such an id either."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


Identifier = Annotated[str, AfterValidator(_storable)]
"""The id of a row, in the path."""


def digits(value: object) -> object:
    """`value`, unless it is a text of anything but digits. Raises ValueError."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("expected digits")
    return value


class Page(deps.Parameters):
    """What part of a list is asked for: at most `limit` rows, after the cursor `after`."""

    limit: Annotated[int, BeforeValidator(digits), Field(ge=1, le=MOST)] = USUAL
    after: Annotated[str | None, Field(max_length=256, pattern=r"^[A-Za-z0-9_-]+$")] = None


def place(asked: Page, epoch: str, head: int) -> int | None:
    """The place in the log to go on from; null for the beginning.

    Raises `errors.InvalidParameter` and `errors.Gone` as `cursors.decode` does.
    """
    return None if asked.after is None else cursors.decode(asked.after, epoch, head)


def identifier(asked: Page, epoch: str) -> str | None:
    """The row to go on from, in a list ordered by id; null for the beginning. Raises as `place`."""
    return None if asked.after is None else cursors.decode_id(asked.after, epoch)


def page(rows: Sequence[dict[str, Any]], limit: int, epoch: str, *, by: str) -> dict[str, Any]:
    """The page to give out; `rows` are `limit` + 1 where there are more, `by` names their place."""
    items = list(rows[:limit])
    more = len(rows) > limit
    return {"items": items, "next": cursors.encode(epoch, items[-1][by]) if more else None}

"""How Covage's list is gone through: sorted by creation_date, from one sort_value to the next.

Pure. The cursor: `after` (where the next request starts: [time, sort_value] or null), `top` (how
far this turn has come), `sort` and `sort_value` with `at` (the newest event ever read), `marks`
(older sort values that were really sent), `began` (what was newest when this turn began, the time
of the newest after its first page, whether the clock tells: see `_began`), `floor` (nothing is
read before it), `page` (the first event of the last page), `size` (while a group of equal times
outgrows a page), `from` (a day: events before it are left out), `first_pass`, `object` (of a
history of its own).

The last group of equal times of a page is read again, a short page is no end, and each turn starts
a look-back before the newest event, for events are committed late. Where more than one page of a
turn brought something newer it starts before what was newest then: between two pages hours may have
passed (an operator that was down, a process that was killed), and what was committed late in them
lies behind the second. Source: DESIGN §8.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from app import errors
from app.notifications import timestamps
from app.notifications.notification import rfc3339
from app.sources import base, paging
from app.sources.paging import Mark

SORT: Final = "creation_date"
MOST_EQUAL: Final = 10_000
"""Events of one time that are asked for in one page."""


def time_of(text: Any, zone: ZoneInfo) -> str | None:
    """A time as RFC 3339 in UTC, which sorts as text; null where `text` is none."""
    if not isinstance(text, str):
        return None
    time = timestamps.read(text, pulled=True)
    moment = time.at(zone)[0] if time is not None else None
    return rfc3339(moment) if moment is not None else None


def mark_of(event: Any, zone: ZoneInfo) -> Mark | None:
    """The sort value of an event and the time it stands for; null where it has none to go by.

    The time is the one inside the sort value, else the creation_date.
    """
    if not isinstance(event, dict):
        return None
    value = event.get("sort_value")
    if not isinstance(value, str) or not value:
        return None
    at = _inside(value, zone) or time_of(event.get(SORT), zone)
    return Mark(at, value) if at is not None else None


def _inside(sort_value: str, zone: ZoneInfo) -> str | None:
    """The time in a sort value: base64 of a JSON array that holds it (wire.md §5)."""
    try:
        held = json.loads(base64.b64decode(sort_value, validate=True))
    except (ValueError, RecursionError):
        return None
    return time_of(held[0], zone) if isinstance(held, list) and held else None


def mark_in(value: Any) -> Mark | None:
    """A mark as a cursor keeps it: [time, sort_value]."""
    return Mark(str(value[0]), str(value[1])) if value else None


def written(mark: Mark | None) -> list[str] | None:
    """A mark as a cursor keeps it."""
    return [mark.at, mark.sort_value] if mark is not None else None


def reach_of(cursor: Mapping[str, Any], look_back: timedelta) -> paging.Reach:
    """What is to follow a page that was asked for with `cursor`."""
    return paging.Reach(look_back, [Mark(at, value) for at, value in cursor.get("marks", ())])


def check(cursor: Mapping[str, Any], mark: Mark) -> None:
    """Raise `errors.SenderFault` where `mark` shows that the page is the one before again."""
    if mark.sort_value == cursor.get("page"):
        raise errors.SenderFault(
            "the page does not advance: events before the one named in `after` came again"
        )


def following(
    cursor: Mapping[str, Any], reach: paging.Reach, count: int, size: int, now: datetime
) -> tuple[base.Cursor, bool]:
    """The cursor after a page of `count` events of the `size` asked for, and whether to go on.

    Raises `errors.SenderFault` where the feed cannot be gone through.
    """
    newest = reach.newest
    if newest is None:
        if count:
            raise errors.SenderFault(
                f"none of the {count} events of the page has a sort_value to go on from"
            )
        return at_rest(cursor, reach), False
    if reach.falls:
        raise errors.SenderFault("the newest event comes first, though direction=asc was asked for")
    top = cursor.get("top", "")
    full = count >= size
    if newest.at > top or (full and newest.at < top and reach.before is not None):
        return _advanced(cursor, reach, newest, now), True
    if full and reach.before is None:
        return _widened(cursor, size, newest), True
    return at_rest(_newest(cursor, newest), reach), False


def _advanced(
    cursor: Mapping[str, Any], reach: paging.Reach, newest: Mark, now: datetime
) -> base.Cursor:
    """On to the group before the newest one, so that the newest is read whole."""
    gone = {"size", "page"}
    on = {key: value for key, value in _newest(cursor, newest).items() if key not in gone}
    on["top"] = max(newest.at, cursor.get("top", ""))
    settled = newest.at <= reach.since(Mark(rfc3339(now), ""))
    on["began"] = _began(cursor, newest if settled else None, on["at"])
    marks = reach.marks(min(newest, mark_in(on["began"][0]) or newest))
    on["marks"] = [written(mark) for mark in marks]
    before, after = reach.before, mark_in(cursor.get("after"))
    if before is not None and (after is None or before.at > after.at):
        on["after"] = written(before)
        if reach.oldest is not None and reach.oldest.at < before.at:
            on["page"] = reach.oldest.sort_value
    return on


def newest_of(cursor: Mapping[str, Any]) -> Mark | None:
    """The newest event ever read; null where none was."""
    return Mark(cursor["at"], cursor["sort_value"]) if "at" in cursor else None


def _began(cursor: Mapping[str, Any], settled: Mark | None, at: str) -> list[Any]:
    """What the next look-back is counted from, should this turn need more pages for what is new.

    That is what was newest when it began; of a turn that began with nothing read, the last page
    that was older than a look-back when it came (`settled`). `at`: the newest event's time now.
    """
    known = newest_of(cursor)
    began: list[Any] = cursor.get("began") or [written(known), at, known is None]
    return [written(settled), at, True] if began[2] and settled is not None else began


def _looked_back_from(cursor: Mapping[str, Any], newest: Mark) -> Mark | None:
    """The event a look-back starts before; null: it starts at the beginning."""
    began = cursor.get("began")
    return newest if began is None or began[1] == newest.at else mark_in(began[0])


def _newest(cursor: Mapping[str, Any], newest: Mark) -> base.Cursor:
    """`cursor` with the newest event ever read."""
    if newest.at <= cursor.get("at", ""):
        return dict(cursor)
    return {**cursor, "sort": SORT, "sort_value": newest.sort_value, "at": newest.at}


def _widened(cursor: Mapping[str, Any], size: int, newest: Mark) -> base.Cursor:
    """The page was full of events of one time: ask for more of them at once."""
    if size >= MOST_EQUAL:
        raise errors.SenderFault(
            f"the page does not advance: {size} events have the creation_date {newest.at}"
        )
    return {**cursor, "size": min(size * 2, MOST_EQUAL)}


def at_rest(cursor: Mapping[str, Any], reach: paging.Reach) -> base.Cursor:
    """The cursor of a feed that is dry: the next turn starts a look-back before the newest."""
    gone = {"top", "size", "page", "first_pass", "began"}
    kept = {key: value for key, value in cursor.items() if key not in gone}
    starts = [mark for mark in (mark_in(kept.get("floor")),) if mark is not None]
    newest = newest_of(kept)
    if newest is not None:
        anchor = _looked_back_from(cursor, newest)
        since = reach.since(anchor) if anchor is not None else ""
        marks = reach.marks(anchor or newest)
        starts += [mark for mark in marks if mark.at <= since]
        kept["marks"] = [written(mark) for mark in marks]
    return kept | {"after": written(max(starts, default=None))}

"""The drawn timeline of an order: where each notification stands, in event and in arrival time.

Pure: numbers for an SVG, which the template writes. Each notification is a line from when it
happened (above) to when it came (below): a steep line came at once, a slanted one late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from app.ui import words

WIDTH: Final = 1000.0
LEFT: Final = 20.0
APART: Final = 120.0
SAME: Final = 10.0
"""Units of the drawing; labels stand at least `APART` from each other; of those nearer than
`SAME`, which say the same moment, the last is shown."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One notification: x of its event time and of its arrival; `label` where there is room."""

    id: str
    happened: float
    came: float
    tone: str
    pull: bool
    title: str
    label: str


@dataclass(frozen=True, slots=True)
class Figure:
    """The whole drawing, from `begins` to `ends`."""

    marks: tuple[Mark, ...]
    begins: datetime
    ends: datetime


def timeline(entries: Sequence[Mapping[str, Any]]) -> Figure | None:
    """The drawing of a story's `timeline`; null where nothing was told."""
    if not entries:
        return None
    moments = [m for e in entries for m in (_happened(e), e["received_at"])]
    begins, ends = min(moments), max(moments)
    span = max((ends - begins).total_seconds(), 1.0)

    def x(moment: datetime) -> float:
        return round(LEFT + (moment - begins).total_seconds() / span * (WIDTH - 2 * LEFT), 1)

    marks: list[Mark] = []
    labelled = -1
    for entry in entries:
        place, label = x(_happened(entry)), words.spaced(entry["state"] or "")
        beside = place - marks[labelled].happened if labelled >= 0 else APART
        if label and beside < SAME:
            marks[labelled] = replace(marks[labelled], label="")
        shown = label if beside < SAME or beside >= APART else ""
        marks.append(_mark(entry, place, x(entry["received_at"]), shown))
        if shown:
            labelled = len(marks) - 1
    return Figure(tuple(marks), begins, ends)


def _happened(entry: Mapping[str, Any]) -> datetime:
    moment: datetime = entry["occurred_at"] or entry["received_at"]
    return moment


def _mark(entry: Mapping[str, Any], happened: float, came: float, label: str) -> Mark:
    told = words.spaced(entry["kind"])
    if entry["state"]:
        told += f": {words.spaced(entry['state'])}"
    return Mark(
        id=entry["notification_id"],
        happened=happened,
        came=came,
        tone=words.tone(entry["attention"] or entry["state"]),
        pull=entry["channel"] == "pull",
        title=f"{told}, {words.utc(_happened(entry))}, by {entry['channel']}",
        label=label,
    )

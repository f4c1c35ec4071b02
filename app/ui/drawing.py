"""`draw`: the story of an order as a picture (SVG): lanes, one below the other, over time.

Pure: an `Order`, the commands sent for it and the orders beside it in, text out; every text in it
is escaped by the serialiser. It bears no style of its own (the policy of the pages forbids that):
classes say what things are. Not here: what lasted from when to when (`spans`).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final
from xml.etree import ElementTree as ET

from app.notifications.notification import Kind, Origin
from app.orders import order as orders
from app.store import commands
from app.ui import spans, words

NARROW: Final = 600
"""Below this width the names of lanes stand above them, not beside them."""

GUTTER: Final = 118
EDGE: Final = 12
LETTER: Final = 6.3
"""Pixels: of the names beside the lanes, at the edges, of a letter at the most."""

MOST: Final = 400
"""Entries that are drawn at the most, the newest; the table tells of all."""
MOST_ROWS: Final = 8
"""Rows of one sort at the most: of items, of attention, of orders beside."""

SHAPES: Final[Mapping[Kind, str]] = MappingProxyType({
    Kind.CREATED: "circle", Kind.STATE_CHANGED: "circle",
    Kind.CANCEL_CREATED: "diamond", Kind.CANCEL_STATE_CHANGED: "diamond",
    Kind.CANCEL_INFORMATION_REQUIRED: "triangle", Kind.INFORMATION_REQUIRED: "triangle",
    Kind.JEOPARDY: "triangle", Kind.ERROR_MESSAGE: "triangle", Kind.MILESTONE: "diamond",
    Kind.REMOVED: "cross", Kind.ITEM_STATE_CHANGED: "dot", Kind.VALUE_CHANGED: "dot",
    Kind.NOTE: "dot", Kind.OTHER: "dot",
})  # fmt: skip
"""How an entry is marked, by its kind."""

_PATHS: Final = MappingProxyType(
    {
        "circle": "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z",
        "dot": "M-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0z",
        "diamond": "M0,-6L6,0L0,6L-6,0z",
        "triangle": "M0,-6L6,5L-6,5z",
        "cross": "M-5,-5L5,5M-5,5L5,-5",
        "square": "M-4,-4H4V4H-4z",
    }
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is to draw: `closed` as in `spans.attention`; `beside`: the linked orders."""

    order: orders.Order
    now: datetime
    sent: Sequence[commands.Command] = ()
    closed: Mapping[str, datetime] = field(default_factory=dict)
    beside: Sequence[orders.Order] = ()


def draw(scene: Scene, *, width: int) -> str:
    """The picture of `scene`, `width` px wide, as an `<svg>` element; times in it are UTC."""
    left = EDGE if width < NARROW else GUTTER
    right = width - (EDGE if not scene.order.final else EDGE + 60)
    scale = Scale(_moments(scene), left, right)
    brush = _Brush(scale, left, width - EDGE)
    lanes = [lane for lane in _lanes(scene, brush) if lane.rows]
    above = 16 if width < NARROW else 0
    y = 30.0
    drawn = []
    for lane in lanes:
        drawn.append(lane.placed(y, above))
        y += above + lane.height + 12
    name = f"course-{width}"
    picture = ET.Element(
        "svg",
        {
            "class": f"course {'narrow' if width < NARROW else 'wide'}",
            "viewBox": f"0 0 {width} {y:.0f}",
            "role": "img",
            "aria-labelledby": f"{name} {name}-more",
        },
    )
    title = f"The course of order {scene.order.order_id} at {scene.order.source}"
    _text(picture, "title", title, id=name)
    _text(picture, "desc", _told(scene.order), id=f"{name}-more")
    picture.extend(_ticks(scale, y))
    picture.extend(drawn)
    return ET.tostring(picture, encoding="unicode", short_empty_elements=False)


class Scale:
    """Where a moment stands between `left` and `right`: wide where much happened.

    Between two moments that something happened at, time runs evenly; what lies between them takes
    its share by the logarithm of how long it lasted.
    """

    def __init__(self, moments: Iterable[datetime], left: float, right: float) -> None:
        self.moments: Final = sorted(set(moments))
        shares = [0.0]
        for earlier, later in zip(self.moments, self.moments[1:], strict=False):
            lasted = (later - earlier).total_seconds()
            shares.append(shares[-1] + 0.6 + math.log1p(lasted / 60))
        whole = shares[-1] or 1.0
        self._places: Final = [left + (right - left) * share / whole for share in shares]

    def x(self, moment: datetime) -> float:
        """The place of `moment`; those outside stand at the ends."""
        after = bisect_right(self.moments, moment)
        if after == 0:
            return self._places[0]
        if after == len(self.moments):
            return self._places[-1]
        start, end = self.moments[after - 1], self.moments[after]
        part = (moment - start) / (end - start)
        return self._places[after - 1] + part * (self._places[after] - self._places[after - 1])


@dataclass(slots=True)
class _Lane:
    """Rows of one sort, each `row` px high, under one name."""

    name: str
    row: int
    left: float
    rows: list[list[ET.Element]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @property
    def height(self) -> int:
        return self.row * len(self.rows)

    def placed(self, y: float, above: int) -> ET.Element:
        """The lane at `y`, with its name `above` px higher than its rows, or beside them."""
        group = _element("g", "lane", transform=f"translate(0,{y:.0f})")
        for n, name in enumerate(self.names or [self.name]):
            if above and n:
                break
            x, at = (self.left, 11) if above else (0, self.row * n + self.row / 2 + 4)
            shown = self.name if above else _cut(name, GUTTER - 10)
            _text(group, "text", shown, class_="name", x=_px(x), y=_px(at))
        for n, row in enumerate(self.rows):
            inner = _element("g", "", transform=f"translate(0,{above + n * self.row})")
            inner.extend(row)
            group.append(inner)
        return group


@dataclass(frozen=True, slots=True)
class _Brush:
    """Draws spans and marks over the line of time; what has no end goes on to `right`."""

    scale: Scale
    left: float
    right: float

    def band(self, span: spans.Span, height: int, *, label: str | None = None) -> ET.Element:
        x = self.scale.x(span.start)
        end = self.right if span.end is None else self.scale.x(span.end)
        wide = max(end - x, 4.0)
        x = min(x, self.right - wide)
        group = _element("g", f"band {words.tone(span.word)}{' open' if span.end is None else ''}")
        if span.word == "void":
            group.set("class", "band void")
        _text(group, "title", _lasted(span))
        box = {"x": _px(x), "y": "1", "width": _px(wide), "height": str(height - 2), "rx": "3"}
        ET.SubElement(group, "rect", box)
        shown = label or words.spaced(span.word)
        if len(shown) * LETTER + 8 <= wide:
            _text(group, "text", shown, x=_px(x + 5), y=_px(height / 2 + 4))
        return group

    def mark(self, shape: str, at: datetime, y: float, class_: str, title: str) -> ET.Element:
        place = f"translate({self.scale.x(at):.1f},{y:.1f})"
        group = _element("g", f"mark {class_}", transform=place)
        _text(group, "title", title)
        ET.SubElement(group, "path", {"d": _PATHS[shape]})
        return group

    def packed(self, found: Sequence[spans.Span], height: int) -> list[list[ET.Element]]:
        """The bands of `found`, in as few rows as they fit in without touching."""
        rows: list[list[ET.Element]] = []
        ends: list[float] = []
        for span in found:
            x = self.scale.x(span.start)
            end = self.right if span.end is None else max(self.scale.x(span.end), x + 4)
            row = next((n for n, taken in enumerate(ends) if taken <= x), len(ends))
            if row == MOST_ROWS:
                continue
            if row == len(ends):
                ends.append(0.0)
                rows.append([])
            ends[row] = end + 2
            rows[row].append(self.band(span, height))
        return rows


def _lanes(scene: Scene, brush: _Brush) -> Iterator[_Lane]:
    order = scene.order
    yield _lane("State", 24, brush, [[brush.band(each, 24) for each in spans.states(order)]])
    yield _lane("Told", 64, brush, [list(_entries(order, brush))])
    opened = spans.attention(order, scene.closed)
    yield _lane("Attention", 18, brush, brush.packed(opened, 18))
    yield _lane("Appointments", 18, brush, brush.packed(spans.visits(order), 18))
    told = list(spans.items(order).items())[:MOST_ROWS]
    yield _named("Items", [(f"Item {name}", bands) for name, bands in told], brush)
    sent = [brush.mark(*_sent(each)) for each in scene.sent]
    yield _lane("Commands", 20, brush, [sent] if sent else [])
    others = [(f"{each.source} {each.order_id}", spans.states(each)) for each in scene.beside]
    yield _named("Linked", others[:MOST_ROWS], brush)


def _lane(name: str, row: int, brush: _Brush, rows: list[list[ET.Element]]) -> _Lane:
    return _Lane(name, row, brush.left, [each for each in rows if each])


def _named(name: str, found: Sequence[tuple[str, list[spans.Span]]], brush: _Brush) -> _Lane:
    """A lane of a row each, which bears a name of its own."""
    full = [(each, bands) for each, bands in found if bands]
    rows = []
    for each, bands in full:
        row = [brush.band(span, 18) for span in bands]
        for group in row:
            title = group.find("title")
            if title is not None:
                title.text = f"{each}: {title.text}"
        rows.append(row)
    return _Lane(name, 18, brush.left, rows, [each for each, _ in full])


def _entries(order: orders.Order, brush: _Brush) -> Iterator[ET.Element]:
    """Every entry twice: above when it occurred, below when it reached us, joined by a line."""
    shown = order.timeline[-MOST:]
    for entry in shown:
        yield _joint(entry, brush)
    for entry in shown:
        title = _said(entry)
        colour = words.tone(entry.attention or entry.state or entry.kind)
        whose = " own" if entry.origin is Origin.SELF else ""
        undated = " undated" if entry.occurred_at is None else ""
        yield brush.mark(
            SHAPES[entry.kind], spans.moment(entry), 10, f"{colour}{whose}{undated}", title
        )
        yield brush.mark(
            "square" if entry.channel == "pull" else "circle",
            entry.received_at, 52, f"calm small{whose}", title,
        )  # fmt: skip


def _joint(entry: orders.Entry, brush: _Brush) -> ET.Element:
    odd = next((flag for flag in ("out_of_order", "late") if flag in entry.flags), "")
    odd = odd or ("undated" if entry.occurred_at is None else "")
    x1 = brush.scale.x(spans.moment(entry))
    x2 = brush.scale.x(entry.received_at)
    return _element("line", f"joint {odd}", x1=_px(x1), y1="16", x2=_px(x2), y2="47")


def _sent(command: commands.Command) -> tuple[str, datetime, float, str, str]:
    """How a command is marked: the shape, when, at which height, its classes, its title."""
    at = command.attempted_at or command.asked_at
    told = f"{command.command}, {command.state}: {words.utc(at)}"
    return "diamond", at, 10.0, f"{words.tone(command.state)} own", told


def _moments(scene: Scene) -> list[datetime]:
    """Every moment the line of time must reach."""
    order = scene.order
    found = [scene.now] if not order.final else []
    for entry in order.timeline[-MOST:]:
        found += [spans.moment(entry), entry.received_at]
    for visit in spans.visits(order):
        found += [visit.start, visit.end or visit.start]
    found += [each.attempted_at or each.asked_at for each in scene.sent]
    found += [span.start for each in scene.beside for span in spans.states(each)]
    if len(set(found)) == 1:
        found.append(found[0] + timedelta(minutes=1))
    return found


def _ticks(scale: Scale, bottom: float) -> Iterator[ET.Element]:
    """A line and a time wherever there is room for one; the first and the last always."""
    first, last = scale.moments[0], scale.moments[-1]
    form = "%-d %b %H:%M:%S" if last - first < timedelta(hours=1) else "%-d %b %H:%M"
    room, taken = 100.0, scale.x(first)
    yield _tick(first, scale.x(first), bottom, "start", form)
    for moment in scale.moments[1:-1]:
        x = scale.x(moment)
        if x - taken >= (room * 1.5 if taken == scale.x(first) else room):
            if scale.x(last) - x < room * 1.5:
                break
            taken = x
            yield _tick(moment, x, bottom, "middle", form)
    yield _tick(last, scale.x(last), bottom, "end", form)


def _tick(moment: datetime, x: float, bottom: float, anchor: str, form: str) -> ET.Element:
    group = _element("g", "tick")
    ET.SubElement(group, "line", {"x1": _px(x), "x2": _px(x), "y1": "20", "y2": _px(bottom)})
    told = moment.astimezone(UTC).strftime(form)
    _text(group, "text", told, x=_px(x), y="13", text_anchor=anchor)
    return group


def _said(entry: orders.Entry) -> str:
    """An entry in a line, for whoever points at its mark."""
    told = [words.spaced(entry.kind)]
    told += [words.spaced(word) for word in (entry.state, entry.attention) if word]
    happened = ", when it happened was not told"
    if entry.occurred_at is not None:
        happened = f", happened {words.utc(entry.occurred_at)}"
    odd = f" ({', '.join(map(words.spaced, entry.flags))})" if entry.flags else ""
    by = f"{entry.source} by {entry.channel}"
    return f"{' · '.join(told)}: {by}{happened}, received {words.utc(entry.received_at)}{odd}"


def _lasted(span: spans.Span) -> str:
    until = "still" if span.end is None else f"to {words.utc(span.end)}"
    note = f", {span.note}" if span.note else ""
    return f"{words.spaced(span.word)}: {words.utc(span.start)} {until}{note}"


def _told(order: orders.Order) -> str:
    """The picture in words; the table tells it entry by entry."""
    through = ", ".join(words.spaced(span.word) for span in spans.states(order)) or "no state told"
    return f"{order.count} notifications. States: {through}. The table below tells the same."


def _cut(name: str, room: float) -> str:
    most = int(room / LETTER)
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _element(tag: str, class_: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {"class": class_, **attributes} if class_ else attributes)


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    ET.SubElement(parent, tag, named).text = text


def _px(value: float) -> str:
    return f"{value:.1f}"

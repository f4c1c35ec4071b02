"""What the commands show: tables, colours that mean something, JSON for machines, failures.

Answers go to stdout, everything said about them to stderr; NO_COLOR and pipes are honoured (rich
does both). Green is done, yellow wants a look, red failed, dim is beside the point.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from app.cli import failure
from app.notifications import notification as canonical

STYLES = {
    "completed": "green",
    "released": "green",
    "active": "green",
    "failed": "red",
    "rejected": "red",
    "partial": "yellow",
    "held": "yellow",
    "open": "yellow",
    "alarm": "red",
    "buyer_action": "yellow",
    "follow_up": "yellow",
    "conflict": "red",
    "cancelled": "dim",
    "discarded": "dim",
    "revoked": "dim",
    "expired": "dim",
}
"""The colour a word has wherever it is shown."""

TIME = "%Y-%m-%d %H:%M:%SZ"
"""Times in tables: UTC, to the second."""


@dataclass(frozen=True, slots=True)
class Word:
    """A cell whose colour is not that of its word."""

    value: Any
    style: str


def answers() -> Console:
    """The console of the answer: stdout."""
    return Console(highlight=False, soft_wrap=True)


def remarks() -> Console:
    """The console of everything said about the answer: stderr."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def plain(value: Any) -> Any:
    """`value` with times as RFC 3339 text and bytes as text: what JSON and a cell can hold."""
    match value:
        case datetime():
            return canonical.rfc3339(value)
        case StrEnum():
            return value.value
        case bytes():
            return value.decode("utf-8", errors="replace")
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _:
            return value


def json_line(value: Any) -> None:
    """One JSON document on one line of stdout."""
    answers().print(
        json.dumps(plain(value), ensure_ascii=False, default=str), markup=False, emoji=False
    )


def cell(value: Any) -> Text:
    """One cell: `-` for nothing, yes and no, times to the second, the colour of its word."""
    match value:
        case Word():
            return Text(str(value.value), style=value.style)
        case None | "":
            return Text("-", style="dim")
        case dict() | list() | tuple() if not value:
            return Text("-", style="dim")
        case bool():
            return Text("yes" if value else "no")
        case datetime():
            return Text(value.strftime(TIME))
        case _:
            shown = _printable(str(plain(value)))
            return Text(shown, style=STYLES.get(shown, ""))


def _printable(text: str) -> str:
    """`text` without what could move a terminal's cursor or change its colours."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Sequence[str] = ()
) -> None:
    """An aligned table on stdout; columns named in `numbers` are set to the right.

    Nothing is cut or broken, for ids are there to be copied: the last column may be long, and a
    narrow terminal breaks the lines itself.
    """
    titles = [Text(name.replace("_", " "), style="bold") for name in columns]
    lines = [titles, *([cell(value) for value in row] for row in rows)]
    widths = [max(each.cell_len for each in column) for column in zip(*lines, strict=True)]
    for line in lines:
        for name, each, width in zip(columns, line, widths, strict=True):
            each.align("right" if name in numbers else "left", width)
        whole = Text("  ").join(line)
        whole.rstrip()
        answers().print(whole)


Line = tuple[Sequence[Any], Iterable[str]]
"""A line of a list: its values, and words in their colours after them."""


def listing(columns: Mapping[str, int], known: Sequence[Line], coming: Iterable[Line] = ()) -> None:
    """A list on stdout whose lines need not wait for the last: those `known`, then those `coming`.

    `columns`: the least width of each by its name. They are as wide as what is known needs; a
    longer value moves the rest of its line, for nothing is cut.
    """
    cells = [[cell(value) for value in values] for values, _ in known]
    widths = [
        max(least, len(name), *(each[n].cell_len for each in cells))
        for n, (name, least) in enumerate(columns.items())
    ]
    for n, (values, words) in enumerate(itertools.chain(known, coming)):
        if n == 0:
            titles = [Text(name, style="bold") for name in columns]
            _aligned(titles, widths, Text("remarks", style="bold"))
        said = Text(" ").join(cell(word) for word in words)
        _aligned([cell(value) for value in values], widths, said)


def _aligned(cells: Iterable[Text], widths: Iterable[int], last: Text) -> None:
    whole = Text()
    for each, width in zip(cells, widths, strict=True):
        each.pad_right(max(width - each.cell_len, 0))
        whole.append_text(each).append("  ")
    whole.append_text(last).rstrip()
    answers().print(whole)


def blank() -> None:
    """An empty line on stdout."""
    answers().print()


def point(mark: str, moment: datetime, words: Iterable[str]) -> None:
    """A point on a line through time: its mark, when, and `words` in their colours."""
    whole = Text(f"{mark} ", style="bold").append(moment.strftime(TIME), style="not bold")
    whole.append("  ").append_text(Text(" ").join(cell(word) for word in words))
    answers().print(whole)


def beside(text: str) -> None:
    """A line of what is said at a point, beside the line through time."""
    answers().print(Text("│ ", style="bold").append(f"  {_printable(text)}", style="not bold dim"))


def fields(values: Mapping[str, Any]) -> None:
    """One thing in full on stdout: a name and its value a line; bytes as a block of lines."""
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        title = Text(f"{name.replace('_', ' '):<{width}}  ", style="bold")
        match value:
            case bytes():
                title.rstrip()
                answers().print(title)
                for text in plain(value).splitlines():
                    answers().print(Text(f"    {_printable(text)}"))
            case dict() | list() | tuple() if value:
                shown = json.dumps(plain(value), ensure_ascii=False, default=str)
                answers().print(title + cell(shown))
            case _:
                answers().print(title + cell(plain(value)))


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr for as long as it lasts; gives what moves it: so many done, of so many."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=remarks(),
    )
    task = bar.add_task(what, total=None)
    with bar:
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def done(text: str) -> None:
    """Say on stderr that it is done."""
    remarks().print(Text("✓ ", style="green") + Text(text))


def remark(text: str) -> None:
    """Say on stderr what is worth knowing."""
    remarks().print(Text(text, style="dim"))


def fault(text: str) -> None:
    """Name one of several faults on stderr."""
    remarks().print(Text("✗ ", style="red") + Text(text))


def failed(error: failure.CommandFailed) -> None:
    """Say on stderr what went wrong and what to do next."""
    remarks().print(Text("error: ", style="red bold") + Text(error.message))
    remarks().print(Text("next:  ", style="bold") + Text(error.next_step))

"""The pages for people, as data: their blocks, tables, links and headings."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parent.parent.parent
PAGES = sorted([HOUSE / "README.md", HOUSE / "CHANGELOG.md", *(HOUSE / "docs").rglob("*.md")])

_FENCE = re.compile(r"^([ ]*)```([^\n]*)\n(.*?)^\1```[ ]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)>\s]+)>?\s*\)")
_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block: `language` and `marks` are the words after the fence."""

    page: Path
    line: int
    language: str
    marks: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        """`README.md:32`, as a failure tells it."""
        return f"{self.page.relative_to(HOUSE)}:{self.line}"


def blocks(page: Path, language: str | None = None) -> Iterator[Block]:
    """The blocks of `page`, in order; of one language, or all."""
    text = page.read_text()
    for found in _FENCE.finditer(text):
        named, *marks = found[2].split() or [""]
        if language in {None, named}:
            line = text.count("\n", 0, found.start()) + 1
            yield Block(page, line, named, tuple(marks), textwrap.dedent(found[3]))


def prose(page: Path) -> str:
    """The page without its blocks."""
    return _FENCE.sub("", page.read_text())


def spans(page: Path) -> list[str]:
    """What stands between back-ticks in the prose."""
    return _SPAN.findall(prose(page))


def links(page: Path) -> list[str]:
    """Where the prose points to."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """The anchors of the page's headings, as they are made of them on the web."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table(page: Path, first: str) -> list[list[str]]:
    """The rows of the one table of `page` whose first column is called `first`; cells without
    back-ticks."""
    found: list[list[str]] = []
    inside = False
    for line in prose(page).splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            inside = False
        elif cells[0] == first:
            assert not found, f"{page} has two tables of {first}"
            inside = True
        elif inside and not set(cells[0]) <= set("-: "):
            found.append([cell.strip("`") for cell in cells])
    assert found, f"{page} has no table of {first}"
    return found

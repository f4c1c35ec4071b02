"""Tjänsteguiden's answers: XML (parsed safely) or JSON, told apart by how they begin.

An answer is `<method><response>…</response><status>success</status></method>`; KO's have another
root, or neither `response` nor `status`. Elements become objects, repeated ones lists, leaves text.
That the JSON has the root's content is an assumption (~). Source: facts/wire.md §4.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any, Final, cast
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DTDForbidden, ElementTree

from app import errors

LARGEST: Final = 64 * 1024 * 1024
MOST_DEPTH: Final = 50
LONGEST_WORDS: Final = 200

PAGE: Final = "the answer is an HTML page; expected XML or JSON"

_ORDER: Final = "order"
_HTML: Final = "html"
_ROW_DEPTHS: Final = frozenset({2, 3})
"""Where `order` is a row: under the root, or under its `response`."""


@dataclass(slots=True)
class Answer:
    """What an answer holds beside rows: its `response` (else its root's content) and `status`."""

    response: dict[str, Any] = field(default_factory=dict)
    status: str | None = None
    wrapped: bool = False

    @property
    def told(self) -> bool:
        """Whether it is an answer to a method at all: a page for people is none."""
        return self.wrapped or self.status is not None

    def check(self) -> None:
        """Raise what an error says: `errors.StaleGrant` for a login that is over, else SenderFault.

        That the words of an error name the hash is an assumption (~).
        """
        if self.status in {None, "success"}:
            return
        message = self.response.get("message")
        words = message if isinstance(message, str) and message else f"status {self.status}"
        family = errors.StaleGrant if "hash" in words.casefold() else errors.SenderFault
        raise family(f"the operator answers: {words[:LONGEST_WORDS]}")


def whole(chunks: Iterator[bytes]) -> Answer:
    """The answer, checked. Raises `errors.SenderFault`, `errors.StaleGrant`."""
    answer = Answer()
    rows = list(_rows(chunks, answer))
    if rows:
        answer.response[_ORDER] = rows[0] if len(rows) == 1 else rows
    answer.check()
    return answer


def orders(chunks: Iterator[bytes]) -> Iterator[Any]:
    """The rows `order` of an answer, as they come.

    Raises `errors.SenderFault` where it is no such answer, also after rows.
    """
    answer = Answer()
    count = 0
    for row in _rows(chunks, answer):
        count += 1
        yield row
    answer.check()
    if not count and not answer.told:
        raise errors.SenderFault("the answer has no response; expected orders")


def listed(value: Any) -> list[Any]:
    """What repeats, as a list: one element is not marked as such."""
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def _rows(chunks: Iterator[bytes], answer: Answer) -> Iterator[Any]:
    """The rows of an answer; the rest of it goes into `answer`."""
    reader = _Reader(chunks)
    begin = reader.begin()
    if begin == b"<":
        yield from _xml(reader, answer)
    elif begin in {b"{", b"["}:
        yield from _json(reader, answer)
    else:
        raise errors.SenderFault("the answer is neither XML nor JSON")


class _Reader:
    """`chunks` as a file; never more than LARGEST of it."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""
        self._length = 0

    def begin(self) -> bytes:
        """The first byte that is not blank."""
        while not self._held:
            chunk = self._next()
            if not chunk:
                raise errors.SenderFault("the answer is empty")
            self._held = chunk.removeprefix(b"\xef\xbb\xbf").lstrip()
        return self._held[:1]

    def read(self, _size: int = -1) -> bytes:
        """The next chunk; empty at the end."""
        held, self._held = self._held, b""
        return held or self._next()

    def _next(self) -> bytes:
        for chunk in self._chunks:
            self._length += len(chunk)
            if self._length > LARGEST:
                raise errors.SenderFault(f"the answer is longer than {LARGEST} bytes")
            if chunk:
                return chunk
        return b""


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────


def _json(reader: _Reader, answer: Answer) -> Iterator[Any]:
    try:
        said = json.loads(b"".join(iter(reader.read, b"")), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise errors.SenderFault("the answer begins like JSON and is none") from None
    if not isinstance(said, dict):
        raise errors.SenderFault("the answer is a JSON list; expected an object")
    status = said.get("status")
    answer.status = status if isinstance(status, str) else None
    answer.wrapped = "response" in said
    response = said["response"] if answer.wrapped else said
    answer.response = dict(response) if isinstance(response, dict) else {}
    if not answer.wrapped:
        answer.response.pop("status", None)
    yield from listed(answer.response.pop(_ORDER, None))


def _no_number(name: str) -> Any:
    raise ValueError(name)


# ── XML ──────────────────────────────────────────────────────────────────────────────────────────


def _xml(reader: _Reader, answer: Answer) -> Iterator[Any]:
    path: list[Element] = []
    try:
        events = ElementTree.iterparse(
            cast("IO[bytes]", reader), events=("start", "end"), forbid_dtd=True
        )
        for event, element in events:
            if event == "start":
                path.append(element)
                _check_place(path)
                continue
            path.pop()
            if element.tag == _ORDER and len(path) + 1 in _ROW_DEPTHS and _is_row(path):
                yield _value(element)
                path[-1].remove(element)
            elif not path:
                _take(element, answer)
    except ParseError as error:
        raise errors.SenderFault(f"the answer is no XML: {error}") from None
    except DTDForbidden as error:
        is_html = str(error.name).casefold() == _HTML
        raise errors.SenderFault(PAGE if is_html else "the answer is XML with a DTD") from None
    except (ValueError, LookupError) as error:
        kind = type(error).__name__
        raise errors.SenderFault(f"the answer is XML that is not read: {kind}") from None


def _check_place(path: list[Element]) -> None:
    if path[0].tag.rpartition("}")[2].casefold() == _HTML:
        raise errors.SenderFault(PAGE)
    if len(path) > MOST_DEPTH:
        raise errors.SenderFault(f"the answer is nested more than {MOST_DEPTH} deep")


def _is_row(path: list[Element]) -> bool:
    return len(path) == 1 or path[1].tag == "response"


def _take(root: Element, answer: Answer) -> None:
    response = root.find("response")
    answer.wrapped = response is not None
    answer.status = (root.findtext("status") or "").strip().casefold() or None
    value = _value(root if response is None else response)
    answer.response = value if isinstance(value, dict) else {}
    if response is None:
        answer.response.pop("status", None)


def _value(element: Element) -> Any:
    """An element as a value; one level of recursion for each of at most MOST_DEPTH."""
    if not len(element):
        return (element.text or "").strip()
    made: dict[str, Any] = {}
    for child in element:
        value = _value(child)
        if child.tag in made:
            before = made[child.tag]
            made[child.tag] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            made[child.tag] = value
    return made

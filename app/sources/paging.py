"""Rules of paging that kinds share; pure.

`json_list` streams the elements of a JSON list, `Reach` keeps what a feed sorted by time needs to
go on from: the last group of equal times is read again, and a look-back starts from a sort value
that was really sent. Not here: any operator's parameters (its folder).

ijson's parser crashes the process on a number of more than 4300 digits, and `ijson.items` takes
memory by the square of the nesting (100 kB of `[` took all of it); hence plain events, a builder of
our own that counts, and a look at the bytes before ijson sees them. Source: DESIGN §8, §13.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import ijson  # type: ignore[import-untyped]  # it has no annotations

from app import errors
from app.notifications.notification import Fault, rfc3339

MOST_DEPTH: Final = 100
LONGEST_ENTRY: Final = 1024 * 1024
"""Characters of the texts of one element that are kept."""
LONGEST_TEXT: Final = 4 * 1024 * 1024
"""Bytes without a whole text or number among them that are waited for."""
MOST_DIGITS: Final = 4000

JSON: Final = "application/json"

_BOM: Final = b"\xef\xbb\xbf"
_DIGITS: Final = re.compile(rb"[0-9]{%d}" % MOST_DIGITS)
_BLANKED: Final = bytes.maketrans(bytes(range(32)), b" " * 32)
_SMALLEST_PLAIN: Final = -400
_TEN_MINUTES: Final = len("2026-03-02T09:1")
_HOUR: Final = len("2026-03-02T09")
_MOST_MARKS: Final = 200

_encode: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a list; `fault`: why it was not kept whole."""

    value: Any
    fault: Fault | None = None


def canonical(value: Any) -> bytes:
    """`value` as canonical JSON: keys sorted, no blanks, UTF-8; numbers with the digits they had.

    An exponent is written as Python's Decimal does (`1e2` as `1E+2`).
    """
    try:
        return _encode(value).encode()
    except TypeError:  # a Decimal in it
        return _written(value).encode()


def _written(value: Any) -> str:
    match value:
        case dict():
            inner = (f"{_encode(key)}:{_written(value[key])}" for key in sorted(value))
            return "{" + ",".join(inner) + "}"
        case list():
            return "[" + ",".join(_written(one) for one in value) + "]"
        case Decimal():
            exponent = value.as_tuple().exponent
            plain = isinstance(exponent, int) and _SMALLEST_PLAIN < exponent <= 0
            return f"{value:f}" if plain else str(value)
        case _:
            return _encode(value)


# ── streaming ────────────────────────────────────────────────────────────────────────────────────


def json_list(chunks: Iterator[bytes]) -> Iterator[Element]:
    """The elements of the JSON list that `chunks` are, as they come; bounded memory.

    Bytes that are no UTF-8 become U+FFFD and control characters blanks, so that one bad text does
    not stop a feed. Raises `errors.SenderFault` where it is no list, or no JSON from there on.
    """
    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events)
    builder = _Builder()
    silent = 0
    for chunk in _repaired(chunks):
        wrong = _wrong(parser, chunk)
        silent = 0 if events else silent + len(chunk)
        yield from builder.take(events)
        events.clear()
        if wrong is None and silent > LONGEST_TEXT:
            wrong = f"a text of more than {LONGEST_TEXT} bytes"
        _check(wrong, builder.count)
    _check(_wrong(parser, None), builder.count)


def _wrong(parser: Any, chunk: bytes | None) -> str | None:
    """Give the parser more, or (None) its end; what it has against it."""
    try:
        if chunk is None:
            parser.close()
        else:
            parser.send(chunk)
    except (ijson.JSONError, ArithmeticError, ValueError) as error:
        return " ".join(str(error).partition("\n")[0].split()) or "a number is out of range"
    return None


def _check(wrong: str | None, count: int) -> None:
    if wrong is not None:
        raise errors.SenderFault(f"the answer is no JSON list after element {count}: {wrong}")


def _repaired(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """`chunks` as UTF-8 that begins with `[` and holds nothing ijson cannot take."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    started = False
    run = b""
    for chunk in chunks:
        text = decoder.decode(chunk).encode().translate(_BLANKED)
        if not started:
            text = text.removeprefix(_BOM).lstrip(b" ")
            if not text:
                continue
            _check_start(text)
            started = True
        if _DIGITS.search(run + text) is not None:
            raise errors.SenderFault(f"the answer holds a number of more than {MOST_DIGITS} digits")
        run = text[len(text.rstrip(b"0123456789")) :]
        if text:  # to ijson an empty one is the end
            yield text
    rest = decoder.decode(b"", final=True).encode()
    if not started:
        raise errors.SenderFault("the answer is empty; expected a JSON list")
    if rest:
        yield rest


def _check_start(text: bytes) -> None:
    if text.startswith(b"["):
        return
    what = {b"{": "a JSON object", b"<": "HTML or XML"}.get(text[:1], "no JSON")
    raise errors.SenderFault(f"the answer is {what}; expected a JSON list")


@dataclass(slots=True)
class _Builder:
    """Makes elements of ijson's events. What is too deep or too long is left out and told."""

    count: int = 0
    _stack: list[Any] = field(default_factory=list)
    _key: str = ""
    _skipped: int = 0
    _size: int = 0
    _fault: Fault | None = None

    def take(self, events: list[tuple[str, Any]]) -> Iterator[Element]:
        """The elements that are whole after `events`."""
        stack = self._stack
        for event, value in events:
            if event == "map_key":
                self._size += len(value) + 8
                self._key = value
            elif event in {"start_map", "start_array"}:
                self._open({} if event == "start_map" else [])
            elif event in {"end_map", "end_array"}:
                if self._skipped:
                    self._skipped -= 1
                    continue
                done = stack.pop()
                if len(stack) == 1:
                    yield self._element(done)
            elif len(stack) == 1:
                yield self._element(value)
            else:
                self._put(value)

    def _element(self, value: Any) -> Element:
        made = Element(value, self._fault)
        self.count += 1
        self._size = 0
        self._fault = None
        return made

    def _open(self, container: Any) -> None:
        """Begin an object or list; the outermost is the list of elements itself, never filled."""
        if self._skipped or len(self._stack) > MOST_DEPTH:
            if not self._skipped:
                expected = f"at most {MOST_DEPTH} objects and lists in each other"
                self._leave_out(Fault("", "is nested too deeply", expected))
            self._skipped += 1
            return
        if len(self._stack) > 1:
            self._put(container)
        self._stack.append(container)

    def _put(self, value: Any) -> None:
        if self._skipped:
            return
        self._size += len(value) + 8 if isinstance(value, str) else 8
        if self._size > LONGEST_ENTRY:
            self._leave_out(Fault("", "is too long", f"at most {LONGEST_ENTRY} characters"))
            return
        into = self._stack[-1]
        if type(into) is dict:
            into[self._key] = value
        else:
            into.append(value)

    def _leave_out(self, fault: Fault) -> None:
        self._fault = self._fault or fault


# ── feeds that are sorted by time ────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A sort value that was sent, and its time (RFC 3339, UTC, 6 decimals: sorts as text)."""

    at: str
    sort_value: str


class Reach:
    """How far the events of a page reach, whatever their order in it.

    `newest` is the last group of equal times, `before` the group before it: to go on after
    `before` reads the last group again, so that none of it is lost at the page's border. `first`
    and `last` are the events at the page's ends. `known`: marks of pages before; one is kept for
    every ten minutes (every hour where the look-back is long).
    """

    def __init__(self, look_back: timedelta, known: Iterable[Mark] = ()) -> None:
        self.newest: Mark | None = None
        self.before: Mark | None = None
        self.oldest: Mark | None = None
        self.first: Mark | None = None
        self.last: Mark | None = None
        self._look_back = look_back
        self._letters = _HOUR if look_back > timedelta(hours=6) else _TEN_MINUTES
        self._marks: dict[str, Mark] = {}
        for mark in known:
            self._remember(mark)

    def see(self, mark: Mark) -> None:
        """One more event of the page."""
        self.first = self.first or mark
        self.last = mark
        if self.oldest is None or mark.at < self.oldest.at:
            self.oldest = mark
        if self.newest is None or mark.at > self.newest.at:
            self.before, self.newest = self.newest, mark
        elif mark.at < self.newest.at and (self.before is None or mark.at > self.before.at):
            self.before = mark
        self._remember(mark)

    @property
    def falls(self) -> bool:
        """Whether the page begins with its newest event and ends with an older one than `before`.

        A page that was only turned round at some point never does.
        """
        if self.first is None or self.last is None or self.newest is None or self.before is None:
            return False
        return self.first.at == self.newest.at and self.last.at < self.before.at

    def _remember(self, mark: Mark) -> None:
        bucket = mark.at[: self._letters]
        known = self._marks.get(bucket)
        if known is None or mark.at > known.at:
            self._marks[bucket] = mark
        if len(self._marks) > _MOST_MARKS:
            for every_second in sorted(self._marks)[1::2]:
                del self._marks[every_second]

    def marks(self, newest: Mark) -> list[Mark]:
        """What to remember: the marks of the look-back before `newest`, and the one it starts from.

        The first is not later than `newest` less the look-back, where there is such a one.
        """
        since = self.since(newest)
        found = sorted(self._marks.values())
        older = [mark for mark in found if mark.at <= since]
        return older[-1:] + [mark for mark in found if mark.at > since]

    def since(self, newest: Mark) -> str:
        """The time a look-back before `newest`."""
        return rfc3339(datetime.fromisoformat(newest.at) - self._look_back)

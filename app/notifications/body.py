"""Bytes to a JSON object, or why not: codes 21 and 22, and what no text or number may hold.

The cheap checks run on every body; the dear ones only when a scan of the bytes says that they may
matter. What the object *means* is the flavours' business. Source: DESIGN §4 (NUL), §5, §6, §13
"Infinity", facts/dependencies.md §9.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import from_json

from app.notifications.notification import Refusal

EMPTY: Final = 21
UNREADABLE: Final = 22
PARSER_DEPTH: Final = 200  # pydantic_core refuses anything deeper
FARTHEST_LINE: Final = 10_000  # that is looked at for a better message
LONGEST_NAME: Final = 60  # of a field, in a message
LONGEST_NUMBER: Final = 308  # digits: what a double can hold

NUL: Final = "\x00"
REPLACEMENT: Final = "\ufffd"

_ESCAPED_NUL: Final = b"\\u0000"
_BLANKS: Final = b" \t\r\n"
_STARTS: Final = bytes.maketrans(b"-123456789[", b"0000000000,")
_DIGITS_AS_0: Final = bytes.maketrans(b"123456789E", b"000000000e")
_MANY_DIGITS: Final = b"0" * 200
_LARGE_EXPONENTS: Final = (b"0e000", b"0e+000")
_LARGE_EXPONENT: Final = re.compile(rb"[0-9][eE]\+?[0-9]{3,}(?:[\s,\]}]|\Z)")
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_PLACE: Final = re.compile(r" at line (\d+) column (\d+)$")
_CONSTANT: Final = re.compile(rb"-?(?:NaN|Infinity)")
_IDENTIFIERS: Final = frozenset({"id", "href", "eventType", "eventUuid", "accessId"})


@dataclass(frozen=True, slots=True)
class OutOfRange:
    """A number no double can hold, by its lexeme."""

    lexeme: str


@dataclass(slots=True)
class Read:
    """A body that is an object, and what was met on the way (`nul_at`: identifiers with a NUL).

    `plain`: no number and no NUL was met, so `content` says all that the bytes say.
    """

    content: dict[str, Any]
    plain: bool = False
    nul_at: tuple[str, ...] = ()
    nul_replaced: str | None = None
    out_of_range: str | None = None


@dataclass(slots=True)
class _Cleaning:
    """What a walk through the content met: NULs in identifiers, and the first in a text."""

    nul_at: list[str] = field(default_factory=list)
    nul_replaced: str | None = None


def read(raw: bytes, *, max_depth: int) -> Read | Refusal:
    """The JSON object `raw` holds; a `Refusal` with code 21 or 22 if it holds none.

    `max_depth` counts nested objects and arrays, the outermost included; 200 is the most.
    """
    if not raw.strip(_BLANKS):
        return Refusal(EMPTY, "The body is empty: expected a JSON object.")
    try:
        content = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        return Refusal(UNREADABLE, _why_not(raw, str(error), max_depth))
    if not isinstance(content, dict):
        return Refusal(
            UNREADABLE, f"The body is {type_name(content)}: expected a JSON object ({{…}})."
        )
    if raw.count(b"{") + raw.count(b"[") > max_depth and _is_deeper(content, max_depth):
        return Refusal(UNREADABLE, _too_deep(raw, max_depth))
    return _looked_through(raw, content)


def type_name(value: Any) -> str:
    """What a JSON value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float() | OutOfRange():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"


# ── numbers and NULs ─────────────────────────────────────────────────────────────────────────────


def _looked_through(raw: bytes, content: dict[str, Any]) -> Read | Refusal:
    out_of_range = None
    plain = not _may_hold_numbers(raw)
    if not plain and _may_be_out_of_range(raw):
        content, out_of_range = _exact_numbers(raw, content)
    if _ESCAPED_NUL not in raw:
        return Read(content, plain=plain, out_of_range=out_of_range)
    met = _Cleaning()
    content = _cleaned(content, "", "", met)
    return Read(
        content, nul_at=tuple(met.nul_at), nul_replaced=met.nul_replaced, out_of_range=out_of_range
    )


def _may_hold_numbers(raw: bytes) -> bool:
    """Whether a number may follow a name, a comma or a bracket; the text `, 5` looks so, too."""
    scan = raw.translate(_STARTS, _BLANKS)
    return b'":0' in scan or b",0" in scan


def _may_be_out_of_range(raw: bytes) -> bool:
    """Whether a number in `raw` may be too large for a double, by its digits or its exponent."""
    scan = raw.translate(_DIGITS_AS_0)
    if _MANY_DIGITS in scan:
        return True
    for exponent in _LARGE_EXPONENTS:
        at = scan.find(exponent)
        while at >= 0:
            if _LARGE_EXPONENT.match(raw, at) is not None:
                return True
            at = scan.find(exponent, at + 1)
    return False


def _exact_numbers(raw: bytes, content: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """`content` read again with the lexemes of numbers that are out of range; the first of them."""
    lexemes: list[str] = []

    def exact(lexeme: str) -> float | int | OutOfRange:
        if lexeme.lstrip("-").isdigit():
            if len(lexeme) <= LONGEST_NUMBER:
                return int(lexeme)
        elif math.isfinite(number := float(lexeme)):
            return number
        lexemes.append(lexeme)
        return OutOfRange(lexeme)

    again = json.loads(raw, parse_int=exact, parse_float=exact)
    return (again, lexemes[0]) if lexemes else (content, None)


def _cleaned(value: Any, name: str, path: str, met: _Cleaning) -> Any:
    """`value` without NULs in its texts; those in identifiers are told in `met`."""
    match value:
        case str() if NUL in value:
            if name in _IDENTIFIERS or name.endswith(("Id", "ID")):
                met.nul_at.append(path)
            else:
                met.nul_replaced = met.nul_replaced or path
            return value.replace(NUL, REPLACEMENT)
        case list():
            return [_cleaned(one, name, f"{path}.{i}", met) for i, one in enumerate(value)]
        case dict():
            return {
                _cleaned(key, "", path, met): _cleaned(one, key, _join(path, key), met)
                for key, one in value.items()
            }
        case _:
            return value


def _join(path: str, key: str) -> str:
    key = key[:LONGEST_NAME].replace(NUL, REPLACEMENT)
    return f"{path}.{key}" if path else key


# ── why a body cannot be read ────────────────────────────────────────────────────────────────────


def _is_deeper(content: dict[str, Any], limit: int) -> bool:
    """Whether more than `limit` objects and lists are nested; level by level, not by recursion."""
    level: list[Any] = [content]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return False
    return True


def _too_deep(raw: bytes, max_depth: int) -> str:
    limit = min(max_depth, PARSER_DEPTH)
    depth = at = 0
    for token in _TOKEN.finditer(raw):
        depth += 1 if token[0] in b"[{" else -1 if token[0] in b"]}" else 0
        if depth > limit:
            at = token.start()
            break
    return f"The body is nested too deeply at byte {at}: expected at most {limit}."


def _why_not(raw: bytes, error: str, max_depth: int) -> str:
    """What is wrong with a body that is not JSON, where, and what would be right."""
    if (encoding := _other_encoding(raw)) is not None:
        return (
            f"The body is not plain UTF-8: it starts as {encoding} does; expected UTF-8 without it."
        )
    if "recursion limit" in error:
        return _too_deep(raw, max_depth)
    try:
        raw.decode()
    except UnicodeDecodeError as undecodable:
        return f"The body is not UTF-8: byte {undecodable.start} is no character; expected UTF-8."
    if "number out of range" in error:
        return "The body has a number out of range: expected at most 4300 digits."
    place = _PLACE.search(error)
    where = f"line {place[1]}, column {place[2]}" if place else "an unknown place"
    what = _PLACE.sub("", error)
    return f"The body is not JSON at {where}: {_in_words(raw, what, place)}."


def _other_encoding(raw: bytes) -> str | None:
    if raw.startswith(b"\xef\xbb\xbf"):
        return "a byte order mark"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or 0 in raw[:2]:
        return "UTF-16 or UTF-32"
    return None


def _in_words(raw: bytes, what: str, place: re.Match[str] | None) -> str:
    if place is not None:
        at = _offset(raw, int(place[1]), int(place[2]))
        if (
            constant := _CONSTANT.match(raw, max(at - 1, 0)) or _CONSTANT.match(raw, at)
        ) is not None:
            return f"{constant[0].decode()} is no JSON number; expected a number or null"
        if raw[at : at + 2] == b"\xc2\xa0":
            return "a no-break space (U+00A0) between values; expected blanks, tabs or line ends"
    if "hex escape" in what:
        return "a \\u escape that is half of a surrogate pair; expected both halves"
    if what.startswith("EOF"):
        return f"the body ends early ({what}); expected the rest of it"
    return f"{what}; expected JSON"


def _offset(raw: bytes, line: int, column: int) -> int:
    """The index of the byte the parser stopped at."""
    start = 0
    for _ in range(min(line, FARTHEST_LINE) - 1):
        start = raw.find(b"\n", start) + 1
    return start + max(column - 1, 0)

"""Reading the fields of one pulled entry: ids, texts, times, and what is told of them.

A pulled entry is taken wherever possible: what is odd becomes a named warning, and only an entry
without its id or type is refused. Not here: any operator's words (its folder), streaming
(`paging`), what the warnings mean (`notifications.warnings`). Source: DESIGN §5, §8.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from app.notifications import body as bodies, findings, summary, timestamps, warnings
from app.notifications.notification import Arrival, Flavour, Kind, Notification, Refusal

LARGEST_KEPT: Final = 4000
"""Bytes of JSON that `summary` keeps of a part it does not know."""

# How feeds write times by contract: no deviation that a strict source would refuse.
_CUSTOM: Final = frozenset({warnings.ZONE_ASSUMED, warnings.MERIDIEM_IGNORED})


class Fields:
    """The fields of one entry, and the findings of reading them.

    `said` is the object; `zone` is that of times without one.
    """

    def __init__(self, arrival: Arrival, read: bodies.Read, zone: ZoneInfo) -> None:
        self.said: Final[Mapping[str, Any]] = read.content
        self.found: Final = findings.Findings()
        self._arrival = arrival
        self._zone = arrival.reading.zone or zone
        self._nul = read.nul_replaced is not None
        self.found.hear(read)

    def part(self, path: str) -> Mapping[str, Any]:
        """The object at `path` (one name), empty where there is none."""
        value = self.said.get(path)
        if isinstance(value, dict):
            return value
        if value is not None:
            self.found.warn(warnings.FIELD_UNREADABLE, path)
        return {}

    def identifier(self, path: str, value: Any, *, required: bool = False) -> str | None:
        """`value` as an identifier: trimmed text or the digits of a number; null where blank.

        What is `required` and not there, or no identifier, is a fault.
        """
        text = self._identifier(path, value)
        if text is None and required and not self._told(path):
            self.found.missing(path, findings.AN_IDENTIFIER)
        return text

    def _identifier(self, path: str, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            self.found.wrong(path, f"is {findings.shown(value)}", findings.AN_IDENTIFIER)
            return None
        if isinstance(value, int):
            self.found.warn(warnings.NUMBER_AS_TEXT, path)
        text = str(value).strip()
        if isinstance(value, str) and text != value:
            self.found.warn(warnings.BLANK_TRIMMED, path)
        if len(text) > findings.IDENTIFIER_LENGTH:
            self.found.wrong(path, f"is {findings.shown(text)}", findings.AN_IDENTIFIER)
            return None
        if self._nul and bodies.REPLACEMENT in text:
            self.found.holds_nul(path)
        return text or None

    def _told(self, path: str) -> bool:
        return any(fault.path == path for fault in self.found.faults)

    def name(self, path: str, value: Any) -> str | None:
        """A further id that is only kept: trimmed text; anything else is left out and told."""
        text = self.text(path, value)
        if text is not None and len(text) > findings.IDENTIFIER_LENGTH:
            self.found.warn(warnings.FIELD_UNREADABLE, path)
            return None
        return text.strip() or None if text is not None else None

    def text(self, path: str, value: Any) -> str | None:
        """`value` as text, numbers by their digits; null where it is neither, or empty."""
        match value:
            case None | "":
                return None
            case str():
                return value
            case int() | float() if not isinstance(value, bool):
                return str(value)
            case _:
                self.found.warn(warnings.FIELD_UNREADABLE, path)
                return None

    def flag(self, path: str, value: Any) -> bool | None:
        """`value` as true or false; null where it is neither."""
        if value is None or isinstance(value, bool):
            return value
        self.found.warn(warnings.FIELD_UNREADABLE, path)
        return None

    def moment(self, path: str, value: Any) -> datetime | None:
        """`value` as a moment in UTC; null where it is no time that can be told."""
        text = self.text(path, value)
        if text is None:
            return None
        time = timestamps.read(text, pulled=True)
        if time is None:
            self.found.warn(warnings.TIME_UNREADABLE, path)
            return None
        moment, needed = time.at(self._zone)
        for warning in needed:
            self.found.warn(warning, path)
        return moment

    def finish(
        self, flavour: Flavour, kind: Kind, *, event_type: str, **fields: Any
    ) -> Notification | Refusal:
        """The notification with `fields`, or the refusal that what was found asks for."""
        arrival = self._arrival
        if arrival.reading.strict:
            self.found.be_strict(but=_CUSTOM)
        if self.found.faults:
            return self.found.refusal()
        return findings.not_accepted(arrival, kind, event_type) or Notification(
            id=arrival.id,
            source=arrival.source,
            channel=arrival.channel,
            flavour=flavour,
            kind=kind,
            event_type=event_type,
            received_at=arrival.received_at,
            principal=arrival.principal,
            remote_addr=arrival.remote_addr,
            backfill=arrival.backfill,
            warnings=tuple(self.found.warnings),
            content_type=arrival.content_type,
            raw=arrival.body,
            **fields,
        )


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────


def kept(**fields: Any) -> dict[str, Any]:
    """`fields` for a summary: nulls left out, long texts cut, large parts left out."""
    plain = {name: _plain(value) for name, value in fields.items()}
    small = {
        name: value
        for name, value in plain.items()
        if value is None or isinstance(value, str) or len(json.dumps(value)) <= LARGEST_KEPT
    }
    return summary.told(**small)


def _plain(value: Any) -> Any:
    """`value` with the lexemes of numbers no double can hold, and URLs without their query."""
    match value:
        case bodies.OutOfRange():
            return value.lexeme
        case list():
            return [_plain(one) for one in value]
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case str():
            return without_query(value)
        case _:
            return value


def without_query(text: str) -> str:
    """`text`, or if it is a URL, without its query and fragment: there tokens are."""
    if not text.startswith(("https://", "http://")):
        return text
    return text.partition("?")[0].partition("#")[0]


def same_words(one: str, other: str) -> bool:
    """Whether two texts differ in blanks and line ends at most, which XML and forms change."""
    return one.split() == other.split()


def path_of(url: str) -> str:
    """The path of `url`."""
    try:
        return urlsplit(url).path
    except ValueError:
        return without_query(url)


# ── what is content ──────────────────────────────────────────────────────────────────────────────


def exact(body: bytes) -> Any:
    """What the JSON `body` says, numbers as `[0, lexeme]`. Raises ValueError, RecursionError."""
    return json.loads(body.decode(), parse_int=_lexeme, parse_float=_lexeme)


def _lexeme(lexeme: str) -> list[Any]:
    return [0, lexeme]


def object_of(body: bytes) -> dict[str, Any]:
    """The object `body` is, numbers as in `exact`; empty where it is none we read."""
    if isinstance(bodies.read(body, max_depth=bodies.PARSER_DEPTH), Refusal):
        return {}
    said = exact(body)
    return said if isinstance(said, dict) else {}


def view(content: Any) -> bytes:
    """`content` as bytes whose digest stands for it."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

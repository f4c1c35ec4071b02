"""The forms in which operators write times: ONE ordered table, and nothing lenient beside it.

A text that is no row of the table is not a time (code 24 for a push). Rows of the group `pulled`
belong to feeds and are tried only when asked for: a push in such a form is refused. The parsing
itself is ciso8601's; the patterns keep it to the forms that are named here.
Source: DESIGN §5 and §13 "Times", facts/wire.md §8, facts/dependencies.md §12.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import ciso8601

from app.notifications import warnings

# Outside these years no order was placed, and shifting a time to UTC could leave the calendar.
FIRST_YEAR: Final = 1000
LAST_YEAR: Final = 9998

_DAY = r"\d{4}-\d\d-\d\d"
_HOUR = r"(?:[01]\d|2[0-3])"
_CLOCK = _HOUR + r":[0-5]\d:[0-5]\d(?:\.\d{1,60})?"


class Time(NamedTuple):
    """A text that is a time: as sent, and what it says.

    `moment` is aware (UTC), naive where the text names no zone, or None where its offset is
    impossible; `warning` is the tolerance the form itself needed.
    """

    raw: str
    moment: datetime | None
    warning: str | None = None

    def at(self, zone: ZoneInfo | None) -> tuple[datetime | None, tuple[str, ...]]:
        """The moment in UTC, with `zone` for a text without one; and the warnings this needs."""
        told = (self.warning,) if self.warning else ()
        if self.moment is None or self.moment.tzinfo is not None:
            return self.moment, told
        if zone is None:
            return None, (*told, warnings.ZONE_MISSING)
        return self.moment.replace(tzinfo=zone).astimezone(UTC), (*told, warnings.ZONE_ASSUMED)

    def latest(self, zone: ZoneInfo) -> datetime | None:
        """The last moment in UTC it may mean: in autumn an hour of a zone comes twice."""
        if self.moment is None or self.moment.tzinfo is not None:
            return self.moment
        return self.moment.replace(tzinfo=zone, fold=1).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Form:
    """One row: how the text looks, how it is read, and examples that a test walks."""

    name: str
    pattern: re.Pattern[str]
    read: Callable[[re.Match[str]], datetime | None]
    examples: tuple[str, ...]
    pulled: bool = False
    warning: str | None = None


def _whole(found: re.Match[str]) -> datetime:
    return ciso8601.parse_datetime(found.string)


def _utc(found: re.Match[str]) -> datetime:
    return ciso8601.parse_datetime(found.string).astimezone(UTC)


def _no_moment(found: re.Match[str]) -> None:
    ciso8601.parse_datetime(found[1])


def _hours_unpadded(found: re.Match[str]) -> datetime:
    day, hour, minute, second, fraction = found.groups()
    return ciso8601.parse_datetime(f"{day}T{int(hour):02}:{int(minute):02}:{second}.{fraction}")


def _form(
    name: str,
    pattern: str,
    read: Callable[[re.Match[str]], datetime | None],
    *examples: str,
    pulled: bool = False,
    warning: str | None = None,
) -> Form:
    compiled = re.compile(pattern, re.ASCII | re.IGNORECASE)
    return Form(name, compiled, read, examples, pulled=pulled, warning=warning)


TABLE: Final[tuple[Form, ...]] = (
    _form(
        "RFC 3339",
        rf"{_DAY}T{_CLOCK}(?:Z|[+-]{_HOUR}:[0-5]\d)",
        _utc,
        "2026-03-02T09:15:00Z",
        "2026-03-02T09:15:00.0Z",
        "2026-03-02T10:15:00.123456+01:00",
        "2026-03-02T09:15:00.1234Z",
        "2026-03-02T09:15:00.123456789Z",
    ),
    _form(
        "offset without a colon",
        rf"{_DAY}T{_CLOCK}[+-]{_HOUR}[0-5]\d",
        _utc,
        "2026-03-02T10:15:00.000+0100",
        "2026-03-02T09:15:00+0000",
    ),
    _form(
        "impossible offset",
        rf"({_DAY}T{_CLOCK})[+-]\d\d:?\d\d",
        _no_moment,
        "2013-04-19T16:42:25-30:00",
        "2013-04-19T16:42:25+2460",
        warning=warnings.IMPOSSIBLE_OFFSET,
    ),
    _form(
        "no zone", rf"{_DAY}T{_CLOCK}", _whole, "2026-03-02T10:15:00", "2026-03-02T10:15:00.1252"
    ),
    _form(
        "day and time",
        rf"{_DAY} {_HOUR}:[0-5]\d(?::[0-5]\d)?",
        _whole,
        "2015-10-06 11:48:00",
        "2018-01-01 12:34",
        pulled=True,
    ),
    _form(
        "24-hour clock with AM",
        rf"({_DAY})T(\d\d?):(\d\d?):([0-5]\d) AM\.(\d{{1,60}})",
        _hours_unpadded,
        "2017-05-09T16:1:04 AM.637766",
        pulled=True,
        warning=warnings.MERIDIEM_IGNORED,
    ),
)


def read(text: str, *, pulled: bool = False) -> Time | None:
    """`text` as a time, by the first row of the table it is; None if it is none of them."""
    for form in TABLE:
        if form.pulled and not pulled:
            continue
        found = form.pattern.fullmatch(text)
        if found is not None:
            return _read(form, found)
    return None


def _read(form: Form, found: re.Match[str]) -> Time | None:
    text = found.string
    if not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        return None
    try:
        moment = form.read(found)
    except ValueError:
        return None  # a day or an hour the calendar does not have
    return Time(text, moment, form.warning)

"""Time as an argument: the one place that asks the machine what time it is.

Also ids, which begin with the time.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import uuid_utils

LENGTH: Final = r"^(?:[0-9]{1,9}[smhdw])+$"
"""A length of time as people type it: `90s`, `30m`, `1h`, `90d`, `1h30m`."""

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STEPS: Final = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_PART: Final = re.compile(r"([0-9]+)([smhdw])")


class Clock(Protocol):
    """Tells the wall-clock time (UTC, aware) and a monotonic count of seconds."""

    def now(self) -> datetime:
        """The present moment, UTC, aware."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment, UTC, aware."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()


def new_id() -> str:
    """A UUIDv7 as text: sorts by time of making."""
    return str(uuid_utils.uuid7())


def length(text: str) -> timedelta:
    """The length of time `text` names (`LENGTH`); its parts add up. Raises `ValueError`."""
    if not re.fullmatch(LENGTH, text):
        raise ValueError(f"{text!r} is no length of time; expected for example 30m, 1h or 90d")
    try:
        return sum(
            (timedelta(**{_UNITS[unit]: int(count)}) for count, unit in _PART.findall(text)),
            timedelta(),
        )
    except OverflowError as error:
        raise ValueError(f"{text!r} is longer than time goes") from error


def lasting(seconds: float) -> str:
    """`90.0` as `1 min`: the largest unit, rounded down."""
    for size, name in _STEPS:
        if seconds >= size:
            return f"{int(seconds // size):,} {name}"
    return "0 s"

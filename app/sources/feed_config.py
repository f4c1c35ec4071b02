"""How a feed is configured (`[[source]].feed` of listener.toml): what all kinds share.

Not here: an operator's own keys (its folder), what becomes of the settings (`feeds`).
Source: DESIGN §7, §8, §13 "Intervals".
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    field_validator,
    model_validator,
)

from app.outbound import guard

_SPAN: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?(s|m|h|d)", re.ASCII)
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?")
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _span(value: Any) -> Any:
    """A text such as `30s`, `5m`, `1h`, `1d` as a timedelta; anything else is no span."""
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    if isinstance(value, timedelta):
        return value
    raise ValueError('no span of time; expected e.g. "30s", "5m", "1h"')


def _start(value: Any) -> Any:
    if isinstance(value, str) and value in {"now", "beginning"}:
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError('expected "now", "beginning" or a day such as "2026-01-31"') from None


def _is_host(value: str) -> str:
    if _HOST.fullmatch(value) is None:
        raise ValueError("expected a host such as files.example")
    return value


Span = Annotated[timedelta, BeforeValidator(_span)]
"""A span of time, written `30s`, `5m`, `1h`, `1d`."""
Start = Annotated[Literal["now", "beginning"] | date, BeforeValidator(_start)]
"""Where a first connection begins to read."""
Host = Annotated[str, AfterValidator(_is_host)]


class FeedConfig(BaseModel):
    """How a feed is asked (`[[source]].feed`); each kind that is asked has a subclass.

    `url`: where the operator answers. `every`: between two turns that found nothing new. `start`:
    what a first connection takes of what is there already. `write_back`: whether what is committed
    is told the operator. `hosts`: further hosts it may be sent to (files). `zone`: of times without
    one; the source's where it is not given here. `allow_private`: its hosts may have private
    addresses (one that `url` names by its address always may). `FLOOR`: the least `every`, but
    towards this machine itself. Unknown keys are errors.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    FLOOR: ClassVar[timedelta] = timedelta(seconds=1)

    url: str
    every: Span = timedelta(minutes=1)
    start: Start = "beginning"
    write_back: Literal["off", "on_commit"] = "off"
    hosts: tuple[Host, ...] = ()
    zone: str | None = None
    allow_private: bool = False

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        return operator_url(value)

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str | None) -> str | None:
        return existing_zone(value)

    @model_validator(mode="after")
    def _not_too_often(self) -> FeedConfig:
        if self.every <= timedelta(0):
            raise ValueError("every must be more than 0s")
        if self.every < self.FLOOR and not guard.is_loopback(self.url):
            least = f"{self.FLOOR.total_seconds():g}s"
            raise ValueError(f"every is less than this operator allows; expected at least {least}")
        return self


def operator_url(value: str) -> str:
    """Give `value` back if an operator may be asked there. Raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not _host(value):
        raise ValueError("expected a URL such as https://operator.example/api/")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds credentials; give them as keys of their own")
    if parts.query or parts.fragment:
        raise ValueError("expected a URL without ? and #")
    if parts.scheme == "http" and not guard.is_loopback(value):
        raise ValueError("must be https:// (http:// only towards this machine)")
    return value


def _host(url: str) -> str | None:
    """The host of `url`; None where it has none, or a port that is no number."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts.hostname


def existing_zone(name: str | None) -> str | None:
    """Give `name` back if it is an IANA time zone (or None). Raises ValueError."""
    if name is not None:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no IANA time zone; expected e.g. Europe/Stockholm") from None
    return name

"""Lengths of time as people type them: `90s`, `30m`, `1h`, `90d`, `1h30m`."""

from __future__ import annotations

import re
from datetime import timedelta

import typer

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
SHAPE = re.compile(r"(?:\d{1,9}[smhdw])+", re.ASCII)
PART = re.compile(r"(\d+)([smhdw])", re.ASCII)


def parse(text: str) -> timedelta:
    """The length of time `text` names; parts add up. `BadParameter` says what is right."""
    expected = f"{text!r} is no length of time; expected for example 30m, 1h, 90d or 1h30m"
    if not SHAPE.fullmatch(text):
        raise typer.BadParameter(expected)
    try:
        total = sum(
            (timedelta(**{UNITS[unit]: int(count)}) for count, unit in PART.findall(text)),
            timedelta(),
        )
    except OverflowError as error:
        raise typer.BadParameter(expected) from error
    if not total:
        raise typer.BadParameter(expected)
    return total

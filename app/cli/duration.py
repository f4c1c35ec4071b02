"""Lengths of time as people type them: `90s`, `30m`, `1h`, `90d`, `1h30m`."""

from __future__ import annotations

from datetime import timedelta

import typer

from app import clock


def parse(text: str) -> timedelta:
    """The length of time `text` names; parts add up. `BadParameter` says what is right."""
    expected = f"{text!r} is no length of time; expected for example 30m, 1h, 90d or 1h30m"
    try:
        total = clock.length(text)
    except ValueError as error:
        raise typer.BadParameter(expected) from error
    if not total:
        raise typer.BadParameter(expected)
    return total

"""`listener stats`: how many of what."""

from __future__ import annotations

from typing import Annotated

import typer

from app import settings
from app.cli import acts, database, screen
from app.store import engine, stats as counting

EXAMPLES = ("listener stats", "listener stats --json")


def stats(
    *, as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a list.")] = False
) -> None:
    """Count notifications by source and kind, orders by state, and what waits for somebody."""
    with database.opened(settings.load()) as opened, engine.read(opened) as connection:
        told = counting.counts(connection)
    if as_json:
        screen.json_line(told)
        return
    for name, value in told.items():
        if isinstance(value, dict):
            rows = sorted(value.items(), key=lambda row: -row[1])
            if rows:
                screen.table((name.removeprefix("by_"), "count"), rows, numbers=("count",))
        else:
            screen.fields({name: value})


ACTS = (acts.Act(stats, EXAMPLES),)

"""`listener work`: feeds and followers without the doors: more hands, or a place of their own."""

from __future__ import annotations

import typer

from app import behind, settings
from app.cli import acts

EXAMPLES = ("listener work", "LISTENER_DATABASE_URL=postgresql://… listener work")


def work() -> None:
    """Ask operators, do what is asked there, keep the orders, until SIGTERM; receive nothing."""
    behind.work(settings.load())
    raise typer.Exit


ACTS = (acts.Act(work, EXAMPLES),)

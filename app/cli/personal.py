"""`listener personal …`: what is known of the person behind an order; and how it is erased."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from app import clock, settings
from app.cli import acts, database, failure, opening, screen
from app.store import engine, personal

SHOW_EXAMPLES = ("listener personal show guide O-1",)
ERASE_EXAMPLES = ("listener personal erase guide O-1", "listener personal erase guide O-1 --yes")

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="As in listener.toml.")]
Order = Annotated[str, typer.Argument(metavar="ORDER", help="The order's id.")]


def show(
    source: Source,
    order: Order,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a list.")] = False,
) -> None:
    """Show what an operator told of the person behind an order."""
    with database.opened(settings.load()) as opened, engine.read(opened) as connection:
        found = personal.one(connection, source, order)
    if found is None:
        msg = f"nothing is known of a person behind {order} of {source}"
        raise failure.CommandFailed(msg, f"see the order: listener order {source} {order}")
    told = asdict(found)
    if as_json:
        screen.json_line(told)
    else:
        screen.fields(told)


def erase(
    source: Source,
    order: Order,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
) -> None:
    """Erase what is personal of an order, wherever it lies: it cannot be brought back.

    Bodies, summaries, refused bodies, files and what was sent go; that something was told, when and
    by whom stays.
    """
    if not yes and not typer.confirm(f"Erase what is personal of {order} of {source}?", err=True):
        raise typer.Exit(failure.FAILED)
    now, who = clock.SystemClock().now(), opening.operator()
    with database.opened(settings.load()) as opened, opened.begin() as connection:
        erased = personal.erase(connection, source, order, by=who, at=now)
        database.record(connection, "personal.erase", f"{source}/{order}", at=now)
    told = asdict(erased)
    person = "the person's data, " if told.pop("person") else ""
    counted = ", ".join(f"{count} {what}" for what, count in told.items())
    screen.done(f"erased: {person}{counted}")


ACTS = (
    acts.Act(show, SHOW_EXAMPLES),
    acts.Act(erase, ERASE_EXAMPLES),
)

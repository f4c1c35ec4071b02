"""`listener alerts …`: what is open where, and a test of the channels."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from app import alerts as telling, settings
from app.alerts import messages
from app.cli import acting, acts, database, failure, screen
from app.store import alerted, alerts, engine

LIST_EXAMPLES = (
    "listener alerts list",
    "listener alerts list --told",
    "listener alerts list --json",
)
TEST_EXAMPLES = ("listener alerts test", "listener alerts test ops-mail")

COLUMNS = ("channel", "source", "severity", "opened_at", "told_at", "over_at", "text", "error")
TOLD = (
    "channel",
    "event",
    "source",
    "severity",
    "begun_at",
    "told_at",
    "attempts",
    "text",
    "error",
)
LATELY = 50
"""Messages that are shown."""


def listing(
    *,
    lately: Annotated[
        bool, typer.Option("--told", help="What was told lately, and whether it arrived.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON document a line.")] = False,
) -> None:
    """Show what is open at the channels, and what could not be told yet."""
    with database.opened(settings.load()) as opened, engine.read(opened) as connection:
        found = alerted.latest(connection, LATELY) if lately else alerts.listing(connection)
    rows, columns = [asdict(row) for row in found], TOLD if lately else COLUMNS
    if as_json:
        for row in rows:
            screen.json_line(row)
    elif rows:
        screen.table(columns, ([row[name] for name in columns] for row in rows))
    else:
        screen.remark("nothing was told yet" if lately else "nothing is open")


def try_out(
    channel: Annotated[str | None, typer.Argument(metavar="NAME", help="Of listener.toml.")] = None,
) -> None:
    """Send a test message to one channel or to all; ends with 1 where one could not be told."""
    live = acting.quiet()
    try:
        known = live.configuration.alerts
        asked = [one for one in known if channel in {None, one.name}]
        if not asked:
            names = ", ".join(one.name for one in known)
            msg = f"no channel is called {channel!r}" if known else "no channel is configured"
            add = "add one as [[alert]] to listener.toml"
            raise failure.usage(msg, f"choose one of: {names}; or {add}" if known else add)
        message = messages.trial(live.new_id(), live.clock.now())
        told = asyncio.run(telling.tested(live, asked, message))
    finally:
        live.close()
    for name, error in told.items():
        if error is None:
            screen.done(f"{name} was told")
        else:
            screen.fault(f"{name}: {error}")
    if any(told.values()):
        raise typer.Exit(failure.FAILED)


ACTS = (
    acts.Act(listing, LIST_EXAMPLES, name="list"),
    acts.Act(try_out, TEST_EXAMPLES, name="test"),
)

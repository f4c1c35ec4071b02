"""`listener feed …`: how feeds stand, and what may be asked of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app import clock, settings
from app.cli import acting, acts, database, failure, opening, screen
from app.store import engine, feeds, standing, stats

LIST_EXAMPLES = ("listener feed list", "listener feed list stadsnat", "listener feed list --json")
POLL_EXAMPLES = ("listener feed poll stadsnat",)
PAUSE_EXAMPLES = ("listener feed pause stadsnat",)
RESUME_EXAMPLES = ("listener feed resume stadsnat",)
REWIND_EXAMPLES = (
    "listener feed rewind stadsnat",
    "listener feed rewind covage --to 2026-01-31 --yes",
)
BACKFILL_EXAMPLES = (
    "listener feed backfill covage --order 1i0cvu4c",
    "listener feed backfill covage --service 9h3gy2i9",
)
AUDIT_EXAMPLES = ("listener feed audit stadsnat", "listener feed audit stadsnat --json")

COLUMNS = ("name", "kind", "status", "events", "lag", "last_success", "trouble")
TURNS = ("at", "seconds", "requests", "entries", "appended", "quarantined", "trouble")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The source's, as in listener.toml.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


def listing(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="This feed in full, with its turns.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show how every feed stands: what it brought, how far behind it is, what troubles it."""
    found = settings.load()
    declared = opening.configuration(found)
    asked = [source for source in declared.sources if source.feed is not None]
    if name is not None:
        asked = [acting.feed_of(declared, name)]
    now = clock.SystemClock().now()
    with database.opened(found) as opened, engine.read(opened) as connection:
        known = {feed.name: feed for feed in feeds.listing(connection)}
        turns = [] if name is None else feeds.turns(connection, name, 20)
    rows = [
        standing.told(
            known.get(source.name),
            name=source.name,
            kind=source.kind,
            enabled=source.enabled,
            every=source.feed.every,
            now=now,
        )
        for source in asked
        if source.feed is not None
    ]
    if as_json:
        for row in rows:
            screen.json_line(row)
    elif name is not None:
        screen.fields(rows[0])
        _turns(turns)
    elif rows:
        screen.table(COLUMNS, [_row(row) for row in rows], numbers=("events", "lag"))
    else:
        screen.remark("no source is asked; give one a feed in listener.toml")


def poll(name: Name) -> None:
    """Have the feed polled now, and wait until it is dry."""
    told = acting.job(name, "poll")
    screen.done(_counted(name, told))


def pause(name: Name) -> None:
    """Have the feed wait until it is resumed; what waits at the operator is not lost."""
    acting.job(name, "pause")
    screen.done(f"{name} is paused; go on with: listener feed resume {name}")


def resume(name: Name) -> None:
    """Have a paused feed go on from where it was."""
    acting.job(name, "resume")
    screen.done(f"{name} goes on")


def rewind(
    name: Name,
    *,
    to: Annotated[
        str, typer.Option(metavar="PLACE", help="`beginning`, or a day such as 2026-01-31.")
    ] = "beginning",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
) -> None:
    """Have the feed read again from an earlier place. Shows its plan first."""
    plan = acting.job(name, "rewind", to=to, dry_run=True)
    with database.opened(settings.load()) as opened, engine.read(opened) as connection:
        known = stats.of_sort(connection, source=name, kind=None)
    screen.fields({"feed": name, "from": plan["from"], "to": plan["to"]})
    screen.remark(f"the log has {known:,} notifications of it; what it has is not stored twice")
    if not yes and not typer.confirm("Rewind?", err=True):
        raise typer.Exit(failure.FAILED)
    acting.job(name, "rewind", to=to)
    screen.done(f"{name} reads again from {to}")


def backfill(
    name: Name,
    *,
    order: Annotated[str | None, typer.Option(metavar="ID", help="Of this order.")] = None,
    service: Annotated[str | None, typer.Option(metavar="ID", help="Of this service.")] = None,
) -> None:
    """Read the whole history of one order or service into the log; the feed stays where it is."""
    if (order is None) == (service is None):
        msg = "one order or one service is needed"
        raise failure.usage(msg, "name it: --order ID or --service ID")
    type_, id_ = ("order", order) if order is not None else ("service", service)
    told = acting.job(name, "backfill", object_type=type_, object_id=id_)
    if told["entries"]:
        screen.done(_counted(name, told))
    else:
        screen.remark(f"{name} tells nothing of the {type_} {id_}")


def audit(name: Name, *, as_json: AsJson = False) -> None:
    """Hold the log against the operator's own list: missing, changed, reordered, late events.

    Ends with exit code 1 if there is any.
    """
    told = acting.job(name, "audit")
    if as_json:
        screen.json_line(told)
    else:
        _tell_audit(name, told)
    if any(told["faults"].values()):
        raise typer.Exit(failure.FAILED)


def _tell_audit(name: str, told: dict[str, Any]) -> None:
    events = told["events"]
    if events:
        columns = ("fault", "event_id", "order_id", "seq")
        screen.table(columns, [[event.get(key) for key in columns] for event in events])
    faults = {fault: count for fault, count in told["faults"].items() if count}
    listed = f"{name}: {told['listed']} events listed"
    if not faults:
        screen.done(f"{listed}, the log holds them as they are")
        return
    screen.fault(f"{listed}; " + ", ".join(f"{count} {fault}" for fault, count in faults.items()))
    if "late" in faults:
        screen.remark(f"what came late is read by: listener feed rewind {name}")


def _counted(name: str, told: dict[str, Any]) -> str:
    return (
        f"{name}: read {told['entries']}, {told['appended']} new, {told['quarantined']} quarantined"
    )


def _row(told: dict[str, Any]) -> list[Any]:
    trouble = " · ".join(str(told[key]) for key in ("last_error", "remedy") if told[key])
    style = {"ok": "green", "failing": "red", "unauthorized": "red", "stalled": "red"}
    return [
        told["name"],
        told["kind"],
        screen.Word(told["status"], style.get(told["status"], "yellow")),
        told["events"],
        _seconds(told["lag_seconds"]),
        told["last_success_at"],
        trouble or None,
    ]


def _seconds(value: float | None) -> str | None:
    return None if value is None else clock.lasting(value)


def _turns(turns: list[feeds.Turn]) -> None:
    if turns:
        rows = [
            [t.at, f"{t.seconds:.1f}", t.requests, t.entries, t.appended, t.quarantined, t.error]
            for t in turns
        ]
        screen.table(TURNS, rows, numbers=TURNS[1:6])


ACTS = (
    acts.Act(listing, LIST_EXAMPLES, name="list"),
    acts.Act(poll, POLL_EXAMPLES),
    acts.Act(pause, PAUSE_EXAMPLES),
    acts.Act(resume, RESUME_EXAMPLES),
    acts.Act(rewind, REWIND_EXAMPLES),
    acts.Act(backfill, BACKFILL_EXAMPLES),
    acts.Act(audit, AUDIT_EXAMPLES),
)

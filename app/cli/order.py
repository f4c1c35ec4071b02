"""`listener order SOURCE ID`: one order's whole story, drawn as a line through time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app import clock, settings
from app.cli import acts, choice, database, failure, screen
from app.doors import stories
from app.notifications import notification as canonical
from app.store import engine

EXAMPLES = (
    "listener order orange 4711",
    "listener order stadsnat orders/2026/17 --what order",
    "listener order orange 4711 --json",
)
MARKS = {
    "created": "●",
    "state_changed": "●",
    "cancel_created": "◆",
    "cancel_state_changed": "◆",
    "milestone": "◇",
    "jeopardy": "▲",
    "error_message": "▲",
    "information_required": "▲",
    "removed": "✕",
}
"""What stands on the line, by kind; the others have a small point."""


def order(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Who told of it.")],
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The order's id, as told.")],
    *,
    what: Annotated[
        canonical.ResourceType | None,
        choice.option(
            tuple(canonical.ResourceType), "WHAT", "Which, where one id names several things"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a drawing.")] = False,
) -> None:
    """Show what became of one order: who said what, when, and how late."""
    with database.opened(settings.load()) as opened, engine.read(opened) as connection:
        found = stories.of(connection, source, identifier)
        chosen = stories.chosen(found, what)
        if chosen is None:
            msg = f"the source {source!r} has told of no order {identifier!r}"
            raise failure.CommandFailed(msg, "look for it: listener orders --query …")
        told = stories.told(connection, chosen)
    if as_json:
        screen.json_line(told)
        return
    screen.fields(_head(told))
    screen.blank()
    for entry in told["timeline"]:
        _draw(entry)
    for key in found:
        if key != chosen.key:
            screen.remark(f"beside it: a {key.resource_type} of this id (--what)")


def _head(told: dict[str, Any]) -> dict[str, Any]:
    """What is worth knowing before the story; what there is nothing of is left out."""
    visit = told["appointment"]
    head = {
        "order": told["order_id"],
        "source": told["source"],
        "what": told["resource_type"],
        "state": told["state"] or told["raw_state"],
        "since": told["state_since"],
        "external id": told["external_id"],
        "access id": told["access_id"],
        "service id": told["service_id"],
        "cancels": told["about_order_id"],
        "appointment": None if visit is None else _visit(visit),
        "flags": ", ".join(told["flags"]),
        "open": ", ".join(each["attention"] for each in told["attention"]),
        "items": ", ".join(_item(item) for item in told["items"]),
        "told first": ", ".join(
            f"{each['state']} by {each['source']}" for each in told["told_first"]
        ),
    }
    return {name: value for name, value in head.items() if value}


def _draw(entry: dict[str, Any]) -> None:
    """One point on the line, then what was said there, a line each."""
    words = [entry["kind"].value]
    words += [word for word in (entry["state"], entry["attention"]) if word]
    moment = entry["occurred_at"] or entry["received_at"]
    screen.point(MARKS.get(entry["kind"], "·"), moment, words)
    by = f"{entry['source']}, {entry['channel']}"
    if entry["origin"] is canonical.Origin.SELF:
        by += ", our own act"
    details = [f"{by}, {_lag(entry)}"]
    details += [", ".join(entry["flags"])] if entry["flags"] else []
    details += [_item(item) for item in entry["items"]]
    if isinstance(entry["appointment"], dict):
        details.append(f"appointment {_visit(entry['appointment'])}")
    elif entry["appointment"]:
        details.append("the appointment no longer holds")
    if entry["attention_clears"]:
        details.append("clears what was open")
    details += entry["message"].splitlines() if entry["message"] else []
    for text in details:
        screen.beside(text)


def _lag(entry: dict[str, Any]) -> str:
    if entry["lag"] is None:
        return "when it happened was not told"
    if entry["lag"] < 0:
        return f"received {clock.lasting(-entry['lag'])} before it, by their clock"
    return (
        "received at once" if entry["lag"] < 1 else f"received {clock.lasting(entry['lag'])} later"
    )


def _item(item: dict[str, Any]) -> str:
    told = f"item {item['id'] or '?'} {item['state'] or item['raw_state'] or 'without a state'}"
    return f"{told} (disagrees)" if item["disagrees"] else told


def _visit(visit: dict[str, Any]) -> str:
    until = f" to {visit['end']:{screen.TIME}}" if visit["end"] else ""
    return f"{visit['start']:{screen.TIME}}{until}"


ACTS = (acts.Act(order, EXAMPLES),)

"""`listener orders`: the orders on the screen; `orders rebuild` folds them all anew."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated, Any

import typer

from app import clock, projector, settings
from app.cli import acts, choice, database, duration, failure, screen, wanted as options
from app.notifications import forms, notification as canonical
from app.orders import order as model
from app.store import engine, export as exports, orders

EXAMPLES = (
    "listener orders --source orange --state held",
    "listener orders --attention any",
    "listener orders --flag changed_after_final --json",
    "listener orders --no-news-for 14d --open --oldest",
    "listener orders --state completed --export csv > completed.csv",
)
LIST_EXAMPLES = ("listener orders list --source orange --state held",)
REBUILD_EXAMPLES = ("listener orders rebuild",)
COLUMNS = {"order": 0, "source": 0, "what": 0, "state": 0, "since": 0, "last news": 0}
"""The columns of the list, as wide as they need to be."""

EXPORTS = (forms.Name.CSV, forms.Name.NDJSON)
ATTENTION = (*canonical.Attention, "any", "none")


def listing(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    *,
    source: Annotated[str | None, typer.Option(help="Of this source.")] = None,
    what: Annotated[
        canonical.ResourceType | None,
        choice.option(tuple(canonical.ResourceType), "WHAT", "Orders, services, tasks to cancel"),
    ] = None,
    state: options.State = None,
    is_final: Annotated[
        bool | None, typer.Option("--final/--open", help="Only those over, or only the others.")
    ] = None,
    flag: Annotated[
        str | None, choice.option(model.FLAGS, "FLAG", "What was odd about the telling")
    ] = None,
    attention: Annotated[str | None, choice.option(ATTENTION, "ATTENTION", "What is open")] = None,
    external_id: Annotated[str | None, typer.Option(help="Our own reference.")] = None,
    access_id: Annotated[str | None, typer.Option(help="The access.")] = None,
    no_news_for: Annotated[
        timedelta | None,
        typer.Option(parser=duration.parse, metavar="TIME", help="Silent so long: 2h, 14d."),
    ] = None,
    query: Annotated[
        str | None, typer.Option("--query", "-q", help="One of its ids is this or begins so.")
    ] = None,
    oldest: Annotated[bool, typer.Option("--oldest", help="The oldest news first.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, max=500, help="How many.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line an order.")] = False,
    export: Annotated[
        forms.Name | None,
        choice.option(EXPORTS, "FORM", "All that fit, by their ids, to stdout as", "--export"),
    ] = None,
) -> None:
    """Show what became of the orders, those with the newest news first."""
    if context.invoked_subcommand is not None:
        _refuse_options(context, context.invoked_subcommand)
        return
    if export is not None:
        _refuse_paging(context)
    gravest = attention if attention not in {"any", "none"} else None
    wanted = orders.Filter(
        source=source,
        resource_type=what,
        state=state,
        final=is_final,
        flag=flag,
        attention=gravest,
        has_attention=None if attention is None or gravest else attention == "any",
        external_id=external_id,
        access_id=access_id,
        silent_since=None if no_news_for is None else clock.SystemClock().now() - no_news_for,
        q=query,
    )
    with database.opened(settings.load()) as opened:
        if export is not None:
            pages = exports.orders_pages(opened, wanted)
            sys.stdout.buffer.writelines(forms.FORMS[export].write(pages, orders.FIELDS))
            sys.stdout.buffer.flush()
            return
        with engine.read(opened) as connection:
            rows = orders.page(connection, wanted, after=None, limit=limit, ascending=oldest)
    _show(rows, as_json=as_json)


def _refuse_options(context: typer.Context, called: str) -> None:
    """Options of the list, given to a command below it, would do nothing."""
    if any(_given(context, name) for name in context.params):
        msg = f"options before {called} are those of the list, and would do nothing"
        raise failure.usage(msg, f"give it its own: listener orders {called} --help")


def _refuse_paging(context: typer.Context) -> None:
    """What says how a list is shown would do nothing to an export."""
    for name, option in {"limit": "--limit", "oldest": "--oldest", "as_json": "--json"}.items():
        if _given(context, name):
            msg = f"{option} would do nothing: an export holds all that fit, by their ids"
            raise failure.usage(msg, f"leave {option} or --export away")


def _given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if not rows and not as_json:
        screen.remark(
            "none; whoever serves keeps this list, and `listener orders rebuild` makes it"
        )
    if as_json:
        for row in rows:
            screen.json_line(row)
    else:
        screen.listing(COLUMNS, [_line(row) for row in rows])


def _line(row: dict[str, Any]) -> screen.Line:
    state = row["state"] or row["raw_state"]
    told = [row["order_id"], row["source"], row["resource_type"], state]
    opened = [row["open_attention"]] if row["open_attention"] else []
    return [*told, row["state_since"], row["last_news_at"]], [*opened, *row["flags"]]


def rebuild() -> None:
    """Fold every order anew from the log, while it grows; the rows come out the same.

    Safe beside a running listener, and to repeat.
    """
    with database.opened(settings.load()) as opened, screen.progress("notifications") as tell:
        found = projector.rebuild(opened, tell)
    removed = f", {found.removed} rows removed that the log has nothing of" if found.removed else ""
    screen.done(f"{found.orders} orders rebuilt from {found.notifications} notifications{removed}")


ACTS = (
    acts.Act(listing, EXAMPLES, name=acts.ALONE),
    acts.Act(listing, LIST_EXAMPLES, name="list"),
    acts.Act(rebuild, REBUILD_EXAMPLES),
)

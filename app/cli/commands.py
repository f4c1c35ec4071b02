"""The commands, put together: their names, their groups, their examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Annotated, Any

import typer

from app.cli import (
    alerts,
    attention,
    check,
    command,
    credential,
    db,
    demo,
    expected,
    export,
    feed,
    hub,
    notifications,
    openapi,
    order,
    orders,
    personal,
    quarantine,
    sandbox,
    send,
    serve,
    stats,
    token,
    work,
)

HELP = "The one inbox for telecom order notifications: receive, keep, show."


def build() -> typer.Typer:
    """The commands, put together."""
    app = _group(HELP)
    app.callback()(_listener)
    _add(app, demo.demo, demo.EXAMPLES)
    _add(app, serve.serve, serve.EXAMPLES)
    _add(app, work.work, work.EXAMPLES)
    _add(app, token.token, token.EXAMPLES)
    app.add_typer(_credential(), name="credential")
    _add(app, send.send, send.EXAMPLES)
    _add(app, notifications.notifications, notifications.EXAMPLES)
    _add(app, order.order, order.EXAMPLES)
    app.add_typer(_orders(), name="orders")
    _add(app, export.export, export.EXAMPLES)
    app.add_typer(_attention(), name="attention")
    app.add_typer(_alerts(), name="alerts")
    _add(app, stats.stats, stats.EXAMPLES)
    app.add_typer(_feed(), name="feed")
    app.add_typer(_command(), name="command")
    app.add_typer(_hub(), name="hub")
    app.add_typer(_quarantine(), name="quarantine")
    app.add_typer(_personal(), name="personal")
    _add(app, check.check, check.EXAMPLES)
    _add(app, sandbox.sandbox, sandbox.EXAMPLES)
    app.add_typer(_db(), name="db")
    _add(app, openapi.openapi, openapi.EXAMPLES)
    return app


def _credential() -> typer.Typer:
    group = _group("Long-lived credentials of sources: shown once, kept as a hash, revocable.")
    _add(group, credential.add, credential.ADD_EXAMPLES)
    _add(group, credential.listing, credential.LIST_EXAMPLES, name="list")
    _add(group, credential.revoke, credential.REVOKE_EXAMPLES)
    _add(group, credential.void, credential.VOID_EXAMPLES)
    return group


def _orders() -> typer.Typer:
    group = _group(
        "What became of the orders: a list of them, what was placed, how the list is made anew."
    )
    group.callback(
        invoke_without_command=True, no_args_is_help=False, epilog=_shown(orders.EXAMPLES)
    )(orders.listing)
    _add(group, orders.rebuild, orders.REBUILD_EXAMPLES)
    _add(group, expected.expect, expected.EXPECT_EXAMPLES)
    _add(group, expected.outstanding, expected.OUTSTANDING_EXAMPLES)
    return group


def _attention() -> typer.Typer:
    group = _group("The work list: what orders need somebody for, and who sees to it.")
    _add(group, attention.listing, attention.LIST_EXAMPLES, name="list")
    _add(group, attention.assign, attention.ASSIGN_EXAMPLES)
    _add(group, attention.note, attention.NOTE_EXAMPLES)
    _add(group, attention.close, attention.CLOSE_EXAMPLES)
    return group


def _alerts() -> typer.Typer:
    group = _group("Alerts: attention and source trouble, told to webhooks and by mail.")
    _add(group, alerts.listing, alerts.LIST_EXAMPLES, name="list")
    _add(group, alerts.try_out, alerts.TEST_EXAMPLES, name="test")
    return group


def _feed() -> typer.Typer:
    group = _group("Operators that are asked: how their feeds stand, what may be done about it.")
    _add(group, feed.listing, feed.LIST_EXAMPLES, name="list")
    _add(group, feed.poll, feed.POLL_EXAMPLES)
    _add(group, feed.pause, feed.PAUSE_EXAMPLES)
    _add(group, feed.resume, feed.RESUME_EXAMPLES)
    _add(group, feed.rewind, feed.REWIND_EXAMPLES)
    _add(group, feed.backfill, feed.BACKFILL_EXAMPLES)
    _add(group, feed.audit, feed.AUDIT_EXAMPLES)
    return group


def _command() -> typer.Typer:
    group = _group("What we do at operators: once, also where an answer is lost.")
    _add(group, command.send, command.SEND_EXAMPLES)
    _add(group, command.listing, command.LIST_EXAMPLES, name="list")
    _add(group, command.retry, command.RETRY_EXAMPLES)
    _add(group, command.cancel, command.CANCEL_EXAMPLES)
    return group


def _hub() -> typer.Typer:
    group = _group("Our subscriptions at operators' hubs: made, kept alive, ended.")
    _add(group, hub.register, hub.REGISTER_EXAMPLES)
    _add(group, hub.listing, hub.LIST_EXAMPLES, name="list")
    _add(group, hub.unregister, hub.UNREGISTER_EXAMPLES)
    return group


def _personal() -> typer.Typer:
    group = _group("What is known of the person behind an order; and how it is erased.")
    _add(group, personal.show, personal.SHOW_EXAMPLES)
    _add(group, personal.erase, personal.ERASE_EXAMPLES)
    return group


def _quarantine() -> typer.Typer:
    group = _group("Refused bodies: look at them, release them into the log, or discard them.")
    _add(group, quarantine.listing, quarantine.LIST_EXAMPLES, name="list")
    _add(group, quarantine.show, quarantine.SHOW_EXAMPLES)
    _add(group, quarantine.release, quarantine.RELEASE_EXAMPLES)
    _add(group, quarantine.discard, quarantine.DISCARD_EXAMPLES)
    return group


def _db() -> typer.Typer:
    group = _group("The database: its schema, its state, what to do after a failover.")
    _add(group, db.upgrade, db.UPGRADE_EXAMPLES)
    _add(group, db.check, db.CHECK_EXAMPLES)
    _add(group, db.promoted, db.PROMOTED_EXAMPLES)
    _add(group, db.info, db.INFO_EXAMPLES)
    return group


def _group(text: str) -> typer.Typer:
    return typer.Typer(
        help=text,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _add(
    group: typer.Typer,
    act: Callable[..., Any],
    examples: Sequence[str],
    *,
    name: str | None = None,
) -> None:
    group.command(name, epilog=_shown(examples))(act)


def _shown(examples: Sequence[str]) -> str:
    lines = "\n".join(f"  {line}".replace("[", "\\[") for line in examples)
    return f"[bold]Examples[/bold]\n{lines}"


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer hands a callback the bare value
    if wanted:
        typer.echo(f"tmf-listener {metadata.version('tmf-listener')}")
        raise typer.Exit


def _listener(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Print the version and end."
        ),
    ] = False,
) -> None:
    pass

"""The commands, put together: their names, their groups, their examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Annotated, Any

import typer

from app.cli import (
    check,
    credential,
    db,
    demo,
    notifications,
    openapi,
    quarantine,
    sandbox,
    send,
    serve,
    token,
)

HELP = "The one inbox for telecom order notifications: receive, keep, show."


def build() -> typer.Typer:
    """The commands, put together."""
    app = _group(HELP)
    app.callback()(_listener)
    _add(app, demo.demo, demo.EXAMPLES)
    _add(app, serve.serve, serve.EXAMPLES)
    _add(app, token.token, token.EXAMPLES)
    app.add_typer(_credential(), name="credential")
    _add(app, send.send, send.EXAMPLES)
    _add(app, notifications.notifications, notifications.EXAMPLES)
    app.add_typer(_quarantine(), name="quarantine")
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
    command: Callable[..., Any],
    examples: Sequence[str],
    *,
    name: str | None = None,
) -> None:
    shown = "\n".join(f"  {line}".replace("[", "\\[") for line in examples)
    group.command(name, epilog=f"[bold]Examples[/bold]\n{shown}")(command)


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

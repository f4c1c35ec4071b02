"""`listener token`: one token of the built-in issuer, or one link, on stdout, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from app import scopes, settings
from app.cli import acts, duration, opening

EXAMPLES = (
    "listener token",
    "listener token --source orange --ttl 8h",
    "listener token --scope notifications:read --scope admin",
    "listener token --ui",
    'curl -H "Authorization: Bearer $(listener token)" http://127.0.0.1:8080/admin/notifications',
)
DEFAULT_SCOPES = (scopes.WRITE, scopes.READ)
UI_SCOPES = (scopes.READ, scopes.COMMANDS, scopes.ADMIN)
"""What a link to the pages permits, where nothing is said: to read and to act, not `personal`."""


def known_scope(text: str) -> str:
    """`text` if it is a scope of ours. Raises `BadParameter` naming them."""
    if text not in scopes.ALL:
        msg = f"{text!r} is no scope; expected one of: {', '.join(scopes.ALL)}"
        raise typer.BadParameter(msg)
    return text


def token(
    *,
    source: Annotated[
        str | None,
        typer.Option(help="The source it speaks for; default: local, or the only one that pushes."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(parser=known_scope, help="A scope; repeat for more. Default: write and read."),
    ] = None,
    ttl: Annotated[
        timedelta,
        typer.Option(parser=duration.parse, metavar="TIME", help="How long it is valid."),
    ] = "1h",  # type: ignore[assignment]  # typer parses the default too
    ui: Annotated[
        bool,
        typer.Option("--ui", help="A link to sign in to the pages: one click, within 60 s."),
    ] = False,
) -> None:
    """Print one token of the built-in issuer, or a link to the pages."""
    found = settings.load()
    if ui:
        typer.echo(opening.sign_in_link(found, scope or UI_SCOPES))
        return
    chosen = opening.push_source(opening.configuration(found), source)
    issued = opening.local_issuer(found).issue(
        subject=chosen.name, scopes=scope or DEFAULT_SCOPES, ttl=ttl, source=chosen.name
    )
    typer.echo(issued)


ACTS = (acts.Act(token, EXAMPLES),)

"""`listener serve`: receive, until it is told to stop. The serving itself is `launch`."""

from __future__ import annotations

import json
import shlex
from datetime import timedelta
from typing import Annotated

import typer

from app import errors, launch, scopes, settings, sources
from app.cli import acts, failure, opening, screen
from app.notifications import event_types

EXAMPLES = (
    "listener serve --hello",
    "listener serve --host 0.0.0.0 --port 8080",
    "LISTENER_DATABASE_URL=postgresql://… LISTENER_SECRET=… listener serve --workers 4",
)
PATH = event_types.SHARED_PATH
"""Where any notification may be posted to."""

GREETING_TTL = timedelta(hours=24)
FIRST = "ServiceOrderStateChangeNotification"
"""The sample a newcomer sends first: short, and it tells of an order."""


def serve(
    *,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; default: LISTENER_HOST.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port; default: LISTENER_PORT.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Processes; more than one needs PostgreSQL.")
    ] = 1,
    no_feeds: Annotated[
        bool, typer.Option("--no-feeds", help="Leave polling to other processes.")
    ] = False,
    no_work: Annotated[
        bool,
        typer.Option("--no-work", help="Leave feeds, orders and alerts to `listener work`."),
    ] = False,
    no_relay: Annotated[
        bool,
        typer.Option("--no-relay", help="Of no effect yet: nothing is passed on by this version."),
    ] = False,
    hello: Annotated[
        bool,
        typer.Option(
            "--hello",
            help="Print a URL, a token and a curl line once it serves; for one source that pushes.",
        ),
    ] = False,
) -> None:
    """Receive notifications until SIGTERM; SIGHUP reads listener.toml again."""
    del no_relay  # this program has none yet; scripts may already say so
    changed = {"host": host, "port": port}
    found = settings.load().model_copy(
        update={name: value for name, value in changed.items() if value is not None}
    )
    code = launch.serve(
        found,
        workers=workers,
        beside="nothing" if no_work else "no feeds" if no_feeds else "all",
        announce=lambda: greet(found) if hello else None,
    )
    raise typer.Exit(code)


def greet(found: settings.Settings) -> None:
    """Print what one needs for a first notification: URL, token, a curl line that answers 201."""
    base = opening.url(found)
    typer.echo(f"\nURL    {base}    (contract: {base}/docs)")
    try:
        chosen = opening.push_source(opening.configuration(found), None)
    except errors.ListenerError as error:
        typer.echo(f"\nA token: {opening.program()} token --source NAME\n")
        screen.remark(f"no curl line: {failure.of(error).next_step}")
        return
    issued = opening.local_issuer(found).issue(
        subject=chosen.name,
        scopes=(scopes.WRITE, scopes.READ),
        ttl=GREETING_TTL,
        source=chosen.name,
    )
    plain = [sample for sample in sources.samples(chosen.kind) if sample.variant is None]
    shared = [sample for sample in plain if sample.path == event_types.SHARED_PATH]
    body = min(shared, key=lambda sample: (sample.event != FIRST, len(sample.body))).body
    typer.echo(f"token  {issued}")
    typer.echo("\nSend a first notification; it answers 201:\n")
    typer.echo(
        f"curl -i {base}{event_types.SHARED_PATH} -H 'Authorization: Bearer {issued}'"
        f" -H 'Content-Type: application/json' -d {shlex.quote(_on_one_line(body))}"
    )
    typer.echo(f"\nThen see it: {opening.program()} notifications\n")


def _on_one_line(body: bytes) -> str:
    return json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":"))


ACTS = (acts.Act(serve, EXAMPLES),)

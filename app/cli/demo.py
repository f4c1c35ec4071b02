"""`listener demo`: the receiver, operators to receive from, and feeds that ask them, at once.

It keeps all it makes in its data directory. Not here: the operators (`app.sandbox`), serving.
"""

from __future__ import annotations

import os
import secrets
import shlex
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from app import clock, launch, sandbox as operators, scopes, server, settings
from app.cli import acts, opening, sandbox as places, screen, serve, token as tokens
from app.store import engine, stats

EXAMPLES = (
    "listener demo",
    "listener demo --port 9000",
    "LISTENER_DATA_DIR=/tmp/demo listener demo",
)

PACE: Final = 60.0
EVERY: Final = 300.0
HEAD_START: Final = 4 * 3600.0
"""Scenario seconds: that pass in a second, between two orders, that have passed when it begins."""

TOKEN_TTL: Final = timedelta(days=30)
LOOK: Final = 1.0
TELL: Final = 5.0
"""Seconds between two looks at the log, and between two lines where there is no terminal."""

PATIENCE: Final = """\
[source.stuck_after]
none = "5m"
acknowledged = "5m"
inProgress = "5m"
pending = "5m"
held = "5m"\
"""
"""How long an order may be silent: days in the life of these. Learned it would be wrong, as what
happened before the demo is told at once."""

MORE: Final = (
    "(Tjänsteguiden brings more than it publishes: of each order we read the details and the log.)"
)

FILE: Final = "demo.toml"


def demo(
    *,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; default: LISTENER_HOST.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port; default: LISTENER_PORT.")
    ] = None,
) -> None:
    """Receive from four operators of the sandbox, by push and pull, until Ctrl-C."""
    given = settings.load()
    found = alone(given, host, port)
    found = found.model_copy(update={"sign_in_command": another_link(found)})
    with server.bind("127.0.0.1", 0) as listening, ExitStack() as ending:
        listening.listen()  # the feeds may ask before the operators answer
        base = server.address(listening)
        _configure(found, base)
        made = operators.create(_operators(found))

        def begin() -> None:
            """What is shown and what happens once the receiver serves."""
            serve.greet(found)
            _tell(given, found, base)
            _tell_link(found)
            progress = Progress(made, found)
            made.advance(HEAD_START)
            ending.enter_context(server.beside(made.app, listening))
            ending.enter_context(_watched(progress))

        code = launch.serve(found, announce=begin)
    raise typer.Exit(code)


# ── what is made ─────────────────────────────────────────────────────────────────────────────────


def alone(given: settings.Settings, host: str | None, port: int | None) -> settings.Settings:
    """Those of a receiver that keeps its own SQLite file.

    Where a listener is configured already, its log is left alone: the folder `demo` in its data
    directory is taken.
    """
    configured = given.config or given.database_url or settings.DEFAULT_FILE.exists()
    folder = given.data_dir / "demo" if configured else given.data_dir
    changed = {"host": host, "port": port}
    if "LISTENER_LOG_LEVEL" not in os.environ:
        changed |= {"log_level": "error"}
    return given.model_copy(
        update={name: value for name, value in changed.items() if value is not None}
        | {"data_dir": folder, "config": folder / FILE}
        | {"database_url": None, "secret": None, "tls_cert": None, "tls_key": None}
    )


def _configure(found: settings.Settings, base: str) -> None:
    """Write the demo's listener.toml: the operators, and `local` for what is posted by hand."""
    assert found.config is not None  # noqa: S101 - `alone` names it
    tables = [
        '[[source]]\nname = "local"',
        *(f"{place.table(base)}\n{PATIENCE}" for place in places.PLACES),
    ]
    found.data_dir.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join(["# Written by `listener demo`, anew at every start.", *tables])
    found.config.write_text(text + "\n", encoding="utf-8")


def _operators(found: settings.Settings) -> operators.Settings:
    """A new seed at every start, so that a log that was kept goes on with other orders."""
    (pushing,) = (place for place in places.PLACES if place.channel == "push")
    token = opening.local_issuer(found).issue(
        subject=pushing.source,
        scopes=(scopes.WRITE,),
        ttl=TOKEN_TTL,
        source=pushing.source,
    )
    target = operators.Target(
        f"{opening.url(found)}{serve.PATH}", {"Authorization": f"Bearer {token}"}
    )
    return operators.Settings(
        seed=secrets.randbelow(2**31),
        pace=PACE,
        every=EVERY,
        limit=operators.Limit(),
        seller=operators.Seller(targets=(target,)),
    )


# ── what is told ─────────────────────────────────────────────────────────────────────────────────


def _tell(given: settings.Settings, found: settings.Settings, base: str) -> None:
    """Print whom it receives from, and how to ask in another terminal."""
    typer.echo(f"Operators to receive from, at {base} (user sandbox, password sandbox):\n")
    for place in places.PLACES:
        typer.echo(f"  {place.source:<14} {place.channel}  {place.url(base)}")
    typer.echo(f"\n{MORE}\n\nWhere to look, in another terminal:\n")
    for name, value in needed_elsewhere(given, found).items():
        typer.echo(f"  export {name}={value}")
    program = opening.program()
    for words in ("notifications --follow", "orders --attention any", "feed list"):
        typer.echo(f"  {program} {words}")


def needed_elsewhere(
    given: settings.Settings, found: settings.Settings
) -> dict[str, Path | int | str]:
    """The variables another terminal needs for its commands to mean this demo."""
    needed: dict[str, Path | int | str] = {"LISTENER_CONFIG": found.config or ""}
    if found.data_dir != given.data_dir:
        needed["LISTENER_DATA_DIR"] = found.data_dir
    for name in ("database_url", "secret"):
        if getattr(given, name) is not None:
            needed[f"LISTENER_{name.upper()}"] = ""
    for name in ("host", "port"):
        if getattr(found, name) != getattr(given, name):
            needed[f"LISTENER_{name.upper()}"] = getattr(found, name)
    return needed


def another_link(found: settings.Settings) -> str:
    """The command that prints another link to the pages of this demo, in any terminal."""
    usual = settings.Settings()
    needed: dict[str, Path | int | str] = {
        "LISTENER_CONFIG": (found.config or Path()).resolve(),
        "LISTENER_DATA_DIR": found.data_dir.resolve(),
    }
    for name in ("host", "port", "public_url"):
        if getattr(found, name) != getattr(usual, name):
            needed[f"LISTENER_{name.upper()}"] = getattr(found, name)
    for name in ("LISTENER_DATABASE_URL", "LISTENER_SECRET"):
        if os.environ.get(name):
            needed[name] = ""
    words = [f"{name}={shlex.quote(str(value))}" for name, value in needed.items()]
    return " ".join([*words, opening.program(everywhere=True), "token", "--ui"])


def _tell_link(found: settings.Settings) -> None:
    """Print a link that signs in to the pages, and how to get another.

    It is the last that is told, so that what was told before does not move it off the screen.
    """
    link = opening.sign_in_link(found, tokens.UI_SCOPES)
    typer.echo(f"\nSee it all on pages, by one click within 60 seconds:\n\n  {link}")
    typer.echo(f"\nToo late? This prints another, in any terminal:\n\n  {found.sign_in_command}\n")


class Seen:
    """What was seen of one operator since the demo began.

    `published`: by it; `stored`: in the log; `lag`: seconds since it published, if nothing of it
    has come into the log from then on.
    """

    def __init__(self, before: int) -> None:
        self.published = 0
        self.stored = 0
        self.lag = 0.0
        self._before = before
        self._since: float | None = None

    def look(self, published: int, stored: int, now: float) -> None:
        """Take in the numbers of the moment `now` (seconds)."""
        if published != self.published and self._since is None:
            self._since = now
        if stored - self._before != self.stored:
            self._since = None
        self.published, self.stored = published, stored - self._before
        self.lag = 0.0 if self._since is None else now - self._since


class Progress:
    """How far the log has followed each operator; made before they begin, `look` reads the log."""

    def __init__(self, made: operators.Sandbox, found: settings.Settings) -> None:
        self._made = made
        self._engine = engine.create(found.url())
        self._clock = clock.SystemClock()
        before = self._stored()
        self._seen = {place.source: Seen(before.get(place.source, 0)) for place in places.PLACES}

    def look(self) -> None:
        """Read the log."""
        stored, now = self._stored(), self._clock.monotonic()
        for place in places.PLACES:
            published = self._made.operators[place.operator].events
            self._seen[place.source].look(published, stored.get(place.source, 0), now)

    def rows(self) -> Iterator[tuple[places.Place, Seen]]:
        """Each operator and what was seen of it."""
        return ((place, self._seen[place.source]) for place in places.PLACES)

    def close(self) -> None:
        """Let go of the log."""
        engine.dispose(self._engine)

    def _stored(self) -> dict[str, int]:
        with engine.read(self._engine) as connection:
            found: dict[str, int] = stats.counts(connection)["by_source"]
        return found


@contextmanager
def _watched(progress: Progress) -> Iterator[None]:
    """Show the progress while inside: a table on a terminal, else a line now and then."""
    over = threading.Event()
    console = screen.answers()
    show = _show_table if console.is_terminal else _show_lines
    thread = threading.Thread(target=show, args=(progress, over), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        progress.close()


def _show_table(progress: Progress, over: threading.Event) -> None:
    with Live(console=screen.answers(), auto_refresh=False) as live:
        while not over.wait(LOOK):
            progress.look()
            live.update(_table(progress), refresh=True)


def _table(progress: Progress) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("source", "by"):
        table.add_column(title)
    for title in ("published", "in the log", "lag"):
        table.add_column(title, justify="right")
    for place, seen in progress.rows():
        style = "green" if seen.stored else "yellow"
        stored = Text(f"{seen.stored:,}", style=style)
        table.add_row(
            place.source, place.channel, f"{seen.published:,}", stored, f"{seen.lag:.0f} s"
        )
    return table


def _show_lines(progress: Progress, over: threading.Event) -> None:
    """A line for the first notification of each operator, then one for all every `TELL` seconds."""
    begun: set[str] = set()
    waited = 0.0
    while not over.wait(LOOK):
        progress.look()
        waited += LOOK
        for place, seen in progress.rows():
            if seen.stored and place.source not in begun:
                begun.add(place.source)
                typer.echo(f"{place.source}: notifications in the log, by {place.channel}")
        if waited >= TELL:
            waited = 0.0
            typer.echo(
                "; ".join(
                    f"{place.source} {seen.published} published, {seen.stored} in the log, "
                    f"lag {seen.lag:.0f} s"
                    for place, seen in progress.rows()
                )
            )


ACTS = (acts.Act(demo, EXAMPLES),)

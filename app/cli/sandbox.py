"""`listener sandbox`: four operators to try against, over real HTTP. What they do is `sandbox`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import typer
from rich.live import Live
from rich.text import Text

from app import sandbox as operators, server, telemetry
from app.cli import acts, screen
from app.sandbox import faults, options

EXAMPLES = (
    "listener sandbox",
    "listener sandbox --seed 7 --pace burst --orders 1000",
    "listener sandbox --control --fault covage.late_commits=0.1 --fault on_api.truncated_body",
)
ORDERS: Final = 50
"""Orders of a burst where no number is given."""

FASTEST: Final = 1_000_000

Pace = Literal["burst", "manual"] | float


@dataclass(frozen=True, slots=True)
class Place:
    """An operator of the sandbox as a listener is told of it.

    `source`: what it is called there. `path`: below the sandbox's URL. `feed`: the rest of its
    `feed` table, empty where it pushes.
    """

    operator: str
    source: str
    kind: str
    path: str
    feed: str

    @property
    def channel(self) -> str:
        """How its notifications come: pull or push."""
        return "pull" if self.feed else "push"

    def url(self, base: str) -> str:
        """Where it answers, in a sandbox at `base`."""
        return f"{base}{self.path}"

    def table(self, base: str) -> str:
        """Its `[[source]]` for listener.toml."""
        lines = ["[[source]]", f'name = "{self.source}"', f'kind = "{self.kind}"']
        if self.feed:
            lines.append(f'feed = {{ url = "{self.url(base)}", {self.feed} }}')
        return "\n".join(lines)


PLACES: Final = (
    Place(
        "on_api", "stadsnat", "on_api", "/on-api/api/2.3.1/",
        'username = "sandbox", password = "sandbox", every = "2s"',
    ),
    Place(
        "covage", "covage", "covage", "/covage/",
        'email = "sandbox", password = "sandbox", every = "2s"',
    ),
    Place(
        "tjansteguiden",
        "tjansteguiden",
        "tjansteguiden",
        "/tjansteguiden/plain/serviceguide_log",
        'api_user = "sandbox", api_key = "sandbox", every = "2s", recheck = "30s", '
        'write_back = "on_commit"',
    ),
    Place("seller", "seller", "tmf", "/seller/hub", ""),
)  # fmt: skip
"""The operators, in the order they are shown."""


def _pace(text: str) -> Pace:
    """`burst`, `manual` or scenario seconds a second. Raises `BadParameter`."""
    if text in {"burst", "manual"}:
        return text  # type: ignore[return-value]  # mypy does not narrow a text by `in`
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= FASTEST:
        msg = f"{text!r} is no pace; expected burst, manual or scenario seconds a second, e.g. 60"
        raise typer.BadParameter(msg)
    return seconds


def _faults(texts: Iterable[str]) -> dict[str, dict[str, faults.Fault]]:
    """What goes wrong, by operator and name."""
    active: dict[str, dict[str, faults.Fault]] = {}
    for operator, name, chosen in map(_fault, texts):
        active.setdefault(operator, {})[name] = chosen
    return active


def _fault(text: str) -> tuple[str, str, faults.Fault]:
    """`OPERATOR.NAME[=RATE]` as operator, name, fault. Raises `BadParameter` naming those known."""
    where, _, rate = text.partition("=")
    operator, _, name = where.partition(".")
    if operator not in options.OPERATORS:
        msg = f"there is no operator {operator!r}; expected one of {', '.join(options.OPERATORS)}"
        raise typer.BadParameter(msg)
    if name not in faults.known(operator):
        known = ", ".join(sorted(faults.known(operator)))
        raise typer.BadParameter(f"{operator} has no fault {name!r}; it has {known}")
    try:
        share = float(rate or 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise typer.BadParameter(f"{rate!r} is no rate; expected 0 to 1")
    return operator, name, faults.Fault(rate=share)


def sandbox(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any.")] = 8090,
    seed: Annotated[int, typer.Option(help="The same seed, the same orders.")] = 1,
    pace: Annotated[
        str,
        typer.Option(
            metavar="SECONDS|burst|manual",
            help="Scenario seconds a second; all at once; or only by /_control/advance.",
        ),
    ] = "60",
    orders: Annotated[
        int | None, typer.Option(min=1, help="How many orders; default: no end (burst: 50).")
    ] = None,
    control: Annotated[
        bool, typer.Option("--control", help="Answer /_control: what happened, trouble, time.")
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OPERATOR.NAME[=RATE]",
            help="What goes wrong and how often (0 to 1); repeat for more.",
        ),
    ] = None,
) -> None:
    """Serve four operators to try against: ON-API, Covage, Tjänsteguiden and a TMF seller."""
    active = _faults(fault or ())
    chosen = _pace(pace)
    made = operators.create(
        operators.Settings(
            seed=seed,
            pace=chosen,
            limit=operators.Limit(orders=orders or (ORDERS if chosen == "burst" else None)),
            control=control,
            faults=active,
        )
    )
    telemetry.configure("warning", "console")
    with server.bind(host, port) as listening, watched(made):
        base = server.address(listening)
        raise typer.Exit(
            server.serve_plain(
                made.app, listening, announce=lambda: _greet(base, active, control=control)
            )
        )


@contextmanager
def watched(made: operators.Sandbox) -> Iterator[None]:
    """Show on a terminal what happens at the operators, on one line, while inside."""
    console = screen.answers()
    if not console.is_terminal:
        yield
        return
    with Live(
        get_renderable=lambda: _line(made), console=console, refresh_per_second=2, transient=True
    ):
        yield


def _line(made: operators.Sandbox) -> Text:
    told = (
        f"{name} {each.events} events, {made.apps[name].requests} requests"
        for name, each in made.operators.items()
    )
    return Text(f"{made.scenario.orders} orders: " + " · ".join(told), style="dim", overflow="fold")


def _greet(base: str, active: Mapping[str, Iterable[str]], *, control: bool) -> None:
    """Print what is where, and what a listener needs to know of it."""
    typer.echo(f"\nURL    {base}    (user or e-mail sandbox, password or key sandbox)\n")
    for place in PLACES:
        typer.echo(f"{place.operator:<14} {place.url(base)}")
    if control:
        typer.echo(f"{'control':<14} {base}/_control/")
    for operator, names in active.items():
        typer.echo(f"{'faults':<14} {operator}: {', '.join(names)}")
    typer.echo("\nFor listener.toml:\n")
    for place in PLACES:
        typer.echo(f"{place.table(base)}\n")


ACTS = (acts.Act(sandbox, EXAMPLES),)

"""The commands, put together: their names, and which module each is in.

A module is loaded when its command is called: some need the database, some FastAPI, and most
neither (`front`). Not here: what each takes and does.
"""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Annotated, Any, Final

import typer
from typer import core

from app.cli import acts

HELP = "The one inbox for telecom order notifications: receive, keep, show."


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list of commands.

    `help` is said of it there, of a single command in the words of its own first line. `many`: it
    has commands below it. Its acts are those of `modules`, by default of the one of its name.
    """

    name: str
    help: str
    many: bool = False
    modules: tuple[str, ...] = ()

    def acts(self) -> Iterator[acts.Act]:
        """What its modules say can be done; loads them."""
        for module in self.modules or (self.name,):
            yield from importlib.import_module(f"{__package__}.{module}").ACTS


ENTRIES: Final = (
    Entry("demo", "Receive from four operators of the sandbox, by push and pull, until Ctrl-C."),
    Entry("serve", "Receive notifications until SIGTERM; SIGHUP reads listener.toml again."),
    Entry(
        "work",
        "Ask operators, do what is asked there, keep the orders, until SIGTERM; receive nothing.",
    ),
    Entry("token", "Print one token of the built-in issuer, or a link to the pages."),
    Entry(
        "credential",
        "Long-lived credentials of sources: shown once, kept as a hash, revocable.",
        many=True,
    ),
    Entry(
        "send",
        "POST notifications and show a table of the answers; exit code 1 if one was not taken.",
    ),
    Entry("notifications", "Show the newest notifications, the latest last; or one whole."),
    Entry("order", "Show what became of one order: who said what, when, and how late."),
    Entry(
        "orders",
        "What became of the orders: a list of them, what was placed, how the list is made anew.",
        modules=("orders", "expected"),
        many=True,
    ),
    Entry(
        "export",
        "Write all notifications of a filter, oldest first, up to the newest there is now.",
    ),
    Entry(
        "attention", "The work list: what orders need somebody for, and who sees to it.", many=True
    ),
    Entry(
        "alerts", "Alerts: attention and source trouble, told to webhooks and by mail.", many=True
    ),
    Entry(
        "stats",
        "Count notifications by source and kind, orders by state, and what waits for somebody.",
    ),
    Entry(
        "feed",
        "Operators that are asked: how their feeds stand, what may be done about it.",
        many=True,
    ),
    Entry("command", "What we do at operators: once, also where an answer is lost.", many=True),
    Entry("hub", "Our subscriptions at operators' hubs: made, kept alive, ended.", many=True),
    Entry(
        "quarantine",
        "Refused bodies: look at them, release them into the log, or discard them.",
        many=True,
    ),
    Entry(
        "personal", "What is known of the person behind an order; and how it is erased.", many=True
    ),
    Entry(
        "check",
        "Read the whole configuration and tell every fault; sends nothing, changes nothing.",
    ),
    Entry(
        "sandbox",
        "Serve four operators to try against: ON-API, Covage, Tjänsteguiden and a TMF seller.",
    ),
    Entry("db", "The database: its schema, its state, what to do after a failover.", many=True),
    Entry("openapi", "Print the contract: what is accepted, and every answer (OpenAPI 3.1)."),
)


def build(entries: Sequence[Entry] = ENTRIES) -> typer.Typer:
    """The commands of `entries`, put together."""
    app = _listener_of(core.TyperGroup)
    for entry in entries:
        group = _group(entry.help) if entry.many else app
        for act in entry.acts():
            _add(group, act)
        if entry.many:
            app.add_typer(group, name=entry.name)
    return app


def front() -> typer.Typer:
    """All commands by name, of which the one that is called is loaded, and no other."""
    app = _listener_of(_Front)
    for entry in ENTRIES:
        app.command(entry.name, help=entry.help)(_named)
    return app


def _named() -> None:
    """Stands for a command in the list of them."""


class _Front(core.TyperGroup):
    """Puts the command itself in the place of its name."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """As `TyperGroup`, which refuses a name that is none."""
        name, _, rest = super().resolve_command(ctx, args)
        called = [entry for entry in ENTRIES if entry.name == name]
        whole: Any = typer.main.get_command(build(called))
        _settled()
        return name, whole.commands[name], rest


def _settled() -> None:
    """Collect garbage from now on, but never among what is loaded."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _listener_of(group: type[core.TyperGroup]) -> typer.Typer:
    app = _group(HELP, group)
    app.callback()(_listener)
    return app


def _group(text: str, group: type[core.TyperGroup] = core.TyperGroup) -> typer.Typer:
    return typer.Typer(
        cls=group,
        help=text,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _add(group: typer.Typer, act: acts.Act) -> None:
    shown = _shown(act.examples)
    if act.name == acts.ALONE:
        group.callback(invoke_without_command=True, no_args_is_help=False, epilog=shown)(act.does)
    else:
        group.command(act.name, epilog=shown)(act.does)


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

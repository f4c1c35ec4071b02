"""Which notifications a command is about: its options, the same for every such command."""

from __future__ import annotations

from typing import Annotated

import typer

from app.notifications import notification as canonical, states


def known_state(text: str) -> str:
    """`text` if it is a canonical state. Raises `BadParameter` naming them."""
    if text not in states.STATES:
        msg = f"{text!r} is no state; expected one of: {', '.join(states.STATES)}"
        raise typer.BadParameter(msg)
    return text


Source = Annotated[str | None, typer.Option(help="Of this source.")]
Kind = Annotated[canonical.Kind | None, typer.Option(help="What happened.")]
State = Annotated[
    str | None, typer.Option(parser=known_state, metavar="STATE", help="The order's state.")
]
Order = Annotated[str | None, typer.Option(help="The order's id.")]
Event = Annotated[str | None, typer.Option(help="The event's id.")]
ExternalId = Annotated[str | None, typer.Option(help="Our own reference.")]
Flavour = Annotated[canonical.Flavour | None, typer.Option(help="The wire contract.")]
Channel = Annotated[canonical.Channel | None, typer.Option(help="Pushed or pulled.")]
Attention = Annotated[canonical.Attention | None, typer.Option(help="What it asks.")]
Conflict = Annotated[
    bool | None, typer.Option(help="Only those that disagree with an earlier one, or not.")
]
Words = Annotated[
    str | None,
    typer.Option("--query", "-q", help="One of its ids begins so, or its words are found."),
]

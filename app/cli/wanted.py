"""Which notifications a command is about: its options, the same for every such command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, get_type_hints

import typer

from app.cli import choice
from app.notifications import notification as canonical, states
from app.store import log

State = Annotated[str | None, choice.option(tuple(states.STATES), "STATE", "The order's state")]
OPTIONS: Final[Mapping[str, Any]] = MappingProxyType({
    "source": Annotated[str | None, typer.Option(help="Of this source.")],
    "kind": Annotated[
        canonical.Kind | None, choice.option(tuple(canonical.Kind), "KIND", "What happened")
    ],
    "state": State,
    "order": Annotated[str | None, typer.Option(help="The order's id.")],
    "event": Annotated[str | None, typer.Option(help="The event's id.")],
    "external_id": Annotated[str | None, typer.Option(help="Our own reference.")],
    "flavour": Annotated[
        canonical.Flavour | None,
        choice.option(tuple(canonical.Flavour), "FLAVOUR", "The wire contract"),
    ],
    "channel": Annotated[
        canonical.Channel | None, choice.option(tuple(canonical.Channel), "CHANNEL", "How it came")
    ],
    "attention": Annotated[
        canonical.Attention | None,
        choice.option(tuple(canonical.Attention), "ATTENTION", "What it asks"),
    ],
    "conflict": Annotated[
        bool | None, typer.Option(help="Only those that disagree with an earlier one, or not.")
    ],
    "query": Annotated[
        str | None,
        typer.Option("--query", "-q", help="One of its ids begins so, or its words are found."),
    ],
})  # fmt: skip
"""By the name of its parameter: what may be asked of a notification."""

FIELDS: Final = MappingProxyType({"order": "order_id", "event": "event_id", "query": "q"})
"""What an option is called in a filter, where that is another word."""


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with `OPTIONS` in the place of its parameter `asked`, the filter they make."""

    @functools.wraps(command)
    def told(**given: Any) -> None:
        asked = {FIELDS.get(name, name): given.pop(name) for name in OPTIONS}
        command(asked=log.Filter(**asked), **given)

    hints = get_type_hints(command, include_extras=True)
    own = [
        each.replace(annotation=hints[each.name])
        for each in inspect.signature(command).parameters.values()
        if each.name != "asked"
    ]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=type_)
        for name, type_ in OPTIONS.items()
    ]
    told.__dict__["__signature__"] = inspect.Signature([*own, *options])
    told.__annotations__ = {**hints, **OPTIONS}
    del told.__annotations__["asked"], told.__dict__["__wrapped__"]
    return told

"""Options of which the value is one of a few words: how they are read, and told in the help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import typer


def option(words: Sequence[str], what: str, meaning: str, *names: str) -> Any:
    """An option called `names` that takes one of `words`; `what` stands for it in the help."""
    told = f"{meaning}: {', '.join(words)}."
    return typer.Option(*names, parser=one_of(words), metavar=what, help=told)


def one_of(words: Sequence[str]) -> Callable[[str], str]:
    """Reads one of `words`, and gives it as it stands there: a member where they are an enum's.

    Raises `BadParameter` naming them.
    """

    def chosen(text: str) -> str:
        for word in words:
            if word == text:
                return word
        msg = f"{text!r} is none of: {', '.join(words)}"
        raise typer.BadParameter(msg)

    return chosen

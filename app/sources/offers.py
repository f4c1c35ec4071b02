"""What a kind can be asked to do at its operator, told so that a form can ask for it.

Not here: how it is asked (`PullKind.command`, which has the last word on every argument).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Input:
    """An argument: one of `choices`, else a text of at most `longest` characters, else yes or no.

    `optional`: it may be left out.
    """

    name: str
    label: str
    choices: tuple[str, ...] = ()
    longest: int | None = None
    optional: bool = False

    def read(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The argument as the kind takes it, of what a form `given` holds; `{}` where left out."""
        text = given.get(self.name, "").replace("\r\n", "\n").strip()
        if self.choices or self.longest is not None:
            return {self.name: text} if text or not self.optional else {}
        return {self.name: True} if text else {}


@dataclass(frozen=True, slots=True)
class Offer:
    """A command: its name at the operator, what it is called and does here.

    `changes_state`: doing it twice harms.
    """

    command: str
    title: str
    says: str
    changes_state: bool = False
    inputs: tuple[Input, ...] = ()

    def arguments(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The arguments of what a form `given` holds."""
        return {name: value for one in self.inputs for name, value in one.read(given).items()}

"""What a module of commands says of each: what is done, how it is shown by example, its name.

Every such module ends with its `ACTS`. Not here: where they stand among the others (`commands`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

ALONE: Final = ""
"""The name of what a command with commands below it does where none of them is named."""


@dataclass(frozen=True, slots=True)
class Act:
    """`does` takes the options, and its docstring explains them; `name`: else that of `does`."""

    does: Callable[..., Any]
    examples: Sequence[str]
    name: str | None = None

"""What this process keeps in mind of commands whose end is not known: no row tells of it.

A process that takes over begins anew, which only makes it more patient. Not here: what is done
about it (`commands`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

MOST: Final = 10_000
"""Commands that are kept in mind; the oldest go first."""


@dataclass(slots=True)
class Doubt:
    """Of one command.

    `lost_at`: since when the request is known to be on its way no more, as far as we are concerned.
    `looks`: times the operator could not tell what became of it. `refusals`: times it said `again`.
    """

    lost_at: datetime | None = None
    looks: int = 0
    refusals: int = 0


class Doubts:
    """By command."""

    def __init__(self) -> None:
        self._by_command: dict[str, Doubt] = {}

    def of(self, command_id: str) -> Doubt:
        """That of `command_id`, begun now where there is none."""
        found = self._by_command.setdefault(command_id, Doubt())
        if len(self._by_command) > MOST:
            self._by_command.pop(next(iter(self._by_command)))
        return found

    def over(self, command_id: str) -> None:
        """Its end is known."""
        self._by_command.pop(command_id, None)

"""The immutable event list of an ON-API network: eight bytes an event, ids that tell their place.

Not here: who asks for it (`on_api`).
"""

from __future__ import annotations

import re
from array import array
from typing import Final

from app.sandbox import chance

STATES: Final = ("RECEIVED", "IN_PROGRESS", "DONE_SUCCESS", "DONE_FAILED")
RECEIVED: Final = 0
IN_PROGRESS: Final = 1
DONE_SUCCESS: Final = 2
DONE_FAILED: Final = 3

_PLACES: Final = 1 << 48
_ODD: Final = 0x5DEECE66D1A3
_INVERSE: Final = pow(_ODD, -1, _PLACES)
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{32}")


class EventList:
    """Events in the order they were published, each an order's number and its new state."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._shift = chance.number(seed, "place") % _PLACES
        self._packed = array("q")

    def __len__(self) -> int:
        """How many events there are."""
        return len(self._packed)

    def append(self, order: int, state: int) -> None:
        """One event more: order number `order` is in state number `state`."""
        self._packed.append(order << 2 | state)

    def at(self, place: int) -> tuple[int, int]:
        """The order's number and state of the event at `place`."""
        packed = self._packed[place]
        return packed >> 2, packed & 3

    def id_of(self, place: int) -> str:
        """The event's id, a UUID. Ids do not sort like the list does (nor do seed 000's)."""
        drawn = f"{chance.number(self._seed, 'event', place):016x}"
        node = (place * _ODD + self._shift) % _PLACES
        return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[12:15]}-a{drawn[13:16]}-{node:012x}"

    def place_of(self, event: str) -> int | None:
        """Where the event with that id (dashes or not) stands; None where there is none."""
        plain = event.replace("-", "").lower()
        if not _HEXADECIMAL.fullmatch(plain):
            return None
        place = (int(plain[20:], 16) - self._shift) * _INVERSE % _PLACES
        if place >= len(self) or self.id_of(place).replace("-", "") != plain:
            return None
        return place

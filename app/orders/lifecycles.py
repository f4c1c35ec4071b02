"""Which states end an order, an item or a cancel task, and which fit each other: tables.

Not here: the states and an operator's words for them (`notifications.states`). Source: DESIGN §5.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.notifications import states

FINAL: Final = frozenset({"completed", "failed", "partial", "cancelled", "rejected"})
"""The states an order does not leave, but for a newer one of them."""

AGREEING: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "completed": frozenset({"completed", "cancelled"}),
        "failed": frozenset({"failed", "cancelled", "rejected"}),
        "partial": FINAL,
        "cancelled": frozenset({"cancelled", "rejected"}),
        "rejected": frozenset({"rejected", "cancelled"}),
    }
)
"""By the final state of an order (~): the states of an item that fit it."""

TASK_FINAL: Final = frozenset(
    states.key(word) for word in ("done", "terminatedWithError", "rejected", "cancelled")
)
"""The words that end a cancel task (facts/wire.md §2.3), as `states.key` makes them."""


def ends_task(word: str | None) -> bool:
    """Whether a cancel task of which `word` is said is over."""
    return word is not None and states.key(word) in TASK_FINAL


def disagrees(order: str | None, item: str | None) -> bool:
    """Whether an item said to be in state `item` does not fit its order's final state `order`."""
    fitting = AGREEING.get(order or "")
    return fitting is not None and item is not None and item not in fitting

"""The canonical states of an order or item, and how an operator's word becomes one: ONE table.

Words are matched without case, `_`, `-` and blanks; a dotted sub-state counts as its base
(`inProgress.accepted`, `held.assessingCharge`). `~` marks an inference. A cancel task's states are
not here: they are told in `summary.task_state` as sent. Source: DESIGN §5, facts/wire.md §2.3,
facts/mappings.md.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

STATES: Final = (
    "acknowledged",
    "rejected",
    "pending",
    "held",
    "inProgress",
    "cancelled",
    "completed",
    "failed",
    "partial",
    "assessingCancellation",
    "pendingCancellation",
    "draft",
)

# Words that are not a canonical state's own name.
NAMED: Final[Mapping[str, str]] = MappingProxyType(
    {
        # ONAP NBI: values of its engine that leak in item events
        "inProgressTaskCreated": "inProgress",
        "inProgressModifyRequestDeleteSend": "inProgress",
        "inProgressModifyItemToCreate": "inProgress",
        "inProgressModifyRequestCreateSend": "inProgress",
        # TMF 2013 (~); CLOSED_ABORTED_BYSERVER is left unknown: cancelled or failed, who knows
        "OPEN_RUNNING": "inProgress",
        "CLOSED_COMPLETED": "completed",
        "Running": "inProgress",
        # MEF r3 (~): r4 writes the same as inProgress.configured, .confirmed, .jeopardy
        "CONFIGURED": "inProgress",
        "CONFIRMED": "inProgress",
        "JEOPARDY": "inProgress",
        # the other spelling of English
        "canceled": "cancelled",
    }
)

_UNMARKED: Final = str.maketrans("", "", " _-\t")


def key(word: str) -> str:
    """`word` without case, `_`, `-`, blanks and without what follows a dot."""
    return word.partition(".")[0].translate(_UNMARKED).casefold()


_BY_KEY: Final[Mapping[str, str]] = MappingProxyType(
    {key(state): state for state in STATES} | {key(word): state for word, state in NAMED.items()}
)


@functools.lru_cache(maxsize=1024)
def canonical(word: str) -> str | None:
    """The canonical state `word` stands for; None if no row knows it."""
    return _BY_KEY.get(key(word))

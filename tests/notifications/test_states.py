"""The table of states, walked."""

from __future__ import annotations

import pytest

from app.notifications import states

# facts/wire.md §2.3, every word of an order or item; None: kept as raw_state only
WORDS = {
    # 2015, v3, v4, v5
    "Acknowledged": "acknowledged",
    "InProgress": "inProgress",
    "Cancelled": "cancelled",
    "Completed": "completed",
    "Rejected": "rejected",
    "Pending": "pending",
    "Held": "held",
    "Failed": "failed",
    "Partial": "partial",
    "assessingCancellation": "assessingCancellation",
    "pendingCancellation": "pendingCancellation",
    "draft": "draft",
    "inProgress.accepted": "inProgress",
    # MEF r3, r4, grace
    "ACKNOWLEDGED": "acknowledged",
    "IN_PROGRESS": "inProgress",
    "ASSESSING_CANCELLATION": "assessingCancellation",
    "PENDING_CANCELLATION": "pendingCancellation",
    "CONFIGURED": "inProgress",
    "CONFIRMED": "inProgress",
    "JEOPARDY": "inProgress",
    "inProgress.jeopardy": "inProgress",
    "held.assessingCharge": "held",
    "pending.assessingModification": "pending",
    "rejected.validated": "rejected",
    # ONAP's leaks
    "inProgressTaskCreated": "inProgress",
    "inProgressModifyRequestDeleteSend": "inProgress",
    "inProgressModifyItemToCreate": "inProgress",
    "inProgressModifyRequestCreateSend": "inProgress",
    # 2013
    "OPEN_RUNNING": "inProgress",
    "CLOSED_COMPLETED": "completed",
    "CLOSED_ABORTED_BYSERVER": None,
    "Running": "inProgress",
    "NotStarted": None,
    # spelled otherwise
    " in-progress ": "inProgress",
    "canceled": "cancelled",
    # not states of an order
    "done": None,
    "terminatedWithError": None,
    "Activated": None,
    "": None,
    ".accepted": None,
}


@pytest.mark.parametrize(("word", "state"), WORDS.items())
def test_a_word_of_the_field_has_its_state(word, state):
    assert states.canonical(word) == state


def test_every_state_is_its_own_word_and_every_named_word_leads_to_a_state():
    assert [states.canonical(state) for state in states.STATES] == list(states.STATES)
    for word, state in states.NAMED.items():
        assert states.canonical(word) == state
        assert state in states.STATES

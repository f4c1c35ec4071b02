"""The fold whatever the history: it is the same for every order of arrival, and keeps its rules."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from app.notifications import states
from app.notifications.notification import (
    Appointment,
    Attention,
    Item,
    Kind,
    Notification,
    ResourceType,
)
from app.orders import lifecycles, order as orders, timeline
from tests.orders.telling import DAY, told

moments = st.integers(0, 6).map(lambda hours: DAY + timedelta(hours=hours))
items = st.builds(
    Item,
    id=st.sampled_from(["1", "2", None]),
    action=st.sampled_from(["add", None]),
    state=st.sampled_from(["inProgress", "completed", "failed", None]),
)
appointments = st.one_of(
    st.none(), st.just("void"), st.builds(Appointment, start=moments, end=st.none())
)


@st.composite
def histories(draw: st.DrawFn) -> list[Notification]:
    """What was stored of one order: few moments, so that ties are common."""
    return [
        told(
            seq,
            kind=draw(st.sampled_from([Kind.STATE_CHANGED, Kind.MILESTONE, Kind.REMOVED])),
            state=draw(st.sampled_from(["inProgress", "held", "completed", "failed", None])),
            items=tuple(draw(st.lists(items, max_size=2))),
            attention=draw(st.sampled_from([None, *Attention])),
            attention_clears=draw(st.booleans()),
            appointment=draw(appointments),
            access_id=draw(st.sampled_from(["A", "B", None])),
            occurred_at=draw(st.one_of(st.none(), moments)),
            received_at=draw(moments),
            conflict_of=draw(st.sampled_from(["n1", None])),
        )
        for seq in range(1, draw(st.integers(1, 8)) + 1)
    ]


@given(histories().flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
def test_any_permutation_of_the_stored_folds_to_the_same_order(histories):
    stored, permuted = histories
    assert timeline.fold(permuted) == timeline.fold(stored)


@given(histories())
def test_the_timeline_tells_every_notification_once_by_event_time(stored):
    entries = timeline.fold(stored).timeline
    assert sorted(entry.seq for entry in entries) == [one.seq for one in stored]
    moments = [(entry.occurred_at or entry.received_at, entry.seq) for entry in entries]
    assert moments == sorted(moments)


@given(histories())
def test_an_order_that_was_once_final_is_final(stored):
    story = timeline.fold(stored)
    said = {one.state for one in stored}
    assert story.final == bool(said & lifecycles.FINAL)
    assert story.final == (story.state in lifecycles.FINAL)


@given(histories())
def test_what_is_open_was_asked_in_a_notification_of_the_story(stored):
    story = timeline.fold(stored)
    asked = {one.id: one.attention for one in stored}
    for each in story.attention:
        flags = next(e.flags for e in story.timeline if e.notification_id == each.notification_id)
        assert each.attention is asked[each.notification_id] or (
            each.attention is Attention.ALARM and "changed_after_final" in flags
        )


def test_without_a_notification_there_is_no_story():
    with pytest.raises(ValueError, match="needs a notification"):
        timeline.fold([])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [("serviceOrder", "PO-1")]),
        ({"order_id": None}, []),
        ({"order_id": None, "service_id": "S"}, []),
        ({"service_id": "S"}, [("serviceOrder", "PO-1")]),
        (
            {"resource_type": ResourceType.SERVICE, "order_id": None, "service_id": "S"},
            [("service", "S")],
        ),
        (
            {"resource_type": ResourceType.CANCEL_ORDER, "about_order_id": "A"},
            [("cancelOrder", "PO-1"), ("productOrder", "A")],
        ),
        (
            {
                "resource_type": ResourceType.CANCEL_ORDER,
                "flavour": "tmf641_v4",
                "order_id": None,
                "about_order_id": "A",
            },
            [("serviceOrder", "A")],
        ),
    ],
)
def test_a_notification_belongs_to_the_orders_it_names(fields, expected):
    found = orders.keys(told(1, **fields))
    assert [(key.resource_type.value, key.order_id) for key in found] == expected


def test_the_final_states_are_states_and_agree_with_themselves():
    assert set(states.STATES) > lifecycles.FINAL
    assert set(lifecycles.AGREEING) == lifecycles.FINAL
    for final, fitting in lifecycles.AGREEING.items():
        assert final in fitting
        assert fitting <= lifecycles.FINAL


@pytest.mark.parametrize("word", ["done", "DONE", "terminatedWithError", "rejected", "Cancelled"])
def test_these_words_end_a_cancel_task(word):
    assert lifecycles.ends_task(word)


@pytest.mark.parametrize("word", [None, "acknowledged", "accepted", "inProgress"])
def test_these_words_do_not(word):
    assert not lifecycles.ends_task(word)

"""What is new, what is a repeat, what is a conflict: law 4 as a pure function."""

from __future__ import annotations

from hypothesis import given, strategies as st

from app import intake
from app.store import append
from tests.arrivals import candidate

FIRST, SPACED, OTHER = b'{"a": 1, "b": 2}', b'{ "b":2,"a":1 }', b'{"a": 2, "b": 2}'


def known(of: append.Candidate, seq: int) -> append.Known:
    return append.Known(
        seq, of.notification.id, of.identity or b"", of.raw_digest, of.canonical_digest
    )


def log_with(*candidates: append.Candidate) -> append.Found:
    """What `find` gives when these are in the log already."""
    found = append.Found(head=len(candidates))
    for seq, one in enumerate(candidates, 1):
        told = one.notification
        if told.event_id is not None:
            found.by_event.setdefault((told.source, told.event_id), []).append(known(one, seq))
        elif one.identity is not None:
            found.by_identity[one.identity] = known(one, seq)
    return found


def test_an_unknown_event_is_appended_after_the_head():
    one = candidate()
    assert intake.decide([one], append.Found(head=41)) == [append.New(42, one.identity, None)]


def test_the_same_bytes_are_a_repeat():
    first = candidate(raw=FIRST)
    (decision,) = intake.decide([candidate(raw=FIRST)], log_with(first))
    assert decision == append.Repeat(known(first, 1))


def test_the_same_content_serialised_again_is_a_repeat():
    first = candidate(raw=FIRST)
    (decision,) = intake.decide([candidate(raw=SPACED)], log_with(first))
    assert decision == append.Repeat(known(first, 1))


def test_other_content_of_a_known_event_id_conflicts_with_the_first():
    first, second = candidate(raw=FIRST), candidate(raw=OTHER)
    third = candidate(raw=b'{"a": 3}')
    (decision,) = intake.decide([third], log_with(first, second))
    assert decision == append.New(3, third.identity, first.notification.id)


def test_a_repeat_of_the_conflicting_one_is_a_sighting_of_that_one():
    first, second = candidate(raw=FIRST), candidate(raw=OTHER)
    (decision,) = intake.decide([candidate(raw=OTHER)], log_with(first, second))
    assert decision == append.Repeat(known(second, 2))


def test_a_source_whose_ids_restart_has_no_conflicts():
    (decision,) = intake.decide(
        [candidate(raw=OTHER, unique=False)], log_with(candidate(raw=FIRST))
    )
    assert isinstance(decision, append.New)
    assert decision.conflict_of is None


def test_the_same_event_id_of_two_sources_is_two_events():
    (decision,) = intake.decide([candidate(source="other", raw=OTHER)], log_with(candidate()))
    assert isinstance(decision, append.New)
    assert decision.conflict_of is None


def test_within_one_batch_the_first_wins_and_the_rest_follow_it():
    batch = [
        candidate(raw=FIRST),
        candidate(raw=SPACED),
        candidate(raw=OTHER),
        candidate(raw=OTHER),
    ]
    first, again, conflict, repeat = intake.decide(batch, append.Found())
    assert first == append.New(1, batch[0].identity, None)
    assert again == append.Repeat(known(batch[0], 1))
    assert conflict == append.New(2, batch[2].identity, batch[0].notification.id)
    assert repeat == append.Repeat(known(batch[2], 2))


def test_a_dated_push_without_event_id_repeats_by_its_bytes():
    first = candidate(event_id=None, raw=FIRST)
    same, other = candidate(event_id=None, raw=FIRST), candidate(event_id=None, raw=OTHER)
    decisions = intake.decide([same, other], log_with(first))
    assert decisions == [append.Repeat(known(first, 1)), append.New(2, other.identity, None)]


def undated(raw: bytes, order_id: str | None = "PO-1") -> append.Candidate:
    return candidate(event_id=None, occurred_at=None, raw=raw, order_id=order_id)


def test_a_push_with_neither_id_nor_time_repeats_only_the_latest_of_its_order():
    batch = [undated(FIRST), undated(FIRST), undated(OTHER), undated(FIRST), undated(FIRST)]
    found = append.Found(latest={("local", "PO-1"): None})
    kinds = [type(d).__name__ for d in intake.decide(batch, found)]
    assert kinds == ["New", "Repeat", "New", "New", "Repeat"]


def test_orders_without_id_or_time_are_told_apart_and_no_order_counts_as_one():
    batch = [undated(FIRST), undated(FIRST, "PO-2"), undated(FIRST, None), undated(FIRST, None)]
    keys = [("local", "PO-1"), ("local", "PO-2"), ("local", None)]
    found = append.Found(latest=dict.fromkeys(keys, None))
    kinds = [type(d).__name__ for d in intake.decide(batch, found)]
    assert kinds == ["New", "New", "New", "Repeat"]


def test_the_identity_of_a_push_without_id_or_time_depends_on_what_it_follows():
    key, other = ("local", "PO-1"), candidate(raw=OTHER)
    first, later = (
        intake.decide([undated(FIRST)], append.Found(latest={key: latest}))[0]
        for latest in (None, known(other, 2))
    )
    assert isinstance(first, append.New)
    assert isinstance(later, append.New)
    assert first.identity != later.identity


@given(
    st.lists(
        st.tuples(st.sampled_from(["e1", "e2", None]), st.sampled_from([FIRST, SPACED, OTHER])),
        max_size=12,
    ),
    st.integers(0, 12),
)
def test_a_batch_decides_as_its_parts_one_after_the_other_would(told, cut):
    batch = [candidate(event_id=event_id, raw=raw) for event_id, raw in told]
    at_once = intake.decide(batch, append.Found())
    found = append.Found()
    first = intake.decide(batch[:cut], found)
    found.head = max((d.seq for d in first if isinstance(d, append.New)), default=0)
    assert first + intake.decide(batch[cut:], found) == at_once


def test_the_identity_cannot_be_forged_by_moving_a_border():
    assert intake.identity("ab", "c", b"d") != intake.identity("a", "bc", b"d")
    assert intake.identity("a", None, b"d") != intake.identity("a", "", b"d")
    assert intake.identity("a", "-", b"d") != intake.identity("a", None, b"d")

"""Twelve stories, told by hand from the documents: what becomes of each is exact.

In `facts/mappings.md` stand the words of each operator; here are the notifications they become.
"""

from __future__ import annotations

import itertools

from app.notifications.notification import (
    Appointment,
    Attention,
    Channel,
    Flavour,
    Item,
    Kind,
    Notification,
    Origin,
    ResourceType,
)
from app.orders import timeline
from app.orders.order import FirstWord, ItemState, Key, Open, Order, Visit
from tests.orders.telling import at, told

Told = tuple[Notification, ...]


def folded(*notifications: Notification, key: Key | None = None) -> Order:
    """The story of `notifications`, the same whichever of a few orders they are given in."""
    story = timeline.fold(notifications, key=key)
    assert timeline.fold(reversed(notifications), key=key) == story
    for some in itertools.islice(itertools.permutations(notifications), 1, 24):
        assert timeline.fold(some, key=key) == story
    return story


def flags_of(story: Order) -> dict[str, tuple[str, ...]]:
    """The entries that are marked, with their marks."""
    return {entry.notification_id: entry.flags for entry in story.timeline if entry.flags}


def sequence(story: Order) -> list[str]:
    """The ids of the timeline, as it is told."""
    return [entry.notification_id for entry in story.timeline]


# ── 1 ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_goes_its_way_to_completed() -> None:
    """Orange: created, the item is worked on, completed."""
    item = Item(id="1", action="add", state="acknowledged", raw_state="acknowledged")
    working = Item(id="1", state="inProgress", raw_state="inProgressTaskCreated")
    done = Item(id="1", action="add", state="completed", raw_state="completed")
    story = folded(
        told(
            1,
            kind=Kind.CREATED,
            state="acknowledged",
            raw_state="acknowledged",
            items=(item,),
            occurred_at=at("09:00"),
            external_id="OUR-7",
        ),
        told(2, kind=Kind.ITEM_STATE_CHANGED, items=(working,), occurred_at=at("09:05")),
        told(3, state="completed", raw_state="completed", items=(done,), occurred_at=at("10:00")),
    )
    assert story.key == Key("orange", ResourceType.SERVICE_ORDER, "PO-1")
    assert (story.state, story.raw_state, story.final) == ("completed", "completed", True)
    assert story.items == (ItemState("1", "add", "completed", "completed"),)
    assert story.flags == ()
    assert story.attention == ()
    assert story.appointment is None
    assert story.external_id == "OUR-7"
    assert (story.state_since, story.occurred_at) == (at("10:00"), at("10:00"))
    assert (story.first_news_at, story.last_news_at) == (at("09:00"), at("10:00"))
    assert (story.count, story.folded_seq) == (3, 3)
    assert sequence(story) == ["n1", "n2", "n3"]


# ── 2 ────────────────────────────────────────────────────────────────────────────────────────────


def _one_access() -> tuple[Told, Told, Told]:
    """An operator's service order by push, the same access in two feeds."""
    pushed = (
        told(1, kind=Kind.CREATED, state="acknowledged", occurred_at=at("09:00")),
        told(5, state="completed", occurred_at=at("11:00")),
    )
    listed = tuple(
        told(
            seq,
            source="stadsnat",
            channel=Channel.PULL,
            flavour=Flavour.ON_API,
            resource_type=ResourceType.ORDER,
            order_id="8f2c",
            access_id="ACC-1",
            state=state,
            occurred_at=None,
            received_at=received,
        )
        for seq, state, received in [
            (2, "acknowledged", at("09:20")),
            (6, "completed", at("11:30")),
        ]
    )
    guided = tuple(
        told(
            seq,
            source="guiden",
            channel=Channel.PULL,
            flavour=Flavour.TJANSTEGUIDEN,
            resource_type=ResourceType.ORDER,
            order_id="4711",
            access_id="ACC-1",
            state=state,
            attention=attention,
            occurred_at=None,
            received_at=received,
        )
        for seq, state, attention, received in [
            (3, None, Attention.BUYER_ACTION, at("09:30")),
            (4, "acknowledged", None, at("09:40")),
        ]
    )
    return pushed, listed, guided


def test_three_sources_tell_of_one_access_each_in_a_story_of_its_own() -> None:
    pushed, listed, guided = (folded(*each) for each in _one_access())
    assert [story.key for story in (pushed, listed, guided)] == [
        Key("orange", ResourceType.SERVICE_ORDER, "PO-1"),
        Key("stadsnat", ResourceType.ORDER, "8f2c"),
        Key("guiden", ResourceType.ORDER, "4711"),
    ]
    assert [story.state for story in (pushed, listed, guided)] == [
        "completed",
        "completed",
        "acknowledged",
    ]
    assert [story.access_id for story in (pushed, listed, guided)] == [None, "ACC-1", "ACC-1"]
    asked = Open("n3", Attention.BUYER_ACTION, at("09:30"), None, "guiden")
    assert [story.attention for story in (pushed, listed, guided)] == [(), (), (asked,)]
    assert (listed.state_since, listed.occurred_at) == (at("11:30"), None)


def test_three_sources_told_together_say_who_knew_first() -> None:
    story = folded(*itertools.chain(*_one_access()))
    assert sequence(story) == ["n1", "n2", "n3", "n4", "n5", "n6"]
    assert story.state == "completed"
    assert story.attention == ()
    assert story.told_first == (
        FirstWord("acknowledged", "orange", Channel.PUSH, "n1", at("09:00"), 0.0),
        FirstWord("completed", "orange", Channel.PUSH, "n5", at("11:00"), 0.0),
    )


# ── 3 ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_appointment_is_made_missed_made_again_and_kept() -> None:
    """Covage: appointment-agreed, -missed, -agreed, on-site-intervention-succeeded, completed."""
    first = Appointment(start=at("08:00", day=5), end=at("10:00", day=5))
    second = Appointment(start=at("13:00", day=9), end=None)

    def news(seq: int, kind: Kind, **fields: object) -> Notification:
        common = {"source": "covage", "resource_type": ResourceType.ORDER, "order_id": "1i0cvu4c"}
        return told(seq, kind=kind, **{**common, **fields})

    made = news(1, Kind.MILESTONE, appointment=first, occurred_at=at("09:00"))
    missed = news(
        2,
        Kind.JEOPARDY,
        appointment="void",
        attention=Attention.BUYER_ACTION,
        occurred_at=at("10:30", day=5),
    )
    again = news(3, Kind.MILESTONE, appointment=second, occurred_at=at("15:00", day=5))
    confirmed = news(4, Kind.MILESTONE, appointment=second, occurred_at=at("16:00", day=5))
    visited = news(5, Kind.MILESTONE, occurred_at=at("14:00", day=9))
    done = news(6, Kind.STATE_CHANGED, state="completed", occurred_at=at("15:00", day=9))

    before = folded(made, missed)
    assert before.appointment is None
    assert before.open_attention is Attention.BUYER_ACTION

    waiting = folded(made, missed, again, confirmed)
    assert waiting.appointment == second
    assert [entry.notification_id for entry in waiting.attention] == ["n2"]

    story = folded(made, missed, again, confirmed, visited, done)
    assert story.state == "completed"
    assert story.appointment == second
    assert story.appointments == (
        Visit("made", first, "n1", at("09:00")),
        Visit("voided", first, "n2", at("10:30", day=5)),
        Visit("made", second, "n3", at("15:00", day=5)),
    )
    assert [reached.notification_id for reached in story.milestones] == ["n1", "n3", "n4", "n5"]
    assert story.attention == ()
    assert story.flags == ()


# ── 4 ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_comes_late_and_out_of_order_is_told_where_it_belongs() -> None:
    """Completed is pushed first; that it was in progress comes two hours later, by another way."""
    story = folded(
        told(1, kind=Kind.CREATED, state="acknowledged", occurred_at=at("09:00")),
        told(2, state="completed", occurred_at=at("11:00"), received_at=at("11:01")),
        told(3, state="inProgress", occurred_at=at("10:00"), received_at=at("12:00")),
    )
    assert sequence(story) == ["n1", "n3", "n2"]
    assert (story.state, story.final, story.state_since) == ("completed", True, at("11:00"))
    assert flags_of(story) == {"n3": ("out_of_order", "late")}
    assert story.flags == ("out_of_order", "late")
    assert story.attention == ()
    assert [entry.lag for entry in story.timeline] == [0.0, 7200.0, 60.0]
    assert story.last_news_at == at("12:00")


# ── 5 ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_said_after_the_end_is_an_alarm_and_changes_nothing() -> None:
    story = folded(
        told(1, state="completed", raw_state="Completed", occurred_at=at("10:00")),
        told(2, state="inProgress", raw_state="InProgress", occurred_at=at("11:00")),
    )
    assert (story.state, story.raw_state, story.final) == ("completed", "Completed", True)
    assert story.flags == ("changed_after_final",)
    assert flags_of(story) == {"n2": ("changed_after_final",)}
    assert story.attention == (Open("n2", Attention.ALARM, at("11:00"), None, "orange"),)


def test_a_final_state_yields_to_a_newer_final_one() -> None:
    story = folded(
        told(1, state="completed", occurred_at=at("10:00")),
        told(2, state="failed", attention=Attention.ALARM, occurred_at=at("11:00")),
        told(3, state="completed", occurred_at=at("09:00"), received_at=at("12:00")),
    )
    assert (story.state, story.state_since) == ("failed", at("11:00"))
    assert [each.notification_id for each in story.attention] == ["n2"]
    assert story.flags == ("out_of_order", "late")


# ── 6 ────────────────────────────────────────────────────────────────────────────────────────────


def test_items_that_disagree_are_shown_and_leave_the_order_alone() -> None:
    """A v5 order is completed; one of its items failed, another was last told of before that."""
    story = folded(
        told(
            1,
            kind=Kind.CREATED,
            state="inProgress",
            items=(
                Item(id="1", action="add", state="inProgress", raw_state="inProgress"),
                Item(id="2", action="modify", state="inProgress", raw_state="inProgress"),
                Item(id="3", action="delete", state="pending", raw_state="pending"),
            ),
            occurred_at=at("09:00"),
        ),
        told(
            2,
            state="completed",
            items=(Item(id="1", state="completed", raw_state="completed"),),
            occurred_at=at("10:00"),
        ),
        told(
            3,
            kind=Kind.ITEM_STATE_CHANGED,
            items=(Item(id="2", state="failed", raw_state="failed.technical"),),
            occurred_at=at("10:05"),
        ),
    )
    assert story.state == "completed"
    assert story.items == (
        ItemState("1", "add", "completed", "completed"),
        ItemState("2", "modify", "failed", "failed.technical", disagrees=True),
        ItemState("3", "delete", "pending", "pending"),
    )
    assert story.flags == ()
    assert story.attention == ()


# ── 7 ────────────────────────────────────────────────────────────────────────────────────────────


def test_orange_falls_silent_after_rejecting_an_item() -> None:
    """ONAP announces rejected for the item only (facts/wire.md §1.2): the order is not over."""
    story = folded(
        told(
            1,
            kind=Kind.CREATED,
            state="acknowledged",
            items=(Item(id="A", action="add", state="acknowledged"),),
            occurred_at=at("09:00"),
        ),
        told(
            2,
            kind=Kind.ITEM_STATE_CHANGED,
            state="acknowledged",
            items=(Item(id="A", action="add", state="rejected", raw_state="rejected"),),
            attention=Attention.BUYER_ACTION,
            occurred_at=at("09:10"),
        ),
    )
    assert (story.state, story.final) == ("acknowledged", False)
    assert story.state_since == at("09:00")
    assert story.items == (ItemState("A", "add", "rejected", "rejected"),)
    assert story.open_attention is Attention.BUYER_ACTION
    assert story.last_news_at == at("09:10")  # since then silence, which the lists see


# ── 8 ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_delay_asks_the_buyer_and_is_cleared_by_the_confirmation() -> None:
    """Covage: order-delayed, our own answer, order-delayed-orderconfirmed."""
    delayed = told(
        1,
        kind=Kind.INFORMATION_REQUIRED,
        state="pending",
        attention=Attention.BUYER_ACTION,
        occurred_at=at("09:00"),
    )
    answered = told(2, kind=Kind.NOTE, origin=Origin.SELF, occurred_at=at("09:30"))
    confirmed = told(3, state="inProgress", attention_clears=True, occurred_at=at("10:00"))

    asked = folded(delayed, answered)
    assert asked.state == "pending"
    assert asked.attention == (Open("n1", Attention.BUYER_ACTION, at("09:00"), None, "orange"),)

    story = folded(delayed, answered, confirmed)
    assert story.state == "inProgress"
    assert story.attention == ()
    assert [entry.origin for entry in story.timeline] == [
        Origin.OPERATOR,
        Origin.SELF,
        Origin.OPERATOR,
    ]
    assert [entry.attention_clears for entry in story.timeline] == [False, False, True]


# ── 9 ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_removed_order_keeps_its_state() -> None:
    story = folded(
        told(1, state="held", raw_state="Held", occurred_at=at("09:00")),
        told(2, kind=Kind.REMOVED, occurred_at=at("10:00")),
    )
    assert (story.state, story.raw_state, story.final) == ("held", "Held", False)
    assert story.flags == ("removed",)
    assert flags_of(story) == {"n2": ("removed",)}


# ── 10 ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_cancel_task_shows_on_the_order_and_has_a_story_of_its_own() -> None:
    order = (
        told(1, flavour=Flavour.TMF622_V4, resource_type=ResourceType.PRODUCT_ORDER, state="held"),
    )
    task = tuple(
        told(
            seq,
            kind=kind,
            flavour=Flavour.TMF622_V4,
            resource_type=ResourceType.CANCEL_ORDER,
            order_id="CT-9",
            about_order_id="PO-1",
            raw_state=word,
            attention=attention,
            occurred_at=at(clock),
        )
        for seq, kind, word, attention, clock in [
            (2, Kind.CANCEL_CREATED, "acknowledged", None, "13:00"),
            (3, Kind.CANCEL_INFORMATION_REQUIRED, None, Attention.BUYER_ACTION, "13:30"),
            (4, Kind.CANCEL_STATE_CHANGED, "done", None, "14:00"),
        ]
    )
    about = Key("orange", ResourceType.PRODUCT_ORDER, "PO-1")
    story = folded(*order, *task, key=about)
    assert (story.key, story.state, story.final) == (about, "held", False)
    assert sequence(story) == ["n1", "n2", "n3", "n4"]
    assert story.attention == ()

    asked = folded(*task[:2])
    assert asked.key == Key("orange", ResourceType.CANCEL_ORDER, "CT-9")
    assert (asked.state, asked.raw_state, asked.final) == (None, "acknowledged", False)
    assert asked.about_order_id == "PO-1"
    assert asked.open_attention is Attention.BUYER_ACTION

    ended = folded(*task)
    assert (ended.raw_state, ended.final, ended.attention) == ("done", True, ())


# ── 11 ───────────────────────────────────────────────────────────────────────────────────────────


def test_two_contents_of_one_event_are_both_told_and_marked() -> None:
    story = folded(
        told(1, event_id="00001", state="inProgress", occurred_at=at("09:00")),
        told(2, event_id="00001", state="held", conflict_of="n1", occurred_at=at("09:00")),
    )
    assert sequence(story) == ["n1", "n2"]
    assert story.state == "held"
    assert story.flags == ("conflicting",)
    assert flags_of(story) == {"n2": ("conflicting",)}


# ── 12 ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_saturated_order_alarms_until_it_fails_and_the_failure_alarms_on() -> None:
    """Covage: saturation voids the visit and alarms; the end clears that and brings its own."""
    visit = Appointment(start=at("08:00", day=5), end=at("10:00", day=5))
    agreed = told(1, kind=Kind.MILESTONE, appointment=visit, occurred_at=at("08:00"))
    full = told(
        2,
        kind=Kind.JEOPARDY,
        state="held",
        attention=Attention.ALARM,
        appointment="void",
        occurred_at=at("09:00"),
    )
    asked = told(
        3,
        kind=Kind.INFORMATION_REQUIRED,
        state="pending",
        attention=Attention.BUYER_ACTION,
        occurred_at=at("10:00"),
    )
    failed = told(4, state="rejected", attention=Attention.ALARM, occurred_at=at("11:00"))

    story = folded(agreed, full, asked)
    assert (story.state, story.appointment) == ("pending", None)
    assert [each.notification_id for each in story.attention] == ["n2", "n3"]
    assert story.open_attention is Attention.ALARM

    story = folded(agreed, full, asked, failed)
    assert (story.state, story.final) == ("rejected", True)
    assert story.attention == (Open("n4", Attention.ALARM, at("11:00"), None, "orange"),)


def test_a_service_is_told_beside_its_order_by_its_own_word() -> None:
    """Covage service-activated, service-terminated: no order state, the word is kept."""
    service = {"source": "covage", "resource_type": ResourceType.SERVICE, "order_id": None}
    story = folded(
        told(1, **service, service_id="9h3g", raw_state="activated", occurred_at=at("09:00")),
        told(2, **service, service_id="9h3g", kind=Kind.VALUE_CHANGED, occurred_at=at("10:00")),
        told(3, **service, service_id="9h3g", raw_state="terminated", occurred_at=at("11:00")),
    )
    assert story.key == Key("covage", ResourceType.SERVICE, "9h3g")
    assert (story.state, story.raw_state, story.final) == (None, "terminated", False)
    assert story.state_since == at("11:00")


def test_history_that_a_feed_begins_with_is_not_late() -> None:
    story = folded(told(1, occurred_at=at("09:00"), received_at=at("09:00", day=20), backfill=True))
    assert story.flags == ()
    assert story.timeline[0].lag == 18 * 86400.0

"""The drawn story: what stands where, what it says, and that no text of it is ever markup."""

import re
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from app.notifications.notification import (
    Appointment,
    Attention,
    Channel,
    Item,
    Kind,
    Origin,
    ResourceType,
)
from app.orders import timeline
from app.store import commands
from app.ui import drawing, spans
from tests.orders.telling import at, told

MARKUP = "<script>alert(1)</script>\"'&"


def story(*notifications):
    return timeline.fold(notifications)


def drawn(order, *, width=1000, now=None, **scene):
    scene = drawing.Scene(order, now or at("18:00"), **scene)
    return ET.fromstring(drawing.draw(scene, width=width))


def titles(picture, class_):
    return [
        group.find("title").text
        for group in picture.iter("g")
        if class_ in group.get("class", "").split()
    ]


def test_states_hold_until_the_next_one_and_a_late_word_changes_nothing():
    order = story(
        told(1, state="acknowledged", occurred_at=at("09:00")),
        told(2, state="inProgress", occurred_at=at("10:00")),
        told(3, state="inProgress", occurred_at=at("10:30")),
        told(4, state="completed", occurred_at=at("11:00")),
        told(5, state="held", occurred_at=at("12:00")),
    )
    assert spans.states(order) == [
        spans.Span("acknowledged", at("09:00"), at("10:00")),
        spans.Span("inProgress", at("10:00"), at("11:00")),
        spans.Span("completed", at("11:00"), None),
    ]


def test_what_has_no_state_of_ours_is_told_in_the_words_of_the_operator():
    service = {"resource_type": ResourceType.SERVICE}
    order = story(
        told(1, raw_state="activated", occurred_at=at("09:00"), **service),
        told(2, raw_state="suspended", occurred_at=at("10:00"), **service),
    )
    assert [span.word for span in spans.states(order)] == ["activated", "suspended"]


@pytest.mark.parametrize(
    ("then", "closed", "end", "note"),
    [
        ({"state": "inProgress"}, {}, None, ""),
        ({"state": "inProgress", "attention_clears": True}, {}, at("11:00"), "cleared"),
        ({"state": "completed"}, {}, at("11:00"), "cleared"),
        ({"state": "inProgress"}, {"n1": at("13:00")}, at("13:00"), "closed by hand"),
    ],
)
def test_attention_lasts_until_it_is_cleared_or_closed(then, closed, end, note):
    order = story(
        told(1, state="held", attention=Attention.BUYER_ACTION, occurred_at=at("09:00")),
        told(2, occurred_at=at("11:00"), **then),
    )
    assert spans.attention(order, closed) == [spans.Span("buyer_action", at("09:00"), end, note)]


def test_an_appointment_that_was_moved_is_drawn_as_void():
    first = Appointment(start=at("09:00", day=4), end=at("12:00", day=4))
    second = Appointment(start=at("09:00", day=5))
    order = story(
        told(1, appointment=first, occurred_at=at("09:00")),
        told(2, appointment=second, occurred_at=at("10:00")),
    )
    assert spans.visits(order) == [
        spans.Span("void", first.start, first.end),
        spans.Span("appointment", second.start, at("10:00", day=5)),
    ]


def test_items_have_a_row_each_and_one_without_an_id_has_its_place():
    order = story(
        told(1, items=(Item(id="1", state="held"), Item(state="held")), occurred_at=at("09:00")),
        told(2, items=(Item(id="1", state="completed"),), occurred_at=at("10:00")),
    )
    found = {name: [span.word for span in bands] for name, bands in spans.items(order).items()}
    assert found == {"1": ["held", "completed"], "no. 2": ["held"]}


def test_time_runs_one_way_and_a_burst_has_room():
    moments = [at("09:00"), at("09:00:01"), at("09:00:02"), at("09:00", day=30)]
    scale = drawing.Scale(moments, 100, 900)
    places = [scale.x(moment) for moment in moments]
    assert places[0] == 100
    assert places[-1] == pytest.approx(900)
    assert places == sorted(places)
    assert places[1] - places[0] > 20
    assert scale.x(at("08:00")) == 100
    assert places[2] < scale.x(at("09:00", day=10)) < places[3]


def test_every_entry_stands_where_it_happened_and_where_it_was_heard_of():
    order = story(
        told(1, state="held", occurred_at=at("09:00"), received_at=at("12:00")),
        told(2, kind=Kind.NOTE, occurred_at=at("10:00"), channel=Channel.PULL),
    )
    picture = drawn(order)
    marks = [group for group in picture.iter("g") if group.get("class", "").startswith("mark")]
    places = [re.findall(r"[\d.]+", group.get("transform")) for group in marks]
    happened, heard = float(places[0][0]), float(places[1][0])
    assert heard > happened
    assert [float(y) for _, y in places] == [10, 52, 10, 52]
    assert titles(picture, "mark")[0] == (
        "state changed · held: orange by push, happened 2026-03-02 09:00:00 UTC,"
        " received 2026-03-02 12:00:00 UTC (late)"
    )
    assert [line.get("class") for line in picture.iter("line")].count("joint late") == 1


def test_what_has_no_time_of_its_own_says_so():
    order = story(told(1, state="held", occurred_at=None, received_at=at("09:00")))
    picture = drawn(order)
    assert "when it happened was not told" in titles(picture, "undated")[0]


def test_our_own_acts_and_commands_are_hollow():
    order = story(told(1, state="held", origin=Origin.SELF, occurred_at=at("09:00")))
    sent = commands.Command(
        "c1", "orange", "PO-1", "set_status", {}, "k", True, "ann", at("09:30"), at("09:30"),
        state="done", attempted_at=at("09:31"),
    )  # fmt: skip
    assert "set_status, done: 2026-03-02 09:31:00 UTC" in titles(drawn(order, sent=[sent]), "own")


def test_the_stories_beside_have_a_row_each():
    order = story(told(1, state="held", occurred_at=at("09:00")))
    other = story(told(2, source="guiden", order_id="66", state="failed", occurred_at=at("10:00")))
    picture = drawn(order, beside=[other])
    assert any(title.startswith("guiden 66: failed") for title in titles(picture, "band"))


@pytest.mark.parametrize("width", [1000, 340])
def test_nothing_is_drawn_outside_of_the_picture(width):
    order = story(
        told(1, state="acknowledged", occurred_at=at("09:00")),
        told(2, state="completed", attention=Attention.ALARM, occurred_at=at("09:00:01")),
        told(3, state="held", occurred_at=at("09:00", day=28)),
    )
    picture = drawn(order, width=width)
    boxes = list(picture.iter("rect"))
    assert boxes
    for box in boxes:
        assert float(box.get("x")) >= 0
        assert float(box.get("x")) + float(box.get("width")) <= width


def test_the_picture_has_a_title_and_tells_itself_in_words():
    order = story(told(1, state="held", occurred_at=at("09:00")))
    picture = drawn(order)
    assert picture.get("role") == "img"
    assert picture.find("title").text == "The course of order PO-1 at orange"
    assert "States: held" in picture.find("desc").text
    named = {picture.find("title").get("id"), picture.find("desc").get("id")}
    assert set(picture.get("aria-labelledby").split()) == named


def test_markup_is_text_everywhere():
    order = story(
        told(
            1,
            order_id=MARKUP,
            raw_state=MARKUP,
            items=(Item(id=MARKUP, raw_state=MARKUP),),
            occurred_at=at("09:00"),
        )
    )
    text = drawing.draw(drawing.Scene(order, at("12:00"), beside=[order]), width=1000)
    assert "<script" not in text
    assert "style=" not in text
    assert MARKUP in "".join(ET.fromstring(text).itertext())


def test_a_very_long_story_is_drawn_by_its_newest_entries():
    some = [
        told(n, state="held", occurred_at=at("09:00") + timedelta(minutes=n))
        for n in range(1, drawing.MOST + 50)
    ]
    marks = titles(drawn(story(*some), now=at("09:00", day=9)), "mark")
    assert len(marks) == 2 * drawing.MOST

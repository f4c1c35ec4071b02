"""Paging: a list streams, equal times across a border lose nothing, late commits are found."""

from __future__ import annotations

import json
import tracemalloc
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from app import errors
from app.sources import base, covage, on_api, paging
from tests.sources import feeding

START = feeding.NOW - timedelta(days=2)
COVAGE = covage.CovageFeed(url="http://localhost/", email="e", password="hush", every="1s", size=3)
ON_API = on_api.OnApiFeed(url="http://localhost/", username="u", password="hush")

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


# ── streaming ────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(JSON_VALUES), st.integers(1, 50))
def test_a_list_in_any_pieces_is_the_same_list(values, size):
    body = b"[" + b", ".join(paging.canonical(value) for value in values) + b"]"
    found = [element.value for element in paging.json_list(feeding.chunked(body, size))]
    assert found == values
    assert [paging.canonical(value) for value in found] == [
        paging.canonical(value) for value in values
    ]
    assert json.loads(body, parse_float=Decimal) == values


@pytest.mark.parametrize(
    ("lexeme", "kept"),
    [
        (b"1", b"1"),
        (b"1.0", b"1.0"),
        (b"1.50", b"1.50"),
        (b"-0.0", b"-0.0"),
        (b"0.0000001", b"0.0000001"),
        (b"12345678901234567890.12345678901234567890", None),
        (b"1e2", b"1E+2"),
        (b"1e400", b"1E+400"),
    ],
)
def test_numbers_keep_their_digits(lexeme, kept):
    (element,) = paging.json_list(iter([b"[" + lexeme + b"]"]))
    assert paging.canonical(element.value) == (kept or lexeme)
    assert paging.canonical({"b": [element.value], "a": None}) == (
        b'{"a":null,"b":[' + (kept or lexeme) + b"]}"
    )


def test_keys_are_sorted_and_text_stays_as_it_is():
    assert paging.canonical({"ö": "å", "a": ["\n"]}) == '{"a":["\\n"],"ö":"å"}'.encode()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('["å"]'.encode("latin-1"), "\ufffd"),
        (b'["a\nb\x00c"]', "a b c"),
        (b'\xef\xbb\xbf ["a"]', "a"),
    ],
)
def test_one_bad_text_does_not_stop_a_feed(body, value):
    for size in (1, 2, 100):
        assert [one.value for one in paging.json_list(feeding.chunked(body, size))] == [value]


def test_what_is_too_deep_or_too_long_is_left_out_and_the_rest_goes_on():
    deep = b'{"event":"deep","x":' + b"[" * 200 + b"]" * 200 + b"}"
    long = b'{"event":"long","x":["' + b'a","' * 400_000 + b'"]}'
    body = b"[" + b",".join([deep, b'{"event":"a"}', long, b'{"event":"b"}']) + b"]"
    found = list(paging.json_list(feeding.chunked(body, 65536)))
    assert [one.value["event"] for one in found] == ["deep", "a", "long", "b"]
    assert [one.fault.problem if one.fault else None for one in found] == [
        "is nested too deeply",
        None,
        "is too long",
        None,
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"cause": "no"}', "a JSON object; expected a JSON list"),
        (b"<html>", "HTML or XML; expected"),
        (b"true", "no JSON; expected"),
        (b"", "is empty"),
        (b'[{"a":1},', "no JSON list after element 1"),
        (b"[1] [2]", "no JSON list after element 1"),
        (b"[" + b"9" * 4001 + b"]", "a number of more than 4000 digits"),
        (b'["' + b"a" * 4_300_000, "a text of more than"),
    ],
)
def test_why_a_list_is_none(body, told):
    with pytest.raises(errors.SenderFault, match=told):
        list(paging.json_list(feeding.chunked(body, 65536)))


def test_what_was_whole_before_a_fault_is_given_first():
    found = []
    with pytest.raises(errors.SenderFault, match="after element 2"):
        found.extend(one.value for one in paging.json_list(iter([b"[1, 2, oh"])))
    assert found == [1, 2]


def on_api_list(count):
    yield b"["
    for n in range(count):
        path = f"/api/2.3.1/orders/{n:032x}"
        event = {"event": f"{n:036x}", "order": {"path": path, "state": "DONE_SUCCESS"}}
        yield json.dumps(event).encode() + (b"," if n + 1 < count else b"]")


def peak_of_reading(count):
    """Bytes a list of `count` events takes at most while it is read."""
    tracemalloc.start()
    try:
        read = 0
        for part in on_api.KIND.read_page(ON_API, on_api_list(count), {}, feeding.NOW):
            read += isinstance(part, base.Entry)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == count
    return peak


def test_a_list_twenty_times_as_long_is_read_in_the_same_memory():
    peak_of_reading(100)
    short, long = peak_of_reading(500), peak_of_reading(10_000)
    assert long < short + 100_000 < 2_000_000
    assert sum(map(len, on_api_list(10_000))) > 1_000_000


# ── on_api ───────────────────────────────────────────────────────────────────────────────────────


def listed(*ids):
    return [
        {"event": one, "order": {"path": f"/orders/{one}", "state": "DONE_SUCCESS"}} for one in ids
    ]


def test_each_event_covers_what_came_before_it():
    body = json.dumps(listed("a", "b")).encode()
    entries, end = feeding.page(on_api.KIND, ON_API, body, {})
    assert [entry.cursor for entry in entries] == [
        {"since": "a", "first": "a", "first_pass": True},
        {"since": "b", "first": "a", "first_pass": True},
    ]
    assert end == base.PageEnd({"since": "b", "first": "a"}, more=False)
    assert [entry.backfill for entry in entries] == [True, True]


def test_a_first_pass_that_was_cut_goes_on_as_such():
    cursor = {"since": "a", "first": "a", "first_pass": True}
    entries, end = feeding.page(on_api.KIND, ON_API, json.dumps(listed("b")).encode(), cursor)
    assert [entry.backfill for entry in entries] == [True]
    assert "first_pass" not in end.cursor


def test_the_list_s_order_is_the_truth_and_ids_are_never_sorted():
    operator, inbox = feeding.OnApiOperator(listed("z", "a", "m")), feeding.Inbox(on_api.KIND)
    feeding.turn(operator, inbox, ON_API, {})
    assert inbox.ids == ["z", "a", "m"]


@pytest.mark.parametrize(
    ("answer", "since", "warned"),
    [
        (("a", "b", "c"), "b", True),
        (("b", "c"), "b", False),
        (("c",), "b", False),
        ((), "b", False),
        (("a", "b"), "a", False),
    ],
)
def test_a_list_that_restarts_is_read_again_with_a_warning(answer, since, warned):
    cursor = {"since": since, "first": "a"}
    entries, end = feeding.page(on_api.KIND, ON_API, json.dumps(listed(*answer)).encode(), cursor)
    assert len(entries) == len(answer)
    assert bool(end.warnings) is warned
    assert end.cursor["since"] == (answer[-1] if answer else since)
    assert end.more is False


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_a_since_that_is_refused_is_forgotten(status):
    end = on_api.KIND.refused(ON_API, {"since": "b", "first": "a"}, status)
    assert end is not None
    assert (end.more, len(end.warnings)) == (True, 1)
    request = on_api.KIND.next_request(ON_API, end.cursor, feeding.NOW, None)
    assert request is not None
    assert request.url == "http://localhost/orderevents/"
    assert on_api.KIND.refused(ON_API, end.cursor, status) is None
    assert on_api.KIND.refused(ON_API, {"since": "b"}, 401) is None


def test_after_a_restart_nothing_is_stored_twice_and_a_start_of_now_is_not_repeated():
    feed = ON_API.model_copy(update={"start": "now"})
    operator, inbox = feeding.OnApiOperator(listed("a")), feeding.Inbox(on_api.KIND)
    cursor = feeding.turn(operator, inbox, feed, {})
    operator.events += listed("b")
    cursor = feeding.turn(operator, inbox, feed, cursor)
    operator.restarts = True
    cursor = feeding.turn(operator, inbox, feed, cursor)
    assert inbox.ids == ["b", "a"]
    assert feeding.turn(operator, inbox, feed, cursor) == cursor


@given(st.lists(st.integers(0, 3), max_size=12))
def test_any_growth_of_an_on_api_list_is_read_once_in_order(growths):
    operator, inbox, cursor = feeding.OnApiOperator(), feeding.Inbox(on_api.KIND), {}
    for growth in growths:
        have = len(operator.events)
        operator.events += listed(*(f"e{have + n}" for n in range(growth)))
        cursor = feeding.turn(operator, inbox, ON_API, cursor)
    assert inbox.ids == [event["event"] for event in operator.events]
    assert inbox.reread == 0


# ── covage ───────────────────────────────────────────────────────────────────────────────────────


def at(minute):
    return START + timedelta(minutes=minute)


# creation times in minutes; no more than four events at one time
TIMES = st.lists(st.integers(0, 400), max_size=40).map(
    lambda minutes: sorted(m for n, m in enumerate(minutes) if minutes[:n].count(m) < 4)
)


@given(TIMES, st.integers(2, 9), st.integers(5, 50), st.integers(0, 5))
@settings(max_examples=200, deadline=None)
def test_whatever_the_pages_all_events_are_read(minutes, size, cap, turned):
    operator = feeding.CovageOperator(
        [feeding.event(n, at(minute)) for n, minute in enumerate(minutes)], cap
    )
    operator.turned = turned
    inbox = feeding.Inbox(covage.KIND)
    feed = COVAGE.model_copy(update={"size": size})
    cursor = feeding.turn(operator, inbox, feed, {})
    assert sorted(inbox.ids) == sorted(event["event_uuid"] for event in operator.events)
    assert feeding.turn(operator, inbox, feed, cursor) == cursor
    assert len(inbox.told) == len(minutes)


@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 59)), min_size=1, max_size=25),
    st.integers(2, 6),
)
@settings(max_examples=200, deadline=None)
def test_events_that_are_committed_late_are_found(steps, size):
    """Each step: the newest event moves on by minutes, and one appears minutes behind it."""
    operator, inbox, cursor = feeding.CovageOperator(), feeding.Inbox(covage.KIND), {}
    feed, newest = COVAGE.model_copy(update={"size": size}), 0
    for n, (ahead, behind) in enumerate(steps):
        newest += ahead
        operator.events.append(feeding.event(2 * n, at(newest)))
        cursor = feeding.turn(operator, inbox, feed, cursor)
        late = max(newest - behind, 0)
        operator.events.append(feeding.event(2 * n + 1, at(late) + timedelta(microseconds=n)))
        cursor = feeding.turn(operator, inbox, feed, cursor)
    assert sorted(inbox.ids) == sorted(event["event_uuid"] for event in operator.events)
    cursor = feeding.turn(operator, inbox, feed, cursor)
    assert feeding.turn(operator, inbox, feed, cursor) == cursor


def test_what_was_committed_late_while_a_turn_was_interrupted_is_found():
    feed = COVAGE.model_copy(update={"size": 100})
    operator = feeding.CovageOperator([feeding.event(n, at(n)) for n in range(30)])
    inbox = feeding.Inbox(covage.KIND)
    cursor = feeding.turn(operator, inbox, feed, {})
    operator.events.append(feeding.event(30, at(40)))
    first = covage.KIND.next_request(feed, cursor, feeding.NOW, feeding.GRANT)
    assert first is not None
    entries, end = feeding.page(covage.KIND, feed, operator.answer(first), cursor)
    assert end.more
    for entry in entries:
        inbox.accept(entry)
    operator.events.append(feeding.event(999, at(40 - 29)))
    operator.events += [feeding.event(31 + n, at(340 + n)) for n in range(9)]
    cursor = feeding.turn(operator, inbox, feed, end.cursor)
    assert inbox.ids[-1] == "event-39"
    cursor = feeding.turn(operator, inbox, feed, cursor)
    assert inbox.ids[-1] == "event-999"
    reread = inbox.reread
    cursor = feeding.turn(operator, inbox, feed, cursor)
    assert inbox.reread - reread < 60
    assert feeding.turn(operator, inbox, feed, cursor) == cursor


def test_what_was_committed_late_while_a_first_read_was_interrupted_is_found():
    """The first page is old; the second was young when it came, and an hour passed after it."""
    feed = COVAGE.model_copy(update={"size": 100})
    old = [feeding.event(n, at(n)) for n in range(100)]
    young = [feeding.event(n, at(2780 + n)) for n in range(100, 150)]
    operator, inbox = feeding.CovageOperator(old + young), feeding.Inbox(covage.KIND)
    cursor: base.Cursor = {}
    for _ in range(2):
        request = covage.KIND.next_request(feed, cursor, feeding.NOW, feeding.GRANT)
        assert request is not None
        entries, end = feeding.page(covage.KIND, feed, operator.answer(request), cursor)
        for entry in entries:
            inbox.accept(entry)
        cursor = end.cursor
    later = feeding.NOW + timedelta(hours=5)
    operator.events.append(feeding.event(999, at(2780 + 149 - 29)))
    operator.events.append(feeding.event(1000, at(2880 + 290)))
    cursor = feeding.turn(operator, inbox, feed, cursor, later)
    assert inbox.ids[-1] == "event-1000"
    cursor = feeding.turn(operator, inbox, feed, cursor, later)
    assert inbox.ids[-1] == "event-999"
    assert inbox.reread < 3 * 60


def test_a_commit_thirty_minutes_behind_the_cursor_is_found():
    operator = feeding.CovageOperator([feeding.event(n, at(n)) for n in range(300)])
    inbox = feeding.Inbox(covage.KIND)
    cursor = feeding.turn(operator, inbox, COVAGE, {})
    operator.events.append(feeding.event(999, at(299 - 30)))
    feeding.turn(operator, inbox, COVAGE, cursor)
    assert inbox.ids[-1] == "event-999"


def test_a_turn_starts_from_a_sort_value_that_was_sent_an_hour_before_the_newest():
    operator = feeding.CovageOperator([feeding.event(n, at(n)) for n in range(300)])
    inbox = feeding.Inbox(covage.KIND)
    cursor = feeding.turn(operator, inbox, COVAGE, {})
    values = {event["sort_value"]: n for n, event in enumerate(operator.events)}
    assert cursor["sort"] == "creation_date"
    assert values[cursor["sort_value"]] == 299
    assert 299 - 70 <= values[cursor["after"][1]] <= 299 - 60
    assert len(cursor["marks"]) <= 9
    assert len(json.dumps(cursor)) < 1500
    reread = inbox.reread
    feeding.turn(operator, inbox, COVAGE, cursor)
    assert inbox.reread - reread < 200


def test_a_short_page_is_not_dry():
    operator = feeding.CovageOperator([feeding.event(n, at(n)) for n in range(50)], cap=7)
    inbox = feeding.Inbox(covage.KIND)
    feeding.turn(operator, inbox, COVAGE.model_copy(update={"size": 500}), {})
    assert len(inbox.told) == 50


def test_more_events_of_one_time_than_a_page_holds_are_read():
    operator = feeding.CovageOperator([feeding.event(n, at(0)) for n in range(100)])
    operator.events.append(feeding.event(100, at(1)))
    inbox = feeding.Inbox(covage.KIND)
    feeding.turn(operator, inbox, COVAGE, {})
    assert len(inbox.told) == 101


def test_events_of_both_shapes_at_one_moment_are_one_group():
    paris = at(5) + timedelta(hours=1)
    zoneless = f"{paris:%Y-%m-%dT%H:%M:%S.%f}"
    old = feeding.event(1, at(5), creation_date=zoneless, sort_value=feeding.sort_value(zoneless))
    body = json.dumps([feeding.event(0, at(1)), old, feeding.event(2, at(5))]).encode()
    _, end = feeding.page(covage.KIND, COVAGE, body, {})
    assert end.cursor["after"][1] == feeding.event(0, at(1))["sort_value"]


class Deaf(feeding.CovageOperator):
    """It does not heed `after`."""

    def answer(self, request):
        url = request.url.partition("&after=")[0]
        return super().answer(base.Request("GET", url, {}))


def test_an_operator_that_does_not_heed_after_is_told():
    operator = Deaf([feeding.event(n, at(n)) for n in range(50)])
    with pytest.raises(errors.SenderFault, match="does not advance"):
        feeding.turn(operator, feeding.Inbox(covage.KIND), COVAGE, {})


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([feeding.event(n, at(9 - n)) for n in range(4)], "the newest event comes first"),
        ([feeding.event(0, at(0), sort_value=None)], "none of the 1 events of the page has a"),
    ],
)
def test_a_page_one_cannot_go_on_from_is_a_fault_of_the_sender(events, told):
    with pytest.raises(errors.SenderFault, match=told):
        feeding.page(covage.KIND, COVAGE, json.dumps(events).encode(), {})


def test_equal_events_beyond_all_measure_are_a_fault_of_the_sender():
    events = [feeding.event(n, at(0)) for n in range(10)]
    cursor = {"sort": "creation_date", "top": feeding.written(at(0)), "size": 10_000}
    body = json.dumps(events * 1000).encode()
    with pytest.raises(errors.SenderFault, match="does not advance: 10000 events have the"):
        list(covage.KIND.read_page(COVAGE, iter([body]), cursor, feeding.NOW))


def test_a_feed_that_starts_on_a_day_leaves_out_what_is_older():
    feed = COVAGE.model_copy(update={"start": at(0).date() + timedelta(days=1), "size": 50})
    operator = feeding.CovageOperator([feeding.event(n, at(60 * n)) for n in range(48)], cap=9)
    inbox = feeding.Inbox(covage.KIND)
    cursor = feeding.turn(operator, inbox, feed, {})
    assert len(inbox.told) == 48 - 8 + 1  # from 16:00 UTC on; the day begins in Paris at 23:00
    assert all(told.backfill for told in inbox.told)
    assert min(told.occurred_at for told in inbox.told) == at(60 * 7)
    assert feeding.turn(operator, inbox, feed, cursor) == cursor


def test_a_history_of_one_order_is_read_aside():
    operator = feeding.CovageOperator(
        [
            feeding.event(n, at(n), object_uuid="o1" if n % 2 else "o2", object_type="order")
            for n in range(20)
        ]
    )
    inbox = feeding.Inbox(covage.KIND)
    cursor = covage.KIND.backfill(COVAGE, "order", "o1")
    request = covage.KIND.next_request(COVAGE, cursor, feeding.NOW, feeding.GRANT)
    assert request is not None
    assert feeding.asked(request)["object_type"] == "order"
    feeding.turn(operator, inbox, COVAGE, cursor)
    assert {told.order_id for told in inbox.told} == {"o1"}
    assert len(inbox.told) == 10
    assert all(told.backfill for told in inbox.told)
    with pytest.raises(errors.InvalidParameter):
        covage.KIND.backfill(COVAGE, "quote", "o1")


def test_a_feed_is_rewound_to_a_day_or_the_beginning():
    operator = feeding.CovageOperator([feeding.event(n, at(60 * n)) for n in range(48)])
    feed = COVAGE.model_copy(update={"start": "now", "size": 50})
    for to, count in (
        ("beginning", 48),
        (date.min, 48),
        (at(1440).date(), 41),
        (date(2031, 1, 1), 0),
    ):
        inbox = feeding.Inbox(covage.KIND)
        feeding.turn(operator, inbox, feed, covage.KIND.rewound(feed, to))
        assert len(inbox.told) == count
        assert not any(told.backfill for told in inbox.told)
    with pytest.raises(errors.InvalidParameter, match="no times"):
        on_api.KIND.rewound(ON_API, date(2025, 1, 1))

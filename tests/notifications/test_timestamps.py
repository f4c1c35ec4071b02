"""The forms of times, walked row by row."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from app.notifications import timestamps

PARIS = ZoneInfo("Europe/Paris")
STOCKHOLM = ZoneInfo("Europe/Stockholm")


@pytest.mark.parametrize("form", timestamps.TABLE, ids=lambda form: form.name)
def test_every_row_reads_its_examples(form):
    for example in form.examples:
        time = timestamps.read(example, pulled=form.pulled)
        assert time is not None
        assert (time.raw, time.warning) == (example, form.warning)
        assert next(row for row in timestamps.TABLE if row.pattern.fullmatch(example)) is form


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2013-04-19T16:42:25-04:00", datetime(2013, 4, 19, 20, 42, 25, tzinfo=UTC)),
        ("2023-05-04T05:19:17.000+0000", datetime(2023, 5, 4, 5, 19, 17, tzinfo=UTC)),
        ("2025-02-11T12:56:48.407241+00:00", datetime(2025, 2, 11, 12, 56, 48, 407241, tzinfo=UTC)),
        ("2019-02-04T13:03:16.1252Z", datetime(2019, 2, 4, 13, 3, 16, 125200, tzinfo=UTC)),
        ("2014-09-27T05:46:25.0Z", datetime(2014, 9, 27, 5, 46, 25, tzinfo=UTC)),
        ("2024-02-29t23:59:59z", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        ("2026-01-01T00:30:00+02:00", datetime(2025, 12, 31, 22, 30, tzinfo=UTC)),
    ],
)
def test_a_time_with_a_zone_is_told_in_utc(text, moment):
    time = timestamps.read(text)
    assert time is not None
    assert time.at(None) == (moment, ())
    assert time.at(PARIS) == (moment, ())


def test_an_impossible_offset_gives_no_moment():
    time = timestamps.read("2013-04-19T16:42:25-30:00")
    assert time is not None
    assert time.at(PARIS) == (None, ("impossible_offset",))


def test_a_time_without_a_zone_takes_the_configured_one():
    time = timestamps.read("2026-07-01T12:00:00")
    assert time is not None
    assert time.at(STOCKHOLM) == (datetime(2026, 7, 1, 10, tzinfo=UTC), ("zone_assumed",))
    assert time.at(None) == (None, ("zone_missing",))


def test_an_hour_that_comes_twice_may_be_either():
    time = timestamps.read("2025-10-26T02:30:00")
    assert time is not None
    assert time.at(STOCKHOLM)[0] == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert time.latest(STOCKHOLM) == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-01T12:00:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01T12:00:00Z", datetime(2026, 7, 1, 12, tzinfo=UTC)),
        ("2013-04-19T16:42:25-30:00", None),
    ],
)
def test_any_other_time_is_one_moment(text, moment):
    time = timestamps.read(text)
    assert time is not None
    assert time.latest(STOCKHOLM) == time.at(STOCKHOLM)[0] == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2017-05-09T16:1:04 AM.637766", datetime(2017, 5, 9, 14, 1, 4, 637766, tzinfo=UTC)),
        ("2017-04-22T12:12:00 AM.459593", datetime(2017, 4, 22, 10, 12, 0, 459593, tzinfo=UTC)),
    ],
)
def test_am_beside_a_24_hour_clock_is_left_out(text, moment):
    time = timestamps.read(text, pulled=True)
    assert time is not None
    assert time.at(PARIS) == (moment, ("meridiem_ignored", "zone_assumed"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10",
        "1700000000",
        "2026-03-02",
        "2026-03-02 09:15:00Z",
        "2026-03-02T09:15Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T09:15:60Z",
        "2026-02-30T09:15:00Z",
        "2026-02-30T09:15:00-30:00",
        "2026-03-02T09:15:00 Z",
        "2026-03-02T09:15:00.Z",
        "2026-03-02T09:15:00CET",
        "2026-03-02T09:15:00+1",
        "20260302T091500Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "٢٠٢٦-03-02T09:15:00Z",
        "Mon, 02 Mar 2026 09:15:00 GMT",
        "03/04/2026 09:15:00",
        "2017-05-09T16:1:04 AM.637766",
        "2015-10-06 11:48:00",
    ],
)
def test_what_is_no_row_is_no_time_of_a_push(text):
    assert timestamps.read(text) is None


def test_pm_is_unreadable_even_when_pulled():
    assert timestamps.read("2017-05-09T04:01:04 PM.637766", pulled=True) is None


@given(st.text(), st.booleans())
def test_no_text_makes_it_raise(text, pulled):
    time = timestamps.read(text, pulled=pulled)
    assert time is None or time.raw == text


@given(st.datetimes(min_value=datetime(1001, 1, 1), max_value=datetime(9998, 1, 1)))  # noqa: DTZ001
def test_every_datetime_of_those_years_is_read_back(moment):
    time = timestamps.read(moment.isoformat())
    assert time is not None
    assert time.moment == moment
    assert time.at(STOCKHOLM)[0] == moment.replace(tzinfo=STOCKHOLM).astimezone(UTC)

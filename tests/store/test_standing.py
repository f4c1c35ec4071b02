"""How a feed stands, in one word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.store import standing
from app.store.feeds import Feed
from tests.arrivals import RECEIVED

EVERY = timedelta(minutes=5)
NOW = RECEIVED + timedelta(hours=1)
JUST = NOW - timedelta(seconds=30)
NEW = Feed(
    name="ko", cursor={}, cursor_at=None, connected_at=JUST, caught_up_at=None, paused_at=None,
    paused_by=None, last_turn_at=None, last_success_at=None, next_turn_at=None, cause=None,
    last_error=None, last_error_at=None, remedy=None, failures=0, entries=0, appended=0, reread=0,
    quarantined=0, followed_seq=0, warnings=[],
)  # fmt: skip
WELL = replace(NEW, last_success_at=JUST, cursor_at=RECEIVED, entries=5)


@pytest.mark.parametrize(
    ("feed", "enabled", "word"),
    [
        (WELL, True, "ok"),
        (WELL, False, "disabled"),
        (None, True, "starting"),
        (NEW, True, "starting"),
        (replace(NEW, connected_at=RECEIVED), True, "stalled"),
        (replace(NEW, cursor_at=JUST), True, "reading"),
        (replace(NEW, cursor_at=RECEIVED), True, "stalled"),
        (replace(WELL, paused_at=RECEIVED, cause="timeout"), True, "paused"),
        (replace(WELL, cause="timeout"), True, "failing"),
        (replace(WELL, cause="unauthorized"), True, "unauthorized"),
        (replace(WELL, last_success_at=NOW - timedelta(minutes=11)), True, "ok"),
        (replace(WELL, last_success_at=NOW - timedelta(minutes=13)), True, "stalled"),
    ],
)
def test_a_feed_stands_as_its_row_says(feed, enabled, word):
    assert standing.word(feed, enabled=enabled, every=EVERY, now=NOW) == word


def test_lag_and_age_are_seconds_since_the_last_whole_read_and_the_last_news():
    assert (standing.lag(WELL, NOW), standing.age(WELL, NOW)) == (30.0, 3600.0)
    assert (standing.lag(NEW, NOW), standing.age(NEW, NOW)) == (None, None)
    assert (standing.lag(None, NOW), standing.age(None, NOW)) == (None, None)

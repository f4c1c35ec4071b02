"""Orders of Tjänsteguiden that became final and cannot be read just then are not lost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.sources import base
from app.sources.tjansteguiden import KIND, turns

NOW = datetime(2025, 3, 4, 12, 0, tzinfo=UTC)
FEED = KIND.feed_config(url="https://tl.example/log", api_user="u", api_key="k", zone=None)
MAINTENANCE = b"<html>maintenance</html>"
INFO = (
    b"<order_info><response><order><id>1</id><status>delivered</status></order></response>"
    b"<status>success</status></order_info>"
)
LOG = b"<order_log><response/><status>success</status></order_log>"
ROWS = b"<orders><response/><status>success</status></orders>"


def ask(method: str, **cursor: object) -> base.Cursor:
    return {"day": "2025-03-03", "open": {}, "budget": 9, "ask": [method, "1"], **cursor}


def after(answer: bytes, cursor: base.Cursor) -> base.PageEnd:
    *_, end = KIND.read_page(FEED, iter([answer]), cursor, NOW)
    assert isinstance(end, base.PageEnd)
    return end


@pytest.mark.parametrize("failing", [["order_info"], ["order_log"], ["order_info", "order_log"]])
def test_an_order_that_is_over_is_tried_again_in_the_next_turn(failing):
    info = MAINTENANCE if "order_info" in failing else INFO
    end = after(info, ask("order_info"))
    assert (end.more, end.cursor["ask"]) == (True, ["order_log", "1"])
    end = after(MAINTENANCE if "order_log" in failing else LOG, end.cursor)
    assert not end.more
    assert end.cursor["again"] == {"1": 1}
    end = after(ROWS, end.cursor)
    assert (end.more, end.cursor["ask"]) == (True, ["order_info", "1"])
    end = after(LOG, after(INFO, end.cursor).cursor)
    assert not end.more
    assert "again" not in end.cursor


def test_an_order_that_can_never_be_read_is_given_up_after_twenty_turns():
    cursor = ask("order_log", again={"1": turns.MOST_TRIES})
    end = after(MAINTENANCE, cursor)
    assert "again" not in end.cursor
    assert "for good" in end.warnings[0]


def test_an_order_that_is_not_over_waits_for_the_next_round():
    end = after(MAINTENANCE, ask("order_log", open={"2025-03-04": ["1"]}))
    assert "again" not in end.cursor

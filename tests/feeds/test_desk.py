"""What is asked of a feed: poll, pause, resume, rewind, backfill, audit; each is a job."""

from __future__ import annotations

import random

import pytest

from app.feeds import audit
from tests import operators
from tests.feeds import running
from tests.feeds.conftest import table
from tests.feeds.running import OnApi, event
from tests.operators import Reply


@pytest.fixture
async def operator():
    """An ON-API with three events."""
    handle = OnApi([event("e1"), event("e2", "o-2"), event("e3")])
    async with operators.serving(handle) as served:
        served.on_api = handle
        yield served


@pytest.fixture
async def live(operator, tmp_path, database_url):
    """Its feed, which turns once and then not before long."""
    source = running.source("ko", f"{operator.url}/api/2.3.1/", every="1h")
    async with running.feeds_of(tmp_path, database_url, source) as found:
        await found.until(lambda: found.events() == ["e1", "e2", "e3"])
        yield found


async def test_a_poll_reads_now_and_tells_what_it_did(live, operator):
    operator.on_api.history += [event("e4"), event("e5")]
    job = await live.job("poll")
    assert (job.state, job.result) == ("done", {"entries": 2, "appended": 2, "quarantined": 0})
    assert live.events()[-2:] == ["e4", "e5"]


async def test_a_poll_that_fails_says_why(live, operator):
    operator.on_api.instead = Reply(500)
    job = await live.job("poll")
    assert job.state == "failed"
    assert job.error.startswith("server_error: ")


async def test_a_paused_feed_asks_nothing_until_it_is_resumed(live, operator):
    assert (await live.job("pause")).state == "done"
    assert live.feed().paused_by == "jwt:ops"
    asked = len(operator.requests)
    operator.on_api.history.append(event("e4"))
    job = await live.job("poll")
    assert (job.state, job.error) == ("failed", "the feed is paused; resume it first")
    assert len(operator.requests) == asked
    await live.job("resume")
    await live.until(lambda: "e4" in live.events())
    assert live.feed().paused_at is None


async def test_a_rewind_tells_its_plan_and_does_nothing(live):
    before = live.feed().cursor
    job = await live.job("rewind", dry_run=True)
    assert job.result["from"] == before
    assert job.result["to"] != before
    assert job.result["done"] is False
    assert live.feed().cursor == before


async def test_a_rewind_reads_again_and_stores_nothing_twice(live):
    assert (await live.job("rewind")).state == "done"
    await live.until(lambda: live.feed().cursor["since"] == "e3" and live.feed().reread == 3)
    assert live.events() == ["e1", "e2", "e3"]


async def test_a_rewind_to_where_there_is_no_place_says_so(live):
    job = await live.job("rewind", to="2026-01-31")
    assert job.state == "failed"
    assert "expected beginning" in job.error


async def test_a_rewind_to_a_day_to_come_is_none(live):
    job = await live.job("rewind", to="2999-01-31")
    assert (job.state, job.error) == (
        "failed", "to: that day is yet to come; a rewind leads back",
    )  # fmt: skip


async def test_a_backfill_that_the_operator_does_not_know_says_so(live):
    job = await live.job("backfill", object_type="service", object_id="s-1")
    assert job.state == "failed"
    assert "orders only" in job.error


async def test_an_order_that_is_silent_is_asked_for_by_its_path(live, operator):
    await live.until(lambda: live.events() == ["e1", "e2", "e3"])
    before = live.feed().cursor
    order = event("", "o-9", "RECEIVED")["order"]
    operator.on_api.orders["/api/2.3.1/orders/o-9"] = order
    for entries, appended in ((1, 1), (1, 0)):
        job = await live.job("backfill", object_type="order", object_id="/api/2.3.1/orders/o-9")
        assert job.result == {"entries": entries, "appended": appended, "quarantined": 0}
    *_, row = live.rows()
    assert (row["order_id"], row["event_id"], row["event_type"]) == ("o-9", None, "order")
    assert (row["state"], row["raw_state"], row["warnings"]) == ("acknowledged", "RECEIVED", [])
    assert live.feed().cursor == before
    gone = await live.job("backfill", object_type="order", object_id="o-10")
    assert gone.state == "failed"
    assert "answered 404" in gone.error


async def test_one_order_s_history_is_read_beside_the_feed(sandbox, tmp_path, database_url):
    source = table("covage", sandbox.url, every="1h", more='start = "now"')
    async with running.feeds_of(tmp_path, database_url, source) as live:
        await live.until(lambda: live.feed("covage") and live.feed("covage").last_success_at)
        before = live.feed("covage").cursor
        published = sandbox.control("covage/events")
        order = next(one["object_uuid"] for one in published if one["object_type"] == "order")
        job = await live.job("backfill", "covage", object_type="order", object_id=order)
        history = [one["event_uuid"] for one in published if one["object_uuid"] == order]
        assert job.state == "done"
        assert job.result["entries"] >= len(history)
        assert set(history) <= set(live.events("covage"))
        assert live.feed("covage").cursor == before


# --- audit --------------------------------------------------------------------------------------


def findings(job):
    return [(one["fault"], one["event_id"]) for one in job.result["events"]]


async def test_a_log_that_agrees_has_no_faults(live, operator):
    operator.on_api.history.append(event("e4"))
    job = await live.job("audit")
    assert job.state == "done"
    assert (job.result["listed"], findings(job)) == (4, [])
    assert set(job.result["faults"].values()) == {0}
    assert live.events() == ["e1", "e2", "e3", "e4"]


@pytest.mark.parametrize(
    ("history", "found"),
    [
        ([event("e1"), event("e3")], [("missing", "e2")]),
        ([event("e1"), event("e2", "o-2", "DONE_FAILED"), event("e3")], [("changed", "e2")]),
        ([event("e2", "o-2"), event("e1"), event("e3")], [("reordered", "e2")]),
        ([event("e3"), event("e1"), event("e2", "o-2")], [("reordered", "e3")]),
        ([event("e1"), event("e0"), event("e2", "o-2"), event("e3")], [("late", "e0")]),
    ],
)
async def test_a_changed_history_is_told_with_the_very_events(live, operator, history, found):
    operator.on_api.history = history
    job = await live.job("audit")
    assert findings(job) == found
    assert sum(job.result["faults"].values()) == len(found)


async def test_what_lies_before_the_start_of_a_feed_is_no_fault(operator, tmp_path, database_url):
    source = running.source("ko", f"{operator.url}/api/2.3.1/", start="now")
    async with running.feeds_of(tmp_path, database_url, source) as live:
        await live.until(lambda: live.feed() and live.feed().last_success_at)
        job = await live.job("audit")
        assert (job.result["listed"], job.result["not_read_yet"], findings(job)) == (3, 0, [])
        operator.on_api.history += [event("e4"), event("e5")]
        await live.until(lambda: live.events() == ["e4", "e5"])
        assert findings(await live.job("audit")) == []
        operator.on_api.history.insert(-1, event("e0"))
        assert findings(await live.job("audit")) == [("late", "e0")]


async def test_what_is_listed_twice_is_one_event(live, operator):
    twice = [event("e2", "o-2"), event("e0"), event("e2", "o-2"), event("e0"), event("e3")]
    operator.on_api.history = [event("e1"), *twice]
    job = await live.job("audit")
    assert (job.result["listed"], findings(job)) == (4, [("late", "e0")])


async def test_an_audit_stores_nothing_by_itself(live, operator):
    operator.on_api.history = [event("e1"), event("e0"), event("e2", "o-2"), event("e3")]
    await live.job("audit")
    assert live.events() == ["e1", "e2", "e3"]
    assert live.feed().reread == 0


@pytest.mark.parametrize(
    ("seqs", "out"),
    [
        ([], []),
        ([1, 2, 3], []),
        ([2, 1, 3], [2]),
        ([3, 1, 2], [3]),
        ([1, 4, 2, 3], [4]),
        ([5, 4, 3, 2, 1], [2, 3, 4, 5]),
    ],
)
def test_what_is_misplaced_is_the_fewest(seqs, out):
    assert audit.misplaced(seqs) == out


def test_what_is_left_is_in_order():
    seqs = random.Random(7).sample(range(1000), 300)
    out = set(audit.misplaced(seqs))
    left = [seq for seq in seqs if seq not in out]
    assert left == sorted(left)

"""Every kind against the sandbox: the log holds what was published, the operator hears us once."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from app import sandbox as operators
from app.feeds import reading
from app.store import commands, engine, files, personal
from tests.feeds import running
from tests.feeds.conftest import table
from tests.sandbox import serving as sandboxes

FINAL = {"cancelled", "delivered"}
OPERATORS = {"stadsnat": "on_api", "covage": "covage", "guide": "tjansteguiden"}


@pytest.fixture
def recent():
    """Operators whose orders began yesterday and are under way, some of them over."""
    begun = datetime.now(UTC) - timedelta(days=1)
    with sandboxes.sandbox(starts_at=begun, pace="manual") as served:
        served.advance(scenario=6 * 3600)
        yield served


@pytest.fixture
def fresh():
    """Operators whose orders have only just come in."""
    begun = datetime.now(UTC) - timedelta(hours=2)
    with sandboxes.sandbox(starts_at=begun, pace="manual") as served:
        served.advance(scenario=1500)
        yield served


async def caught_up(live, name):
    return await live.until(lambda: live.feed(name) and live.feed(name).last_success_at)


@pytest.mark.parametrize(("name", "key"), [("stadsnat", "event"), ("covage", "event_uuid")])
async def test_the_log_holds_what_the_operator_published(
    sandbox, tmp_path, database_url, name, key
):
    async with running.feeds_of(tmp_path, database_url, table(name, sandbox.url)) as live:
        await caught_up(live, name)
        published = [one[key] for one in sandbox.control(f"{OPERATORS[name]}/events")]
        assert sorted(live.events(name)) == sorted(published)
        if name == "stadsnat":
            assert live.events(name) == published


async def test_the_files_of_an_event_are_kept_here(sandbox, tmp_path, database_url):
    async with running.feeds_of(tmp_path, database_url, table("covage", sandbox.url)) as live:

        def stored():
            with engine.read(live.runtime.engine) as connection:
                of = [row["id"] for row in live.rows("covage") if row["event_type"] == "CRI"]
                found = [file for one in of for file in files.of_notification(connection, one)]
                whole = [files.one(connection, file.id) for file in found]
            return whole if found and all(f.state == "stored" for f in found) else None

        whole = await live.until(stored)
    assert all(body and len(body) == file.length for file, body in whole)
    assert all("?" not in file.address for file, _ in whole)


# --- Tjänsteguiden's chain ----------------------------------------------------------------------


def everything(live, **wanted):
    with engine.read(live.runtime.engine) as connection:
        return commands.page(connection, limit=500, **wanted)


def nothing_open(live):
    rows = everything(live)
    return rows and all(row.finished_at is not None for row in rows)


def told(sandbox, operator="tjansteguiden", call="set_status"):
    """How often the operator carried out `call`, by order and arguments."""
    return [one for one in sandbox.control(f"{operator}/executions") if one["call"] == call]


async def test_an_order_is_taken_in_whole_and_written_back_once(fresh, tmp_path, database_url):
    source = table("guide", fresh.url, more='write_back = "on_commit"')
    async with running.feeds_of(tmp_path, database_url, source) as live:
        await caught_up(live, "guide")
        await live.until(lambda: nothing_open(live))
        rows = everything(live)
        assert {row.state for row in rows} == {"done"}
        created = {row["order_id"] for row in live.rows("guide") if row["kind"] == "created"}
        assert {row.order_id for row in rows if row.command == "customer_info"} == created
        with engine.read(live.runtime.engine) as connection:
            people = [personal.one(connection, "guide", order) for order in created]
        assert all(person and person.told for person in people)
        infos = [row for row in live.rows("guide") if ":info:" in row["event_id"]]
        assert {row["order_id"] for row in infos} == created
        new = {row["order_id"] for row in live.rows("guide") if row["raw_state"] == "new"}
        executed = told(fresh)
        assert new
        assert {one["about"]: one["count"] for one in executed} == dict.fromkeys(new, 1)


async def test_without_write_back_nothing_is_told_the_operator(recent, tmp_path, sqlite_url):
    async with running.feeds_of(tmp_path, sqlite_url, table("guide", recent.url)) as live:
        await caught_up(live, "guide")
        await live.until(lambda: nothing_open(live))
        assert told(recent) == []
        assert {row.command for row in everything(live)} == {"order_info", "customer_info"}


async def ask(live, source, order, command, arguments, key=None):
    """Put a command into the outbox, as the admin does; gives its id."""
    now = live.runtime.clock.now()
    made = commands.Command(
        id=str(uuid.uuid4()), source=source, order_id=order, command=command,
        arguments=arguments, idempotency_key=key or uuid.uuid4().hex, harmful=True,
        asked_by="jwt:ops", asked_at=now, due_at=now,
    )  # fmt: skip
    return (await live.write(lambda connection: commands.ask(connection, made))).id


def one(live, id_):
    with engine.read(live.runtime.engine) as connection:
        return commands.one(connection, id_)


async def ended(live, id_):
    await live.until(lambda: one(live, id_).finished_at)
    return one(live, id_)


@pytest.mark.parametrize(
    ("name", "command", "arguments"),
    [
        ("guide", "set_status", {"status": "active"}),
        ("guide", "add_message", {"type": "error", "message": "Port is gone"}),
        ("covage", "events/info", {"message": "Hello there"}),
    ],
)
async def test_a_command_whose_answer_is_lost_is_done_once(
    recent, tmp_path, database_url, name, command, arguments
):
    where = {"set_status": "set_status", "add_message": "add_message"}.get(command, "events/info")
    async with running.feeds_of(tmp_path, database_url, table(name, recent.url)) as live:
        await caught_up(live, name)
        await live.until(lambda: nothing_open(live) or name == "covage")
        order = order_of(live, name)
        recent.fault(OPERATORS[name], "lost_answer", where=where, times=1)
        command_id = await ask(live, name, order, command, arguments)
        done = await ended(live, command_id)
        assert (done.state, done.attempts) == ("done", 1)
        executed = told(recent, OPERATORS[name], command)
        assert [(one["about"], one["count"]) for one in executed] == [(order, 1)]


def order_of(live, name):
    """An order of which news may still come."""
    final = {
        row["order_id"] for row in live.rows(name) if row["raw_state"] in {"delivered", "cancelled"}
    }
    return next(
        row["order_id"]
        for row in live.rows(name)
        if row["order_id"] and row["order_id"] not in final
    )


async def test_the_same_key_is_the_same_command(recent, tmp_path, sqlite_url):
    async with running.feeds_of(tmp_path, sqlite_url, table("covage", recent.url)) as live:
        await caught_up(live, "covage")
        order = order_of(live, "covage")
        asked = [
            await ask(live, "covage", order, "events/info", {"message": "a"}, "k") for _ in "12"
        ]
        assert asked[0] == asked[1]
        await ended(live, asked[0])
        assert [one["count"] for one in told(recent, "covage", "events/info")] == [1]


async def test_one_message_in_five_minutes_an_order(recent, tmp_path, sqlite_url):
    async with running.feeds_of(tmp_path, sqlite_url, table("covage", recent.url)) as live:
        await caught_up(live, "covage")
        order = order_of(live, "covage")
        first = await ask(live, "covage", order, "events/info", {"message": "a"})
        await ended(live, first)
        second = await ask(live, "covage", order, "events/info", {"message": "b"})
        await live.until(lambda: one(live, second).due_at > one(live, second).asked_at)
        held = one(live, second)
        assert (held.state, held.attempts) == ("queued", 0)
        wait = held.due_at - one(live, first).attempted_at
        assert wait == timedelta(minutes=5)
        executed = told(recent, "covage", "events/info")
        assert [one["arguments"]["message"] for one in executed] == ["a"]


async def test_a_refused_command_fails_and_the_feed_goes_on(recent, tmp_path, sqlite_url):
    source = table("covage", recent.url).replace('"sandbox"', '"reader"')
    async with running.feeds_of(tmp_path, sqlite_url, source) as live:
        await caught_up(live, "covage")
        order = order_of(live, "covage")
        failed = await ended(
            live, await ask(live, "covage", order, "events/info", {"message": "a"})
        )
        assert failed.state == "failed"
        assert failed.error
        assert live.feed("covage").cause is None
        assert told(recent, "covage", "events/info") == []


async def test_what_we_did_comes_back_as_ours(recent, tmp_path, sqlite_url):
    async with running.feeds_of(tmp_path, sqlite_url, table("guide", recent.url)) as live:
        await caught_up(live, "guide")
        await live.until(lambda: nothing_open(live))
        order = order_of(live, "guide")
        await ended(live, await ask(live, "guide", order, "set_status", {"status": "waiting"}))
        echoed = await live.until(
            lambda: [
                r
                for r in live.rows("guide")
                if r["order_id"] == order and r["raw_state"] == "waiting"
            ]
        )
        assert {row["origin"] for row in echoed} == {"self"}


async def test_a_failed_chain_asks_a_person_to_look(fresh, tmp_path, sqlite_url):
    fresh.fault("tjansteguiden", "server_error", where="set_status", options={"status": 404})
    source = table("guide", fresh.url, more='write_back = "on_commit"')
    async with running.feeds_of(tmp_path, sqlite_url, source) as live:
        await live.until(lambda: [r for r in live.rows("guide") if r["attention"] == "follow_up"])
        (note, *_) = [r for r in live.rows("guide") if r["attention"] == "follow_up"]
        assert (note["kind"], note["origin"]) == ("note", "self")
        assert note["event_id"].startswith("follow_up:")
        failed = await ended(live, note["event_id"].removeprefix("follow_up:"))
        assert (failed.state, failed.order_id) == ("failed", note["order_id"])


async def test_a_write_back_is_dropped_where_the_order_has_gone_on(fresh, tmp_path, database_url):
    fresh.fault("tjansteguiden", "too_many_requests", where="set_status", times=100)
    source = table("guide", fresh.url, more='write_back = "on_commit"')
    async with running.feeds_of(tmp_path, database_url, source) as live:

        def held():
            return [c for c in everything(live, state="queued") if c.error and c.attempts]

        (late, *_) = await live.until(held)
        fresh.advance(scenario=30 * 86400)
        await live.until(lambda: statuses(live, late.order_id)[-1] in {"cancelled", "delivered"})
        await live.write(
            lambda connection: commands.retry(connection, late.id, live.runtime.clock.now())
        )
        dropped = await ended(live, late.id)
        last = statuses(live, late.order_id)[-1]
        assert (dropped.state, dropped.attempts) == ("cancelled", 1)
        assert dropped.error == f"the order has gone on: new was answered, it is {last}"
        assert late.order_id not in {one["about"] for one in told(fresh)}
        assert not [r for r in live.rows("guide") if r["attention"] == "follow_up"]


def statuses(live, order):
    """What rows told of an order, one after the other."""
    rows = [row for row in live.rows("guide") if row["order_id"] == order]
    return [row["raw_state"] for row in rows if row["raw_state"]]


async def test_a_feed_at_rest_stores_no_cursor(sandbox, tmp_path, database_url):
    source = table("covage", sandbox.url, every="0.05s")
    async with running.feeds_of(tmp_path, database_url, source) as live:
        await caught_up(live, "covage")
        await live.until(lambda: live.feed("covage").reread)
        before = live.feed("covage")
        await live.until(lambda: live.feed("covage").reread > before.reread + 20)
        assert (live.feed("covage").cursor, live.feed("covage").cursor_at) == (
            before.cursor,
            before.cursor_at,
        )


async def test_what_covage_commits_late_and_at_equal_times_is_found(tmp_path, sqlite_url):
    """Events at a microsecond that pages cut in two, or seen up to half an hour after their time.

    Reports among them are read again and again: another link each time, but no conflict.
    """
    faults = {name: operators.Fault(rate=0.3) for name in ("late_commits", "equal_timestamps")}
    limits = {"covage": operators.Limit(orders=16)}
    begun = datetime.now(UTC) - timedelta(days=20)
    with sandboxes.sandbox(
        starts_at=begun, pace="manual", limits=limits, faults={"covage": faults}
    ) as served:
        source = table("covage", served.url, every="1h", more="size = 20")
        async with running.feeds_of(tmp_path, sqlite_url, source) as live:
            await caught_up(live, "covage")
            for minutes in (*[11] * 12, *[26] * 6, 30 * 1440):
                served.advance(scenario=minutes * 60)
                await live.job("poll", "covage")
            published = served.control("covage/events")
            rows = live.rows("covage")
        struck = served.control("covage/faults")
    assert min(struck[name]["struck"] for name in faults) > 5
    times = Counter(one["creation_date"] for one in published)
    assert max(times.values()) > 1
    assert sorted(row["event_id"] for row in rows) == sorted(one["event_uuid"] for one in published)
    assert any(row["event_type"] == "CRI" for row in rows)
    assert [row for row in rows if row["conflict_of"]] == []


async def test_waiting_active_waiting_is_three_notifications(fresh, tmp_path, sqlite_url):
    async with running.feeds_of(tmp_path, sqlite_url, table("guide", fresh.url)) as live:
        await caught_up(live, "guide")
        order = order_of(live, "guide")
        before = statuses(live, order)
        for n, status in enumerate(["waiting", "active", "waiting"], 1):
            fresh.guide("set_status", id=order, status=status)
            await live.until(lambda: len(statuses(live, order)) == len(before) + n)  # noqa: B023
        rows = [row for row in live.rows("guide") if row["order_id"] == order and row["raw_state"]]
        assert [(row["event_id"], row["kind"], row["state"]) for row in rows[-3:]] == [
            (f"{order}:{len(before) + 1}", "state_changed", "pending"),
            (f"{order}:{len(before) + 2}", "state_changed", "inProgress"),
            (f"{order}:{len(before) + 3}", "state_changed", "pending"),
        ]


async def test_a_cancellation_three_days_later_is_seen(tmp_path, sqlite_url):
    begun = datetime.now(UTC) - timedelta(days=7)
    with sandboxes.sandbox(starts_at=begun, pace="manual", limit=operators.Limit(orders=12)) as old:
        old.advance(scenario=2 * 86400)
        async with running.feeds_of(tmp_path, sqlite_url, table("guide", old.url)) as live:
            await caught_up(live, "guide")
            waits = [o for o in orders_of(live) if statuses(live, o)[-1] == "waiting"]
            old.advance(scenario=4 * 86400)
            await live.until(lambda: any(statuses(live, o)[-1] == "cancelled" for o in waits))
            (order,) = [o for o in waits if statuses(live, o)[-1] == "cancelled"]
            lines = [row for row in live.rows("guide") if row["order_id"] == order]
            came, went = (row["received_at"] for row in (lines[0], lines[-1]))
            assert came < went
            assert lines[0]["occurred_at"] < datetime.now(UTC) - timedelta(days=6)


async def test_an_order_that_is_delivered_at_first_sight_is_told_nothing(
    recent, tmp_path, sqlite_url
):
    source = table("guide", recent.url, more='write_back = "on_commit"')
    async with running.feeds_of(tmp_path, sqlite_url, source) as live:
        await caught_up(live, "guide")
        await live.until(lambda: nothing_open(live))
        active = [order for order in orders_of(live) if statuses(live, order) == ["delivered"]]
        asked = {(c.order_id, c.command) for c in everything(live)}
        executed = {one["about"] for one in told(recent)}
    assert active
    assert executed.isdisjoint(active)
    assert {(order, "order_info") for order in active} <= asked
    assert not {(order, "set_status") for order in active} & asked


@pytest.mark.parametrize("times", [2, None])
async def test_an_order_that_fails_turn_after_turn_does_not_stop_the_others(
    recent, tmp_path, sqlite_url, monkeypatch, times
):
    monkeypatch.setattr(reading, "MOST_AHEAD", 1)
    source = table("guide", recent.url, every="1h", more='recheck = "0.001s"')
    async with running.feeds_of(tmp_path, sqlite_url, source) as live:
        await caught_up(live, "guide")
        await live.until(lambda: nothing_open(live))
        order = max(o for o in orders_of(live) if statuses(live, o)[-1] not in FINAL)
        await live.job("poll", "guide")
        appended = live.feed("guide").appended
        recent.fault("tjansteguiden", "server_error", where=f"id={order}", times=times)
        polls = [await live.job("poll", "guide")]
        assert live.feed("guide").cursor["ask"], "what was known already is not read again"
        polls += [await live.job("poll", "guide") for _ in range(2)]
        assert [job.state for job in polls] == ["failed", "failed", "done"]
        assert "server_error" in polls[0].error
        assert live.feed("guide").appended == appended
        left_out = f"order_info of order {order} was left out: it was answered 500"
        assert live.feed("guide").warnings == ([] if times else [left_out])
        assert live.feed("guide").cause is None


def orders_of(live):
    """Every order of the guide in the log."""
    return sorted({row["order_id"] for row in live.rows("guide") if row["order_id"]})

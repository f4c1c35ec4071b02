"""Many refused bodies at once: each by itself, told of as it goes, gone on with after a stop."""

import asyncio
import contextlib
import json
import time
from datetime import timedelta

import pytest

from app import clearing
from app.doors import acts
from app.store import audit, engine, jobs, leases, quarantine
from tests.feeds import running
from tests.store import making
from tests.web import inside

TOLD = {"source": "local", "flavour": None, "event_name": None}
LOCAL = '[[source]]\nname = "local"\n\n[[source]]\nname = "other"\n'


@pytest.fixture
async def live(tmp_path, database_url):
    async with running.runtime(tmp_path, database_url, LOCAL) as made:
        yield made.runtime


@contextlib.asynccontextmanager
async def clearing_runs(runtime):
    started = await clearing.start(runtime)
    try:
        yield
    finally:
        await clearing.stop(started)


def hold(runtime, *bodies, **fields):
    """Their rows, oldest first."""
    held = [making.refused(body, **{**TOLD, **fields}) for body in bodies]
    return making.hold(runtime.engine, *held)


def good(order_id):
    return json.dumps(inside.state_change(id=order_id)).encode()


async def ask(runtime, action, *, upto, source=None, code=None, ids=(), total=0):
    many = {"source": source, "code": code, "upto": upto, "ids": list(ids)}
    arguments = {**many, "total": total}
    return await acts.ask_clearing(runtime, action, arguments, by="ui:ann")


def job(runtime, id_):
    with engine.read(runtime.engine) as connection:
        return jobs.one(connection, id_)


async def until(runtime, id_, fits=lambda found: found.finished_at is not None):
    ends = time.monotonic() + 20
    while not fits(found := await asyncio.to_thread(job, runtime, id_)):
        assert time.monotonic() < ends, found
        await asyncio.sleep(0.002)
    return found


def states(runtime):
    with engine.read(runtime.engine) as connection:
        rows = quarantine.page(connection, state=None, source=None, after_id=None, limit=500)
    return {row["id"]: row["state"] for row in rows}


def audited(runtime, action):
    with engine.read(runtime.engine) as connection:
        rows = audit.page(connection, after_id=None, limit=500)
    return sorted(row["target"] for row in rows if row["action"] == action)


async def test_all_of_a_source_that_were_there_are_put_away_and_nothing_else(live):
    mine = hold(live, b"1", b"2", b"3")
    (other,) = hold(live, b"1", source="other")
    (later,) = hold(live, b"4")
    id_ = await ask(live, acts.DISCARD, upto=mine[-1], source="local", total=3)
    async with clearing_runs(live):
        done = await until(live, id_)
    assert (done.state, done.result["done"], done.result["refused"]) == ("done", 3, 0)
    expected = dict.fromkeys(mine, "discarded") | {other: "open", later: "open"}
    assert states(live) == expected
    assert audited(live, "quarantine.discard") == sorted(mine)
    assert audited(live, "quarantine.discard_many") == ["local"]


async def test_all_that_were_refused_for_one_reason_are_put_away_and_no_other(live):
    mine = hold(live, b"1", b"2", code=21)
    others = hold(live, b"3", b"4")
    id_ = await ask(live, acts.DISCARD, upto=others[-1], code=21, total=2)
    async with clearing_runs(live):
        done = await until(live, id_)
    assert done.result["done"] == 2
    assert states(live) == dict.fromkeys(mine, "discarded") | dict.fromkeys(others, "open")


async def test_what_is_still_refused_stays_with_its_reason_and_does_not_stop_the_rest(live):
    ids = hold(live, good("PO-1"), b"{", good("PO-2"), b"[", b"[]")
    id_ = await ask(live, acts.RELEASE, upto=ids[-1], ids=ids, total=5)
    async with clearing_runs(live):
        done = await until(live, id_)
    assert (done.result["done"], done.result["refused"]) == (2, 3)
    assert [states(live)[each] for each in ids] == ["released", "open", "released", "open", "open"]
    reasons = {id_: row["reason"] for row in done.result["reasons"] for id_ in row["ids"]}
    assert reasons.keys() == {ids[1], ids[3], ids[4]}
    assert all(reason.startswith("still refused, 2") for reason in reasons.values())
    assert sum(row["count"] for row in done.result["reasons"]) == 3


async def test_what_is_still_refused_is_taken_as_it_is_where_that_is_asked(live):
    ids = hold(live, b"{", b"[")
    id_ = await ask(live, acts.FORCE, upto=ids[-1], ids=ids, total=2)
    async with clearing_runs(live):
        done = await until(live, id_)
    assert done.result["done"] == 2
    assert set(states(live).values()) == {"released"}


async def test_it_goes_on_where_it_stopped_and_counts_each_once(live):
    ids = hold(live, *(b"%d" % n for n in range(80)))
    id_ = await ask(live, acts.DISCARD, upto=ids[-1], total=80)
    async with clearing_runs(live):
        await until(live, id_, lambda found: (found.result or {}).get("done", 0) >= 5)
    halfway = job(live, id_)
    gone = [state for state in states(live).values() if state == "discarded"]
    assert halfway.state == "running"
    assert 5 <= halfway.result["done"] == len(gone) < 80
    async with clearing_runs(live):
        done = await until(live, id_)
    assert (done.result["done"], done.result["refused"]) == (80, 0)
    assert audited(live, "quarantine.discard") == sorted(ids)


async def test_whoever_stops_it_leaves_the_rest_open(live):
    ids = hold(live, *(b"%d" % n for n in range(80)))
    id_ = await ask(live, acts.DISCARD, upto=ids[-1], total=80)
    async with clearing_runs(live):
        await until(live, id_, lambda found: (found.result or {}).get("done", 0) >= 1)
        assert await acts.stop_clearing(live, id_, by="ui:bob")
        assert not await acts.stop_clearing(live, id_, by="ui:bob")
        (after,) = hold(live, b"[")
        then = await ask(live, acts.DISCARD, upto=after, ids=[after], total=1)
        await until(live, then)
    stopped = job(live, id_)
    assert (stopped.state, stopped.error) == ("failed", "stopped by ui:bob")
    gone = sum(states(live)[each] == "discarded" for each in ids)
    assert 0 < stopped.result["done"] == gone < 80
    assert audited(live, "quarantine.stop") == [id_]


async def test_only_who_has_the_lease_does_it(live):
    (one,) = hold(live, b"{")
    id_ = await ask(live, acts.DISCARD, upto=one, total=1)
    with live.engine.begin() as connection:
        leases.beat(connection, "act:else", timedelta(minutes=1))
        leases.declare(connection, [clearing.NAME])
        leases.take(connection, "act:else", [clearing.NAME], 1)
    assert await clearing.Clearing(live).turn() == clearing.REST
    assert (job(live, id_).result, states(live)) == (None, {one: "open"})


async def test_a_row_that_makes_us_fail_does_not_stop_the_rest_for_good(tmp_path, sqlite_url):
    async with running.runtime(tmp_path, sqlite_url, LOCAL) as made:
        live = made.runtime
        ids = hold(live, b"1", b"2", b"3")
        with live.engine.begin() as connection:
            connection.exec_driver_sql(
                f"CREATE TRIGGER broken BEFORE UPDATE ON quarantine WHEN NEW.id = '{ids[1]}' "
                "BEGIN SELECT RAISE(ABORT, 'broken'); END"
            )
        id_ = await ask(live, acts.DISCARD, upto=ids[-1], total=3)
        work = clearing.Clearing(live)
        for _ in range(clearing.TRIES):
            with pytest.raises(Exception, match="broken"):
                await work.turn()
        assert await work.turn() == 0.0
        done = job(live, id_)
        assert (done.result["done"], done.result["refused"]) == (2, 1)
        assert [row["reason"] for row in done.result["reasons"]] == [clearing.OURS]


def test_reasons_are_told_apart_up_to_a_bound_and_cut():
    progress = clearing.Progress()
    for n in range(30):
        progress.refuse(f"id-{n}", f"reason {n} " + "x" * 1000)
    told = progress.told()
    assert told["refused"] == 30
    assert len(told["reasons"]) == clearing.REASONS + 1
    assert told["reasons"][-1] == {
        "reason": clearing.OTHERS, "count": 10, "ids": ["id-20", "id-21", "id-22"],
    }  # fmt: skip
    assert max(len(row["reason"]) for row in told["reasons"]) == clearing.LONGEST
    assert clearing.Progress.of(json.loads(json.dumps(told))).told() == told

"""The writer: batches, what fails alone, what is refused, and other writes beside ingest."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy

from app import errors, intake
from app.store import append, engine, feeds, leases, pages, quarantine, writer
from tests.arrivals import RECEIVED, candidate

TRIGGERS = {
    "sqlite": [
        """CREATE TRIGGER no_poison BEFORE INSERT ON log WHEN NEW.order_id = 'poison'
           BEGIN SELECT RAISE(ABORT, 'poison'); END"""
    ],
    "postgresql": [
        """CREATE FUNCTION no_poison() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = '23514'; END $$""",
        """CREATE TRIGGER no_poison BEFORE INSERT ON log FOR EACH ROW
           WHEN (NEW.order_id = 'poison') EXECUTE FUNCTION no_poison()""",
    ],
}


class Observed:
    """Notes what the writer tells of itself."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def committed(self, _seconds: float, units: int) -> None:
        self.batches.append(units)


@pytest.fixture
def observed() -> Observed:
    return Observed()


@pytest.fixture
def make(database, observed):
    """Writers on the test's database, closed at the end."""
    with contextlib.ExitStack() as stack:

        def made(**limits: int) -> writer.Writer:
            one = writer.Writer(database, intake.decide, observer=observed, **limits)
            stack.callback(one.close)
            return one

        yield made


def unit(*entries: writer.Entry, size: int = 100) -> writer.Unit:
    return writer.Unit(entries, size, asyncio.get_running_loop().create_future())


def submit(one: writer.Writer, *units: writer.Unit) -> asyncio.Future:
    for each in units:
        one.submit(each)
    return asyncio.gather(*(each.future for each in units), return_exceptions=True)


def count(database: sqlalchemy.Engine, table: str = "log") -> int:
    with engine.read(database) as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()


def hold(n: int) -> quarantine.Hold:
    return quarantine.Hold(
        id=f"q{n}", source="local", raw_digest=bytes([n]) * 32, code=24, message="wrong",
        faults=(), received_at=RECEIVED, channel="push", flavour=None, event_name=None,
        content_type=None, principal=None, remote_addr=None, body=b"{", length=1, truncated=False,
    )  # fmt: skip


async def test_units_that_wait_are_committed_together_and_answered_in_order(
    make, database, observed
):
    one = make()
    units = [unit(candidate(event_id=f"e{n}")) for n in range(50)]
    answers = submit(one, *units)
    one.start()
    seqs = [outcome.seq for (outcome,) in await answers]
    assert seqs == list(range(1, 51))
    assert observed.batches == [50]
    assert count(database) == 50


async def test_a_unit_of_several_entries_gets_one_outcome_each(make, database):
    one = make()
    one.start()
    (outcomes,) = await submit(one, unit(candidate(), hold(1), candidate(), hold(2)))
    assert [type(outcome).__name__ for outcome in outcomes] == ["New", "str", "Repeat", "str"]
    assert (count(database), count(database, "quarantine")) == (1, 2)


async def test_rows_the_database_refuses_fail_alone(make, database):
    with database.begin() as connection:
        for statement in TRIGGERS[database.dialect.name]:
            connection.exec_driver_sql(statement)
    one = make()
    good = [unit(candidate(event_id=f"e{n}")) for n in range(4)]
    poison = unit(candidate(event_id="p", order_id="poison"))
    answers = submit(one, *good[:2], poison, *good[2:])
    one.start()
    found = await answers
    assert [isinstance(answer, writer.DataFault) for answer in found] == [0, 0, 1, 0, 0]
    assert count(database) == 4
    (again,) = await submit(one, unit(candidate(event_id="later")))
    assert isinstance(again[0], append.New)


async def test_a_full_queue_refuses_and_keeps_what_it_has(make, database):
    one = make(queue_units=3)
    answers = submit(one, *(unit(candidate(event_id=f"e{n}")) for n in range(3)))
    with pytest.raises(errors.OverCapacity):
        one.submit(unit(candidate(event_id="one too many")))
    one.start()
    await answers
    assert count(database) == 3
    assert one.queued() == (0, 0)


async def test_the_queue_is_bounded_in_bytes_too(make):
    one = make(queue_bytes=1000)
    one.submit(unit(candidate(), size=900))
    with pytest.raises(errors.OverCapacity):
        one.submit(unit(candidate(), size=200))


async def test_closing_commits_what_waits_and_refuses_what_comes_later(make, database):
    one = make()
    answers = submit(one, *(unit(candidate(event_id=f"e{n}")) for n in range(20)))
    one.start()
    await asyncio.to_thread(one.close)
    assert all(isinstance(outcome, append.New) for (outcome,) in await answers)
    assert count(database) == 20
    with pytest.raises(errors.Unavailable):
        one.submit(unit(candidate()))
    with pytest.raises(errors.Unavailable):
        one.run(lambda connection: None)


async def test_another_write_runs_in_a_transaction_of_its_own(make, database):
    one = make()
    one.start()
    sql = "INSERT INTO source_state (source) VALUES ('one')"
    await asyncio.wrap_future(one.run(lambda connection: connection.exec_driver_sql(sql)))
    assert count(database, "source_state") == 1

    def fails(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("INSERT INTO source_state (source) VALUES ('two')")
        raise LookupError

    with pytest.raises(LookupError):
        await asyncio.wrap_future(one.run(fails))
    assert count(database, "source_state") == 1


async def test_ingest_goes_before_other_writes(make):
    one = make()
    order: list[str] = []
    job = one.run(lambda _connection: order.append("job"))
    arrival = unit(candidate())
    arrival.future.add_done_callback(lambda _: None)
    one.submit(arrival)
    noted: Callable[..., list] = one._decide
    one._decide = lambda *given: (order.append("ingest"), noted(*given))[1]
    one.start()
    await arrival.future
    await asyncio.wrap_future(job)
    assert order == ["ingest", "job"]


async def test_a_locked_database_is_unavailable_not_the_senders_fault(sqlite_url, observed):
    database = engine.create(sqlite_url)
    sqlalchemy.event.listen(database, "connect", _impatient)
    holder = engine.create(sqlite_url)
    one = writer.Writer(database, intake.decide, observer=observed)
    one.start()
    with holder.connect() as connection, connection.begin():
        connection.exec_driver_sql("INSERT INTO source_state (source) VALUES ('x')")
        (answer,) = await submit(one, unit(candidate()))
        assert isinstance(answer, errors.Unavailable)
    (after,) = await submit(one, unit(candidate()))
    assert isinstance(after[0], append.New)
    one.close()
    database.dispose()
    holder.dispose()


def _impatient(connection, _record) -> None:
    connection.execute("PRAGMA busy_timeout=100")


async def test_a_waiter_that_gave_up_does_not_harm_the_batch(make, database):
    one = make()
    gone, stays = unit(candidate(event_id="a")), unit(candidate(event_id="b"))
    one.submit(gone)
    one.submit(stays)
    gone.future.cancel()
    one.start()
    await stays.future
    assert count(database) == 2


async def test_the_nudge_follows_the_commit(database, observed):
    seen: list[int] = []
    woken = threading.Event()

    def nudge() -> None:
        seen.append(count(database))
        woken.set()

    one = writer.Writer(database, intake.decide, observer=observed, nudge=nudge)
    one.start()
    await submit(one, unit(candidate()))
    assert await asyncio.to_thread(woken.wait, 5)
    assert seen == [1]
    one.close()


# --- pages of a feed ----------------------------------------------------------------------------


@pytest.fixture
def fence(database) -> leases.Fence:
    """A feed `stad` that was connected, and the lease on it."""
    with database.begin() as connection:
        feeds.connect(connection, "stad", RECEIVED)
        leases.beat(connection, "replica-1", timedelta(seconds=30))
        leases.declare(connection, ["stad"])
        (taken,) = leases.take(connection, "replica-1", ["stad"], 1)
    return taken


def page_unit(
    fence: leases.Fence, *entries: writer.Entry, cursor: dict | None = None
) -> writer.Unit:
    fallbacks = tuple(hold(100 + n) for n in range(len(entries)))
    made = unit(*entries)
    made.page = pages.Page("stad", cursor, fence, RECEIVED, fallbacks)
    return made


def pulled(event_id: str, **fields) -> append.Candidate:
    return candidate(source="stad", channel="pull", event_id=event_id, **fields)


def feed(database: sqlalchemy.Engine) -> feeds.Feed:
    with engine.read(database) as connection:
        found = feeds.one(connection, "stad")
    assert found is not None
    return found


async def test_a_page_commits_its_rows_with_its_cursor_and_counts_what_it_re_reads(
    make, database, fence
):
    one = make()
    one.start()
    first = page_unit(fence, pulled("a"), pulled("b"), hold(1), cursor={"since": "b"})
    again = page_unit(fence, pulled("b"), pulled("c"), cursor={"since": "c"})
    for each in (first, again):
        await submit(one, each)
    found = feed(database)
    assert found.cursor == {"since": "c"}
    assert (found.entries, found.appended, found.reread, found.quarantined) == (5, 3, 1, 1)
    assert count(database) == 3
    assert count(database, "sighting") == 0


async def test_a_stale_fence_leaves_the_batch_alone_and_writes_nothing(make, database, fence):
    with database.begin() as connection:
        leases.leave(connection, "replica-1")
        leases.beat(connection, "replica-2", timedelta(seconds=30))
        leases.take(connection, "replica-2", ["stad"], 1)
    one = make()
    stale = page_unit(fence, pulled("a"), cursor={"since": "a"})
    push = unit(candidate(event_id="pushed"))
    answers = submit(one, stale, push)
    one.start()
    refused, taken = await answers
    assert isinstance(refused, pages.StaleFence)
    assert isinstance(taken[0], append.New)
    assert feed(database).cursor == {}
    assert count(database) == 1


async def test_an_entry_the_database_refuses_goes_to_quarantine_and_the_page_goes_on(
    make, database, fence
):
    with database.begin() as connection:
        for statement in TRIGGERS[database.dialect.name]:
            connection.exec_driver_sql(statement)
    one = make()
    one.start()
    entries = (pulled("a"), pulled("p", order_id="poison"), pulled("b"))
    (outcomes,) = await submit(one, page_unit(fence, *entries, cursor={"since": "b"}))
    assert [type(outcome).__name__ for outcome in outcomes] == ["New", "str", "New"]
    assert feed(database).cursor == {"since": "b"}
    assert (count(database), count(database, "quarantine")) == (2, 1)


def shown(status: bytes) -> append.Candidate:
    """An order as a feed without event ids shows it."""
    made = candidate(source="stad", channel="pull", event_id=None, raw=status)
    return replace(made, identity=None, snapshot_key="4711")


async def test_changes_of_a_feed_without_event_ids_are_counted(make, database, fence):
    one = make()
    one.start()
    told = [b"waiting", b"waiting", b"active", b"waiting"]
    (together,) = await submit(one, page_unit(fence, *(shown(status) for status in told)))
    (later,) = await submit(one, page_unit(fence, shown(b"waiting"), shown(b"active")))
    kinds = [type(outcome).__name__ for outcome in (*together, *later)]
    assert kinds == ["New", "Unchanged", "New", "New", "Unchanged", "New"]
    with engine.read(database) as connection:
        ids = connection.exec_driver_sql("SELECT event_id FROM log ORDER BY seq").scalars()
        assert list(ids) == ["4711:1", "4711:2", "4711:3", "4711:4"]


# --- other writes -------------------------------------------------------------------------------


def adds(name: str) -> Callable[[sqlalchemy.Connection], None]:
    def add(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql(f"INSERT INTO source_state (source) VALUES ('{name}')")

    return add


async def commits(database: sqlalchemy.Engine, one: writer.Writer, asked: int) -> int:
    """How often `one` commits to do `asked` writes and, before them, one that they wait for."""
    seen: list[object] = []
    held = threading.Event()
    one.start()
    await asyncio.wrap_future(one.run(lambda _connection: None))
    first = one.run(lambda _connection: held.wait(10))
    later = [one.run(adds(f"s{n}")) for n in range(asked)]
    sqlalchemy.event.listen(database, "commit", seen.append)
    held.set()
    await asyncio.gather(*map(asyncio.wrap_future, [first, *later]))
    return len(seen)


async def test_other_writes_that_wait_share_a_transaction(make, database, monkeypatch):
    monkeypatch.setattr(writer, "TOGETHER", 30.0)
    assert await commits(database, make(), 20) == 1
    assert count(database, "source_state") == 20


async def test_another_write_that_fails_among_others_fails_alone(make, database, monkeypatch):
    monkeypatch.setattr(writer, "TOGETHER", 30.0)
    one = make()

    def fails(connection: sqlalchemy.Connection) -> None:
        adds("lost")(connection)
        raise LookupError

    asked = [one.run(act) for act in (adds("a"), fails, adds("a"), adds("b"))]
    one.start()
    found = await asyncio.gather(*map(asyncio.wrap_future, asked), return_exceptions=True)
    kinds = [type(each) for each in found]
    assert kinds == [type(None), LookupError, sqlalchemy.exc.IntegrityError, type(None)]
    assert count(database, "source_state") == 2


async def test_other_writes_are_no_longer_together_than_they_are_quick(make, database, monkeypatch):
    monkeypatch.setattr(writer, "TOGETHER", 0.0)
    assert await commits(database, make(), 3) == 4


async def test_what_goes_beside_a_unit_is_kept_with_it_or_not_at_all(make, database):
    one = make()
    one.start()
    told: list[object] = []

    def refuses(connection: sqlalchemy.Connection, _: object) -> None:
        adds("refused")(connection)
        raise errors.Conflict

    def keeps(connection: sqlalchemy.Connection, outcomes: list[writer.Outcome]) -> None:
        adds("kept")(connection)
        told.extend(outcomes)

    kept, refused = unit(candidate(event_id="a")), unit(candidate(event_id="b"))
    kept.beside, refused.beside = keeps, refuses
    found = await submit(one, refused, kept)
    assert isinstance(found[0], errors.Conflict)
    assert [type(outcome) for outcome in told[-1:]] == [append.New]
    assert (count(database), count(database, "source_state")) == (1, 1)

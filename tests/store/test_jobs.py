"""Jobs: asked of a source, done in their order, their end kept."""

from __future__ import annotations

from datetime import timedelta

from app.store import engine, jobs
from tests.arrivals import RECEIVED

LATER = RECEIVED + timedelta(minutes=1)


def job(id_="j1", source="ko", **fields):
    return jobs.Job(id_, source, "poll", {"to": "beginning"}, "jwt:ops", RECEIVED, **fields)


def act(database, step, *arguments, **named):
    with database.begin() as connection:
        step(connection, *arguments, **named)


def test_a_job_waits_until_it_is_over(database):
    act(database, jobs.ask, job("j1"))
    act(database, jobs.ask, job("j2"))
    act(database, jobs.ask, job("j3", "other"))
    with engine.read(database) as connection:
        assert jobs.one(connection, "j1") == job("j1")
        assert [one.id for one in jobs.waiting(connection, "ko")] == ["j1", "j2"]
        assert jobs.sources_with_open(connection) == {"ko", "other"}
    act(database, jobs.begin, "j1", LATER)
    with engine.read(database) as connection:
        assert [one.id for one in jobs.waiting(connection, "ko")] == ["j1", "j2"]
    act(database, jobs.finish, "j1", LATER, result={"entries": 3})
    act(database, jobs.finish, "j2", LATER, error="the feed is paused")
    with engine.read(database) as connection:
        assert jobs.waiting(connection, "ko") == []
        assert jobs.sources_with_open(connection) == {"other"}
        done, failed = jobs.one(connection, "j1"), jobs.one(connection, "j2")
        assert jobs.one(connection, "j9") is None
    assert (done.state, done.result, done.started_at, done.finished_at) == (
        "done", {"entries": 3}, LATER, LATER,
    )  # fmt: skip
    assert (failed.state, failed.error) == ("failed", "the feed is paused")


def test_only_so_many_that_are_over_are_remembered(database, monkeypatch):
    monkeypatch.setattr(jobs, "KEPT", 2)
    for n in range(5):
        act(database, jobs.ask, job(f"j{n}"))
        act(database, jobs.finish, f"j{n}", LATER)
    act(database, jobs.ask, job("j9"))
    with engine.read(database) as connection:
        kept = [n for n in (*range(5), 9) if jobs.one(connection, f"j{n}") is not None]
    assert kept == [3, 4, 9]


def test_the_last_jobs_of_a_source_are_told_newest_first(database):
    for id_, source in (("j1", "ko"), ("j2", "ko"), ("j3", "other"), ("j4", "ko")):
        act(database, jobs.ask, job(id_, source))
    with engine.read(database) as connection:
        assert [one.id for one in jobs.latest(connection, "ko", 2)] == ["j4", "j2"]
        assert jobs.latest(connection, "none", 2) == []

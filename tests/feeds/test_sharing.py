"""Replicas share the feeds: each feed is one's at a time. Their deaths: `tests/e2e`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.store import engine, leases
from tests import operators
from tests.feeds import running
from tests.feeds.running import OnApi, event


def holders(live):
    """Who holds each feed."""
    with engine.read(live.runtime.engine) as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, owner FROM lease WHERE name <> 'hubs' ORDER BY name"
        )
        return dict(map(tuple, rows))


@pytest.fixture
async def operator():
    handle = OnApi([event(f"e{n}") for n in range(50)])
    async with operators.serving(handle) as served:
        served.on_api = handle
        yield served


async def test_two_replicas_halve_the_feeds_and_one_takes_all_when_the_other_leaves(
    operator, tmp_path, postgres_url
):
    names = [f"feed-{n}" for n in range(6)]
    sources = [running.source(name, f"{operator.url}/{name}/") for name in names]
    async with running.feeds_of(tmp_path / "a", postgres_url, *sources, term=0.6) as one:
        await one.until(lambda: len([h for h in holders(one).values() if h]) == 6)
        async with running.feeds_of(tmp_path / "b", postgres_url, *sources, term=0.6) as two:
            await two.until(lambda: sorted_counts(two) == [3, 3])
            operator.on_api.history += [event("new")]
            await one.until(lambda: all("new" in one.events(name) for name in names))
        await one.until(lambda: sorted_counts(one) == [6])


def sorted_counts(live):
    owners = [owner for owner in holders(live).values() if owner]
    return sorted(owners.count(owner) for owner in set(owners))


async def test_a_feed_that_was_taken_over_writes_nothing_more(operator, tmp_path, database_url):
    source = running.source("ko", f"{operator.url}/")
    async with running.feeds_of(tmp_path, database_url, source, term=60) as live:
        await live.until(lambda: live.feed() and live.feed().caught_up_at)

        def take_over(connection):
            connection.exec_driver_sql("UPDATE lease SET owner = 'another', token = token + 1")
            leases.beat(connection, "another", timedelta(seconds=60))

        await live.write(take_over)
        asked = len(operator.requests)
        operator.on_api.history.append(event("late"))
        await live.until(lambda: len(operator.requests) > asked)
        await live.write(lambda _connection: None)  # what was under way is written, or is not
        assert "late" not in live.events()
        assert live.feed().cursor["since"] == "e49"

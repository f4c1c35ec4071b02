"""`listener serve` asks operators too: alone, in several workers, not with `--no-feeds`."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy

from app import sandbox as operators
from app.store import engine, leases
from tests import serving
from tests.sandbox import serving as sandboxes

DEADLINE = 20.0
LIVING = f"SELECT count(*) FROM replica WHERE id NOT LIKE '{leases.ACTING}%'"


def rows(url: str, sql: str) -> list[tuple]:
    made = engine.create(url)
    with engine.read(made) as connection:
        found = [tuple(row) for row in connection.execute(sqlalchemy.text(sql))]
    made.dispose()
    return found


def until(condition) -> None:
    ends = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.05)


@pytest.fixture
def operator():
    """An ON-API network with 40 events, and the URL of all operators."""
    settings = replace(sandboxes.settings(), limits={"on_api": operators.Limit(events=40)})
    made = operators.create(settings)
    with sandboxes.serving(made.app) as url:
        yield made.operators["on_api"], url


def source(url: str, name: str = "stadsnat", **more: str) -> str:
    """A source that asks the ON-API network at `url`; `more` keys of its feed."""
    feed = {"url": f"{url}/on-api/api/2.3.1/", "username": "sandbox", "password": "sandbox"}
    told = ", ".join(f'{key} = "{value}"' for key, value in (feed | more).items())
    return f'[[source]]\nname = "{name}"\nkind = "on_api"\nfeed = {{ {told} }}\n'


def test_a_server_asks_and_gives_its_feeds_back_when_it_is_told_to_stop(
    operator, tmp_path, database_url
):
    on_api, url = operator
    with serving.listener(tmp_path, database_url=database_url, config=source(url)) as server:
        until(lambda: rows(database_url, "SELECT count(*) FROM log") == [(40,)])
        assert server.terminate() == 0
        assert "Traceback" not in server.log
    told = [event["event"] for event in on_api.published()]
    assert [event for (event,) in rows(database_url, "SELECT event_id FROM log ORDER BY seq")] == (
        told
    )
    assert rows(database_url, "SELECT count(*) FROM lease WHERE owner IS NOT NULL") == [(0,)]
    assert ("feed/stadsnat",) in rows(database_url, "SELECT name FROM lease")


def test_a_server_is_told_to_stop_while_it_reads_and_does_so_at_once(operator, tmp_path):
    on_api, url = operator
    on_api.faults.put("slow_body", operators.Fault(options={"seconds": 20.0}))
    with serving.listener(tmp_path, config=source(url)) as server:
        until(lambda: on_api.faults.report()["slow_body"]["struck"] > 0)
        began = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - began < 5.0
        assert "Traceback" not in server.log


def test_without_feeds_nobody_is_asked(operator, tmp_path, sqlite_url):
    _, url = operator
    with serving.listener(
        tmp_path / "server",
        database_url=sqlite_url,
        config=source(url) + '[[source]]\nname = "local"\n',
        arguments=("--no-feeds",),
    ) as server:
        until(lambda: '"event":"working"' in server.log.replace(" ", ""))
        assert server.terminate() == 0
    assert rows(sqlite_url, "SELECT count(*) FROM lease WHERE name LIKE 'feed/%'") == [(0,)]


def test_beside_several_workers_one_process_asks_and_stores_each_event_once(
    operator, tmp_path, postgres_url
):
    _, url = operator
    config = source(url, "north") + source(url, "south")
    with serving.listener(
        tmp_path, database_url=postgres_url, config=config, arguments=("--workers", "2")
    ) as server:
        until(lambda: rows(postgres_url, "SELECT count(*) FROM log") == [(80,)])
        assert rows(postgres_url, LIVING) == [(1,)]
        assert server.terminate() == 0
    found = Counter(rows(postgres_url, "SELECT source, event_id FROM log"))
    assert set(found.values()) == {1}
    assert Counter(name for name, _ in found) == {"north": 40, "south": 40}

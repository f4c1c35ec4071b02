"""Law 1 and 2 under SIGKILL and SIGTERM: what was acknowledged is stored, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy

from app.store import engine
from tests import postgres, serving
from tests.faults.loading import Load

PROMISED = {201, 503}


def stored(url: str) -> Counter[str]:
    """How often each event id is in the log."""
    made = engine.create(url)
    with engine.read(made) as connection:
        rows = connection.execute(sqlalchemy.text("SELECT event_id FROM log")).scalars()
        found = Counter(rows)
    made.dispose()
    return found


@pytest.fixture(params=[2, pytest.param(10, marks=pytest.mark.faults)])
def kills(request) -> int:
    return int(request.param)


async def test_every_acknowledged_notification_survives_kill_9_once(
    database_url: str, tmp_path: Path, kills: int
) -> None:
    with serving.listener(tmp_path / "server", database_url=database_url) as server:
        load = Load([server.port])
        running = asyncio.create_task(load.run())
        for _ in range(kills):
            before = len(load.acked)
            await load.until(lambda now, before=before: len(now.acked) >= before + 200)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        await load.until(lambda now: len(now.acked) >= 200 * kills + 100)
        load.stop.set()
        await running
        assert server.terminate() == 0
    found = stored(database_url)
    assert set(load.acked) <= set(found)
    assert max(found.values()) == 1
    assert set(load.statuses) <= PROMISED


@pytest.mark.parametrize("how", ["kill_immediate", "kill_hard"])
async def test_every_acknowledged_notification_survives_a_crash_of_postgresql(
    tmp_path: Path, how: str, kills: int, migrate: Callable[[str], None]
) -> None:
    with postgres.cluster(fsync=True) as cluster:
        url = cluster.database("crash")
        migrate(url)
        with serving.listener(tmp_path / "server", database_url=url) as server:
            load = Load([server.port])
            running = asyncio.create_task(load.run())
            for _ in range(kills):
                before = len(load.acked)
                await load.until(lambda now, before=before: len(now.acked) >= before + 200)
                await asyncio.to_thread(getattr(cluster, how))
                refused = load.statuses[503]
                await load.until(lambda now, refused=refused: now.statuses[503] > refused)
                await asyncio.to_thread(cluster.start)
            before = len(load.acked)
            await load.until(lambda now, before=before: len(now.acked) >= before + 100)
            load.stop.set()
            await running
        found = stored(url)
    assert set(load.acked) <= set(found)
    assert max(found.values()) == 1
    assert set(load.statuses) <= PROMISED
    assert load.broken == 0


async def test_sigterm_under_load_answers_every_accepted_request_and_exits_0(
    database_url: str, tmp_path: Path
) -> None:
    with serving.listener(tmp_path / "server", database_url=database_url) as server:
        load = Load([server.port], connections=32)
        running = asyncio.create_task(load.run())
        await load.until(lambda now: len(now.acked) >= 300)
        stopping = asyncio.create_task(asyncio.to_thread(server.terminate))
        code = await stopping
        load.stop.set()
        await running
    assert code == 0
    assert load.broken == 0
    assert set(load.statuses) == {201}
    assert set(load.acked) == set(stored(database_url))

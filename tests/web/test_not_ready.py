"""What `/healthz`, `/readyz` and `/metrics` say of a process in trouble."""

import pytest

from app.store import quota
from tests.web import inside


@pytest.fixture
async def door(database_url, tmp_path):
    """The application on a database of the test's own, on either engine."""
    async with inside.opened(database_url, tmp_path) as opened:
        yield opened


def assert_unavailable(answer, told):
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    said = answer.json()
    assert (said["code"], said["status"]) == (5, 503)
    assert told in said["message"]


async def test_a_process_that_stops_is_not_ready_while_it_serves_on(door):
    door.runtime.draining = True
    assert_unavailable(await door.client.get("/readyz"), "stopping")
    assert (await door.client.get("/healthz")).status_code == 200
    await door.taken(inside.state_change())
    assert (await door.client.get("/metrics")).status_code == 200


async def test_without_its_database_a_process_is_alive_but_not_ready(
    postgres_cluster, postgres_url, tmp_path
):
    async with inside.opened(postgres_url, tmp_path) as door:
        assert (await door.client.get("/readyz")).status_code == 200
        postgres_cluster.drop(postgres_url.rpartition("/")[2])
        for path in ("/readyz", "/metrics"):
            assert_unavailable(await door.client.get(path), "temporarily unavailable")
        assert_unavailable(await door.get("/admin/stats"), "temporarily unavailable")
        assert (await door.client.get("/healthz")).status_code == 200


async def test_a_source_whose_quarantine_is_full_is_told_of(door, monkeypatch):
    monkeypatch.setattr(quota, "FULL_ROWS", 2)
    for n in range(1, 4):
        await door.refused(b"{" * n)
    ready = (await door.client.get("/readyz")).json()
    assert ready["status"] == "ready"
    assert ready["trouble"] == ["the quarantine of local is full"]
    told = (await door.client.get("/metrics")).text.splitlines()
    for line in (
        'listener_quarantine_rows{source="local"} 2.0',
        'listener_quarantine_bytes{source="local"} 3.0',
        'listener_quarantine_digests{source="local"} 1.0',
        'listener_quarantine_overflow{source="local"} 0.0',
    ):
        assert line in told


async def test_a_scrape_counts_by_source_outcome_and_code(door):
    one = inside.state_change("1")
    await door.taken(one, one, {**one, "more": True})
    await door.refused(b"[]", source="choosy")
    await door.client.post("/externalapi/listener/v1/listener", content=b"{}")
    told = (await door.client.get("/metrics")).text.splitlines()
    for line in (
        'listener_arrivals_total{code="0",outcome="appended",source="local"} 1.0',
        'listener_arrivals_total{code="0",outcome="repeated",source="local"} 1.0',
        'listener_arrivals_total{code="0",outcome="conflicted",source="local"} 1.0',
        'listener_arrivals_total{code="22",outcome="quarantined",source="choosy"} 1.0',
        'listener_arrivals_total{code="40",outcome="refused",source="-"} 1.0',
        "listener_commit_seconds_count 4.0",
        "listener_batch_units_sum 4.0",
        "listener_queue_units 0.0",
        "listener_queue_bytes 0.0",
        "listener_log_head 2.0",
    ):
        assert line in told, line
    names = {line.split()[2] for line in told if line.startswith("# TYPE listener_")}
    documented = {line.split()[2] for line in told if line.startswith("# HELP listener_")}
    assert names == documented

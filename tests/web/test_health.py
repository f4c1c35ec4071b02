"""/healthz, /readyz and /metrics: open to anyone, and telling no secret."""

import httpx

from tests import serving
from tests.web.asking import code


def test_a_process_that_runs_is_alive(asking):
    answer = asking.get("/healthz", scopes=None)
    assert (answer.status_code, answer.json()["status"]) == (200, "alive")


def test_a_process_that_takes_notifications_is_ready(asking):
    answer = asking.get("/readyz", scopes=None)
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["trouble"] == []


def test_metrics_count_what_came_by_source_and_outcome(asking, callback_key):
    body, _ = asking.told()
    asking.post(body)
    asking.refused(b'{"eventType": "metered"}')
    path = f"/externalapi/listener/v1/{callback_key}/listener"
    asking.server.post(b"{}", path=path, headers={"Authorization": ""})
    answer = asking.get("/metrics", scopes=None)
    told = answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    for outcome, number in (("appended", 0), ("repeated", 0), ("quarantined", 24)):
        labels = f'code="{number}",outcome="{outcome}",source="local"'
        assert f"listener_arrivals_total{{{labels}}}" in told
    for name in (
        "commit_seconds_count",
        "batch_units_count",
        "queue_units",
        "queue_bytes",
        "log_head",
    ):
        assert f"\nlistener_{name} " in told
    assert 'listener_quarantine_rows{source="local"}' in told
    assert callback_key not in told


def test_several_workers_are_scraped_as_one(tmp_path, postgres_url):
    arguments = ("--workers", "2")
    with serving.listener(tmp_path, database_url=postgres_url, arguments=arguments) as server:
        for n in range(20):
            body = f'{{"eventId": "{n}", "eventDate": "2026-01-01T00:00:00Z", "event": {{}}, '
            body += '"eventType": "ServiceOrderCreationNotification"}'
            with httpx.Client() as fresh:  # a connection of its own, so that both workers get some
                answer = fresh.post(
                    f"{server.url}{serving.PATH}",
                    content=body,
                    headers={
                        "Content-Type": "application/json",
                        "Authorization": f"Bearer {serving.token()}",
                    },
                )
            assert answer.status_code == 201
        told = httpx.get(f"{server.url}/metrics").text
    assert 'listener_arrivals_total{code="0",outcome="appended",source="local"} 20.0' in told


def test_another_method_is_told_which_would_do(asking):
    answer = httpx.delete(f"{asking.server.url}/readyz")
    assert code(answer) == (405, 61)
    assert answer.headers["allow"] == "GET"


def test_a_slash_too_many_is_an_unknown_path(asking):
    assert code(asking.get("/readyz/")) == (404, 60)

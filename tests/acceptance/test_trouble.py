"""Our own faults over a socket: 500/1, 503/5 and 503/6, made in the test's own database."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest

from app.store import statements
from tests import postgres, serving
from tests.acceptance import bodies, seeing, wire

POISON = "PO-POISON"
SQLITE_TRIGGER = f"""
CREATE TRIGGER poison BEFORE INSERT ON log WHEN NEW.order_id = '{POISON}'
BEGIN SELECT RAISE(ABORT, 'a secret of the database'); END"""
POSTGRESQL_TRIGGER = f"""
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a secret of the database'; END $$;
CREATE TRIGGER poison BEFORE INSERT ON log FOR EACH ROW WHEN (NEW.order_id = '{POISON}')
EXECUTE FUNCTION poison()"""
LOCKS = f"SELECT pg_advisory_xact_lock({statements.LOCK}); LOCK TABLE quarantine_usage"
GOOD = 201


@pytest.fixture
def troubled(database_url, tmp_path) -> Iterator[serving.Listener]:
    """A listener on a database of the test's own, with a queue of one unit."""
    environment = {"LISTENER_QUEUE_UNITS": "1"}
    with serving.listener(
        tmp_path / "server",
        database_url=database_url,
        environment=environment,
        arguments=serving.DOOR,
    ) as server:
        yield server


def plain(url: str) -> str:
    """The URL as psycopg takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


def change(url: str, sqlite: str, postgresql: str) -> None:
    """Do something to the database behind the listener's back."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(sqlite)
    else:
        with psycopg.connect(plain(url), autocommit=True) as connection:
            connection.execute(postgresql)


@contextlib.contextmanager
def locked(url: str) -> Iterator[Callable[[], None]]:
    """Hold what every append and every quarantine row needs; gives what lets go of it."""
    if url.startswith("sqlite"):
        held = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        held.execute("BEGIN IMMEDIATE")
        let_go = held.rollback
    else:
        away = psycopg.connect(plain(url))
        away.execute(LOCKS)
        held, let_go = away, away.rollback  # type: ignore[assignment]
    with contextlib.closing(held):
        yield let_go


def assert_unavailable(answer: wire.Answer, code: int, seconds: str) -> None:
    assert (answer.status, answer.code) == (503, code), answer.body
    assert answer.header("retry-after") == seconds
    assert answer.header("content-type") == wire.JSON
    assert set(answer.json()) == {"code", "reason", "message", "status", "@type"}


def get(server: serving.Listener, path: str) -> wire.Answer:
    bearer = serving.token(source=None, scopes=("notifications:read",))
    return wire.exchange(server.port, wire.request("GET", path, bearer=bearer))


def test_what_the_database_refuses_is_1_with_a_reference_and_kept(troubled, database_url):
    change(database_url, SQLITE_TRIGGER, POSTGRESQL_TRIGGER)
    body = bodies.body(id=POISON)
    answer = wire.exchange(troubled.port, wire.post(body))
    assert (answer.status, answer.code) == (500, 1), answer.body
    assert answer.header("retry-after") == "30"
    said = answer.json()
    assert (said["status"], said["@type"]) == (500, "ErrorRepresentation")
    for secret in (b"secret of the database", b"Traceback", b"sqlite", b"psycopg", b"INSERT"):
        assert secret.lower() not in answer.body.lower()
    row = seeing.held(troubled, said["referenceError"])
    assert (row["code"], row["status"], row["body"]) == (1, 500, body.decode())
    assert said["referenceError"] in troubled.log
    assert "secret of the database" not in troubled.log
    assert troubled.post(bodies.body()).status_code == GOOD
    change(database_url, "DROP TRIGGER poison", "DROP TRIGGER poison ON log")
    released = seeing.act(troubled, f"/admin/quarantine/{row['id']}/release")
    assert released.json()["outcome"] == "appended"
    assert seeing.raw(troubled, released.json()["notification_id"]) == body


def test_what_nobody_foresaw_is_1_with_a_reference_that_is_in_the_log(troubled, database_url):
    rename = "ALTER TABLE audit_trail RENAME TO elsewhere"
    change(database_url, rename, rename)
    answer = get(troubled, "/admin/audit")
    assert (answer.status, answer.code) == (500, 1), answer.body
    assert b"audit_trail" not in answer.body
    reference = answer.json()["referenceError"]
    (line,) = [line for line in troubled.log.splitlines() if reference in line]
    assert json.loads(line)["event"] == "internal_error"
    assert json.loads(line)["frames"]


def test_while_the_database_is_locked_the_answer_is_5_and_beyond_the_queue_6(
    troubled, database_url
):
    """Law 2: what would be refused with 400 is 503/5 as long as it cannot be kept."""
    before = seeing.quarantined(troubled)
    with contextlib.ExitStack() as stack, locked(database_url) as let_go:
        waiting: list[wire.Connection] = []
        for body in (b"{", bodies.body(), bodies.body()):
            line = stack.enter_context(wire.Connection(troubled.port))
            line.send(wire.post(body))
            if line.is_answered(within=0.3):
                assert_unavailable(line.answer(), 6, "1")
            else:
                waiting.append(line)
        refused, accepted = waiting
        assert_unavailable(refused.answer(), 5, "5")
        let_go()
        assert accepted.answer().status == GOOD
    assert seeing.quarantined(troubled) == before
    assert len(seeing.get(troubled, "/admin/notifications").json()["items"]) == 1


def test_while_the_database_is_away_the_answer_is_5_and_then_all_is_well(
    postgres_cluster: postgres.Cluster, postgres_url, tmp_path
):
    name = postgres_url.rpartition("/")[2]
    with serving.listener(
        tmp_path / "server", database_url=postgres_url, arguments=serving.DOOR
    ) as server:
        assert server.post(bodies.body()).status_code == GOOD
        let(postgres_cluster, name, "false")
        for request in (wire.post(bodies.body()), wire.post(b"{")):
            assert_unavailable(wire.exchange(server.port, request), 5, "5")
        for path in ("/readyz", "/admin/notifications", "/admin/stats", "/metrics"):
            assert_unavailable(get(server, path), 5, "5")
        assert get(server, "/healthz").status == 200
        let(postgres_cluster, name, "true")
        server.wait_ready()
        assert server.post(bodies.body()).status_code == GOOD
        assert seeing.quarantined(server) == 0


def let(cluster: postgres.Cluster, name: str, yes: str) -> None:
    """Let connections to the database `name` be made, or end all there are."""
    with psycopg.connect(plain(cluster.url("postgres")), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {yes}")
        if yes == "false":
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )


def test_while_it_drains_it_is_not_ready_but_serves(tmp_path):
    environment = {"LISTENER_DRAIN_DELAY": "1.0"}
    with serving.listener(tmp_path / "server", environment=environment) as server:
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        ends = time.monotonic() + 0.9
        while (answer := get(server, "/readyz")).status == 200:
            assert time.monotonic() < ends
        assert_unavailable(answer, 5, "5")
        assert server.post(bodies.body()).status_code == GOOD
        assert server.process.wait(serving.DEADLINE) == 0
        with pytest.raises(httpx.ConnectError):
            server.post(bodies.body())

"""Refused bodies: kept before the 400 leaves, counted, and how they come into the log."""

from __future__ import annotations

import asyncio
import getpass
import json
import signal
import time
import uuid
from collections import Counter

import pytest

from tests import serving
from tests.acceptance import bodies, seeing, wire
from tests.faults import loading

CONFIG = '[[source]]\nname = "local"\n'


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request, tmp_path_factory):
    """A listener on either engine whose configuration may be changed."""
    url = None
    if request.param == "postgresql":
        cluster = request.getfixturevalue("postgres_cluster")
        url = cluster.database(f"test_{uuid.uuid4().hex}")
    folder = tmp_path_factory.mktemp("quarantine")
    with serving.listener(
        folder, database_url=url, config=CONFIG, arguments=serving.DOOR, start=False
    ) as server:
        seeing.command(server, "db", "upgrade")
        server.start()
        yield server
    if url is not None:
        cluster.drop(url.rpartition("/")[2])


@pytest.fixture
def own(running):
    """The same, with the configuration it began with and nothing in its quarantine."""
    reconfigure(running, CONFIG)
    for row in seeing.get(running, "/admin/quarantine").json()["items"]:
        assert seeing.act(running, f"/admin/quarantine/{row['id']}/discard").status == 200
    return running


def unknown(event_id: str) -> bytes:
    """A state change of an event type nobody knows."""
    changed = bodies.state_change(event_id) | {"eventType": "orderHasMovedNotification"}
    return json.dumps(changed).encode()


def refused(server: serving.Listener, body: bytes) -> str:
    """Send what is refused; gives the id of its row."""
    answer = wire.exchange(server.port, wire.post(body))
    assert answer.status in {400, 422}, answer.body
    return str(answer.json()["referenceError"])


def reconfigure(server: serving.Listener, config: str) -> None:
    """Put `config` in place, SIGHUP, and wait until it is in force."""
    (server.folder / "listener.toml").write_text(config)
    before = server.log.count('"reloaded"')
    assert server.process is not None
    server.process.send_signal(signal.SIGHUP)
    ends = time.monotonic() + serving.DEADLINE
    while server.log.count('"reloaded"') == before:
        assert time.monotonic() < ends, server.log[-2000:]
        time.sleep(0.01)


def trail(server: serving.Listener, target: str) -> list[tuple[str, str]]:
    """Who did what to `target`, oldest first."""
    items = seeing.get(server, "/admin/audit?limit=500").json()["items"]
    return [(one["action"], one["principal"]) for one in items[::-1] if one["target"] == target]


def test_a_refused_body_is_kept_before_the_400_leaves(own):
    """The very instant the answer is here, the process is killed."""
    with wire.Connection(own.port) as line:
        line.send(wire.post(b"{ and killed"))
        answer = line.answer()
        own.kill()
    own.start()
    assert answer.status == 400
    row = seeing.held(own, answer.json()["referenceError"])
    assert (row["state"], row["body"]) == ("open", "{ and killed")


@pytest.mark.parametrize("copies", [2000, pytest.param(100_000, marks=pytest.mark.faults)])
async def test_copies_of_one_bad_body_are_one_row_with_their_count(own, copies):
    body = unknown("the-same")
    before = (await asyncio.to_thread(seeing.get, own, "/admin/stats")).json()["notifications"]
    load = Copies([own.port], body=lambda _: body, most=copies)
    await load.run()
    assert load.statuses == Counter({400: copies})
    page = await asyncio.to_thread(seeing.get, own, "/admin/quarantine")
    (row,) = page.json()["items"]
    assert (row["count"], row["code"], row["length"]) == (copies, 24, len(body))
    assert row["received_at"] < row["last_received_at"]
    stats = await asyncio.to_thread(seeing.get, own, "/admin/stats")
    assert (stats.json()["quarantine"], stats.json()["notifications"]) == (1, before)


class Copies(loading.Load):
    """Posts `most` times and no more."""

    def __init__(self, ports, *, body, most):
        super().__init__(ports, connections=32, body=body)
        self.left = most

    async def _post(self, reader, writer, bearer):
        self.left -= 1
        if self.left <= 0:
            self.stop.set()
        return await super()._post(reader, writer, bearer)


def test_what_differs_in_code_or_bytes_is_a_row_of_its_own(own):
    body = unknown("one")
    rows = {refused(own, body), refused(own, body), refused(own, body + b" ")}
    other = wire.post(body, headers={"Content-Type": "text/plain"})
    rows.add(wire.exchange(own.port, other).json()["referenceError"])
    assert len(rows) == 3
    counts = {
        row["id"]: row["count"] for row in seeing.get(own, "/admin/quarantine").json()["items"]
    }
    assert sorted(counts.values()) == [1, 1, 2]


def test_what_the_configuration_admits_later_is_released_into_the_log(own):
    event_id = uuid.uuid4().hex
    body = unknown(event_id)
    row = refused(own, body)
    still = seeing.act(own, f"/admin/quarantine/{row}/release")
    assert (still.status, still.code) == (409, 69)
    assert "orderHasMovedNotification" in still.json()["message"]
    assert seeing.listed(own, event_id) == []
    reconfigure(own, CONFIG + 'unknown_event_types = "store"\n')
    released = seeing.act(own, f"/admin/quarantine/{row}/release")
    assert (released.status, released.json()["outcome"]) == (200, "appended")
    (told,) = seeing.listed(own, event_id)
    assert told["id"] == released.json()["notification_id"]
    assert (told["kind"], told["event_type"]) == ("other", "orderHasMovedNotification")
    assert told["warnings"] == ["unknown_event_type"]
    assert (told["principal"], told["remote_addr"]) == ("jwt:local", "127.0.0.1")
    assert seeing.raw(own, told["id"]) == body
    assert seeing.quarantined(own) == 0
    after = seeing.held(own, row)
    assert (after["state"], after["notification_id"]) == ("released", told["id"])
    assert after["resolved_by"] == "jwt:tests"
    assert trail(own, row) == [("quarantine.release", "jwt:tests")]
    twice = seeing.act(own, f"/admin/quarantine/{row}/release")
    assert (twice.status, twice.code) == (409, 69)
    assert len(seeing.listed(own, event_id)) == 1
    again = own.post(body)
    assert again.status_code == 201
    assert [one["sightings"] for one in seeing.listed(own, event_id)] == [1]


def test_a_kind_that_is_accepted_later_is_released_as_what_it_is(own):
    reconfigure(own, CONFIG + 'accept = ["created"]\n')
    event_id = uuid.uuid4().hex
    body = bodies.body(event_id)
    row = refused(own, body)
    assert seeing.held(own, row)["code"] == 100
    reconfigure(own, CONFIG + 'accept = ["created", "state_changed"]\n')
    assert seeing.act(own, f"/admin/quarantine/{row}/release").json()["outcome"] == "appended"
    (told,) = seeing.listed(own, event_id)
    assert (told["kind"], told["state"], told["warnings"]) == ("state_changed", "inProgress", [])


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"eventId": "1"}', b"\xff\xfe{\0}\0", b"\x00\x01"],
    ids=["no JSON", "fields missing", "UTF-16", "no text"],
)
def test_what_is_taken_by_force_is_kind_other_with_its_bytes(body, server):
    row = refused(server, body)
    forced = seeing.act(server, f"/admin/quarantine/{row}/release", b'{"force": true}')
    assert (forced.status, forced.json()["outcome"]) == (200, "appended")
    id_ = forced.json()["notification_id"]
    told = seeing.get(server, f"/admin/notifications/{id_}").json()
    assert (told["kind"], told["source"], told["channel"]) == ("other", "local", "push")
    assert "forced" in told["warnings"]
    assert seeing.raw(server, id_) == body
    assert seeing.held(server, row)["state"] == "released"
    assert refused(server, body) == row  # law 4: refused again, and open again
    assert seeing.held(server, row)["state"] == "open"
    seeing.act(server, f"/admin/quarantine/{row}/discard")


def test_an_oversized_body_cannot_be_released_even_by_force(server):
    body = bodies.body(note="x" * 1048576)
    row = refused(server, body)
    forced = seeing.act(server, f"/admin/quarantine/{row}/release", b'{"force": true}')
    assert (forced.status, forced.code) == (409, 69)
    assert "not kept whole" in forced.json()["message"]


def test_what_is_discarded_stays_known_and_lets_go_of_its_bytes(server):
    row = refused(server, b"[discarded")
    answer = seeing.act(server, f"/admin/quarantine/{row}/discard")
    assert (answer.status, answer.json()) == (200, {"id": row, "state": "discarded"})
    after = seeing.held(server, row)
    assert (after["state"], after["body"], after["resolved_by"]) == ("discarded", None, "jwt:tests")
    assert trail(server, row) == [("quarantine.discard", "jwt:tests")]
    everything = seeing.get(server, "/admin/quarantine?state=discarded&limit=500").json()["items"]
    assert row in [one["id"] for one in everything]


@pytest.mark.parametrize("running", ["sqlite"], indirect=True)
def test_by_the_command_line_a_row_is_shown_and_released_and_who_did_it_is_kept(own):
    body = unknown(event_id := uuid.uuid4().hex)
    first, second = refused(own, body), refused(own, b"{")
    refusal = seeing.command(own, "quarantine", "release", first, code=1)
    assert "orderHasMovedNotification" in refusal.stderr
    (own.folder / "listener.toml").write_text(CONFIG + 'unknown_event_types = "store"\n')
    seeing.commands(own, f"quarantine release {first}", f"quarantine discard {second}")
    (told,) = seeing.listed(own, event_id)
    assert (told["kind"], seeing.raw(own, told["id"])) == ("other", body)
    who = f"cli:{getpass.getuser()}"
    assert trail(own, first) == [("quarantine.release", who)]
    assert trail(own, second) == [("quarantine.discard", who)]
    assert seeing.quarantined(own) == 0

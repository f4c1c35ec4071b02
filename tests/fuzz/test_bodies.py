"""Whatever is posted is answered 2xx and stored, or 4xx and quarantined; never a 500."""

from __future__ import annotations

import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import sqlalchemy

from app.notifications import content, event_types
from app.store import engine
from tests import serving
from tests.acceptance import wire
from tests.fuzz.mutator import Mutator

CONFIG = """
[[source]]
name = "local"

[[source]]
name = "strict"
strict = true
zone = "Europe/Stockholm"

[[source]]
name = "storing"
unknown_event_types = "store"
accept = ["created", "state_changed", "value_changed", "other", "removed"]
"""
SOURCES = ("local", "local", "storing", "strict")
"""One a connection."""
AT_ONCE = 16
CODES = {400: {20, 21, 22, 23, 24}, 422: {100}}


@dataclass
class Told:
    """What was sent on one connection as `source` by `seed`, and what was answered."""

    source: str
    seed: int
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    refused: list[tuple[bytes, int, str]] = field(default_factory=list)


@pytest.fixture
def server(database_url, tmp_path):
    with serving.listener(
        tmp_path / "server", database_url=database_url, config=CONFIG, arguments=serving.DOOR
    ) as started:
        yield started
        assert started.terminate() == 0


def judge(path: str, body: bytes, answer: wire.Answer, told: Told) -> None:
    """The answer is one of those that are promised."""
    if answer.status in {201, 204}:
        assert answer.status == (204 if "/v5/" in path else 201)
        assert answer.body == (b"" if answer.status == 204 else body)
        told.taken.append((path, body))
        return
    assert answer.status in CODES, (told.seed, path, body[:500], answer)
    said = json.loads(answer.body)
    assert set(said) == {"code", "reason", "message", "status", "@type", "referenceError"}
    assert said["code"] in CODES[answer.status]
    assert said["status"] == answer.status
    assert said["message"]
    told.refused.append((body, said["code"], said["referenceError"]))


def talk(port: int, seed: int, source: str, count: int) -> Told:
    """Post `count` bodies on one connection, several at once, and judge every answer."""
    mutator, told = Mutator(seed), Told(source, seed)
    bearer = serving.token(source=source)
    with wire.Connection(port) as line:
        for _ in range(count // AT_ONCE):
            sent = [mutator.next() for _ in range(AT_ONCE)]
            line.send(b"".join(wire.post(body, path=path, bearer=bearer) for path, body in sent))
            for path, body in sent:
                judge(path, body, line.answer(), told)
    return told


def rows(url: str, query: str) -> list[sqlalchemy.Row]:
    made = engine.create(url)
    with engine.read(made) as connection:
        found = list(connection.execute(sqlalchemy.text(query)))
    made.dispose()
    return found


def assert_stored(url: str, all_told: list[Told]) -> None:
    """Every body that was taken is in the log, as it came or as the one it repeats."""
    known: Counter[tuple[str, bytes]] = Counter()
    for source, digest, sightings in rows(
        url, "SELECT source, canonical_digest, sightings FROM ledger"
    ):
        known[source, bytes(digest)] += 1 + sightings
    taken = Counter(
        (told.source, digest_of(path, body)) for told in all_told for path, body in told.taken
    )
    assert known == taken
    raws = {bytes(raw) for (raw,) in rows(url, "SELECT raw FROM payload")}
    assert raws <= {body for told in all_told for _, body in told.taken}


def digest_of(path: str, body: bytes) -> bytes:
    """The digest of what `body` says on `path`: its content, and the event only the path names."""
    digest = content.canonical_digest(body)
    event = path.rpartition("/")[2]
    sent = json.loads(body).get("eventType")
    named = isinstance(sent, str) and event_types.find(sent) is not None
    if path == event_types.SHARED_PATH or (named and sent.strip() != event):
        return digest
    return content.raw_digest(event.encode() + digest)


def assert_held(url: str, all_told: list[Told]) -> None:
    """Every body that was refused is in the quarantine, in the row that was told."""
    held: Counter[tuple[str, bytes, int]] = Counter()
    ids = {}
    for id_, source, digest, code, count in rows(
        url, "SELECT id, source, raw_digest, code, count FROM quarantine"
    ):
        held[source, bytes(digest), code] += count
        ids[id_] = bytes(digest)
    refused: Counter[tuple[str, bytes, int]] = Counter()
    for told in all_told:
        for body, code, row in told.refused:
            digest = content.raw_digest(body)
            refused[told.source, digest, code] += 1
            assert ids[row] == digest
    assert held == refused


@pytest.mark.parametrize(
    "count", [2000, pytest.param(100_000, marks=[pytest.mark.fuzz, pytest.mark.timeout(1800)])]
)
def test_whatever_is_posted_is_stored_or_refused_and_kept(count, server, database_url):
    seed = 622 if count == 2000 else random.randrange(10**6)
    with ThreadPoolExecutor(len(SOURCES)) as pool:
        talks = [
            pool.submit(talk, server.port, seed + n, source, count // len(SOURCES))
            for n, source in enumerate(SOURCES)
        ]
        all_told = [one.result() for one in talks]
    assert_stored(database_url, all_told)
    assert_held(database_url, all_told)
    assert sum(len(told.taken) for told in all_told) > count // 10
    assert sum(len(told.refused) for told in all_told) > count // 10
    assert "internal_error" not in server.log

"""What is beside the log after a long time: placed orders, refused bodies, commands, acts, feeds.

Not here: the log and what follows it (`filling`).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.notifications.notification import rfc3339

SOURCES = tuple(f"operator-{n}" for n in range(10))
ASKED = SOURCES[-1]
"""The source that has a feed."""

APART = timedelta(seconds=7)
BUSY, CLOSE = 0.09, timedelta(seconds=0.12)
"""The share of them that came in the last hours, 500 a minute, and how far apart those are."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Calendar:
    """When each of `count` notifications came, the last of them `now`."""

    count: int
    now: datetime

    def moment(self, seq: float) -> datetime:
        """When the one numbered `seq` came."""
        since = self.count - seq
        close = min(since, self.count * BUSY)
        return self.now - close * CLOSE - (since - close) * APART


def uuid7(at: datetime, n: int, rest: int) -> str:
    """An id as those are that are made at `at`."""
    since = f"{int(at.timestamp() * 1000):012x}"
    return f"{since[:8]}-{since[8:]}-7{n & 0xFFF:03x}-8{rest >> 50:03x}-{rest & (1 << 48) - 1:012x}"


def placed(calendar: Calendar, orders: int) -> Iterator[tuple[int, str]]:
    """Orders that were placed and never told of, and when: one to a hundred of `orders`."""
    for n in range(orders // 100):
        yield orders + n, rfc3339(calendar.moment(calendar.count * n * 100 / orders))


def rows(calendar: Calendar) -> Iterator[tuple[str, Iterator[Row]]]:
    """Rows by table; each of a table has the same columns."""
    yield "patience", _patience(calendar)
    yield "quarantine", _refused(calendar)
    yield "command", _commands(calendar)
    yield "audit_trail", _acts(calendar)
    yield "sighting", _sightings(calendar)
    yield "feed", _feeds(calendar)
    yield "feed_turn", _turns(calendar)


def _patience(calendar: Calendar) -> Iterator[Row]:
    """How long news usually stay away: days, where orders last weeks."""
    for source, state in itertools.product(SOURCES, ("acknowledged", "inProgress", "held")):
        days = {"source": source, "state": state, "seconds": 5 * 86400.0}
        yield {**days, "cases": 1000, "learned_at": rfc3339(calendar.now)}


def _refused(calendar: Calendar) -> Iterator[Row]:
    """Bodies that were refused, one to fifty; every other one is open, some came twice."""
    fault = {"path": "event.productOrder.state", "problem": "is no state", "expected": "a state"}
    chance = random.Random(8)
    for n in range(calendar.count // 50):
        moment = calendar.moment(50 * n)
        yield {
            "id": uuid7(moment, n, chance.getrandbits(62)),
            "source": SOURCES[n % len(SOURCES)],
            "raw_digest": hashlib.sha256(b"%d" % n).digest(),
            "code": 24,
            "message": "event.productOrder.state: is no state",
            "faults": json.dumps([fault]),
            "status": ("open", "discarded")[n % 2],
            "count": 1 + (n % 10 == 0),
            "received_at": rfc3339(moment),
            "last_received_at": rfc3339(moment),
            "channel": "push",
            "body": b'{"event": {"productOrder": {"state": "?"}}}',
            "length": 42,
            "truncated": False,
        }


def _commands(calendar: Calendar) -> Iterator[Row]:
    """What was done at operators, one to fifty; of two hundred one failed."""
    chance = random.Random(9)
    for n in range(calendar.count // 50):
        moment = calendar.moment(50 * n)
        failed = n % 200 == 0
        yield {
            "id": uuid7(moment, n, chance.getrandbits(62)),
            "source": SOURCES[n % len(SOURCES)],
            "order_id": f"PO-{n:07}",
            "command": "info",
            "arguments": '{"message": "well"}',
            "idempotency_key": f"key-{n}",
            "harmful": True,
            "state": "failed" if failed else "done",
            "asked_by": "jwt:tests",
            "asked_at": rfc3339(moment),
            "due_at": rfc3339(moment),
            "attempts": 1,
            "finished_at": rfc3339(moment),
            "error": "403 from the operator" if failed else None,
        }


def _acts(calendar: Calendar) -> Iterator[Row]:
    """What administrators did, one to twenty."""
    chance = random.Random(10)
    for n in range(calendar.count // 20):
        moment = calendar.moment(20 * n)
        yield {
            "id": uuid7(moment, n, chance.getrandbits(62)),
            "at": rfc3339(moment),
            "principal": "jwt:tests",
            "action": "quarantine.discard",
            "target": f"quarantine-{n:09}",
            "detail": "{}",
        }


def _sightings(calendar: Calendar) -> Iterator[Row]:
    """Repeats: of every tenth notification one, a second later."""
    for seq in range(10, calendar.count + 1, 10):
        at = rfc3339(calendar.moment(seq) + timedelta(seconds=1))
        sender = {"principal": "jwt:tests", "remote_addr": "10.0.0.1"}
        yield {"seq": seq, "n": 1, "received_at": at, **sender}


def _feeds(calendar: Calendar) -> Iterator[Row]:
    """A feed that fares well."""
    at = rfc3339(calendar.now)
    yield {
        "name": ASKED,
        "cursor": "{}",
        "connected_at": rfc3339(calendar.moment(0)),
        "caught_up_at": at,
        "last_turn_at": at,
        "last_success_at": at,
        "failures": 0,
        "entries": 0,
        "appended": 0,
        "reread": 0,
        "quarantined": 0,
        "followed_seq": calendar.count,
        "warnings": "[]",
    }


def _turns(calendar: Calendar) -> Iterator[Row]:
    """As many turns of it as are kept."""
    chance = random.Random(12)
    for n in range(100):
        moment = calendar.moment(calendar.count - 100 + n)
        yield {
            "id": uuid7(moment, n, chance.getrandbits(62)),
            "feed": ASKED,
            "at": rfc3339(moment),
            "seconds": 0.5,
            "requests": 1,
            "entries": 3,
            "appended": 1,
            "quarantined": 0,
        }

"""A database as it is after a long time: a million notifications of two hundred thousand orders.

Written straight into the tables, without their indexes, which are made at the end: the way in is
measured elsewhere (`bench.ingest`). What is written has the shape of what is received: orders live
side by side and end, ids are unlike, words are as frequent as words are, some states are rare.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import sqlalchemy

from app.notifications import findable
from app.notifications.notification import rfc3339
from app.store import epochs, followers, indexing, search_tables, statements, zones
from bench import beside

SOURCES = beside.SOURCES
LIVES = 3000
"""How far apart, in orders, those are that live at the same time."""

PROJECTOR = "orders"
"""The name of the projector's cursor."""

ROWS_AT_ONCE = 5000
FEW = 40
"""How many are of the rarest state."""

OLD = 0.9
"""The share of orders, the first ones, of which operators told under other names and words."""

SHARE_OF_ODD = 0.05
SHARE_WITH_MESSAGE = 0.4

STEPS = (
    ("created", "acknowledged", None),
    ("state_changed", "inProgress", None),
    ("milestone", None, None),
    ("state_changed", "inProgress", None),
    ("state_changed", "completed", None),
)
ODD = (
    ("information_required", "pending", "buyer_action"),
    ("jeopardy", "held", "alarm"),
    ("state_changed", "failed", "alarm"),
    ("state_changed", "cancelled", None),
    ("note", None, None),
)
COLUMNS = {
    "ledger": statements.LEDGER_COLUMNS,
    "log": statements.LOG_COLUMNS,
    "payload": statements.PAYLOAD_COLUMNS,
    "search_text": ("seq", "words"),
}

Row = tuple[Any, ...]


@dataclass(slots=True)
class Life:
    """What became of an order so far."""

    order: int
    first_at: str
    last_at: str = ""
    seq: int = 0
    news: int = 0
    state: str | None = None
    state_since: str | None = None
    external_id: str | None = None
    opened: list[dict[str, Any]] = field(default_factory=list)
    cleared: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, row: Row) -> None:
        """A notification about it, as a row of the log."""
        told = dict(zip(statements.LOG_COLUMNS, row, strict=True))
        self.last_at, self.seq, self.news = told["received_at"], told["seq"], self.news + 1
        self.external_id = told["external_id"]
        if told["state"] is not None and told["state"] != self.state:
            self.state, self.state_since = told["state"], told["received_at"]
        if self.state in FINAL:
            self.cleared += [{**one, "cleared_at": told["received_at"]} for one in self.opened]
            self.opened.clear()
        if told["attention"]:
            self.opened.append(
                {
                    "notification_id": told["id"],
                    "attention": told["attention"],
                    "since": told["received_at"],
                    "source": told["source"],
                }
            )

    def openings(self) -> Iterator[dict[str, Any]]:
        """What it needed, or still needs, somebody for: the rows of the work list."""
        key = {"resource_type": "productOrder", "order_id": f"PO-{self.order:07}", "notes": "[]"}
        for one in self.opened + self.cleared:
            yield {"cleared_at": None, **one, **key}

    def expected(self) -> dict[str, Any]:
        """What we said when we placed it."""
        n = f"{self.order:07}"
        return {
            "source": source_of(self.order),
            "order_id": f"PO-{n}",
            "id": f"{self.first_at}-{n}",
            "over_at": self.last_at if self.state in FINAL else None,
            "told": self.news > 0,
            "own_ref": f"own-{n}",
            "access_id": f"ACC{self.order // 2:07}",
            "placed_at": self.first_at,
            "answer": "RECEIVED",
            "put_at": self.first_at,
            "put_by": "cli:ops",
        }

    def row(self) -> dict[str, Any]:
        """Its row among the orders."""
        n = f"{self.order:07}"
        grave = [one["attention"] for one in self.opened]
        return {
            "source": source_of(self.order),
            "resource_type": "productOrder",
            "order_id": f"PO-{n}",
            "place": 2 * self.seq,
            "state": self.state,
            "raw_state": self.state,
            "final": self.state in FINAL,
            "out_of_order": self.order % 211 == 0,
            "late": self.order % 53 == 0,
            "conflicting": False,
            "changed_after_final": self.order % 1009 == 0,
            "removed": False,
            "open_attention": max(grave, key=GRAVITY.index) if grave else None,
            "attention": json.dumps(self.opened),
            "appointment": None,
            "external_id": self.external_id,
            "access_id": f"ACC{self.order // 2:07}",
            "service_id": f"SVC{n}" if self.order % 4 == 0 else None,
            "about_order_id": None,
            "first_news_at": self.first_at,
            "last_news_at": self.last_at,
            "occurred_at": self.state_since,
            "state_since": self.state_since,
            "news": self.news,
            "folded_seq": self.seq,
        }


FINAL = ("completed", "failed", "partial", "cancelled")
GRAVITY = ("follow_up", "alarm", "buyer_action")


def era(order: int, orders: int) -> str:
    """What its operator's names of it begin with: those of old orders as those of no new one."""
    return "old" if order < orders * OLD else "ext"


def source_of(order: int) -> str:
    """Who has the order."""
    return SOURCES[order % len(SOURCES)] if order % 5000 else "rare"


class Words:
    """Messages of words that are as frequent as words are: the n-th one of n-th frequency."""

    def __init__(self, chance: random.Random, size: int = 4000) -> None:
        letters = "aeiourstlnkmpdv"
        made = ("".join(chance.choices(letters, k=chance.randint(3, 10))) for _ in range(size))
        self.all = list(made)
        weights = itertools.accumulate(1 / (n + 5) for n in range(size))
        self._weights = list(weights)
        self._chance = chance

    def message(self) -> str:
        """Eight words."""
        return " ".join(self._chance.choices(self.all, cum_weights=self._weights, k=8))


def notifications(calendar: beside.Calendar, orders: int) -> Iterator[dict[str, Row]]:
    """The notifications of `orders` orders, each as its rows by table, in the log's order."""
    count = calendar.count
    chance = random.Random(7)  # the same database every time
    words = Words(chance)
    steps = bytearray(orders)
    for seq in range(1, count + 1):
        at = (seq - 1) * orders // count
        if seq > 1 and at == (seq - 2) * orders // count:  # each order has one of its own
            at += chance.randint(-LIVES, LIVES)
        order = min(max(at, 0), orders - 1)
        kind, state, attention = STEPS[min(steps[order], len(STEPS) - 1)]
        if seq % (count // FEW) == 0:
            kind, state, attention = "state_changed", "partial", None
        elif chance.random() < SHARE_OF_ODD:
            kind, state, attention = chance.choice(ODD)
        steps[order] = min(steps[order] + 1, 255)
        yield _notification(
            seq,
            calendar.moment(seq),
            order,
            era(order, orders),
            (kind, state, attention),
            chance,
            words,
        )


def _notification(
    seq: int,
    received: datetime,
    order: int,
    named: str,
    told: tuple[str, str | None, str | None],
    chance: random.Random,
    words: Words,
) -> dict[str, Row]:
    kind, state, attention = told
    source = source_of(order)
    at = rfc3339(received)
    event_id = f"{chance.getrandbits(128):032x}"
    refs = {}
    if order % 3 == 0:
        refs = {"crm": f"CRM-{order:07}", "site": f"S{order % 9973}", "system": f"{named}system"}
    summary = {"message": words.message()} if chance.random() < SHARE_WITH_MESSAGE else {}
    raw = json.dumps({"eventId": event_id, "event": {"order": f"PO-{order:07}"}}).encode()
    digest = hashlib.sha256(raw).digest()
    rows = {
        "ledger": (digest, seq, source, event_id, digest, digest, 0, at),
        "log": (
            seq,
            beside.uuid7(received, seq, chance.getrandbits(62)),
            source, "push", "tmf622_v4", event_id, "ProductOrderStateChangeEvent", kind,
            "productOrder", f"PO-{order:07}", None, f"/productOrder/PO-{order:07}",
            f"{named}-{order:07}", "[]", f"SVC{order:07}" if order % 4 == 0 else None,
            f"ACC{order // 2:07}", json.dumps(refs), state, state, attention, "operator", at, at,
            at, f"jwt:{source}", "10.0.0.1", False, None, False, None, "[]",
        ),
        "payload": (seq, "application/json", raw, json.dumps(summary)),
    }  # fmt: skip
    said = findable.words(refs, summary)
    return {**rows, "search_text": (seq, said)} if said else rows


def fill(database: sqlalchemy.Engine, count: int, orders: int) -> None:
    """Fill the empty, migrated `database`; its followers have come to the end of it."""
    put, finish = _ENGINES[database.dialect.name]
    calendar = beside.Calendar(count, datetime.now(UTC))
    tally: Counter[tuple[str, str]] = Counter()
    sorts: dict[tuple[Any, ...], int | None] = {}
    lives: dict[int, Life] = {}
    order_id, received_at = map(statements.LOG_COLUMNS.index, ("order_id", "received_at"))
    places = [statements.LOG_COLUMNS.index(name) for name in zones.SORT[:-1]]

    def counted() -> Iterator[dict[str, Row]]:
        for one in notifications(calendar, orders):
            sort = tuple(one["log"][n] or "" for n in places)
            tally[sort[:2]] += 1
            seq = one["log"][0]
            place = (seq // zones.WIDTH, *sort)
            sorts[place] = None if place in sorts else seq
            order = int(one["log"][order_id].removeprefix("PO-"))
            lives.setdefault(order, Life(order, one["log"][received_at])).tell(one["log"])
            yield one

    put(database, counted())
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM tally")
        connection.execute(
            sqlalchemy.text("INSERT INTO tally (source, kind, n) VALUES (:source, :kind, :n)"),
            [{"source": name, "kind": what, "n": n} for (name, what), n in tally.items()],
        )
        connection.execute(
            sqlalchemy.insert(search_tables.ZONE),
            [
                dict(zip(("zone", *zones.SORT, "seq"), (*sort, False, seq), strict=True))
                for sort, seq in sorts.items()
            ],
        )
        epoch = epochs.current(connection)
        for name in (indexing.FOLLOWER, PROJECTOR):
            followers.advance(connection, name, epoch, count)
        _put_rows(connection, "orders", (life.row() for life in lives.values()))
        opened = (row for life in lives.values() for row in life.openings())
        _put_rows(connection, "opening", opened)
        _put_rows(connection, "expected_order", (life.expected() for life in lives.values()))
        never = (Life(order, at, at).expected() for order, at in beside.placed(calendar, orders))
        _put_rows(connection, "expected_order", never)
        for table, rows in beside.rows(calendar):
            _put_rows(connection, table, rows)
    finish(database, count)


def _put_rows(
    connection: sqlalchemy.Connection, table: str, rows: Iterator[dict[str, Any]]
) -> None:
    """Insert rows with the same columns each, their values as the driver takes them."""
    driver: Any = connection.connection.dbapi_connection
    while some := list(itertools.islice(rows, ROWS_AT_ONCE)):
        if connection.dialect.name == "sqlite":
            values = (tuple(one.values()) for one in some)
            driver.executemany(_insert(table, list(some[0])), values)
            continue
        with driver.cursor().copy(f"COPY {table} ({', '.join(some[0])}) FROM STDIN") as target:
            for one in some:
                target.write_row(tuple(one.values()))


def _batches(rows: Iterable[dict[str, Row]]) -> Iterator[dict[str, list[Row]]]:
    """Rows by table, some thousands at once."""
    found = iter(rows)
    while some := list(itertools.islice(found, ROWS_AT_ONCE)):
        yield {name: [one[name] for one in some if name in one] for name in COLUMNS}


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _put_sqlite(database: sqlalchemy.Engine, rows: Iterable[dict[str, Row]]) -> None:
    with sqlite3.connect(str(database.url.database), isolation_level=None) as connection:
        connection.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-500000")
        made = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND "
        indexes = connection.execute(f"{made} type = 'index' AND tbl_name = 'log'").fetchall()
        trigger = connection.execute(f"{made} name = 'search_text_put'").fetchone()
        for name, _sql in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("DROP TRIGGER search_text_put")
        for batch in _batches(rows):
            connection.execute("BEGIN")
            for table, some in batch.items():
                connection.executemany(_insert(table, COLUMNS[table]), some)
            connection.execute("COMMIT")
        for _name, sql in indexes:
            connection.execute(sql)
        connection.execute("INSERT INTO search_words(search_words) VALUES ('rebuild')")
        connection.execute(trigger[1])
    connection.close()


def _finish_sqlite(database: sqlalchemy.Engine, _count: int) -> None:
    """Empty the write-ahead log, as a restart does."""
    with database.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _put_postgresql(database: sqlalchemy.Engine, rows: Iterable[dict[str, Row]]) -> None:
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '256MB'")
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'log\\_%' AND"
            " indexname <> 'log_pkey' OR indexname IN ('ledger_event', 'search_words')"
        ).fetchall()
        for name, _sql in indexes:
            connection.execute(f"DROP INDEX {name}")
        for batch in _batches(rows):
            for table, some in batch.items():
                copy = f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN"
                with connection.cursor().copy(copy) as target:
                    for row in some:
                        target.write_row(row)
        for _name, sql in indexes:
            connection.execute(sql)


def _finish_postgresql(database: sqlalchemy.Engine, count: int) -> None:
    """What autovacuum does by and by."""
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT setval('log_seq', %s)", (count,))
        connection.execute("VACUUM ANALYZE")


_ENGINES: dict[
    str,
    tuple[
        Callable[[sqlalchemy.Engine, Iterable[dict[str, Row]]], None],
        Callable[[sqlalchemy.Engine, int], None],
    ],
] = {
    "sqlite": (_put_sqlite, _finish_sqlite),
    "postgresql": (_put_postgresql, _finish_postgresql),
}

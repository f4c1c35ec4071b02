"""Operators of the sandbox, replicas that ask them, and the log between: to be shaken.

    with world.of(folder, database_url, size, replicas=2) as one:
        one.shake(kills=3)
        one.until(lambda: one.missing() == {})

Not here: what must hold (the tests).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy

from app import clock, sandbox as operators
from app.sandbox import scenario
from app.store import commands, engine, jobs
from tests import serving
from tests.e2e import replica
from tests.sandbox import serving as sandboxes

HOUSE = Path(__file__).parent.parent.parent
ACCOUNT = "sandbox"
FINAL = frozenset({"cancelled", "delivered"})
SOURCES = ("stadsnat", "covage", "tjansteguiden")
WRITTEN_BACK = "SELECT count(*) FROM command WHERE command = 'set_status' AND state = 'done'"
CONNECTED = "SELECT count(*) FROM feed WHERE caught_up_at IS NOT NULL"


@dataclass(frozen=True)
class Size:
    """How much there is of what, how often it goes wrong, how long it may take.

    `events` of ON-API and of Covage, `orders` of Tjänsteguiden; `every`: scenario seconds between
    two orders; `rate`, `times`: of each fault of an answer, at each operator; `asked`: commands to
    each operator; `patience`: seconds of a step at most; `turns`: seconds between two turns, and
    until somebody presses `poll`, so that no feed rests after trouble for long; `deadline`:
    seconds.
    """

    events: int
    orders: int
    every: float
    kills: int
    steps: int
    rate: float
    times: int | None
    asked: int
    patience: float
    turns: float
    deadline: float

    @property
    def span(self) -> float:
        """Scenario seconds from the first order to the last step, generously."""
        return self.events * 1.2 * self.every + scenario.LONGEST


SUITE = Size(
    events=2000,
    orders=100,
    every=60.0,
    kills=3,
    steps=20,
    rate=0.03,
    times=2,
    asked=5,
    patience=0.3,
    turns=0.1,
    deadline=60.0,
)
FULL = Size(
    events=100_000,
    orders=5000,
    every=30.0,
    kills=20,
    steps=400,
    rate=0.003,
    times=None,
    asked=50,
    patience=0.5,
    turns=1.0,
    deadline=1500.0,
)


def faults(size: Size) -> dict[str, dict[str, operators.Fault]]:
    """All of them but a changed history.

    Requests that change something lose their answers more often; what would make our own limits
    (five minutes, a minute) the length of the test strikes only what asks.
    """

    def answers(where: str, limited: str, rate: float) -> dict[str, operators.Fault]:
        names = ("unauthorized", "server_error", "maintenance_page", "redirect", "endless_body",
                 "slow_body", "truncated_body")  # fmt: skip
        options: dict[str, dict[str, Any]] = {
            "slow_body": {"seconds": 0.4},
            "endless_body": {"bytes": 32 << 20},  # the guard's own limit is gigabytes
        }
        return {
            **{
                name: operators.Fault(rate, size.times, where, options.get(name, {}))
                for name in names
            },
            "too_many_requests": operators.Fault(rate, size.times, limited),
            "lost_answer": operators.Fault(rate=0.3),
        }

    def records(*names: str) -> dict[str, operators.Fault]:
        return {name: operators.Fault(rate=0.05) for name in names}

    return {
        "on_api": answers("", "", 4 * size.rate) | records("duplicates", "reordering"),
        "covage": answers("/api/events/", "/api/events/", 2 * size.rate)
        | records("duplicates", "reordering", "late_commits", "equal_timestamps",
                  "malformed_times"),
        "tjansteguiden": answers("", "method=orders", size.rate)
        | records("duplicates", "reordering", "equal_timestamps", "malformed_times"),
    }  # fmt: skip


def configuration(url: str, turns: float) -> str:
    """listener.toml for the three feeds."""
    login = f'password = "sandbox", every = "{turns:g}s"'
    return f"""
[[source]]
name = "stadsnat"
kind = "on_api"
feed = {{ url = "{url}/on-api/api/2.3.1/", username = "sandbox", {login} }}

[[source]]
name = "covage"
kind = "covage"
feed = {{ url = "{url}/covage/", email = "sandbox", {login} }}

[[source]]
name = "tjansteguiden"
kind = "tjansteguiden"
[source.feed]
url = "{url}/tjansteguiden/plain/serviceguide_log"
api_user = "sandbox"
api_key = "sandbox"
every = "{turns:g}s"
recheck = "5s"
write_back = "on_commit"
"""


@dataclass
class Replica:
    """One process that asks."""

    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.replica"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment,
            )

    def end(self, sig: int) -> int:
        assert self.process is not None
        self.process.send_signal(sig)
        return self.process.wait(serving.DEADLINE)

    @property
    def asks(self) -> bool:
        """Whether it is up."""
        return replica.READY in self.log.splitlines()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@dataclass
class World:
    """All of it while it runs."""

    size: Size
    made: operators.Sandbox
    url: str
    database: sqlalchemy.Engine
    replicas: list[Replica]
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    over: threading.Event = field(default_factory=threading.Event)

    # --- making trouble ------------------------------------------------------------------------

    def shake(self) -> None:
        """Let the story happen, and kill replicas at random moments of it.

        It begins once the feeds are connected, as its time passes days between two pages, and goes
        on once the first order was answered: later ones may go on before we come to it.
        """
        self.until("the first turns", lambda: self.rows(CONNECTED) == [(len(SOURCES),)])
        self.advance(3 * self.size.every)
        self.until("a write-back", lambda: self.rows(WRITTEN_BACK) != [(0,)])
        kills = Counter(self.chance.randrange(1, self.size.steps) for _ in range(self.size.kills))
        passed = 3 * self.size.every
        for step in range(1, self.size.steps + 1):
            # slowly at first: the feeds with many events an order come to their end early
            moment = (step / self.size.steps) ** 3 * self.size.span
            self.advance(max(moment - passed, 0.0))
            passed = max(moment, passed)
            self.asked_again()
            for _ in range(kills[step]):
                self.kill()
        assert self.made.scenario.done

    def advance(self, seconds: float) -> None:
        """Let scenario time pass."""
        told = httpx.post(f"{self.url}/_control/advance", json={"scenario": seconds}, timeout=60)
        told.raise_for_status()

    def asked_again(self) -> None:
        """Wait until every operator was asked again; not for long, somebody may just be dead."""
        before = {name: self.made.apps[name].requests for name in operators_of()}
        ends = time.monotonic() + self.size.patience
        while time.monotonic() < ends:
            if all(self.made.apps[name].requests > n for name, n in before.items()):
                return
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL for one of the replicas, and start it anew."""
        victim = self.chance.choice(self.replicas)
        victim.end(signal.SIGKILL)
        victim.start()

    def press_poll(self) -> None:
        """Ask for a turn of each feed, again and again, until it is over."""
        now = clock.SystemClock().now
        while not self.over.wait(2 * self.size.turns):
            with self.database.begin() as connection:
                for source in set(SOURCES) - jobs.sources_with_open(connection):
                    job = jobs.Job(str(uuid.uuid4()), source, "poll", {}, "tests", now())
                    jobs.ask(connection, job)

    def command(self, source: str, order_id: str, name: str, **arguments: str) -> None:
        """Ask for a command."""
        now = replica.Behind(self.size.span).now()
        with self.database.begin() as connection:
            commands.ask(
                connection,
                commands.Command(
                    id=str(uuid.uuid4()),
                    source=source,
                    order_id=order_id,
                    command=name,
                    arguments=dict(arguments),
                    idempotency_key=f"{order_id}:{name}",
                    harmful=True,
                    asked_by="tests",
                    asked_at=now,
                    due_at=now,
                ),
            )

    # --- looking -------------------------------------------------------------------------------

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the database answers."""
        with engine.read(self.database) as connection:
            return [tuple(row) for row in connection.execute(sqlalchemy.text(sql))]

    def logged(self, source: str) -> list[str]:
        """The event ids of `source` in the log's order."""
        found = self.rows(f"SELECT event_id FROM log WHERE source = '{source}' ORDER BY seq")
        return [event for (event,) in found]

    def published(self, operator: str) -> list[str]:
        """The ids of the events an operator published, in its order.

        Of Tjänsteguiden the lines of its logs, but for orders that were over when first seen, which
        are not followed, and what we did ourselves, which may come after an order's end.
        """
        if operator == "tjansteguiden":
            over = {order for order, states in self.statuses().items() if states[0] in FINAL}
            kept = self.made.operators["tjansteguiden"]._orders.all()
            return [
                f"{order.id}:log:{line.id}"
                for order in kept
                if str(order.id) not in over
                for line in order.log
                if line.by != ACCOUNT
            ]
        name = {"on_api": "event", "covage": "event_uuid"}[operator]
        return [event[name] for event in self.made.operators[operator].published()]

    def statuses(self) -> dict[str, list[str]]:
        """The statuses of each order of Tjänsteguiden, as rows told them one after the other."""
        found: dict[str, list[str]] = {}
        rows = self.rows(
            "SELECT order_id, raw_state FROM log WHERE source = 'tjansteguiden'"
            " AND event_type = 'orders' ORDER BY seq"
        )
        for order_id, status in rows:
            found.setdefault(order_id, []).append(status)
        return found

    def missing(self) -> dict[str, int]:
        """How many of each operator's events the log has not; empty when it has all."""
        lacking = {
            operator: len(set(self.published(operator)) - set(self.logged(source)))
            for operator, source in zip(operators_of(), SOURCES, strict=True)
        }
        return {operator: n for operator, n in lacking.items() if n}

    def open_commands(self) -> list[tuple[Any, ...]]:
        """What is still to be done."""
        return self.rows(
            "SELECT source, order_id, command, state, error, due_at FROM command"
            " WHERE state IN ('queued', 'running', 'unknown') LIMIT 5"
        )

    def executed(self, operator: str) -> dict[tuple[str, str, str], int]:
        """How often each call was carried out at `operator`, by its own count."""
        told = httpx.get(f"{self.url}/_control/{operator}/executions", timeout=60).json()
        return {(one["call"], one["about"], str(one["arguments"])): one["count"] for one in told}

    def until(self, what: str, condition: Callable[[], Any]) -> None:
        """Wait until `condition` is true; fails with what is not yet."""
        ends = time.monotonic() + self.size.deadline
        while not condition():
            if time.monotonic() > ends:
                tail = "\n".join(each.log[-1500:] for each in self.replicas)
                told = f"{what}: {self.missing()} missing, open: {self.open_commands()}\n{tail}"
                raise TimeoutError(told)
            time.sleep(0.1)


def operators_of() -> tuple[str, ...]:
    """The operators, in the order of `SOURCES`."""
    return ("on_api", "covage", "tjansteguiden")


@contextlib.contextmanager
def of(folder: Path, database_url: str, size: Size, *, replicas: int) -> Iterator[World]:
    """A world in `folder`, on the database at `database_url`, which has our tables."""
    made = operators.create(
        operators.Settings(
            seed=7,
            control=True,
            pace="manual",
            starts_at=datetime.now(UTC) - timedelta(seconds=size.span),
            every=size.every,
            limits={
                "on_api": operators.Limit(events=size.events),
                "covage": operators.Limit(events=size.events),
                "tjansteguiden": operators.Limit(orders=size.orders),
                "seller": operators.Limit(orders=0),
            },
            faults=faults(size),
        )
    )
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(sandboxes.serving(made.app))
        (folder / "listener.toml").write_text(configuration(url, size.turns))
        database = engine.create(database_url)
        stack.callback(database.dispose)
        found = [_replica(folder, database_url, n, size.span) for n in range(replicas)]
        one = World(size, made, url, database, found)
        for each in found:
            each.start()
            stack.callback(_ended, each)
        impatient = threading.Thread(target=one.press_poll, daemon=True)
        impatient.start()
        stack.callback(impatient.join)
        stack.callback(one.over.set)
        yield one


def _replica(folder: Path, database_url: str, n: int, span: float) -> Replica:
    outer = {k: v for k, v in os.environ.items() if not k.startswith("LISTENER_")}
    return Replica(
        folder / f"replica-{n}",
        {
            **outer,
            "LISTENER_DATABASE_URL": database_url,
            "LISTENER_CONFIG": str(folder / "listener.toml"),
            "LISTENER_DATA_DIR": str(folder / "data"),
            "LISTENER_SECRET": serving.SECRET,
            "LISTENER_LOG_FORMAT": "json",
            "LISTENER_LOG_LEVEL": "error",
            "PYTHONPATH": str(HOUSE),
            "BEHIND": str(span),
        },
    )


def _ended(one: Replica) -> None:
    if one.process is not None and one.process.poll() is None:
        one.end(signal.SIGKILL)

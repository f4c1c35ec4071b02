"""What keeping the orders costs and how fast it is, on both engines (`make bench`).

Rebuild: notifications a second, of a filled log (target 10 000). Following: notifications a second
that an idle server catches up with; and of what comes in the second half of a run at full speed,
how much it follows (target: all), with how far it is behind at the end. Ingest: its rate and p99
alone, beside the follower, and beside the follower and a rebuild (target: p99 at most doubles).
Alone means that the lease of the follower is held here. Runs are interleaved; medians.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import Engine

from app import projector
from app.store import engine, followers, leases, log, schema
from bench import filling, load
from tests import postgres, serving

LEASE = f"follow/{projector.NAME}"
HELD = timedelta(minutes=30)
TO_AN_ORDER = 5
LIVES = 1000
"""Orders that are told of at the same time."""

PATIENCE = 300.0


def body(n: int, run: str) -> bytes:
    """A state change; each order has five, side by side with those of a thousand others."""
    order = f"{run[:8]}-{n // (LIVES * TO_AN_ORDER)}-{n % LIVES}"
    state = ("Acknowledged", "InProgress", "Held", "InProgress", "Completed")[n // LIVES % 5]
    return json.dumps(
        {
            "eventId": f"{run}-{n}",
            "eventTime": "2026-11-20T16:42:25.123+01:00",
            "eventType": "orderStateChangeNotification",
            "event": {"productOrder": {"id": order, "externalId": order, "state": state}},
        }
    ).encode()


def _render(n: int, *, run: str, bearer: str) -> bytes:
    headers = [("Content-Type", "application/json"), ("Authorization", f"Bearer {bearer}")]
    return load.request(serving.PATH, body(n, run), headers)


def ingest(server: serving.Listener, seconds: float) -> load.Result:
    """One run at full speed; every answer must be 201."""
    render = partial(_render, run=uuid.uuid4().hex, bearer=serving.token())
    found, _ = load.drive(server.port, render, count=int(9000 * seconds), seconds=seconds)
    if set(found.statuses) != {201}:
        message = f"not every answer was 201: {found.statuses}"
        raise RuntimeError(message)
    return found


def behind(database: Engine) -> int:
    """How many seqs the orders are behind the log."""
    with engine.read(database) as connection:
        return log.head(connection) - followers.position(connection, projector.NAME)[1]


@dataclass
class Halfway:
    """What was seen in the middle of a run: the head of the log, and how far it was followed."""

    database: Engine
    head: int = 0
    followed: int = 0

    def look(self) -> None:
        """Look now."""
        with engine.read(self.database) as connection:
            self.head = log.head(connection)
            self.followed = followers.position(connection, projector.NAME)[1]

    def share(self) -> float:
        """What was followed since then, as a share of what came since then."""
        now = Halfway(self.database)
        now.look()
        return (now.followed - self.followed) / max(now.head - self.head, 1)


def until_caught_up(database: Engine) -> float:
    """Wait until the orders are at the log's end; the seconds it took."""
    started = time.monotonic()
    while behind(database):
        if time.monotonic() - started > PATIENCE:
            raise TimeoutError
        time.sleep(0.01)
    return time.monotonic() - started


@contextlib.contextmanager
def nobody_follows(database: Engine) -> Iterator[None]:
    """Hold the lease of the follower here, so that no server follows."""
    replica = f"{leases.ACTING}bench"
    with database.begin() as connection:
        leases.beat(connection, replica, HELD)
        leases.declare(connection, [LEASE])
    taken: list[leases.Fence] = []
    while not taken:
        with database.begin() as connection:
            connection.exec_driver_sql("UPDATE lease SET owner = NULL WHERE name = 'follow/orders'")
            taken = leases.take(connection, replica, [LEASE], 1)
    yield
    with database.begin() as connection:
        leases.leave(connection, replica)


@contextlib.contextmanager
def a_rebuild(server: serving.Listener) -> Iterator[None]:
    """`listener orders rebuild`, again and again, beside the server."""
    command = f"while :; do {sys.executable} -m app orders rebuild >/dev/null 2>&1 || exit 1; done"
    running = subprocess.Popen(
        ["/bin/sh", "-c", command], cwd=server.folder, env=server.environment
    )
    try:
        yield
    finally:
        running.kill()
        running.wait()


def rebuild_rate(database: Engine) -> float:
    """Notifications a second."""
    started = time.perf_counter()
    found = projector.rebuild(database, lambda _done, _whole: None)
    return found.notifications / (time.perf_counter() - started)


def measure(
    server: serving.Listener, database: Engine, seconds: float, rounds: int
) -> dict[str, float]:
    """Every figure of one engine."""
    runs: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        runs.setdefault(name, []).append(value)

    console = Console(stderr=True)
    beside: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
        "alone": partial(nobody_follows, database),
        "followed": contextlib.nullcontext,
        "rebuilt": partial(a_rebuild, server),
    }
    for n in range(rounds):
        for name, around in beside.items():
            console.print(f"round {n + 1}/{rounds}  ingest {name}", highlight=False)
            half = Halfway(database)
            looking = threading.Timer(seconds / 2, half.look)
            with around():
                looking.start()
                found = ingest(server, seconds)
                share, left = half.share(), behind(database)
            note(f"{name}_rate", found.rate)
            note(f"{name}_p50", found.p50)
            note(f"{name}_p99", found.p99)
            if name == "followed":
                note("followed_behind", left)
                note("followed_share", share)
            if name == "alone":  # the server takes the lease up within a few seconds
                _until_it_follows(database)
                left, started = behind(database), time.monotonic()
                until_caught_up(database)
                note("catching_up", left / max(time.monotonic() - started, 0.001))
            until_caught_up(database)
    return {name: statistics.median(values) for name, values in runs.items()}


def _until_it_follows(database: Engine) -> None:
    before = behind(database)
    ends = time.monotonic() + PATIENCE
    while before and behind(database) == before:
        if time.monotonic() > ends:
            raise TimeoutError
        time.sleep(0.01)


def run(seconds: float, rounds: int, count: int) -> dict[str, dict[str, float]]:
    """Both engines."""
    found = {}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="listener-bench-")))
        cluster = stack.enter_context(postgres.cluster(fsync=True))
        urls = {
            "sqlite": f"sqlite:///{folder}/listener.db",
            "postgresql": cluster.database("projector"),
        }
        for name, url in urls.items():
            database = engine.create(url)
            schema.upgrade(database)
            filling.fill(database, count, count // TO_AN_ORDER)
            rebuilding = statistics.median(rebuild_rate(database) for _ in range(3))
            with serving.listener(
                folder / name, database_url=url, environment={"LISTENER_LOG_LEVEL": "warning"}
            ) as server:
                found[name] = measure(server, database, seconds, rounds)
            found[name]["rebuild"] = rebuilding
            database.dispose()
    return found


def show(name: str, found: dict[str, Any]) -> None:
    """The figures in words."""
    say = partial(Console().print, highlight=False)
    say(
        f"{name}: rebuild {found['rebuild']:,.0f} notifications/s,"
        f" catching up {found['catching_up']:,.0f}/s"
    )
    for what in ("alone", "followed", "rebuilt"):
        say(
            f"  ingest {what:<9} {found[f'{what}_rate']:>6,.0f}/s,"
            f" p50 {found[f'{what}_p50']:.1f} ms, p99 {found[f'{what}_p99']:.1f} ms"
            f" ({found[f'{what}_p99'] / found['alone_p99']:.2f} × alone)"
        )
    say(
        f"  followed {found['followed_share']:.0%} of what came in the second half of a run;"
        f" {found['followed_behind']:,.0f} behind at its end"
    )


def main() -> None:
    """Measure, print, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="length of one run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=100_000, help="notifications to rebuild from")
    parser.add_argument("--json", type=Path, default=Path("bench/results/projector.json"))
    arguments = parser.parse_args()
    found = run(arguments.seconds, arguments.rounds, arguments.count)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    for name, figures in found.items():
        show(name, figures)


if __name__ == "__main__":
    main()

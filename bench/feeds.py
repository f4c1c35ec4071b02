"""`make bench`: what asking operators costs. Two measurements, each against `listener work`.

(a) The first read of an ON-API list: its rate beside the bare cost of parsing that body with ijson,
and the peak of memory above that of the start. (b) Many feeds in one process where nothing is new:
the share of a core they take, and how late the latest turn came, by the operator's own clock.

    python -m bench.feeds --events 1000000 --feeds 1000 --every 300 --seconds 650
"""

from __future__ import annotations

import argparse
import contextlib
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ijson
from rich.console import Console

from app.store import engine, feeds, schema
from tests import serving

HOUSE = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
DEADLINE = 1800.0
LISTED = 50_000
"""Events that are written to the body at a time."""


# --- the operator --------------------------------------------------------------------------------


@dataclass
class Operator:
    """Answers each feed once with what is in `body` (null: nothing), then that nothing is new.

    `asked`: when each feed was asked. No answer leaves before `released`.
    """

    body: Path | None = None
    asked: dict[str, list[float]] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        path, _, query = handler.path.partition("?")
        self.asked.setdefault(path, []).append(time.monotonic())
        self.began.set()
        self.released.wait()
        first = self.body is not None and not query
        length = self.body.stat().st_size if first and self.body else len(b"[]")
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        if not first or self.body is None:
            handler.wfile.write(b"[]")
            return
        with self.body.open("rb") as whole:
            handler.connection.sendfile(whole)


@contextlib.contextmanager
def serving_as(operator: Operator) -> Iterator[str]:
    """The URL at which `operator` answers while inside."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            operator.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 1024

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def write_events(path: Path, count: int) -> None:
    """A list of `count` events as seed 000 shows them."""
    with path.open("wb") as file:
        file.write(b"[")
        for start in range(0, count, LISTED):
            told = [_event(n) for n in range(start, min(start + LISTED, count))]
            file.write(b"," * (start > 0) + json.dumps(told).encode()[1:-1])
        file.write(b"]")


def _event(n: int) -> dict[str, Any]:
    order = uuid.UUID(int=(n * 0x9E3779B97F4A7C15F39CC0605CEDC835) % (1 << 128))
    return {
        "event": str(uuid.UUID(int=order.int ^ 0xFF)),
        "order": {
            "path": f"/api/2.3.1/orders/{order}",
            "accessId": f"STTA{n % 100_000:05d}",
            "service": "BB-100-100",
            "operation": "ACTIVATE" if n % 5 else "DEACTIVATE",
            "state": "DONE_SUCCESS" if n % 9 else "DONE_FAILED",
            "message": "" if n % 9 else "Port is too busy",
        },
    }


# --- the poller ----------------------------------------------------------------------------------


@contextlib.contextmanager
def working(
    folder: Path, names: list[str], url: str, every: float
) -> Iterator[subprocess.Popen[bytes]]:
    """A `listener work` that asks a feed of each name, while inside."""
    tables = (
        f'[[source]]\nname = "{name}"\nkind = "on_api"\nfeed = {{ url = "{url}/{name}/", '
        f'username = "u", password = "p", every = "{every:g}s" }}\n'
        for name in names
    )
    (folder / "listener.toml").write_text("\n".join(tables))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LISTENER_")}
    environment = {
        "LISTENER_DATA_DIR": str(folder),
        "LISTENER_SECRET": serving.SECRET,
        "LISTENER_LOG_LEVEL": "error",
        "PYTHONPATH": str(HOUSE),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "work"], cwd=folder, env={**kept, **environment}
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def memory(pid: int, what: str) -> float:
    """`VmRSS` (now) or `VmHWM` (the most there ever was) of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(what)


def cpu(pid: int) -> float:
    """Seconds of a core a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def until(poller: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    """Wait for `condition`; raises `TimeoutError`, also when the poller has ended."""
    ends = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > ends or poller.poll() is not None:
            message = f"not within {DEADLINE:g} s; the poller's exit code: {poller.returncode}"
            raise TimeoutError(message)
        time.sleep(0.05)


# --- what is measured ----------------------------------------------------------------------------


def first_read(count: int) -> dict[str, float]:
    """The first read of `count` events."""
    with tempfile.TemporaryDirectory(prefix="listener-bench-") as name:
        folder = Path(name)
        body = folder / "events.json"
        write_events(body, count)
        bare = parse(body)
        operator = Operator(body)
        database = engine.create(f"sqlite:///{folder}/listener.db")
        schema.upgrade(database)

        def dry() -> bool:
            with engine.read(database) as connection:
                found = feeds.one(connection, "stadsnat")
            return found is not None and found.caught_up_at is not None

        with serving_as(operator) as url, working(folder, ["stadsnat"], url, 60.0) as poller:
            operator.began.wait(DEADLINE)
            before = memory(poller.pid, "VmRSS")
            began = time.perf_counter()
            operator.released.set()
            until(poller, dry)
            seconds = time.perf_counter() - began
            peak = memory(poller.pid, "VmHWM")
        with engine.read(database) as connection:
            found = feeds.one(connection, "stadsnat")
        database.dispose()
        stored = found.appended if found else 0
        if stored != count:
            message = f"{stored} of {count} events are in the log"
            raise RuntimeError(message)
        return {
            "events": count, "body_mb": body.stat().st_size / 2**20, "rate": count / seconds,
            "ijson_rate": count / bare, "ratio": bare / seconds, "start_mb": before,
            "peak_above_start_mb": peak - before,
        }  # fmt: skip


def parse(body: Path) -> float:
    """Seconds that ijson takes to give the elements of `body`."""
    began = time.perf_counter()
    with body.open("rb") as file:
        for _ in ijson.items(file, "item"):
            pass
    return time.perf_counter() - began


def at_rest(count: int, every: float, seconds: float) -> dict[str, float]:
    """`count` feeds where nothing is new, watched for `seconds` after the first turn of each."""
    operator = Operator()
    operator.released.set()
    names = [f"feed-{n}" for n in range(count)]
    with (
        tempfile.TemporaryDirectory(prefix="listener-bench-") as name,
        serving_as(operator) as url,
        working(Path(name), names, url, every) as poller,
    ):
        until(poller, lambda: len(operator.asked) == count)
        time.sleep(5)  # the last first turns are written down
        began, used = time.perf_counter(), cpu(poller.pid)
        time.sleep(seconds)
        share = (cpu(poller.pid) - used) / (time.perf_counter() - began)
        resident = memory(poller.pid, "VmRSS")
        now = time.monotonic()
    gaps = [
        later - earlier
        for times in operator.asked.values()
        for earlier, later in zip(times, [*times[1:], now], strict=True)
    ]
    return {
        "feeds": count, "every": every, "seconds": seconds, "cpu_share": share,
        "latest_of_interval": max(gaps) / every, "resident_mb": resident,
        "turns": sum(len(times) for times in operator.asked.values()),
    }  # fmt: skip


def main() -> None:
    """Measure, print, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="of the first read")
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--every", type=float, default=30.0, help="seconds between two turns")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they are watched")
    parser.add_argument("--json", type=Path, default=Path("bench/results/feeds.json"))
    given = parser.parse_args()
    read = first_read(given.events)
    Console(highlight=False, soft_wrap=True).print(
        f"first read of {read['events']:,.0f} ON-API events ({read['body_mb']:,.0f} MB): "
        f"{read['rate']:,.0f}/s stored; ijson alone {read['ijson_rate']:,.0f}/s: "
        f"{read['ratio']:.2f} of it; peak memory {read['peak_above_start_mb']:.0f} MB above start"
    )
    rest = at_rest(given.feeds, given.every, given.seconds)
    Console(highlight=False, soft_wrap=True).print(
        f"{rest['feeds']:,.0f} feeds of every = {rest['every']:g} s, nothing new: "
        f"{rest['cpu_share']:.1%} of a core, {rest['resident_mb']:.0f} MB, "
        f"the latest turn {rest['latest_of_interval']:.2f} intervals after the one before"
    )
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps({"first_read": read, "at_rest": rest}, indent=1) + "\n")


if __name__ == "__main__":
    main()

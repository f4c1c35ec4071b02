"""`make bench`: how fast a notification is taken, as a ratio to two references in the same run.

(a) a FastAPI route that does nothing but take the models; (b) the usual session per request on
SQLite; (c) ours on SQLite; (d) ours on PostgreSQL — with JWT (HS256, RS256; warm, cold cache), full
validation, dedupe, metrics, durable before the answer. One worker, 64 connections, unique event
ids. Rounds are interleaved; medians are printed, everything goes to a JSON file.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.server
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from jose import jwk
from rich.console import Console
from rich.table import Table

from app.store import engine, schema
from bench import load
from tests import postgres, serving

ISSUER = "https://sso.example/realms/bench"
LISTENER_PATH = serving.PATH


@dataclass(frozen=True, slots=True)
class Case:
    """One thing measured: a server, a path, a body and how it signs on."""

    name: str
    server: str
    body: str = "small"
    bearer: str = "HS256"
    cache: str = "warm"


COLD_TOKENS = 1500
"""Tokens of a cold run, each sent once."""

CASES = (
    Case("no-op route, 0.5 kB", "reference:/noop", "small", "none"),
    Case("no-op route, 5 kB", "reference:/noop", "large", "none"),
    Case("usual way, 0.5 kB", "reference:/usual", "small", "none"),
    Case("SQLite, HS256 warm, 0.5 kB", "sqlite"),
    Case("SQLite, HS256 warm, 5 kB", "sqlite", "large"),
    Case("SQLite, RS256 warm, 0.5 kB", "sqlite", "small", "RS256"),
    Case("SQLite, HS256 cold, 0.5 kB", "sqlite", "small", "HS256", "cold"),
    Case("SQLite, RS256 cold, 0.5 kB", "sqlite", "small", "RS256", "cold"),
    Case("PostgreSQL, HS256 warm, 0.5 kB", "postgresql"),
    Case("PostgreSQL, HS256 warm, 5 kB", "postgresql", "large"),
    Case("PostgreSQL, RS256 warm, 0.5 kB", "postgresql", "small", "RS256"),
    Case("PostgreSQL, HS256 cold, 0.5 kB", "postgresql", "small", "HS256", "cold"),
    Case("PostgreSQL, RS256 cold, 0.5 kB", "postgresql", "small", "RS256", "cold"),
)
CONFIG = f"""
[[issuer]]
name = "bench"
issuer = "{ISSUER}"
audience = "tmf-listener"
jwks_url = "http://127.0.0.1:%d/jwks"
algorithms = ["RS256"]

[[source]]
name = "local"
kind = "tmf"
auth = [{{ type = "jwt", issuer = "bench", client_id = "bench" }}]
"""


class Signer:
    """The bench's own identity provider: a JWKS over HTTP and tokens of it."""

    def __init__(self) -> None:
        self._key = key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        keys = jwk.construct(public.decode(), "RS256").to_dict()
        document = json.dumps({"keys": [{**keys, "kid": "bench", "use": "sig"}]}).encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(document)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def token(self) -> str:
        """A token of its own, good for an hour."""
        now = int(time.time())
        claims = {
            "iss": ISSUER, "aud": "tmf-listener", "sub": "bench", "client_id": "bench",
            "iat": now, "exp": now + 3600, "jti": uuid.uuid4().hex,
        }  # fmt: skip
        head = {"alg": "RS256", "typ": "JWT", "kid": "bench"}
        signed = b".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return (signed + b"." + _base64(signature)).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def small(n: int, run: str) -> bytes:
    """A TMF622 2015 state change of about 0.5 kB with an event id of its own."""
    return json.dumps(
        {
            "eventId": f"{run}-{n}",
            "eventTime": "2026-11-20T16:42:25.123+01:00",
            "eventType": "orderStateChangeNotification",
            "event": {
                "productOrder": {
                    "id": f"PO-{n % 5000:06}",
                    "href": f"https://seller.example/orderManagement/productOrder/PO-{n % 5000:06}",
                    "externalId": f"BUYER-{n % 5000}",
                    "state": "InProgress",
                    "category": "fibre",
                    "description": "Fibre access 1000/1000, single dwelling",
                    "orderDate": "2026-11-12T16:42:23+01:00",
                    "requestedCompletionDate": "2026-12-01T12:00:00+01:00",
                }
            },
        }
    ).encode()


def large(n: int, run: str) -> bytes:
    """A TMF622 2015 creation of about 5 kB, eight items, with an event id of its own."""
    body = json.loads(small(n, run))
    body["eventType"] = "orderCreationNotification"
    order = body["event"]["productOrder"]
    order["relatedParty"] = [
        {"role": role, "id": f"{n}", "href": f"https://seller.example/party/{role}/{n}"}
        for role in ("customer", "partner", "seller")
    ]
    order["orderItem"] = [
        {
            "id": str(item),
            "action": "add",
            "state": "Acknowledged",
            "productOffering": {
                "id": f"OFFER-{item}",
                "href": f"https://seller.example/catalogManagement/productOffering/{item}",
            },
            "product": {
                "place": {"role": "DeliveryPlace", "href": "https://seller.example/place/STTA0001"},
                "productCharacteristic": [
                    {"name": f"characteristic-{c}", "value": f"value {item}-{c}"} for c in range(4)
                ],
            },
        }
        for item in range(1, 9)
    ]
    return json.dumps(body).encode()


BODIES = {"small": small, "large": large}


def _render(n: int, *, path: str, body: str, run: str, bearers: list[str]) -> bytes:
    headers = [("Content-Type", "application/json;charset=utf-8")]
    if bearers:
        headers.append(("Authorization", f"Bearer {bearers[n % len(bearers)]}"))
    return load.request(path, BODIES[body](n, run), headers)


def cpu_seconds(pid: int) -> float:
    """User and system CPU seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Target:
    """A server under measurement."""

    port: int
    pid: int


@contextlib.contextmanager
def reference(folder: Path) -> Iterator[Target]:
    """The server of `bench.references`, on SQLite."""
    port = serving.free_port()
    folder.mkdir()
    command = [sys.executable, "-m", "bench.references", str(port), f"sqlite:///{folder}/usual.db"]
    process = subprocess.Popen(command, cwd=Path(__file__).parent.parent)
    try:
        _wait(port)
        yield Target(port, process.pid)
    finally:
        process.kill()
        process.wait()


def _wait(port: int) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError


def fsync_micros(folder: Path, times: int = 200) -> float:
    """What one durable 4 kB append costs on this disk, µs (median)."""
    taken = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(times):
            started = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1e6


def measure(
    case: Case, targets: dict[str, Target], signer: Signer, seconds: float
) -> dict[str, float]:
    """One run of one case."""
    server, _, path = case.server.partition(":")
    target = targets[server]
    count = int(9000 * seconds)
    bearers: list[str] = []
    if case.bearer != "none":
        make = signer.token if case.bearer == "RS256" else serving.token
        bearers = [make() for _ in range(1 if case.cache == "warm" else COLD_TOKENS)]
        count = count if case.cache == "warm" else len(bearers)
    render = partial(
        _render, path=path or LISTENER_PATH, body=case.body, run=uuid.uuid4().hex, bearers=bearers
    )
    result, cpu = load.drive(
        target.port, render, count=count, seconds=seconds, around=partial(cpu_seconds, target.pid)
    )
    good = result.statuses.get(201, 0)
    if good != sum(result.statuses.values()):
        message = f"{case.name}: not every answer was 201: {result.statuses}"
        raise RuntimeError(message)
    return {
        "rate": result.rate, "cpu_us": cpu / good * 1e6, "p50_ms": result.p50, "p99_ms": result.p99,
    }  # fmt: skip


def run(seconds: float, rounds: int, only: str) -> dict[str, Any]:
    """Every case whose name has `only` in it, `rounds` times interleaved, with the medians."""
    signer = Signer()
    cases = [c for c in CASES if only in c.name or c.server.startswith("reference")]
    console = Console(stderr=True)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="listener-bench-")))
        cluster = stack.enter_context(postgres.cluster(fsync=True))
        url = _migrated(cluster.database("bench"))
        config = CONFIG % signer.port
        ours = {"sqlite": None, "postgresql": url}
        targets = {"reference": stack.enter_context(reference(folder / "reference"))}
        for name, database in ours.items():
            server = stack.enter_context(
                serving.listener(
                    folder / name, database_url=database, config=config,
                    environment={"LISTENER_LOG_LEVEL": "warning"},
                )
            )  # fmt: skip
            targets[name] = Target(server.port, server.pid)
        runs: dict[str, list[dict[str, float]]] = {case.name: [] for case in cases}
        for n in range(rounds):
            for case in cases:
                console.print(f"round {n + 1}/{rounds}  {case.name}", highlight=False)
                runs[case.name].append(measure(case, targets, signer, seconds))
        fsync = fsync_micros(folder)
    medians = {
        name: {key: statistics.median(r[key] for r in all_of) for key in all_of[0]}
        for name, all_of in runs.items()
    }
    return {
        "seconds": seconds, "rounds": rounds, "cores": os.cpu_count(), "fsync_us": fsync,
        "cases": [asdict(c) for c in cases], "medians": medians, "runs": runs,
    }  # fmt: skip


def _migrated(url: str) -> str:
    made = engine.create(url)
    schema.upgrade(made)
    made.dispose()
    return url


def show(found: dict[str, Any]) -> None:
    """The medians as a table, each with its ratios to the references."""
    medians = found["medians"]
    table = Table("case", *(["requests/s", "× no-op", "× usual", "CPU µs", "p50 ms", "p99 ms"]))
    for column in table.columns[1:]:
        column.justify = "right"
    usual = medians["usual way, 0.5 kB"]["rate"]
    for case in found["cases"]:
        row = medians[case["name"]]
        size = "5 kB" if case["body"] == "large" else "0.5 kB"
        noop = medians[f"no-op route, {size}"]["rate"]
        table.add_row(
            case["name"], f"{row['rate']:,.0f}", f"{row['rate'] / noop:.2f}",
            f"{row['rate'] / usual:.1f}", f"{row['cpu_us']:.0f}", f"{row['p50_ms']:.1f}",
            f"{row['p99_ms']:.1f}",
        )  # fmt: skip
    console = Console()
    console.print(table)
    console.print(f"one durable 4 kB append on this disk: {found['fsync_us']:.0f} µs")


def main() -> None:
    """Measure, print, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="cases of ours whose name contains this")
    parser.add_argument("--json", type=Path, default=Path("bench/results/ingest.json"))
    arguments = parser.parse_args()
    found = run(arguments.seconds, arguments.rounds, arguments.only)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    show(found)


if __name__ == "__main__":
    main()

"""A load generator: N connections, each sending its next request when the last one is answered.

Bare asyncio protocols, so that on one core it is several times as fast as any server measured with
it; in a process of its own, so that it does not share the server's interpreter. Requests are
rendered before the clock starts.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import uvloop


@dataclass(frozen=True, slots=True)
class Result:
    """What one run gave: answers by status, seconds, and the latencies' quantiles in ms."""

    statuses: dict[int, int]
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return sum(self.statuses.values()) / self.seconds


def request(path: str, body: bytes, headers: Sequence[tuple[str, str]]) -> bytes:
    """One HTTP/1.1 POST as bytes."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(slots=True)
class _Run:
    requests: Sequence[bytes]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]
    next: int = 0
    open: int = 0
    deadline: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)

    def take(self) -> bytes | None:
        if self.next >= len(self.requests) or self.loop.time() >= self.deadline:
            return None
        self.next += 1
        return self.requests[self.next - 1]


class _Client(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""
        self._sent = 0.0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._run.open += 1
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        length = 0
        at = head.find(b"content-length:")
        if at >= 0:
            length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(self._buffer) < head_end + 4 + length:
            return
        self._buffer = self._buffer[head_end + 4 + length :]
        status = int(head[9:12])
        self._run.statuses[status] = self._run.statuses.get(status, 0) + 1
        self._run.latencies.append(time.perf_counter() - self._sent)
        self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        self._run.open -= 1
        if self._run.open == 0 and not self._run.done.done():
            self._run.done.set_result(None)

    def _send(self) -> None:
        found = self._run.take()
        if found is None:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(found)


async def _drive(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Result:
    loop = asyncio.get_running_loop()
    run = _Run(requests, loop, loop.create_future())
    run.deadline = loop.time() + seconds
    started = time.perf_counter()
    await asyncio.gather(
        *(
            loop.create_connection(lambda: _Client(run), "127.0.0.1", port)
            for _ in range(connections)
        )
    )
    await run.done
    took = time.perf_counter() - started
    ordered = sorted(run.latencies)
    return Result(
        run.statuses,
        took,
        statistics.median(ordered) * 1000,
        ordered[int(len(ordered) * 0.99)] * 1000,
    )


def _child(
    pipe: Connection, port: int, make: Callable[[int], bytes], count: int, rest: tuple[int, float]
) -> None:
    requests = [make(n) for n in range(count)]
    pipe.send("ready")
    pipe.recv()
    pipe.send(uvloop.run(_drive(port, requests, *rest)))


def drive(
    port: int,
    make: Callable[[int], bytes],
    *,
    count: int,
    connections: int = 64,
    seconds: float = 3.0,
    around: Callable[[], float] = lambda: 0.0,
) -> tuple[Result, float]:
    """Send `make(0)`, `make(1)` … for `seconds` or until `count` are answered.

    `around` is read when the clock starts and when it stops: its difference is given beside the
    result (the server's CPU seconds). `make` must be picklable; it is called in the load process.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_child, args=(theirs, port, make, count, (connections, seconds)))
    child.start()
    ours.recv()
    before = around()
    ours.send("go")
    result: Result = ours.recv()
    spent = around() - before
    child.join()
    return result, spent

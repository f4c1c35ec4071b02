"""A log that cannot be written ends no work: the door serves and the feeds go on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import operators, serving
from tests.acceptance import bodies
from tests.feeds import running


@contextlib.contextmanager
def broken() -> Iterator[int]:
    """A pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextlib.contextmanager
def full() -> Iterator[int]:
    """A disk that is full."""
    with Path("/dev/full").open("w") as device:
        yield device.fileno()


@contextlib.contextmanager
def closed() -> Iterator[None]:
    """None at all."""
    yield None


def start(server: serving.Listener, errors: int | None) -> None:
    """Start it with `errors` for standard error; null: closed."""
    redirect = 'exec 2>&-; exec "$0" "$@"' if errors is None else 'exec "$0" "$@"'
    command = [sys.executable, "-m", "app", "serve", "--port", str(server.port)]
    server.process = subprocess.Popen(
        ["/bin/sh", "-c", redirect, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        cwd=server.folder,
        env=server.environment,
    )
    (server.folder / "log").touch()
    server.wait_ready()


def until_logged(server: serving.Listener, events: list[str]) -> None:
    """Wait until the log of `ko` holds `events`."""
    ends = time.monotonic() + serving.DEADLINE
    while True:
        told = server.get("/admin/notifications?source=ko&order=asc").json()["items"]
        if [one["event_id"] for one in told] == events:
            return
        assert time.monotonic() < ends, told
        time.sleep(0.05)


@pytest.mark.parametrize("stream", [broken, full, closed])
async def test_a_process_whose_log_cannot_be_written_serves_polls_and_ends_well(tmp_path, stream):
    operator = running.OnApi([running.event("e1")])
    async with operators.serving(operator) as served:
        config = '[[source]]\nname = "local"\n' + running.source("ko", served.url)
        with stream() as errors, serving.listener(tmp_path, config=config, start=False) as server:
            await asyncio.to_thread(start, server, errors)
            await asyncio.to_thread(until_logged, server, ["e1"])
            operator.history.append(running.event("e2"))
            await asyncio.to_thread(until_logged, server, ["e1", "e2"])
            answers = [await asyncio.to_thread(server.post, bodies.body()) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [201] * 3
            assert await asyncio.to_thread(server.terminate) == 0

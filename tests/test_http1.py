"""How long and how much a stranger may say before anybody of ours is asked; no socket, no waiting.

A machine that is slow does no harm here: what is to come in time is said before the loop can look
at the time, right after the connection is made.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from app import http1

PATIENCE = 0.02
DEADLINE = 20.0
HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
WHOLE = HEAD + b"\r\n"
ASKED = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 4\r\n\r\ntold"


class Wire(asyncio.Transport):
    """What the protocol writes to: it keeps all of it, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """The tests feed it no more than they mean to."""

    def resume_reading(self) -> None:
        """As above."""


class Line:
    """A connection to an application that answers 401 at once, and what it was asked."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.scopes: list[dict[str, Any]] = []
        self.free = asyncio.Event()
        self.free.set()
        configuration = uvicorn.Config(
            self._told, interface="asgi3", log_config=None, timeout_keep_alive=600
        )
        self.protocol = http1.Protocol(configuration, ServerState(), {}, patience=PATIENCE)
        self.protocol.connection_made(self.wire)

    def say(self, data: bytes) -> None:
        self.protocol.data_received(data)

    async def until(self, done: Callable[[], bool], *, saying: bytes = b"") -> None:
        """Let time go by, saying something now and then, until `done`."""
        ends = time.monotonic() + DEADLINE
        while not done():
            assert time.monotonic() < ends, self.wire.sent
            if saying:
                self.say(saying)
            await asyncio.sleep(0.001)

    async def until_closed(self, *, saying: bytes = b"") -> bytes:
        """What was sent by the time the connection ended."""
        await self.until(lambda: self.wire.closed, saying=saying)
        return self.wire.sent

    async def _told(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        await self.free.wait()
        headers = [(b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b"told"})


def refusal(sent: bytes) -> tuple[int, int, str]:
    """Status, code and message of the one answer in `sent`, which ends its connection."""
    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.lower().count(b"connection: close") == 1
    told = json.loads(body)
    return int(head.split(b" ")[1]), told["code"], told["message"]


async def test_who_says_nothing_is_hung_up_on():
    line = Line()
    assert await line.until_closed() == b""


@pytest.mark.parametrize("begun", [b"GET", HEAD, HEAD + b"X: "])
async def test_a_head_that_does_not_end_is_63(begun):
    line = Line()
    line.say(begun)
    status, code, message = refusal(await line.until_closed())
    assert (status, code) == (408, 63)
    assert "The head of the request did not arrive" in message


async def test_a_head_that_drips_has_one_deadline_for_all_of_it():
    line = Line()
    line.say(HEAD + b"X: ")
    sent = await line.until_closed(saying=b"x")
    assert refusal(sent)[:2] == (408, 63)


async def test_a_later_head_has_its_own_time_and_no_more():
    line = Line()
    line.say(WHOLE)
    await line.until(lambda: line.wire.sent == ASKED)
    line.say(HEAD)
    sent = await line.until_closed()
    assert refusal(sent.removeprefix(ASKED))[:2] == (408, 63)


async def test_who_waits_for_our_answer_is_not_hung_up_on():
    line = Line()
    line.free.clear()
    line.say(WHOLE)
    await asyncio.sleep(2 * PATIENCE)
    assert not line.wire.closed
    line.free.set()
    await line.until(lambda: line.wire.sent == ASKED)


@pytest.mark.parametrize(
    ("first", "then"), [(WHOLE, b"\r\n"), (HEAD + b"Content-Length: 1000000\r\n\r\n", b"x")]
)
async def test_neither_blanks_nor_the_rest_of_a_refused_body_keep_a_connection(first, then):
    line = Line()
    line.say(first)
    await line.until(lambda: line.wire.sent == ASKED)
    assert await line.until_closed(saying=then) == ASKED


@pytest.mark.parametrize("start", [b"GET /", HEAD, HEAD + b"X: "])
@pytest.mark.parametrize("part", [1000, 2**20])
async def test_a_head_that_is_too_long_is_26(start, part):
    line = Line()
    endless = start + b"x" * (http1.LONGEST_HEAD + 1 - len(start))
    for begin in range(0, len(endless), part):
        assert not line.wire.closed
        line.say(endless[begin : begin + part])
    assert line.wire.closed
    status, code, message = refusal(line.wire.sent)
    assert (status, code) == (400, 26)
    assert message == f"The head of a request has at most {http1.LONGEST_HEAD} bytes"


async def test_trailers_without_end_are_cut_off():
    line = Line()
    line.say(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n")
    await line.until(lambda: line.wire.sent == ASKED)
    for _ in range(http1.LONGEST_HEAD // 6 + 1):
        line.say(b"X: y\r\n")
    assert line.wire.closed


async def test_a_long_body_is_no_long_head():
    line = Line()
    line.say(HEAD + b"Content-Length: 200000\r\n\r\n")
    for _ in range(20):
        line.say(b"x" * 10_000)
    await line.until(lambda: line.wire.sent == ASKED)
    assert not line.wire.closed


async def test_trailers_are_no_headers_though_they_come_before_anybody_looks():
    line = Line()
    chunks = b"1\r\nx\r\n0\r\nAuthorization: Basic YTpi\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"
    line.say(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    await line.until(lambda: line.wire.sent == ASKED)
    (scope,) = line.scopes
    assert scope["headers"] == [(b"host", b"127.0.0.1"), (b"transfer-encoding", b"chunked")]


async def test_an_answer_that_nobody_reads_ends_the_connection():
    line = Line()
    line.say(WHOLE)
    await line.until(lambda: line.wire.sent == ASKED)
    line.protocol.pause_writing()
    assert await line.until_closed() == ASKED


async def test_an_answer_that_is_read_on_may_take_its_time():
    line = Line()
    line.say(WHOLE)
    await line.until(lambda: line.wire.sent == ASKED)
    line.protocol.pause_writing()
    line.protocol.resume_writing()
    await asyncio.sleep(2 * PATIENCE)
    assert not line.wire.closed


async def test_who_has_said_all_is_answered_and_then_hung_up_on():
    line = Line()
    line.say(WHOLE + WHOLE)
    assert line.protocol.eof_received()
    last = ASKED.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    assert await line.until_closed() == ASKED + last


@pytest.mark.parametrize("said", [b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\nx", WHOLE])
async def test_who_hangs_up_in_the_middle_or_after_the_answer_is_let_go(said):
    line = Line()
    line.say(said)
    if said == WHOLE:
        await line.until(lambda: line.wire.sent == ASKED)
    assert not line.protocol.eof_received()

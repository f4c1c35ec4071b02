"""Reading what people send: within bounds of size and time, once it is known who they are."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import fastapi
import httpx
import pydantic
import pytest
from starlette.requests import Request

from app import errors
from app.doors import bodies, problems

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DEADLINE = 0.02


class Colour(pydantic.BaseModel):
    """A document with one field."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True)

    colour: str


class Coloured(Colour):
    """A document that may be left out."""

    colour: str = "red"


def forbid(request: Request) -> None:
    if "forbidden" in request.headers:
        raise errors.AccessDenied


@pytest.fixture
def app() -> fastapi.FastAPI:
    made = fastapi.FastAPI()

    @made.post("/needed", dependencies=[fastapi.Depends(forbid)])
    async def needed(asked: Annotated[Colour, fastapi.Depends(bodies.of(Colour))]) -> Any:
        return asked.model_dump()

    @made.post("/optional")
    async def optional(
        asked: Annotated[Coloured, fastapi.Depends(bodies.of(Coloured, needed=False))],
    ) -> Any:
        return asked.model_dump()

    @made.post("/form")
    async def form(request: Request) -> Any:
        return {"fields": len(await request.form())}

    made.add_middleware(bodies.Bounds, deadline=DEADLINE)
    problems.install(made)
    return made


async def post(app, path, content, headers=JSON):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.post(path, content=content, headers=headers)


async def test_a_document_is_read(app):
    for path in ("/needed", "/optional"):
        answer = await post(app, path, b' {"colour": "blue"}\n')
        assert answer.json() == {"colour": "blue"}


async def test_no_body_is_the_defaults_where_none_is_needed(app):
    answer = await post(app, "/optional", b"", {})
    assert answer.json() == {"colour": "red"}


@pytest.mark.parametrize(
    ("content", "content_type", "code", "told"),
    [
        (b"", "application/json", 21, "empty"),
        (b" \n", "application/json", 21, "empty"),
        (b"", "", 25, "Content-Type is missing"),
        (b'{"colour": "blue"}', "", 25, "Content-Type is missing"),
        (b'{"colour": "blue"}', "text/plain", 26, "'text/plain'"),
        (b"colour=blue", "application/x-www-form-urlencoded", 26, "form-urlencoded"),
        (b'{"colour": "blue"}', "application/json; charset=latin1", 26, "'latin1'"),
        (b"{", "application/json", 22, "no JSON"),
        (b'{"colour": NaN}', "application/json", 22, "no JSON"),
        (b'{"colour": "\\ud800"}', "application/json", 22, "no JSON"),
        (b'\xef\xbb\xbf{"colour": "blue"}', "application/json", 22, "no JSON"),
        ('{"colour": "blue"}'.encode("utf-16"), "application/json", 22, "no JSON"),
        (b"[" * 100_000, "application/json", 22, "no JSON"),
        (b"{}", "application/json", 23, "colour: is missing"),
        (b"[]", "application/json", 24, "body: "),
        (b"null", "application/json", 24, "body: "),
        (b'{"colour": 1}', "application/json", 24, "colour: "),
        (b'{"colour": "blue", "size": 1}', "application/json", 24, "size: is not known"),
    ],
)
async def test_what_is_no_such_document_is_told(app, content, content_type, code, told):
    answer = await post(app, "/needed", content, {"Content-Type": content_type})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert told in answer.json()["message"]


async def test_who_may_not_ask_learns_that_before_the_body_is_read(app):
    answer = await post(app, "/needed", never(), {"forbidden": "yes"})
    assert answer.json()["code"] == 50


async def never():
    """A body that is never read: it would raise."""
    raise AssertionError("the body was read")
    yield b""


@pytest.mark.parametrize(("path", "headers"), [("/needed", JSON), ("/form", FORM)])
async def test_a_body_without_end_is_22_after_a_megabyte(app, path, headers):
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 65536
            yield b"x" * 65536

    answer = await post(app, path, endless(), headers)
    assert (answer.status_code, answer.json()["code"]) == (400, 22)
    assert str(bodies.LONGEST) in answer.json()["message"]
    assert read <= bodies.LONGEST + 65536


@pytest.mark.parametrize("path", ["/needed", "/form"])
async def test_a_body_that_does_not_come_is_63_and_ends_the_connection(app, path):
    hung = asyncio.Event()

    async def begun():
        yield b"{"
        await hung.wait()

    answer = await post(app, path, begun(), FORM)
    assert (answer.status_code, answer.json()["code"]) == (408, 63)
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/needed", "/form"])
async def test_who_hangs_up_before_its_body_is_whole_is_no_fault_of_ours(app, path, capfd):
    messages = iter(
        [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive():
        return next(messages)

    async def send(message):
        raise AssertionError(message)

    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b""}
    await app({**scope, "headers": headers, "app": app}, receive, send)
    assert "internal_error" not in "".join(capfd.readouterr())


async def test_who_only_reads_may_wait_as_long_as_it_likes():
    """A stream waits for its reader to hang up; that has no deadline, whatever it sent."""
    heard = asyncio.Event()

    async def stream(_scope, receive, _send):
        asyncio.get_running_loop().call_later(2 * DEADLINE, heard.set)
        assert (await receive())["type"] == "http.disconnect"

    async def receive():
        await heard.wait()
        return {"type": "http.disconnect"}

    bounded = bodies.Bounds(stream, deadline=DEADLINE)
    await bounded({"type": "http", "method": "GET"}, receive, receive)


async def test_who_waits_for_news_after_its_body_is_not_hurried():
    heard = asyncio.Event()
    first = [{"type": "http.request", "body": json.dumps({}).encode(), "more_body": False}]

    async def stream(_scope, receive, _send):
        assert (await receive())["body"] == b"{}"
        asyncio.get_running_loop().call_later(2 * DEADLINE, heard.set)
        assert (await receive())["type"] == "http.disconnect"

    async def receive():
        if first:
            return first.pop()
        await heard.wait()
        return {"type": "http.disconnect"}

    bounded = bodies.Bounds(stream, deadline=DEADLINE)
    await bounded({"type": "http", "method": "POST"}, receive, receive)

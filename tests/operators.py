"""An operator of the test's own making, over real HTTP on loopback: any answer, sound or not.

    async with operators.serving(handle) as operator:
        operator.url, operator.requests

`handle(asked)` gives a `Reply`. Not here: operators that behave (`app.sandbox`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))


@dataclass(frozen=True)
class Reply:
    """An answer. `announced`: a Content-Length that is not the body's; `hang`: end only when told.

    `parts` follow the body one by one, for as long as the client listens.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    announced: int | None = None
    parts: Iterable[bytes] = ()
    hang: bool = False


@dataclass
class Operator:
    """A server that runs; `requests` are what came, in order. `release` ends what hangs."""

    host: str
    port: int
    scheme: str
    requests: list[Asked] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


Handle = Callable[[Asked], Reply]


@contextlib.asynccontextmanager
async def serving(
    handle: Handle, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Operator]:
    """Serve `handle` on a free port of `host` (by `tls` if given) until the block ends."""
    running = Operator(host, 0, "https" if tls else "http")
    open_now: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while (asked := await _read(reader)) is not None:
                running.requests.append(asked)
                if not await _answer(writer, handle(asked), running.release):
                    break
        open_now.discard(writer)
        writer.close()

    server = await asyncio.start_server(connected, host, 0, ssl=tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        running.release.set()
        server.close()
        for writer in open_now:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)


async def _answer(writer: asyncio.StreamWriter, reply: Reply, release: asyncio.Event) -> bool:
    """Answer; true when the connection may be used again."""
    length = len(reply.body) if reply.announced is None else reply.announced
    head = [f"HTTP/1.1 {reply.status} Said so"]
    head += [f"{name}: {value}" for name, value in reply.headers.items()]
    endless = bool(reply.parts)
    head += ["Connection: close"] if endless else [f"Content-Length: {length}"]
    writer.write("\r\n".join([*head, "", ""]).encode("latin-1") + reply.body)
    await writer.drain()
    for part in reply.parts:
        writer.write(part)
        await writer.drain()
    if reply.hang:
        await release.wait()
    return not endless and not reply.hang and length == len(reply.body)

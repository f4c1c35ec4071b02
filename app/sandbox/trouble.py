"""Answers that go wrong: an ASGI application around an operator's, that carries out the faults.

What a fault does to the bytes on the wire is a row of `_ACTS`. Not here: whether it strikes
(`faults`), what is listed twice or too late (the operator).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sandbox import faults

Refuse = Callable[[int, str, Mapping[str, str]], Response]
"""An operator's own form of an error: status, what is wrong, headers."""

PAGE: Final = """<!DOCTYPE html>
<html><head><title>Maintenance</title></head>
<body><h1>We will be back soon</h1><p>Closed for planned maintenance.</p></body></html>
"""
_SPACES: Final = b" " * 65536
_PIECES: Final = 8


class Severed(Exception):
    """The connection is to be cut and the server gives no hold on it."""


class Troubled:
    """`app`, whose answers go wrong where a fault strikes.

    `refuse` words 401, 429 and 500 as this operator does. `changes` tells whether a request changes
    the operator's state: only such answers are lost after execution.
    """

    def __init__(
        self,
        app: ASGIApp,
        active: faults.Faults,
        *,
        refuse: Refuse,
        changes: Callable[[Scope], bool],
    ) -> None:
        self._app = app
        self._faults = active
        self._refuse = refuse
        self._changes = changes
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or go wrong."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self.requests += 1
        act = self._drawn(scope)
        await (act or Troubled._answer)(self, scope, receive, send)

    def _drawn(self, scope: Scope) -> _Act | None:
        request = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
        for name, act in _ACTS.items():
            if name == "lost_answer" and not self._changes(scope):
                continue
            if self._faults.strikes(name, request):
                return act
        return None

    def _option(self, name: str, option: str, default: Any) -> Any:
        return self._faults.options(name).get(option, default)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def _unauthorized(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"WWW-Authenticate": 'Basic realm="sandbox"'}
        await self._refuse(401, "Authentication failed", headers)(scope, receive, send)

    async def _too_many(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait = self._option("too_many_requests", "retry_after", 1)
        answer = self._refuse(429, "Too many requests", {"Retry-After": str(wait)})
        await answer(scope, receive, send)

    async def _server_error(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = self._option("server_error", "status", 500)
        await self._refuse(status, "Internal error", {})(scope, receive, send)

    async def _maintenance(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = self._option("maintenance_page", "status", 200)
        await HTMLResponse(PAGE, status)(scope, receive, send)

    async def _redirect(self, scope: Scope, receive: Receive, send: Send) -> None:
        location = self._option("redirect", "location", "http://elsewhere.invalid/")
        answer = Response(status_code=302, headers={"Location": location})
        await answer(scope, receive, send)

    async def _endless(self, _scope: Scope, receive: Receive, send: Send) -> None:
        left = self._option("endless_body", "bytes", 1 << 32)
        gone = asyncio.ensure_future(_until_gone(receive))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"[", "more_body": True})
        try:
            while left > 0 and not gone.done():
                await send({"type": "http.response.body", "body": _SPACES, "more_body": True})
                left -= len(_SPACES)
                await asyncio.sleep(0)
        finally:
            gone.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _slow(self, scope: Scope, receive: Receive, send: Send) -> None:
        pause = self._option("slow_body", "seconds", 1.0) / _PIECES
        slowed = False

        async def trickle(message: Message) -> None:
            nonlocal slowed
            body = message.get("body", b"")
            if slowed or len(body) < _PIECES:
                await send(message)
                return
            slowed = True
            size = len(body) // _PIECES
            for start in range(0, size * (_PIECES - 1), size):
                piece = body[start : start + size]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(pause)
            await send({**message, "body": body[size * (_PIECES - 1) :]})

        await self._app(scope, receive, trickle)

    async def _truncated(self, scope: Scope, receive: Receive, send: Send) -> None:
        after = self._option("truncated_body", "bytes", None)
        sent = 0

        async def cut(message: Message) -> None:
            nonlocal sent
            body = message.get("body", b"")
            if message["type"] == "http.response.start":
                await send(message)
                return
            left = len(body) // 2 if after is None else after - sent
            if left < len(body) or not message.get("more_body", False):
                piece = body[: max(0, min(left, len(body) - 1))]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                raise _Cut
            sent += len(body)
            await send(message)

        try:
            await self._app(scope, receive, cut)
        except _Cut:
            await hang_up(receive, send)

    async def _lost(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def swallow(message: Message) -> None:
            del message

        await self._app(scope, receive, swallow)
        await hang_up(receive, send)


class _Cut(Exception):
    """Enough was sent."""


async def hang_up(receive: Receive, send: Send) -> None:
    """Close the connection under the answer, once what was sent has left.

    ASGI has no word for it: uvicorn's `send` is a method of the object that holds the transport.
    Raises `Severed` where there is none (behind a middleware): the server then gives up by itself.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise Severed("the connection cannot be reached; serve the sandbox by uvicorn, unwrapped")
    transport.close()
    await _until_gone(receive)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


_Act = Callable[[Troubled, Scope, Receive, Send], Awaitable[None]]
_ACTS: Final[Mapping[str, _Act]] = {
    "unauthorized": Troubled._unauthorized,  # noqa: SLF001 - this module's own table
    "too_many_requests": Troubled._too_many,  # noqa: SLF001
    "server_error": Troubled._server_error,  # noqa: SLF001
    "maintenance_page": Troubled._maintenance,  # noqa: SLF001
    "redirect": Troubled._redirect,  # noqa: SLF001
    "endless_body": Troubled._endless,  # noqa: SLF001
    "slow_body": Troubled._slow,  # noqa: SLF001
    "truncated_body": Troubled._truncated,  # noqa: SLF001
    "lost_answer": Troubled._lost,  # noqa: SLF001
}

"""Bodies of the JSON doors: how much and how long anybody may send, and how a document is read.

A document is read when it is known who sends it and that it may (FastAPI would read it first), so
a stranger learns nothing by it and is kept no memory for. Not here: bodies of notifications, which
are kept as they came (`web.listener`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

import pydantic_core
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from app import errors

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST: Final = 1024 * 1024
"""Bytes of a document or a form."""
EXPECTED: Final = "application/json;charset=utf-8"
WITHOUT: Final = frozenset({"GET", "HEAD"})
"""Methods whose body nobody reads; their answers may be streams that last."""

Model = TypeVar("Model", bound=BaseModel)


class Bounds:
    """ASGI middleware: what is read of a body is at most `LONGEST`, and there within `deadline` s.

    Whoever reads on gets `errors.UnreadableBody` (22) or `errors.BodyTooSlow`.
    """

    def __init__(self, app: ASGIApp, *, deadline: float) -> None:
        self._app = app
        self._deadline = deadline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app below, which reads through the bounds."""
        if scope["type"] == "http" and scope["method"] not in WITHOUT:
            receive = _Bounded(receive, self._deadline)
        await self._app(scope, receive, send)


class _Bounded:
    """The messages of one request: its body within the bounds, then whatever comes."""

    def __init__(self, receive: Receive, deadline: float) -> None:
        self._receive = receive
        self._deadline = deadline
        self._ends: float | None = None
        self._length = 0
        self._whole = False

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()
        if self._ends is None:
            self._ends = asyncio.get_running_loop().time() + self._deadline
        try:
            async with asyncio.timeout_at(self._ends):
                message = await self._receive()
        except TimeoutError:
            raise too_slow(self._deadline) from None
        self._whole = not message.get("more_body", False)
        self._length += len(message.get("body", b""))
        if self._length > LONGEST:
            raise errors.UnreadableBody(22, f"the body is too large; expected {LONGEST} bytes")
        return message


def too_slow(deadline: float) -> errors.BodyTooSlow:
    """What a sender is told whose body took more than `deadline` seconds."""
    return errors.BodyTooSlow(f"the body did not arrive within {deadline:g} s; send it faster")


def of(model: type[Model], *, needed: bool = True) -> Callable[[Request], Awaitable[Model]]:
    """A dependency that gives the document of a request as a `model`; 21 to 26 where it is none.

    Where it is not `needed`, no body is a `model` of defaults.
    """

    async def read(request: Request) -> Model:
        content = await request.body()
        if not content and not needed:
            return model()
        _check_headers(request)
        if not content.strip():
            raise errors.UnreadableBody(21, "the body is empty; expected a JSON object")
        try:
            return model.model_validate(_document(content))
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
            told = [{**fault, "loc": ("body", *fault["loc"])} for fault in faults]
            raise RequestValidationError(told) from None

    return read


def _check_headers(request: Request) -> None:
    content_type = ", ".join(request.headers.getlist("content-type")) or None
    wrong = header_fault(content_type, request.headers.get("content-encoding"))
    if wrong is not None:
        raise errors.UnreadableBody(*wrong)


def _document(content: bytes) -> object:
    try:
        return pydantic_core.from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise errors.UnreadableBody(22, f"the body is no JSON in UTF-8: {error}") from None


@lru_cache(maxsize=256)
def header_fault(content_type: str | None, content_encoding: str | None) -> tuple[int, str] | None:
    """The code and message for headers that cannot be taken; null where they can (25, 26)."""
    expected = f"expected {EXPECTED}"
    if content_type is None or not content_type.strip():
        return 25, f"Content-Type is missing; {expected}"
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    kind, _, subtype = media.partition("/")
    if kind != "application" or not (subtype == "json" or subtype.endswith("+json")):
        return 26, f"Content-Type is {_short(content_type)}; {expected}"
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in {"utf-8", "utf8", "us-ascii"}:
            return 26, f"the charset is {_short(value)}; {expected}"
    if content_encoding is not None and content_encoding.strip().lower() not in {"", "identity"}:
        return 26, f"Content-Encoding is {_short(content_encoding)}; expected none (identity)"
    return None


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")  # noqa: PLR2004 - enough to recognise it

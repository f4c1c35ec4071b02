"""Errors turned into answers: THE table of codes of the Listener contract, and its one body form.

The status codes of our refusals appear here alone. Not here: when something is wrong (whoever
raises or returns it). Source: DESIGN §6; seed 004 (`ErrorRepresentation`).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fastapi.exceptions import RequestValidationError
from starlette import requests
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from app import errors, telemetry
from app.store import trouble

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.notifications.notification import Refusal

CONTENT_TYPE: Final = "application/json;charset=utf-8"
REALM: Final = "tmf-listener"
LONGEST_MESSAGE: Final = 4096
Headers = list[tuple[bytes, bytes]]
Face = Callable[["Request", "Answer"], Response]
"""How the rooms below a path show an answer: a page, where the others give JSON."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of the error table.

    `retry_after`: seconds for `Retry-After`, where the sender does well to repeat. `challenge`:
    the answer bears `WWW-Authenticate`. `closes`: the connection ends with the answer.
    """

    code: int
    status: int
    reason: str
    when: str
    retry_after: int | None = None
    challenge: bool = False
    closes: bool = False


class Answer(NamedTuple):
    """A whole answer, ready for `http.response.start` and `http.response.body`."""

    status: int
    headers: Headers
    body: bytes


_ROWS: Final = (
    Problem(1, 500, "Internal error", "a fault of ours; the reference finds it in our log",
            retry_after=30),
    Problem(5, 503, "The service is temporarily unavailable",
            "the database is away, or the process is stopping", retry_after=5),
    Problem(6, 503, "The service is over capacity, retry later", "the queue is full",
            retry_after=1),
    Problem(20, 400, "Invalid URL parameter value", "no such event name in a listener path"),
    Problem(21, 400, "Missing body", "the body is empty"),
    Problem(22, 400, "Invalid body",
            "not JSON, not UTF-8, not an object, NaN or Infinity, too deep, too large"),
    Problem(23, 400, "Missing body field", "a required field is missing; all faults are listed"),
    Problem(24, 400, "Invalid body field",
            "a field of the wrong type, format or value (an unknown eventType included)"),
    Problem(25, 400, "Missing header", "Content-Type is missing"),
    Problem(26, 400, "Invalid header value",
            "Content-Type is not JSON; an unsupported charset or content encoding; too long"),
    Problem(27, 400, "Missing query-string parameter", "a required query parameter is missing"),
    Problem(28, 400, "Invalid query-string parameter value",
            "a query parameter is unknown or malformed"),
    Problem(40, 401, "Missing credentials", "no credentials were sent", challenge=True),
    Problem(41, 401, "Invalid credentials", "not ours, a bad signature, malformed",
            challenge=True),
    Problem(42, 401, "Expired credentials", "they were valid once", challenge=True),
    Problem(50, 403, "Access denied", "the credentials lack the scope this needs"),
    Problem(51, 403, "Forbidden requester", "the client is no configured source"),
    Problem(52, 403, "Forbidden user",
            "the source is disabled, or its address is not on its allow list"),
    Problem(53, 403, "Too many requests",
            "more than this source's rate (this contract says 403, not 429)", retry_after=1),
    Problem(60, 404, "Not found", "no such path, or no such resource"),
    Problem(61, 405, "Method not allowed", "the path exists, not for this method; see Allow"),
    Problem(63, 408, "The body came too slowly",
            "the body, or before it the headers, did not arrive before the deadline",
            closes=True),
    Problem(69, 409, "Conflict", "the request conflicts with the present state"),
    Problem(70, 410, "Gone", "the cursor is of another epoch; the bytes are not kept any more"),
    Problem(100, 422, "Functional error", "the event type is not enabled for this source"),
)  # fmt: skip
TABLE: Final[Mapping[int, Problem]] = MappingProxyType({row.code: row for row in _ROWS})

_OF_STATUS: Final = MappingProxyType({
    400: 22, 401: 40, 403: 50, 404: 60, 405: 61, 408: 63, 409: 69, 410: 70, 413: 22, 415: 26,
    422: 24, 503: 5,
})  # fmt: skip
_OF_PLACE: Final = MappingProxyType(
    {
        # where a parameter is: (its code when it is missing, its code when it is wrong)
        "path": (20, 20),
        "query": (27, 28),
        "header": (25, 26),
        "cookie": (25, 26),
        "body": (23, 24),
    }
)


def body(code: int, message: str, *, reference: str | None = None, **extra: str) -> bytes:
    """The `ErrorRepresentation` of `code` as UTF-8 JSON.

    `message` says what was wrong and what would be right (cut at 4 096 characters); `reference`
    is what to quote to us; `extra` are further members (OAuth's `error`, `error_description`).
    Raises `KeyError` for a code that is not in the table.
    """
    problem = TABLE[code]
    document: dict[str, Any] = {
        "code": code,
        "reason": problem.reason,
        "message": message[:LONGEST_MESSAGE],
        "status": problem.status,
        "@type": "ErrorRepresentation",
    }
    if reference is not None:
        document["referenceError"] = reference
    document.update(extra)
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def answer(
    code: int,
    message: str,
    *,
    reference: str | None = None,
    retry_after: int | None = None,
    headers: Sequence[tuple[bytes, bytes]] = (),
    **extra: str,
) -> Answer:
    """The whole answer for `code`: status, headers (lower case), body.

    `retry_after` (seconds) replaces the table's; `headers` are added as they are (`allow` …).
    """
    problem = TABLE[code]
    content = body(code, message, reference=reference, **extra)
    out: Headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    seconds = retry_after if retry_after is not None else problem.retry_after
    if seconds is not None:
        out.append((b"retry-after", str(seconds).encode()))
    if problem.challenge:
        out += challenges(code)
    if problem.closes:
        out.append((b"connection", b"close"))
    out += headers
    return Answer(problem.status, out, content)


def challenges(code: int) -> Headers:
    """The `WWW-Authenticate` lines of a 401: Bearer (RFC 6750 §3) and Basic (RFC 7617 §2).

    Two lines, for some clients send a password only after a Basic challenge of its own.
    """
    bearer = f'Bearer realm="{REALM}"'
    if code != errors.NoCredentials.code:
        bearer += ', error="invalid_token"'
    basic = f'Basic realm="{REALM}", charset="UTF-8"'
    return [(b"www-authenticate", bearer.encode()), (b"www-authenticate", basic.encode())]


def of_error(error: errors.Refused | errors.Unavailable) -> Answer:
    """The answer for an exception of ours."""
    retry_after = getattr(error, "retry_after", None)
    return answer(error.code, error.message, retry_after=retry_after)


def of_refusal(refusal: Refusal, *, reference: str | None = None) -> Answer:
    """The answer for a body that could not be taken: every fault with its path and its remedy.

    `reference` is the id of its row in quarantine.
    """
    told = [str(fault) for fault in refusal.faults]
    parts = [refusal.message, *(text for text in told if text not in refusal.message)]
    return answer(refusal.code, "; ".join(part for part in parts if part), reference=reference)


def unexpected(error: BaseException, *, where: str) -> Answer:
    """The answer for a fault of ours (500/1) with a reference, logged with its frames.

    Neither the answer nor the log repeats the exception's words: they may quote a body.
    """
    reference = str(uuid.uuid4())
    telemetry.logger("problems").error(
        "internal_error", reference=reference, where=where, **telemetry.frames(error)
    )
    return answer(errors.Refused.code, "A fault of ours; quote the reference", reference=reference)


def response(found: Answer) -> Response:
    """`found` as a Starlette response; repeated headers stay repeated."""
    made = Response(content=found.body, status_code=found.status)
    made.raw_headers = list(found.headers)
    return made


def of_validation(error: RequestValidationError) -> Answer:
    """The answer for parameters FastAPI could not take: 20, 23 to 28, every fault named."""
    faults = error.errors()
    codes = [_validation_code(fault) for fault in faults]
    return answer(min(codes, default=28), "; ".join(_told(fault) for fault in faults))


def _told(fault: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in fault["loc"][1:]) or fault["loc"][0]
    words = {
        "extra_forbidden": "is not known here; expected none of this name",
        "missing": "is missing",
    }
    return f"{place}: {words.get(fault['type']) or fault['msg'].removeprefix('Value error, ')}"


def _validation_code(fault: Mapping[str, Any]) -> int:
    place = str(fault["loc"][0])
    if fault["type"] == "json_invalid":
        return 22
    missing, wrong = _OF_PLACE.get(place, (23, 24))
    if place == "body" and fault["type"] == "missing" and len(fault["loc"]) == 1:
        return 21
    return missing if fault["type"] == "missing" else wrong


def _of_http(request: Request, error: HTTPException) -> Answer:
    code = _OF_STATUS.get(error.status_code, 1 if error.status_code >= 500 else 22)  # noqa: PLR2004 - the 5xx class
    message = str(error.detail)
    kept: list[tuple[bytes, bytes]] = []
    if code == errors.NotFound.code:
        message = "There is no such path"
    elif code == 61:  # noqa: PLR2004 - the row "method not allowed"
        allowed = _methods(request)
        kept = [(b"allow", allowed.encode())]
        message = f"{request.method} is not possible here; use {allowed}"
    return answer(code, message, headers=kept)


def _methods(request: Request) -> str:
    """Every method of the path, whichever of its routes takes it."""
    found = {
        method
        for route in _routes(request.app.routes)
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }
    return ", ".join(sorted(found)) or "another method"


def _routes(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """All routes, those of included routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from _routes(inner.routes)


def install(app: FastAPI, faces: Mapping[str, Face] = MappingProxyType({})) -> None:
    """Make every error of `app` an `ErrorRepresentation`, and put the last net around it.

    `faces`: by the beginning of a path, what shows it otherwise. A path with a slash too many is
    unknown like any other, not redirected.
    """
    app.router.redirect_slashes = False
    app.state.faces = faces
    known = (errors.Refused, errors.Unavailable, RequestValidationError, HTTPException)
    for kind in (*known, *trouble.ERRORS):
        app.add_exception_handler(kind, _handle)
    app.add_middleware(Net)


async def _handle(request: Request, error: Exception) -> Response:
    found = _of_any(request, error)
    if found is None:
        raise error
    return shown(request, found)


def shown(request: Request, found: Answer) -> Response:
    """`found` as the rooms below the path of `request` show it."""
    path = request.scope["path"]
    for prefix, face in request.app.state.faces.items():
        if path == prefix or path.startswith(f"{prefix}/"):
            made: Response = face(request, found)
            return made
    return response(found)


def _of_any(request: Request, error: Exception) -> Answer | None:
    """The answer for what a route raised; null for a fault of ours, which the net catches."""
    match error:
        case errors.Refused() | errors.Unavailable():
            return of_error(error)
        case RequestValidationError():
            return of_validation(error)
        case HTTPException():
            return _of_http(request, error)
        case _ if trouble.is_away(error):
            telemetry.logger("problems").warning("database_away", **telemetry.frames(error))
            return of_error(errors.Unavailable())
        case _:
            return None


async def send_answer(found: Answer, send: Callable[[Message], Awaitable[None]]) -> None:
    """Send `found` over raw ASGI."""
    await send(
        {"type": "http.response.start", "status": found.status, "headers": list(found.headers)}
    )
    await send({"type": "http.response.body", "body": found.body})


class Net:
    """ASGI middleware, the last net: what nobody caught becomes 500/1, never a trace.

    An exception after the answer has begun is logged and the connection broken.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app below; answer for it where it fails."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except requests.ClientDisconnect:
            return  # it hung up before its body was whole: there is nobody to tell
        except Exception as error:
            route = scope.get("route")
            found = unexpected(error, where=getattr(route, "path", "-"))
            if begun:
                raise
            await _told_last(found, scope, receive)(scope, receive, send)


def _told_last(found: Answer, scope: Scope, receive: Receive) -> Response:
    """`found` as it is shown there; as JSON where even that fails."""
    try:
        return shown(requests.Request(scope, receive), found)
    except Exception as error:  # noqa: BLE001 - the last net has none below it
        telemetry.logger("problems").error("no_face", **telemetry.frames(error))
        return response(found)

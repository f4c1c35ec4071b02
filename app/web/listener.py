"""The door for operators: every path a notification may be POSTed to, as one bare ASGI endpoint.

It reads the raw bytes once and never builds a Request: this is the path that has to be fast
(DESIGN §4 [M]). Order of checks: route, credentials, source, rate, event name in the path,
headers, size, body (DESIGN §6); the last four are refused only after their quarantine row is
committed (law 2). Not here: what a body means (`sources`), what becomes of it (`intake`).
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from app import errors, intake, telemetry
from app.doors import bodies, problems
from app.notifications import event_types, notification as canonical
from app.security import access, addresses
from app.sources import base

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.runtime import Runtime

SHARED: Final = event_types.SHARED_PATH
_KEYED: Final = re.compile(event_types.keyed_path(r"([^/]{1,256})") + r"\Z")
_MOUNTED: Final = {mount.prefix: flavour for flavour, mount in event_types.MOUNTS.items()}
CONTENT_TYPE: Final = (b"content-type", problems.CONTENT_TYPE.encode())
LONGEST_NAME: Final = 256
DISCARDED: Final = 64 * 1024 * 1024
"""Bytes read (and thrown away) beyond the limit before we stop listening to a sender."""


class Path(NamedTuple):
    """What a listener path says before the body is read."""

    callback_key: str | None = None
    flavour: canonical.Flavour | None = None
    event_name: str | None = None


class Body(NamedTuple):
    """The bytes read: whole, or the first 64 kB of `length` where it is over the limit."""

    data: bytes
    length: int

    @property
    def whole(self) -> bool:
        """False where the body was over the limit."""
        return self.length == len(self.data)


def path_of(path: str) -> Path | None:
    """Read a request path; null where it is no listener path."""
    if path == SHARED:
        return _SHARED_PATH
    if keyed := _KEYED.match(path):
        return Path(callback_key=keyed[1])
    mount, _, event_name = path.rpartition("/")
    flavour = _MOUNTED.get(mount)
    if flavour is not None and 0 < len(event_name) <= LONGEST_NAME:
        return Path(flavour=flavour, event_name=event_name)
    return None


_SHARED_PATH: Final = Path()


class ListenerDoor:
    """ASGI middleware: takes every request on a listener path, and lets all others pass.

    Outside the router, for what FastAPI does around a route costs as much as reading a body.
    """

    def __init__(self, app: ASGIApp, *, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request on a listener path, whatever its method: 405 is ours to say."""
        if scope["type"] != "http" or (path := path_of(scope["path"])) is None:
            await self._app(scope, receive, send)
        elif scope["method"] == "POST":
            await _Exchange(self._runtime, path, scope, receive, send).run()
        else:
            message = f"{scope['method']} is not possible here; use POST"
            found = problems.answer(61, message, headers=[(b"allow", b"POST")])
            await problems.send_answer(found, send)


class _Exchange:
    """One POST: from its headers to its answer."""

    __slots__ = ("_path", "_receive", "_runtime", "_scope", "_send", "_source_name", "_started")

    def __init__(
        self, runtime: Runtime, path: Path, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._runtime = runtime
        self._path = path
        self._scope = scope
        self._receive = receive
        self._send = send
        self._source_name: str | None = None
        self._started = time.perf_counter()

    async def run(self) -> None:
        runtime = self._runtime
        try:
            headers = _Headers(self._scope["headers"])
            peer = self._scope["client"][0] if self._scope["client"] else ""
            address = addresses.client_address(
                peer, headers.forwarded_for, runtime.settings.trusted_proxies
            )
            presented = access.Presented(
                headers.authorization, headers.api_key, self._path.callback_key, address
            )
            principal = runtime.access.authenticate_now(presented)
            if principal is None:
                principal = await runtime.access.authenticate(presented)
            self._source_name = principal.source
            source = runtime.access.writer_source(principal, address)
            body = await self._body()
        except _Disconnected:
            return
        except (errors.Refused, errors.Unavailable) as error:
            self._tell("refused", error.code)
            await problems.send_answer(problems.of_error(error), self._send)
            return
        arrival = canonical.Arrival(
            id=runtime.new_id(),
            source=source.name,
            channel=canonical.Channel.PUSH,
            body=body.data,
            content_type=headers.content_type,
            received_at=runtime.clock.now(),
            principal=principal.subject,
            remote_addr=address,
            event_name=self._path.event_name,
            flavour=self._path.flavour,
            reading=runtime.reading(source),
        )
        await self._answer(arrival, source, body, self._refusal(headers, body))

    def _refusal(self, headers: _Headers, body: Body) -> canonical.Refusal | None:
        """What is wrong before the body is looked at: path, headers, size."""
        path = self._path
        if path.flavour and not event_types.on_path(path.flavour, path.event_name or ""):
            names = ", ".join(event_types.MOUNTS[path.flavour].events)
            message = f"the path names no event of {path.flavour}; expected one of {names}"
            return canonical.Refusal(20, message)
        if wrong := bodies.header_fault(headers.content_type, headers.content_encoding):
            return canonical.Refusal(*wrong)
        if not body.whole:
            limit = self._runtime.settings.max_body
            message = f"the body is {body.length} bytes or more; expected at most {limit}"
            return canonical.Refusal(22, message)
        return None

    async def _answer(
        self,
        arrival: canonical.Arrival,
        source: base.SourceConfig,
        body: Body,
        refusal: canonical.Refusal | None,
    ) -> None:
        door = self._runtime.intake
        try:
            receipt: intake.Receipt
            if refusal is None:
                receipt = await door.accept(arrival, source)
            else:
                receipt = await door.hold(arrival, refusal, length=body.length)
        except errors.Unavailable as error:
            self._tell("refused", error.code, arrival=arrival)
            await problems.send_answer(problems.of_error(error), self._send)
            return
        match receipt:
            case intake.Quarantined(id=row, refusal=why):
                self._tell("quarantined", why.code, reference=row, arrival=arrival)
                found = problems.of_refusal(why, reference=row)
                if not body.whole:
                    found.headers.append((b"connection", b"close"))
                await problems.send_answer(found, self._send)
            case intake.Appended(seq=seq, id=row):
                self._tell("appended", seq=seq, reference=row, arrival=arrival)
                await self._accepted(source, arrival.body)
            case intake.Repeated(seq=seq, id=row):
                self._tell("repeated", seq=seq, reference=row, arrival=arrival)
                await self._accepted(source, arrival.body)
            case intake.Conflicted(seq=seq, id=row):
                self._tell("conflicted", seq=seq, reference=row, arrival=arrival)
                await self._accepted(source, arrival.body)

    async def _accepted(self, source: base.SourceConfig, body: bytes) -> None:
        """The status the path requires: 204 for v5, else 201 with the body as received."""
        v5 = self._path.flavour is canonical.Flavour.TMF622_V5
        status = source.success_status or (204 if v5 else 201)
        if status in {204, 205}:
            await self._send({"type": "http.response.start", "status": status, "headers": []})
            await self._send({"type": "http.response.body", "body": b""})
            return
        headers = [CONTENT_TYPE, (b"content-length", b"%d" % len(body))]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def _body(self) -> Body:
        """Read the body before its deadline, keeping no more than the limit.

        Raises `errors.BodyTooSlow` (408/63).
        """
        settings = self._runtime.settings
        message = await _first(self._receive, settings.body_deadline)
        if not message.get("more_body", False):
            data = message["body"]
            return _bounded(data, len(data), settings.max_body)
        try:
            async with asyncio.timeout(settings.body_deadline):
                return await self._rest(message, settings.max_body)
        except TimeoutError:
            raise bodies.too_slow(settings.body_deadline) from None

    async def _rest(self, message: Message, limit: int) -> Body:
        chunks, length = [message["body"]], len(message["body"])
        while message.get("more_body", False) and length <= DISCARDED:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _Disconnected
            if length <= limit:
                chunks.append(message["body"])
            length += len(message["body"])
        return _bounded(b"".join(chunks), length, limit)

    def _tell(
        self,
        outcome: telemetry.Outcome,
        code: int = 0,
        *,
        seq: int | None = None,
        reference: str | None = None,
        arrival: canonical.Arrival | None = None,
    ) -> None:
        runtime = self._runtime
        runtime.metrics.arrival(self._source_name, outcome, code)
        if runtime.arrivals.enabled:
            runtime.arrivals.tell(
                arrival.received_at if arrival else runtime.clock.now(),
                self._source_name,
                outcome,
                code=code,
                seq=seq,
                reference=reference,
                length=len(arrival.body) if arrival else 0,
                seconds=time.perf_counter() - self._started,
            )


class _Disconnected(Exception):
    """The sender hung up before its body was whole."""


class _Headers:
    """The few headers the door looks at, decoded; the rest is never touched."""

    __slots__ = ("api_key", "authorization", "content_encoding", "content_type", "forwarded_for")

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.authorization: str | None = None
        self.api_key: str | None = None
        self.content_type: str | None = None
        self.content_encoding: str | None = None
        self.forwarded_for: str | None = None
        for name, value in headers:
            if field := _FIELDS.get(name):
                text = value.decode("latin-1")
                known = getattr(self, field)
                setattr(self, field, text if known is None else f"{known}, {text}")


_FIELDS: Final = {
    b"authorization": "authorization",
    b"x-api-key": "api_key",
    b"content-type": "content_type",
    b"content-encoding": "content_encoding",
    b"x-forwarded-for": "forwarded_for",
}


async def _first(receive: Receive, deadline: float) -> Message:
    message = _at_once(receive)
    try:
        if message is None:
            async with asyncio.timeout(deadline):
                message = await receive()
    except TimeoutError:
        raise bodies.too_slow(deadline) from None
    if message["type"] == "http.disconnect":
        raise _Disconnected
    return message


def _at_once(receive: Receive) -> Message | None:
    """What can be received without waiting, which is most often all: a deadline costs 3 µs [M]."""
    begun = receive().__await__()
    try:
        next(begun)
    except StopIteration as ready:
        message: Message = ready.value
        return message
    begun.close()
    return None


def _bounded(data: bytes, length: int, limit: int) -> Body:
    if length <= limit:
        return Body(data, length)
    return Body(bytes(memoryview(data)[: intake.KEPT_OF_OVERSIZED]), length)

"""One exchange with an operator: a request out, the whole answer in, within hard limits.

`Client.send` gives an `Answer` whatever its status; the body is kept aside (in memory, beyond 1 MiB
in a nameless file) while it arrives, so that a slow server holds up nobody but itself, and whoever
reads the body never waits for the network. Not here: what an answer means; where one may go
(`guard`).
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import importlib.util
import ssl
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import IO, Any, Final, Protocol, Self
from urllib.parse import urlsplit

import httpx

from app import clock
from app.outbound import failures, guard

CONNECT: Final = 10.0
"""Seconds for a connection to one address."""

STALL: Final = 30.0
"""Seconds without a single byte after which an answer is given up."""

IN_MEMORY: Final = 1024 * 1024
CHUNK: Final = 64 * 1024
MOST_REDIRECTS: Final = 3
LONGEST_WAIT: Final = 24 * 3600.0
"""Seconds: nobody who says Retry-After is believed beyond."""

SUCCESS: Final = range(200, 300)
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
UNAUTHORIZED: Final = frozenset({401, 403})
TOO_MANY: Final = 429
UNAVAILABLE: Final = 503


_SOUGHT: Final = "sniffio"
"""What httpcore seeks at each of its locks, in vain and all over the disk, where it is not there:
55 µs, ten times a request [M]."""


class Outgoing(Protocol):
    """A request as the kinds build it. `changes_state`: it is never sent on to another place."""

    @property
    def method(self) -> str:
        """Such as GET."""
        ...

    @property
    def url(self) -> str:
        """Absolute, with its query."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Its own; `Host` and the like are added."""
        ...

    @property
    def body(self) -> bytes | None:
        """Null for none."""
        ...

    @property
    def changes_state(self) -> bool:
        """Whether doing it makes a difference at the operator."""
        ...


@dataclass(slots=True)
class Answer:
    """What came back. `headers` have small names. `cut`: the connection ended before the body did.

    A context manager: the body goes when it is closed.
    """

    status: int
    headers: Mapping[str, str]
    place: str
    length: int = 0
    cut: bool = False
    body: IO[bytes] = field(
        default_factory=lambda: tempfile.SpooledTemporaryFile(max_size=IN_MEMORY),  # noqa: SIM115 - the answer closes it
        repr=False,
    )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.body.close()

    @property
    def content_type(self) -> str | None:
        """The `Content-Type` as it was sent."""
        return self.headers.get("content-type")

    def chunks(self) -> Iterator[bytes]:
        """The body from its beginning. Raises `Cut` after the last byte of one that was cut."""
        self.body.seek(0)
        while chunk := self.body.read(CHUNK):
            yield chunk
        if self.cut:
            raise failures.Cut(f"{self.place} ended its answer after {self.length} bytes")

    def read(self) -> bytes:
        """The whole body. Raises `Cut` as `chunks` does."""
        return b"".join(self.chunks())

    def check(self) -> None:
        """Raise `RateLimited`, `Unauthorized` or `Refused` for an answer that is no success."""
        if self.status in SUCCESS:
            return
        wait = retry_after(self.headers.get("retry-after"), clock.SystemClock().now())
        family = failures.Refused
        if self.status == TOO_MANY or (self.status == UNAVAILABLE and wait is not None):
            family = failures.RateLimited
        elif self.status in UNAUTHORIZED:
            family = failures.Unauthorized
        message = f"{self.place} answered {self.status}"
        raise family(message, status=self.status, retry_after=wait)


class Client:
    """Sends the requests of one source, under its policy. Close it when done.

    `trust` is shared by all clients of a process, for it is slow to make. `agent` is the
    `User-Agent`. A proxy of the environment is not used: behind one, nothing could be guarded.
    """

    def __init__(self, policy: guard.Policy, trust: ssl.SSLContext, *, agent: str) -> None:
        self._policy = policy
        self._trust = trust
        self._agent = agent
        self._transports: dict[str, httpx.AsyncHTTPTransport] = {}
        if importlib.util.find_spec(_SOUGHT) is None:
            nothing: Any = None
            sys.modules.setdefault(_SOUGHT, nothing)

    async def aclose(self) -> None:
        """End the connections that are kept."""
        transports, self._transports = self._transports, {}
        for transport in transports.values():
            await transport.aclose()

    async def send(self, request: Outgoing, *, limit: int, deadline: float) -> Answer:
        """Send `request`; give the answer with a body of at most `limit` bytes.

        `deadline`: seconds for all of it. Follows at most three redirects, only of what changes
        nothing, only within the same host. Raises `ExchangeFailed` of every kind but `Refused`.
        """
        place = shown(request.url)
        try:
            async with asyncio.timeout(deadline):
                return await self._follow(request, limit)
        except TimeoutError as error:
            raise failures.Timeout(f"{place} took more than {deadline:g} s") from error
        except httpx.TimeoutException as error:
            raise failures.Timeout(f"{place} did not answer in time") from error
        except httpx.HTTPError as error:
            raise _failure(place, error) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise failures.Blocked(f"{place} is no URL that can be asked") from error

    async def _follow(self, request: Outgoing, limit: int) -> Answer:
        url, redirects = httpx.URL(request.url), 0
        while True:
            answer = await self._once(request, url, limit)
            if answer.status not in REDIRECTS:
                return answer
            with answer:
                target = _target(url, answer.headers.get("location"))
            redirects += 1
            if not _same_place(url, target) or request.changes_state or redirects > MOST_REDIRECTS:
                raise failures.Redirected(f"{answer.place} points to {shown(str(target))}")
            url = target

    async def _once(self, request: Outgoing, url: httpx.URL, limit: int) -> Answer:
        addresses = await guard.resolve(guard.host_of(str(url)), url.port or 0, self._policy)
        for more, address in enumerate(addresses, start=1 - len(addresses)):
            try:
                response = await self._at(address, request, url)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if more:
                    continue
                raise
            break
        else:
            raise failures.Unreachable(f"{shown(str(url))} has no address")
        try:
            return await _received(response, shown(str(url)), limit)
        finally:
            await response.aclose()

    async def _at(self, address: str, request: Outgoing, url: httpx.URL) -> httpx.Response:
        """Send to just this address, under the name that was asked for (TLS, `Host`)."""
        kept = self._transports.get(url.host)
        if kept is None:
            kept = httpx.AsyncHTTPTransport(verify=self._trust, trust_env=False)
            self._transports[url.host] = kept
        headers = {
            "Host": url.netloc.decode("ascii"),
            "User-Agent": self._agent,
            "Accept-Encoding": "identity",
            **request.headers,
        }
        timeouts = {"connect": CONNECT, "read": STALL, "write": STALL, "pool": STALL}
        return await kept.handle_async_request(
            httpx.Request(
                request.method,
                url.copy_with(host=address),
                headers=headers,
                content=request.body,
                extensions={"timeout": timeouts, "sni_hostname": url.host},
            )
        )


def shown(url: str) -> str:
    """`url` as it may be told: without credentials, query and fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "that address"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}"


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait as a `Retry-After` header says, at most a day; null where it says nothing."""
    if value is None:
        return None
    seconds: float
    if value.strip().isascii() and value.strip().isdigit():
        seconds = float(value.strip())
    else:
        try:
            moment = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            return None
        seconds = (moment - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT)


def trusted() -> ssl.SSLContext:
    """Whom to trust: as the environment says (SSL_CERT_FILE), else certifi. Reads files."""
    return httpx.create_ssl_context()


async def _received(response: httpx.Response, place: str, limit: int) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    if headers.get("content-encoding", "identity") != "identity":
        raise failures.Malformed(f"{place} answered compressed, which was not asked for")
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise failures.TooLarge(f"{place} answered with {announced} bytes; the limit is {limit}")
    answer = Answer(response.status_code, headers, place)
    try:
        await _fill(answer, response, limit)
    except BaseException:
        answer.__exit__(None, None, None)
        raise
    return answer


async def _fill(answer: Answer, response: httpx.Response, limit: int) -> None:
    with _cut_is_told(answer):
        async for chunk in response.aiter_raw():
            answer.length += len(chunk)
            if answer.length > limit:
                raise failures.TooLarge(f"{answer.place} answered with more than {limit} bytes")
            answer.body.write(chunk)


@contextlib.contextmanager
def _cut_is_told(answer: Answer) -> Iterator[None]:
    try:
        yield
    except (httpx.RemoteProtocolError, httpx.ReadError):
        answer.cut = True


def _same_place(url: httpx.URL, target: httpx.URL) -> bool:
    """Whether `target` is where `url` is, or the same host by TLS."""
    upgraded = target.scheme == "https" and target.port is None
    stays = (target.scheme, target.port) == (url.scheme, url.port)
    return target.host == url.host and (stays or upgraded)


def _target(url: httpx.URL, location: str | None) -> httpx.URL:
    try:
        return url.join(location or "")
    except httpx.InvalidURL as error:
        raise failures.Redirected(f"{shown(str(url))} points nowhere") from error


def _failure(place: str, error: httpx.HTTPError) -> failures.ExchangeFailed:
    """What `error` is in our words: none of its own, for they may quote what was sent."""
    causes: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and found not in causes:
        causes.append(found)
        found = found.__cause__ or found.__context__
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return failures.Untrusted(f"{place}: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            return failures.Untrusted(f"{place}: {cause.reason or 'TLS failed'}")
    if isinstance(error, httpx.ConnectError):
        why = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), None)
        return failures.Unreachable(f"{place}: {why or 'no connection'}")
    if isinstance(error, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError):
        return failures.Cut(f"{place} ended the connection without an answer")
    return failures.Malformed(f"{place} did not answer as HTTP does")

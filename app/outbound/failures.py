"""The ways an exchange with another server can fail, as types: what to do next depends on them.

    ExchangeFailed
    ├── Unreachable      no connection: no such host, nothing listens, the network is away
    ├── Untrusted        TLS: the server's certificate is not believed
    ├── Blocked          we do not send there: a host that is not allowed, a private address
    ├── Timeout          no answer, or not all of it, in time
    ├── Cut              the connection ended before the answer did
    ├── TooLarge         the answer is larger than its limit
    ├── Malformed        what came is no answer of the kind that was asked for
    ├── Redirected       to another place, where we do not follow
    └── Refused          an answer that is no success; `status`
        ├── Unauthorized 401 and 403
        └── RateLimited  429, and 503 that says when to come back; `retry_after`

No message tells a query, a header or a body: they hold credentials.
"""

from __future__ import annotations

from app import errors


class ExchangeFailed(errors.ListenerError):
    """The exchange with the other server failed."""


class Unreachable(ExchangeFailed):
    """The server cannot be reached."""


class Untrusted(ExchangeFailed):
    """The server's certificate is not believed."""


class Blocked(ExchangeFailed):
    """That address is not allowed."""


class Timeout(ExchangeFailed):
    """The server did not answer in time."""


class Cut(ExchangeFailed):
    """The connection ended before the answer did."""


class TooLarge(ExchangeFailed):
    """The answer is larger than its limit."""


class Malformed(ExchangeFailed):
    """What came is no answer of the kind that was asked for."""


class Redirected(ExchangeFailed):
    """The server points to another place."""


class Refused(ExchangeFailed):
    """The server answered with an error; `status` is the HTTP one, `retry_after` in seconds."""

    def __init__(self, message: str, *, status: int, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class Unauthorized(Refused):
    """The server does not accept our credentials."""


class RateLimited(Refused):
    """The server wants fewer requests."""

"""Every exception of ours, one tree; the class's docstring is its message.

    ListenerError
    ├── ConfigurationError          the operator of tmf-listener must change something; exit 2
    ├── Refused                     a request is refused; carries a code of the Listener contract
    │   ├── NoCredentials (40) InvalidCredentials (41) ExpiredCredentials (42)
    │   ├── AccessDenied (50) ForbiddenRequester (51) ForbiddenUser (52) TooManyRequests (53)
    │   ├── NotFound (60) BodyTooSlow (63) Conflict (69) Gone (70)
    │   ├── UnreadableBody (21, 22, 24 to 26) InvalidValue (24) InvalidParameter (28)
    ├── SenderFault                 what an operator answered to our question is of no use
    │   └── StaleGrant              its login is over: log in again
    └── Unavailable (5)             our own trouble, the sender repeats
        └── OverCapacity (6)

What a code means on the wire (HTTP status, reason) is not here but in `doors.problems`.
"""

from __future__ import annotations

from typing import ClassVar


class ListenerError(Exception):
    """Something went wrong in tmf-listener."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__class__.__doc__ or "").strip())

    @property
    def message(self) -> str:
        """What went wrong and what would be right, for the one who reads it."""
        return str(self)


class ConfigurationError(ListenerError):
    """The configuration is not usable."""


class Refused(ListenerError):
    """The request is refused.

    `code` is the code of the Listener contract (DESIGN §6).
    """

    code: int = 1


class UnreadableBody(Refused):
    """The body, or what its headers say of it, cannot be read."""

    def __init__(self, code: int = 22, message: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class InvalidParameter(Refused):
    """A query parameter is unknown or malformed."""

    code = 28


class InvalidValue(Refused):
    """A value in the body is not right."""

    code = 24


class NoCredentials(Refused):
    """No credentials were sent."""

    code = 40


class InvalidCredentials(Refused):
    """The credentials are not valid here."""

    code = 41


class ExpiredCredentials(Refused):
    """The credentials have expired."""

    code = 42


class AccessDenied(Refused):
    """The credentials lack the scope this needs."""

    code = 50


class ForbiddenRequester(Refused):
    """The client is no configured source."""

    code = 51


class ForbiddenUser(Refused):
    """The source is disabled, or the address is not on its allow list."""

    code = 52


class TooManyRequests(Refused):
    """Too many requests of this source."""

    code = 53

    def __init__(self, message: str | None = None, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotFound(Refused):
    """There is no such resource."""

    code = 60


class BodyTooSlow(Refused):
    """The body did not arrive in time."""

    code = 63


class Conflict(Refused):
    """The request conflicts with the present state."""

    code = 69


class Gone(Refused):
    """The cursor belongs to another epoch of the log."""

    code = 70


class SenderFault(ListenerError):
    """The operator's answer is not what was asked for.

    The message says what it lacks and never tells a secret. The cursor stays where it is.
    """


class StaleGrant(SenderFault):
    """The operator does not know our login any more; log in again."""


class Unavailable(ListenerError):
    """The service is temporarily unavailable; send the request again."""

    code: ClassVar[int] = 5
    retry_after: ClassVar[int] = 5


class OverCapacity(Unavailable):
    """The service is over capacity; send the request again."""

    code = 6
    retry_after = 1

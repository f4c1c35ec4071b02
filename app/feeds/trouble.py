"""What went wrong with a feed, in words that name cause and remedy, and when to try again. Pure.

Source: DESIGN §8: transient failures keep the cursor and back off with jitter; a refused login is
probed every 15 minutes; whoever says Retry-After is obeyed.
"""

from __future__ import annotations

import random
from typing import Final

from app import errors
from app.outbound import failures
from app.store import feeds

FIRST: Final = 5.0
LONGEST: Final = 900.0
"""Seconds until the second attempt, and the most between two."""

PROBE: Final = 900.0
"""Seconds between two attempts where our credentials are refused."""

OURS: Final = 5.0
"""Seconds until the next attempt after trouble of our own."""

OUR_OWN: Final = "ours"
"""The cause of trouble that is not the operator's: it is not held against the feed."""

SERVER_ERROR: Final = 500


class Stuck(errors.SenderFault):
    """The feed does not advance: it gave the same place to go on from as before."""


class LoginRefused(errors.SenderFault):
    """The operator answers to our login, but not with one."""


class Taken(errors.ListenerError):
    """Another process has taken this feed over."""


_TABLE: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (failures.Timeout, "timeout",
     "the operator is slow or hangs; it is asked again by itself, tell the operator if it lasts"),
    (failures.Unreachable, "unreachable",
     "check the host name and port in feed.url, the network and the operator's status page"),
    (failures.Untrusted, "untrusted",
     "the operator must renew its certificate; name its own authority in SSL_CERT_FILE"),
    (failures.Blocked, "blocked",
     "check feed.url and feed.hosts; set allow_private = true if that host is meant"),
    (failures.Redirected, "redirected",
     "put the operator's present address into feed.url"),
    (failures.TooLarge, "too_large",
     "ask the operator what it sends; the feed may need to be read in smaller pages"),
    (failures.Cut, "cut",
     "the connection broke; it is asked again by itself, tell the operator if it lasts"),
    (failures.Malformed, "malformed",
     "look at what feed.url answers, it may be a maintenance page; it is asked again by itself"),
    (failures.RateLimited, "rate_limited",
     "the operator wants fewer requests; make feed.every longer if it lasts"),
    (failures.Unauthorized, "unauthorized",
     "check username, password and rights at the operator; it is tried again every 15 minutes"),
    (Stuck, "stuck",
     "the operator gives the same place again and again; ask it, then rewind the feed"),
    (LoginRefused, "unauthorized",
     "check username, password and rights at the operator; it is tried again every 15 minutes"),
    (errors.StaleGrant, "unauthorized",
     "check username, password and rights at the operator; it is tried again every 15 minutes"),
    (errors.SenderFault, "malformed",
     "look at what feed.url answers, it may be a maintenance page; it is asked again by itself"),
    (errors.Unavailable, OUR_OWN,
     "our own database is away or busy; nothing is lost, the feed goes on when it is back"),
)  # fmt: skip
"""Cause and remedy by the kind of failure; the first row that fits."""


def of(error: Exception) -> feeds.Trouble:
    """The trouble `error` means; what nobody foresaw is `internal`."""
    told = str(error)
    for family, cause, remedy in _TABLE:
        if isinstance(error, family):
            return feeds.Trouble(cause, told, remedy)
    if isinstance(error, failures.Refused):
        if error.status >= SERVER_ERROR:
            return feeds.Trouble(
                "server_error", told, "the operator has trouble; it is asked again by itself"
            )
        return feeds.Trouble("refused", told, "check feed.url: the operator knows no such place")
    return feeds.Trouble("internal", type(error).__name__, "a bug of ours: see the log")


def rest(error: Exception, failures_in_a_row: int, chance: random.Random) -> float:
    """Seconds until the next attempt, after the `failures_in_a_row`-th failure (from 1)."""
    match error:
        case failures.Unauthorized() | errors.StaleGrant() | LoginRefused():
            return PROBE
        case failures.RateLimited(retry_after=float(seconds)):
            return seconds + chance.uniform(0.0, max(1.0, seconds / 10))
        case errors.Unavailable():
            return OURS * chance.uniform(0.5, 1.0)
        case _:
            steps = min(max(failures_in_a_row, 1) - 1, 20)
            return float(min(FIRST * 2**steps, LONGEST)) * chance.uniform(0.5, 1.0)

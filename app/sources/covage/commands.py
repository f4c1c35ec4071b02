"""What can be asked of Covage beside its list: `events/info`, a message to an order.

One message in five minutes an order, and only for members of the groups admin or delivery.
Source: seed 002 "order-info", facts/wire.md §5.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from app import errors
from app.notifications import timestamps
from app.sources import base, fields, offers
from app.sources.covage import logins, reach, words

INFO: Final = "events/info"
LONGEST_MESSAGE: Final = 4000
INTERVAL: Final = timedelta(minutes=5)
CLOCKS_DIFFER: Final = timedelta(minutes=2)
"""How much the operator's clock may be behind ours; half of INTERVAL still tells two messages."""

OFFERS: Final = (
    offers.Offer(
        INFO,
        "Send a message",
        "A message to those who see to the order at the operator. They take one in five minutes.",
        changes_state=True,
        inputs=(
            offers.Input("message", "Message", longest=LONGEST_MESSAGE),
            offers.Input("stop_deferred", "The order waits for us no longer", optional=True),
        ),
    ),
)

_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_SUCCESS: Final = range(200, 300)
_PAGE: Final = b"<"
_TROUBLE: Final = range(500, 600)
_SECONDS: Final = re.compile(r"(\d{1,5})(?:\.\d+)? ?s(?:ec|\b)")


def get(
    feed: logins.CovageLogin, grant: base.Grant | None, path: str, purpose: str
) -> base.Request:
    """`GET path` with the token."""
    return base.Request(
        method="GET",
        url=f"{feed.url.rstrip('/')}/{path}",
        headers=_headers(grant),
        purpose=purpose,
    )


def request(
    feed: logins.CovageLogin,
    order_id: str,
    command: str,
    arguments: Mapping[str, Any],
    grant: base.Grant | None,
) -> base.Request:
    """The message as a request. Raises `errors.InvalidParameter`."""
    if command != INFO:
        raise errors.InvalidParameter(f"there is no command {command!r}; expected {INFO}")
    if not order_id.strip():
        raise errors.InvalidParameter("order_id is empty; expected the order's uuid")
    return base.Request(
        method="POST",
        url=f"{feed.url.rstrip('/')}/api/v2/orders/{quote(order_id.strip(), safe='')}/{INFO}",
        headers={**_headers(grant), "Content-Type": "application/json"},
        body=json.dumps(_checked(arguments)).encode(),
        changes_state=True,
        purpose=command,
    )


def _checked(arguments: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(arguments) - {"message", "stop_deferred"})
    if unknown:
        raise errors.InvalidParameter(
            f"{INFO} takes message and stop_deferred, not {', '.join(map(str, unknown))}"
        )
    message = arguments.get("message")
    if not isinstance(message, str) or not 0 < len(message.strip()) <= LONGEST_MESSAGE:
        raise errors.InvalidParameter(
            f"message must be a text of 1 to {LONGEST_MESSAGE} characters"
        )
    stop = arguments.get("stop_deferred")
    if stop is not None and not isinstance(stop, bool):
        raise errors.InvalidParameter("stop_deferred must be true or false")
    return {"message": message} | ({} if stop is None else {"stop_deferred": stop})


def result(status: int, body: bytes) -> base.CommandResult:
    """What the answer to a message says.

    Raises `errors.SenderFault` for a page for people: nobody knows then what became of it.
    """
    if status in _SUCCESS:
        if body.lstrip().startswith(_PAGE):
            raise errors.SenderFault("it was answered with a page for people")
        return base.Done("the message is with the order")
    told = _error(body)
    if status == _TOO_MANY:
        found = _SECONDS.search(told)
        return base.Throttled(timedelta(seconds=int(found[1])) if found else INTERVAL)
    if status == _FORBIDDEN:
        told = "the account is in neither of the groups admin and delivery"
    return base.Failed(f"{status}: {told}" if told else str(status), again=status in _TROUBLE)


def _error(body: bytes) -> str:
    """The operator's own words: {"error", "details", "apirequest_uuid"}."""
    said = fields.object_of(body)
    words_ = (said.get("error"), said.get("detail"), said.get("details"))
    return "; ".join(text[:200] for text in words_ if isinstance(text, str))


def was_done(
    arguments: Mapping[str, Any], listed: Iterable[Any], since: datetime, zone: ZoneInfo
) -> bool:
    """Whether one of the events `listed` is the message, created since."""
    earliest = since - CLOCKS_DIFFER
    for event in listed:
        if not isinstance(event, dict) or event.get("type") != words.INFO:
            continue
        data = event.get("data")
        created = _created(event.get(reach.SORT), zone)
        said = data.get("message") if isinstance(data, dict) else None
        same = isinstance(said, str) and fields.same_words(said, str(arguments.get("message")))
        if same and created is not None and created >= earliest:
            return True
    return False


def _created(text: Any, zone: ZoneInfo) -> datetime | None:
    """The last moment a creation_date may mean; null where it is none."""
    time = timestamps.read(text, pulled=True) if isinstance(text, str) else None
    return time.latest(zone) if time is not None else None


def _headers(grant: base.Grant | None) -> dict[str, str]:
    shown = {"Authorization": grant.value} if grant is not None else {}
    return {"Accept": "application/json", **shown}

"""The methods of Tjänsteguiden as requests: `?method=…`, all GETs, two of which change state.

TL shows a hash that lives 20 minutes, KO its user id alone. Source: seed 001, facts/wire.md §4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, Literal
from urllib.parse import urlencode

from pydantic import Field, SecretStr, model_validator

from app import errors
from app.sources import base, feed_config, offers
from app.sources.tjansteguiden import words

LONGEST_MESSAGE: Final = 1000

SET_STATUS: Final = "set_status"
ADD_MESSAGE: Final = "add_message"
CUSTOMER: Final = "customer_info"
CHANGING: Final = frozenset({SET_STATUS, ADD_MESSAGE})
READING: Final = frozenset({words.INFO, words.LOG, CUSTOMER})

OFFERS: Final = (
    offers.Offer(
        SET_STATUS,
        "Set the status",
        "Says at the operator how far we are with the order.",
        changes_state=True,
        inputs=(offers.Input("status", "Status", choices=tuple(words.STATUSES)),),
    ),
    offers.Offer(
        ADD_MESSAGE,
        "Send a message",
        "Adds a line to the order's log at the operator.",
        changes_state=True,
        inputs=(
            offers.Input("type", "Type", choices=tuple(words.LOG_TYPES)),
            offers.Input("message", "Message", longest=LONGEST_MESSAGE),
        ),
    ),
    offers.Offer(words.INFO, "Read the order again", "What they know of the order now."),
    offers.Offer(words.LOG, "Read its log", "The lines of the order's log at the operator."),
    offers.Offer(CUSTOMER, "Read the customer", "Kept apart, shown with the scope personal alone."),
)


class TjansteguidenFeed(feed_config.FeedConfig):
    """`url`: the whole address (`https://…/plain/serviceguide_log`).

    `door`: tl (user and key for a hash) or ko (user alone). `format`: in which it answers.
    `recheck`: how often orders that are not final are read anew. `tell_failures`: the type of
    message that tells the operator of an order we could not take over; off: none.
    """

    api_user: str = Field(min_length=1)
    api_key: SecretStr | None = None
    door: Literal["tl", "ko"] = "tl"
    format: Literal["xml", "json"] = "xml"
    every: feed_config.Span = timedelta(minutes=5)
    recheck: feed_config.Span = timedelta(minutes=10)
    tell_failures: Literal["off", "error", "alert", "system", "log"] = "off"

    @model_validator(mode="after")
    def _has_its_key(self) -> TjansteguidenFeed:
        if self.door == "tl" and self.api_key is None:
            raise ValueError('api_key is missing; expected one (only door = "ko" has none)')
        return self


def login(feed: TjansteguidenFeed) -> base.Request | None:
    """How TL gets a hash; KO needs none."""
    if feed.door == "ko" or feed.api_key is None:
        return None
    return _get(feed, "api_login", {"api_key": feed.api_key.get_secret_value(), **_user(feed)})


def call(
    feed: TjansteguidenFeed, grant: base.Grant | None, method: str, arguments: Mapping[str, str]
) -> base.Request:
    """A method by the one who is logged in."""
    who = {"hash": grant.value} if grant is not None else _user(feed)
    return _get(feed, method, {**who, **arguments})


def command(
    feed: TjansteguidenFeed,
    order_id: str,
    name: str,
    arguments: Mapping[str, Any],
    grant: base.Grant | None,
) -> base.Request:
    """A command to an order. Raises `errors.InvalidParameter`."""
    check = _COMMANDS.get(name)
    if check is None:
        known = ", ".join(sorted(_COMMANDS))
        raise errors.InvalidParameter(f"there is no command {name!r}; expected {known}")
    if not order_id.strip():
        raise errors.InvalidParameter("order_id is empty; expected the order's id")
    return call(feed, grant, name, {"id": order_id.strip(), **check(arguments)})


def _status(arguments: Mapping[str, Any]) -> dict[str, str]:
    _only(arguments, SET_STATUS, "status")
    return {"status": _one_of(arguments, "status", words.STATUSES)}


def _message(arguments: Mapping[str, Any]) -> dict[str, str]:
    _only(arguments, ADD_MESSAGE, "type", "message")
    message = arguments.get("message")
    if not isinstance(message, str) or not 0 < len(message.strip()) <= LONGEST_MESSAGE:
        raise errors.InvalidParameter(
            f"message must be a text of 1 to {LONGEST_MESSAGE} characters"
        )
    return {"type": _one_of(arguments, "type", words.LOG_TYPES), "message": message}


def _nothing(arguments: Mapping[str, Any]) -> dict[str, str]:
    _only(arguments, "this command")
    return {}


_COMMANDS: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, str]]]] = MappingProxyType(
    {SET_STATUS: _status, ADD_MESSAGE: _message, **dict.fromkeys(READING, _nothing)}
)


def _only(arguments: Mapping[str, Any], command_name: str, *known: str) -> None:
    unknown = sorted(str(name) for name in arguments if name not in known)
    if unknown:
        takes = " and ".join(known) or "no arguments"
        raise errors.InvalidParameter(f"{command_name} takes {takes}, not {', '.join(unknown)}")


def _one_of(arguments: Mapping[str, Any], name: str, known: Mapping[str, Any]) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or value not in known:
        raise errors.InvalidParameter(f"{name} must be one of {', '.join(known)}")
    return value


def _user(feed: TjansteguidenFeed) -> dict[str, str]:
    return {"api_user": feed.api_user}


def _get(feed: TjansteguidenFeed, method: str, query: Mapping[str, str]) -> base.Request:
    as_json = {"output_format": "json"} if feed.format == "json" else {}
    accept = "application/json" if as_json else "text/xml, application/xml"
    return base.Request(
        method="GET",
        url=f"{feed.url}?{urlencode({'method': method, **query, **as_json})}",
        headers={"Accept": accept},
        changes_state=method in CHANGING,
        purpose={"api_login": "login", words.ORDERS: "page"}.get(method, method),
    )

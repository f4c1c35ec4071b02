"""What every operator of the sandbox is: an ear for the scenario, a truth, an application."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Scope

from app.sandbox import faults, journal, options, scenario

BATCH: Final = 500
"""Elements of a streamed list that are encoded at a time."""


class Operator(scenario.Teller, Protocol):
    """One of the four."""

    @property
    def name(self) -> str:
        """As `options.OPERATORS` names it."""
        ...

    @property
    def faults(self) -> faults.Faults:
        """What goes wrong at it."""
        ...

    @property
    def journal(self) -> journal.Journal:
        """What it carried out."""
        ...

    @property
    def events(self) -> int:
        """How many events it has published."""
        ...

    def settle(self) -> None:
        """Publish what was held back to come out of order."""
        ...

    def published(self) -> Iterator[dict[str, Any]]:
        """Every event it published, in its order, in words of its own without any fault of view."""
        ...

    def app(self) -> ASGIApp:
        """The application, without troubles."""
        ...

    def refuse(self, status: int, message: str, headers: Mapping[str, str]) -> Response:
        """Its form of an error."""
        ...

    def changes(self, scope: Scope) -> bool:
        """Whether this request changes its state."""
        ...


def basic(request: Request, accounts: Iterable[options.Account]) -> options.Account | None:
    """Whose user name and password the request carries (HTTP Basic, UTF-8)."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    try:
        name, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except ValueError:
        return None
    return account(name, password, accounts) if scheme.lower() == "basic" else None


def account(
    name: str, password: str, accounts: Iterable[options.Account]
) -> options.Account | None:
    """The account of that name and password."""
    for each in accounts:
        if each.name == name and hmac.compare_digest(each.password.encode(), password.encode()):
            return each
    return None


class Share:
    """Which orders are an operator's own, and when it has published enough."""

    def __init__(self, limit: options.Limit) -> None:
        self._limit = limit

    def wants(self, order: int) -> bool:
        """Whether order number `order` is its own; those placed by clients (below 0) always are."""
        return self._limit.orders is None or order < self._limit.orders

    def full(self, events: int) -> bool:
        """Whether `events` are enough."""
        return self._limit.events is not None and events >= self._limit.events


def json_stream(elements: Iterable[Any]) -> StreamingResponse:
    """A JSON array, encoded `BATCH` elements at a time: no more of it is ever in memory."""

    async def pieces() -> Any:
        batch: list[Any] = []
        before = "["
        for element in elements:
            batch.append(element)
            if len(batch) == BATCH:
                yield before + _encoded(batch)
                before = ","
                batch.clear()
        yield (before + _encoded(batch) if batch else "[" * (before == "[")) + "]"

    return StreamingResponse(pieces(), media_type="application/json")


def _encoded(batch: list[Any]) -> str:
    return json.dumps(batch, ensure_ascii=False, separators=(",", ":"))[1:-1]


async def json_object(request: Request) -> dict[str, Any] | None:
    """The request's JSON object; None where the body is none."""
    try:
        found = json.loads(await request.body())
    except ValueError:
        return None
    return found if isinstance(found, dict) else None

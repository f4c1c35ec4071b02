"""The seller's hubs: who registered a callback, in which style, for which events.

Forms: ONAP NBI's (the same callback again is 400), TMF622 v4 and v5 and the one of 2015 (409).
Source: facts/wire.md §1.3, §2. Not here: pushing (`courier`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.sandbox import chance, journal, notices, operator, options

PATHS: Final[Mapping[str, options.Style]] = {
    "/nbi/api/v4/hub": "onap",
    "/hub": "tmf622_2015",
    "/tmf-api/productOrderingManagement/v4/hub": "tmf622_v4",
    "/tmf-api/productOrderingManagement/v5/hub": "tmf622_v5",
}
_NAMES: Final = re.compile(r"eventType\s*=\s*([^&;]+)")


@dataclass(slots=True)
class Subscription:
    """A callback: what it is told, and how far it has been told (a place in the seller's log)."""

    id: str
    url: str
    styles: tuple[options.Style, ...]
    headers: Mapping[str, str]
    place: int
    query: str | None = None
    live: bool = True
    names: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Read the query: `eventType = A, B`, also repeated by & or ;."""
        listed = ",".join(_NAMES.findall(self.query or ""))
        self.names = frozenset(name.strip() for name in listed.split(",") if name.strip())

    def wants(self, notice: notices.Notice) -> bool:
        """Whether the notice is for it."""
        if notice.style not in self.styles:
            return False
        return not self.names or notice.event_type in self.names


class Hubs:
    """All subscriptions, and the doors to make and end them."""

    def __init__(
        self, seed: int, settings: options.Seller, kept: journal.Journal, log: list[notices.Notice]
    ) -> None:
        self._seed = seed
        self._hosts = settings.callback_hosts
        self._journal = kept
        self._log = log
        self._made = 0
        self._subscriptions = {
            f"target-{n}": Subscription(f"target-{n}", each.url, each.styles, each.headers, 0)
            for n, each in enumerate(settings.targets, 1)
        }

    def __iter__(self) -> Iterator[Subscription]:
        """Every subscription, targets first."""
        return iter(list(self._subscriptions.values()))

    def routes(self) -> list[BaseRoute]:
        """POST and GET of each hub, GET and DELETE of one subscription."""
        made: list[BaseRoute] = []
        for path in PATHS:
            made += [
                Route(path, self._hub, methods=["GET", "POST"]),
                Route(f"{path}/{{id}}", self._one, methods=["GET", "DELETE"]),
            ]
        return made

    def _style(self, request: Request) -> options.Style:
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        return PATHS[path.removesuffix("/" + request.path_params.get("id", ""))]

    def _of(self, style: options.Style) -> list[Subscription]:
        return [
            each
            for each in self._subscriptions.values()
            if each.styles == (style,) and not each.id.startswith("target-")
        ]

    async def _hub(self, request: Request) -> Response:
        style = self._style(request)
        if request.method == "POST":
            return await self._register(request, style)
        found = [_written(each, style) for each in self._of(style)]
        count = str(len(found))
        return JSONResponse(found, headers={"X-Total-Count": count, "X-Result-Count": count})

    async def _register(self, request: Request, style: options.Style) -> Response:
        given = await operator.json_object(request) or {}
        callback, query = given.get("callback"), given.get("query")
        if not isinstance(callback, str) or not self._allowed(callback):
            hosts = ", ".join(sorted(self._hosts))
            return refuse(400, f"callback must be an http(s) URL of {hosts}")
        if query is not None and not isinstance(query, str):
            return refuse(400, "query must be a text")
        if any((each.url, each.query) == (callback, query) for each in self._of(style)):
            return refuse(400 if style == "onap" else 409, "This callback is registered already")
        self._made += 1
        identifier = chance.uuid(self._seed, "hub", self._made).replace("-", "")[:24]
        made = Subscription(identifier, callback, (style,), {}, len(self._log), query)
        self._subscriptions[identifier] = made
        self._journal.executed("register", callback, {"query": query, "style": style})
        where = f"{request.url.path}/{identifier}"
        return JSONResponse(_written(made, style), 201, {"Location": where})

    async def _one(self, request: Request) -> Response:
        style = self._style(request)
        found = self._subscriptions.get(request.path_params["id"])
        if found is None or found not in self._of(style):
            return refuse(404, "There is no such subscription")
        if request.method == "GET":
            return JSONResponse(_written(found, style))
        found.live = False
        del self._subscriptions[found.id]
        self._journal.executed("unregister", found.url, {"style": style})
        return Response(status_code=204)

    def _allowed(self, callback: str) -> bool:
        try:
            parts = urlsplit(callback)
        except ValueError:
            return False
        return parts.scheme in {"http", "https"} and parts.hostname in self._hosts


def refuse(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """`{code, message, description, infoURL}`, as ONAP, and `reason`, `status`, as TM Forum."""
    body = {
        "code": str(status),
        "reason": message,
        "message": message,
        "status": str(status),
        "description": None,
        "infoURL": None,
    }
    return JSONResponse(body, status, headers)


def _written(made: Subscription, style: options.Style) -> dict[str, Any]:
    told: dict[str, Any] = {"id": made.id, "callback": made.url, "query": made.query}
    if style == "onap":
        return told | {"ewId": None, "ewHost": None}
    return told | {"@type": "Hub"} if style == "tmf622_v5" else told

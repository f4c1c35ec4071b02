"""Covage: events of orders and services, asked for page by page (seed 002).

Both logins, the list with its sorts and filters, one event, messages to an order (one in five
minutes, by admins and deliverers), and the reports' files. Source: facts/wire.md §5.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from app import clock
from app.sandbox import (
    chance,
    covage_events,
    covage_files,
    covage_logins,
    faults,
    journal,
    operator,
    options,
)
from app.sandbox.covage_events import Event
from app.sandbox.scenario import Happening, Step

NAME: Final = "covage"
SORTS: Final = ("creation_date", "event_date")
MAY_SEND: Final = ("admin", "delivery")
_CHANGED: Final = {"message": "This was not here when you last looked"}
_LAG_STEPS: Final = 30


class BadRequest(Exception):
    """A parameter has no such value."""


class Covage:
    """The operator."""

    name = NAME

    def __init__(
        self, settings: options.Settings, active: faults.Faults, time: clock.Clock
    ) -> None:
        own = settings.covage
        self._settings = own
        self._clock = time
        self._seed = chance.number(settings.seed, NAME)
        self._hurry = settings.hurry
        self._share = operator.Share(settings.limit_of(NAME))
        self._log = covage_events.Log()
        self._wording = covage_events.Wording(self._seed, own.shape, own.zone)
        self._logins = covage_logins.Logins(self._seed, settings.accounts, own, time)
        self._files = covage_files.Files(self._seed, own.file_lifetime, time)
        self._objects: dict[str, list[int]] = {}
        self._orders: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self._messages: dict[int, float] = {}
        self.faults = active
        self.journal = journal.Journal()

    # --- what happens --------------------------------------------------------------------------

    @property
    def hears(self) -> frozenset[Step]:
        """Every step it has a type of event for."""
        return frozenset(covage_events.TYPES)

    @property
    def events(self) -> int:
        """How many events it has published."""
        return len(self._log)

    @property
    def full(self) -> bool:
        """Whether it has published enough."""
        return self._share.full(len(self._log))

    def wants(self, order: int) -> bool:
        """Whether it is one of its orders."""
        return self._share.wants(order)

    def tell(self, happening: Happening) -> None:
        """Publish an event of it, some seconds before or after it happened as in the seed."""
        moment = covage_events.microseconds(happening.at)
        off = chance.number(self._seed, "off", happening.order, happening.nth) % 90_000_000
        off = round((off - 20_000_000) / self._hurry)
        self._publish(
            happening.order,
            covage_events.TYPES[happening.step],
            moment,
            moment + off,
            None,
        )

    def settle(self) -> None:
        """Nothing is held back: late events are published and not yet seen."""

    def published(self) -> Iterator[dict[str, Any]]:
        """Each event as sent, links without their token; `late` where it appeared behind others."""
        for place in range(len(self._log)):
            event = self._log[place]
            yield {
                **self._wording.written(place, event, str),
                "late": bool(event.lag),
            }

    def _publish(
        self, order: int, kind: str, moment: int, occurred: int, own: Mapping[str, Any] | None
    ) -> int:
        equal = self.faults.strikes("equal_timestamps")
        late = self.faults.strikes("late_commits")
        steps = chance.number(self._seed, "lag", len(self._log)) % _LAG_STEPS + 1
        event = Event(
            order=order,
            type=kind,
            created=self._log.next_creation(moment, equal=equal),
            occurred=occurred,
            malformed=self.faults.strikes("malformed_times"),
            lag=covage_events.LATEST // _LAG_STEPS * steps if late else 0,
            own=own,
        )
        place = self._log.append(event)
        about = self._wording.object_uuid(order, event.object_type)
        self._objects.setdefault(about, []).append(place)
        if event.object_type == "order":
            self._orders[about] = order
        return place

    # --- what it says --------------------------------------------------------------------------

    def app(self) -> ASGIApp:
        """Logins, events, messages, files."""
        return Router(
            [
                Route("/api/account/token/", self._login_first, methods=["POST"]),
                Route("/api/account/token/refresh/", self._again_first, methods=["POST"]),
                Route("/api/v2/account/token/", self._login_second, methods=["POST"]),
                Route("/api/v2/account/token/refresh/", self._again_second, methods=["POST"]),
                Route("/api/events/", self._signed_in(self._list)),
                Route("/api/events/{event}/", self._signed_in(self._one)),
                Route(
                    "/api/v2/orders/{order}/events/info",
                    self._signed_in(self._inform),
                    methods=["POST"],
                ),
                Route("/pvi/{rest:path}", self._files.serve),
            ],
            redirect_slashes=False,
            default=self._unknown,
        )

    def changes(self, scope: Scope) -> bool:
        """Sending a message."""
        return bool(scope["method"] == "POST" and scope["path"].endswith("/events/info"))

    def refuse(self, status: int, message: str, headers: Mapping[str, str]) -> Response:
        """`{error, details, apirequest_uuid}`."""
        request = chance.uuid(self._seed, "request", message, len(self._log))
        body = {"error": message, "details": None, "apirequest_uuid": f"KOSC_{request}"}
        return JSONResponse(body, status, headers)

    async def _unknown(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.refuse(404, "Not found", {})(scope, receive, send)

    def _signed_in(
        self, endpoint: Callable[[Request, options.Account], Any]
    ) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            account = self._logins.asking(request.headers.get("Authorization", ""))
            if account is None:
                headers = {"WWW-Authenticate": 'Bearer realm="api"'}
                return self.refuse(401, "Authentication credentials are not valid", headers)
            try:
                answer: Response = await endpoint(request, account)
            except BadRequest as error:
                return self.refuse(400, str(error), {})
            return answer

        return guarded

    # --- logins --------------------------------------------------------------------------------

    async def _login_first(self, request: Request) -> Response:
        account = await self._account(request)
        if account is None:
            return self.refuse(401, "Unable to log in with provided credentials", {})
        return JSONResponse({"token": self._logins.token("jwt", account), "user": _user(account)})

    async def _again_first(self, request: Request) -> Response:
        given = await operator.json_object(request) or {}
        account = self._logins.holder(given.get("token"), "jwt")
        if account is None:
            return self.refuse(401, "Signature has expired", {})
        return JSONResponse({"token": self._logins.token("jwt", account), "user": _user(account)})

    async def _login_second(self, request: Request) -> Response:
        account = await self._account(request)
        if account is None:
            return self.refuse(401, "No active account found with the given credentials", {})
        tokens = {kind: self._logins.token(kind, account) for kind in ("access", "refresh")}
        return JSONResponse({**tokens, "user": _user(account)})

    async def _again_second(self, request: Request) -> Response:
        given = await operator.json_object(request) or {}
        account = self._logins.holder(given.get("refresh"), "refresh")
        if account is None:
            return self.refuse(401, "Token is invalid or expired", {})
        return JSONResponse({"access": self._logins.token("access", account)})

    async def _account(self, request: Request) -> options.Account | None:
        given = await operator.json_object(request) or {}
        return self._logins.account(given.get("email"), given.get("password"))

    # --- events --------------------------------------------------------------------------------

    async def _list(self, request: Request, _account: options.Account) -> Response:
        asked = request.query_params
        about, kind = asked.get("object_uuid"), asked.get("object_type")
        usual = "creation_date" if about or kind else "event_date"
        sort = _one_of(asked.get("sort", usual), SORTS)
        falls = _one_of(asked.get("direction", "desc"), ("asc", "desc")) == "desc"
        after = self._moment(asked["after"]) if asked.get("after") else None
        hidden = self._log.hidden()
        wanted = (
            place
            for place in self._ordered(about, sort, after, falls=falls)
            if place not in hidden and (kind is None or self._log[place].object_type == kind)
        )
        page = list(itertools.islice(wanted, self._size(asked.get("size") or asked.get("limit"))))
        if hidden and not about and not falls:
            self._log.read(page[-1] if page else None)
        return JSONResponse(self._page(page, sort, request))

    def _ordered(
        self, about: str | None, sort: str, after: int | None, *, falls: bool
    ) -> Iterable[int]:
        """Places of the events (of the object `about`) beyond the moment `after`, as sorted."""
        every = range(len(self._log)) if about is None else self._objects.get(about, [])
        if sort == "event_date":
            moments = {place: self._log[place].occurred for place in every}
            beyond = (
                place
                for place, moment in moments.items()
                if after is None or (moment < after if falls else moment > after)
            )
            return sorted(beyond, key=moments.__getitem__, reverse=falls)
        window = self._log.window(after, falls=falls)
        found = window if about is None else [place for place in every if place in window]
        return reversed(found) if falls else found

    def _page(self, page: list[int], sort: str, request: Request) -> list[dict[str, Any]]:
        """The events at those places, with `sort_value`; here duplicates and disorder strike."""
        out = []
        for place in page:
            event = self._log[place]
            moment = event.created if sort == "creation_date" else event.occurred
            value = self._wording.sort_value(moment, event.order)
            out.append(self._event(place, request) | {"sort_value": value})
            if self.faults.touches("duplicates", place):
                out.append(out[-1])
        if len(out) > 1 and self.faults.strikes("reordering"):
            turn = chance.number(self._seed, "disorder", page[0]) % (len(out) - 1) + 1
            out = out[turn:] + out[:turn]
        return out

    def _event(self, place: int, request: Request) -> dict[str, Any]:
        base = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
        event = self._log[place]
        written = self._wording.written(place, event, lambda path: self._files.link(base, path))
        if self.faults.touches("changed_history", place):
            written["data"] = _CHANGED
        return written

    def _moment(self, sort_value: str) -> int:
        found = self._wording.moment_of(sort_value)
        if found is None:
            raise BadRequest("after is no sort_value of an event")
        return found

    def _size(self, asked: str | None) -> int:
        if asked is None:
            return self._settings.page_size
        if not asked.isdecimal() or int(asked) < 1:
            raise BadRequest("size must be a number above 0")
        return min(int(asked), self._settings.page_limit)

    async def _one(self, request: Request, _account: options.Account) -> Response:
        for place in range(len(self._places), len(self._log)):
            event = self._log[place]
            self._places[self._wording.event_uuid(place, event.order)] = place
        found = self._places.get(request.path_params["event"])
        if found is None or found in self._log.hidden():
            return self.refuse(404, "Not found", {})
        return JSONResponse(self._event(found, request))

    # --- messages ------------------------------------------------------------------------------

    async def _inform(self, request: Request, account: options.Account) -> Response:
        if account.role not in MAY_SEND:
            return self.refuse(403, "You do not have permission to perform this action", {})
        named = request.path_params["order"]
        order = self._orders.get(named)
        if order is None:
            return self.refuse(404, "Not found", {})
        sent = await operator.json_object(request)
        message, stops = (sent or {}).get("message"), (sent or {}).get("stop_deferred", False)
        if not isinstance(message, str) or not isinstance(stops, bool):
            return self.refuse(400, "message must be a text, stop_deferred a boolean", {})
        now = self._clock.now()
        wait = self._messages.get(order, 0.0) + self._settings.info_interval - now.timestamp()
        if wait > 0:
            headers = {"Retry-After": str(int(wait) + 1)}
            return self.refuse(429, f"Request was throttled. Retry in {wait:.0f} s", headers)
        self._messages[order] = now.timestamp()
        data = {"message": message} | ({"stop_deferred": True} if stops else {})
        self.journal.executed("events/info", named, data)
        moment = covage_events.microseconds(now)
        place = self._publish(order, "order-info", moment, moment, data)
        return JSONResponse(self._event(place, request), 201)


def _one_of(given: str, known: tuple[str, ...]) -> str:
    if given not in known:
        raise BadRequest(f"{given[:40]!r} is none of {', '.join(known)}")
    return given


def _user(account: options.Account) -> dict[str, Any]:
    return {"email": account.name, "groups": [account.role]}

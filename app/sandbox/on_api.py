"""An ON-API city network: orders and their events over HTTP Basic (seed 000; 2.3.1, 2.4 to 2.6).

Its event list only grows, oldest first, without times and unpaged; everything of an event but its
place is a function of the seed, so that a list of a million is streamed. Source: facts/wire.md §3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from app.sandbox import chance, faults, journal, on_api_events, operator, options, scenario
from app.sandbox.on_api_events import DONE_FAILED, DONE_SUCCESS, IN_PROGRESS, RECEIVED, STATES
from app.sandbox.order import Order
from app.sandbox.scenario import Happening, Step

NAME: Final = "on_api"
OLDEST: Final = "/api/2.3.1"
VERSIONS: Final = (OLDEST, "/onapi/2.4", "/onapi/2.5", "/onapi/2.6")
OPERATIONS: Final = ("ACTIVATE", "DEACTIVATE")
LATER_OPERATIONS: Final = (*OPERATIONS, "SUSPEND", "RESUME", "MODIFY", "CHANGE")
STEPS: Final[Mapping[Step, int]] = {
    Step.SUBMITTED: RECEIVED,
    Step.RUNNING: IN_PROGRESS,
    Step.COMPLETED: DONE_SUCCESS,
    Step.DROPPED: DONE_FAILED,
    Step.REJECTED: DONE_FAILED,
}
FAILURES: Final = (
    "Port is too busy",
    "The service type is no longer available for this access",
    "Inget ledigt fiberpar på accessen",
)
_ACCESS: Final = re.compile(r"[a-zA-Z0-9]{1,32}")
_CHANGED: Final = "This was not here when you last looked"
_UNSEEN: Final = 255
_FAILING: Final = 0.15

Schedule = Callable[[int, scenario.Life, scenario.Teller], None]


@dataclass(frozen=True, slots=True)
class Placed:
    """An order a client placed; its number is below zero."""

    number: int
    access_id: str
    service: str
    operation: str


class OnApi:
    """The operator. `schedule` begins the life of an order that a client placed."""

    name = NAME

    def __init__(
        self, settings: options.Settings, active: faults.Faults, schedule: Schedule
    ) -> None:
        self._settings = settings
        self._seed = chance.number(settings.seed, NAME)
        self._schedule = schedule
        self._share = operator.Share(settings.limit_of(NAME))
        self._log = on_api_events.EventList(self._seed)
        self._held: tuple[int, int] | None = None
        self._states = bytearray()
        self._placed: list[Placed] = []
        self._placed_states: dict[int, int] = {}
        self._numbers: dict[str, int] = {}
        self.faults = active
        self.journal = journal.Journal()

    # --- what happens --------------------------------------------------------------------------

    @property
    def hears(self) -> frozenset[Step]:
        """Submission and the ends; the work between only where it publishes it."""
        heard = frozenset(STEPS)
        return heard if self._settings.on_api.in_progress else heard - {Step.RUNNING}

    @property
    def events(self) -> int:
        """How many events it has published."""
        return len(self._log)

    @property
    def full(self) -> bool:
        """Whether it has published enough."""
        return self._share.full(len(self._log) + (self._held is not None))

    def wants(self, order: int) -> bool:
        """Whether it is one of its orders."""
        return self._share.wants(order)

    def tell(self, happening: Happening) -> None:
        """Note the order's new state; publish an event of it unless it is only received."""
        state, before = STEPS[happening.step], self._state(happening.order)
        if before in {DONE_SUCCESS, DONE_FAILED} or state == before:
            return
        self._note(happening.order, state)
        if state == RECEIVED:
            return
        if self._held is None and self.faults.strikes("reordering"):
            self._held = (happening.order, state)
            return
        self._log.append(happening.order, state)
        self.settle()

    def settle(self) -> None:
        """Publish what was held back to come out of order."""
        if self._held is not None:
            self._log.append(*self._held)
            self._held = None

    def published(self) -> Iterator[dict[str, Any]]:
        """`{event, order_id, access_id, service, operation, state, message}`, in list order."""
        for place in range(len(self._log)):
            number, state = self._log.at(place)
            told = self._order(number, state, OLDEST)
            yield {
                "event": self._log.id_of(place),
                "order_id": told["path"].rsplit("/", 1)[-1],
                "access_id": told["accessId"],
                "service": told["service"],
                "operation": told["operation"],
                "state": told["state"],
                "message": told["message"],
            }

    def _state(self, number: int) -> int:
        if number < 0:
            return self._placed_states.get(number, _UNSEEN)
        return self._states[number] if number < len(self._states) else _UNSEEN

    def _note(self, number: int, state: int) -> None:
        if number < 0:
            self._placed_states[number] = state
            return
        missing = number + 1 - len(self._states)
        self._states.extend([_UNSEEN] * missing)
        self._states[number] = state

    # --- what it says --------------------------------------------------------------------------

    def app(self) -> ASGIApp:
        """`…/orders/`, `…/orders/{id}` and `…/orderevents/` under each version."""
        routes = []
        for version in VERSIONS:
            routes += [
                Route(f"{version}/orderevents/", self._signed_in(self._list_events, version)),
                Route(
                    f"{version}/orders/",
                    self._signed_in(self._orders, version),
                    methods=["GET", "POST"],
                ),
                Route(
                    f"{version}/orders/{{order}}",
                    self._signed_in(self._one, version),
                    methods=["GET", "DELETE"],
                ),
            ]
        return Router(routes, redirect_slashes=False, default=self._unknown)

    def changes(self, scope: Scope) -> bool:
        """Placing and withdrawing an order."""
        return scope["method"] in {"POST", "DELETE"}

    def refuse(self, status: int, message: str, headers: Mapping[str, str]) -> Response:
        """`{"cause": message}`."""
        return JSONResponse({"cause": message}, status, headers)

    async def _unknown(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.refuse(501, "Not implemented", {})(scope, receive, send)

    def _signed_in(
        self, endpoint: Callable[[Request, str], Any], version: str
    ) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            if operator.basic(request, self._settings.accounts) is None:
                headers = {"WWW-Authenticate": 'Basic realm="ON-API", charset="UTF-8"'}
                return self.refuse(401, "Wrong user name or password", headers)
            answer: Response = await endpoint(request, version)
            return answer

        return guarded

    # --- events --------------------------------------------------------------------------------

    async def _list_events(self, request: Request, version: str) -> Response:
        start = 0
        since = request.query_params.get("since")
        if since is not None:
            found = self._log.place_of(since)
            if found is None and self._settings.on_api.unknown_since == "error":
                return self.refuse(400, f"There is no event {since[:64]!r}", {})
            start = 0 if found is None else found + 1
        prefix = request.scope.get("root_path", "") + version
        return operator.json_stream(self._view(range(start, len(self._log)), prefix, version))

    def _view(self, places: range, prefix: str, version: str) -> Iterator[dict[str, Any]]:
        doubled, altered = self.faults.on("duplicates"), self.faults.on("changed_history")
        how = self.faults.options("changed_history").get("how", "altered")
        for place in places:
            number, state = self._log.at(place)
            if version == OLDEST and state == IN_PROGRESS:
                continue
            order = self._order(number, state, prefix)
            if altered and self.faults.touches("changed_history", place):
                if how == "removed":
                    continue
                order |= {"state": STATES[state ^ 1], "message": _CHANGED}
            event = {"event": self._spelt(self._log.id_of(place), version), "order": order}
            yield event
            if doubled and self.faults.touches("duplicates", place):
                yield event

    def _spelt(self, identifier: str, version: str) -> str:
        return identifier if version == OLDEST else identifier.replace("-", "")

    # --- orders --------------------------------------------------------------------------------

    def _order(self, number: int, state: int, prefix: str) -> dict[str, Any]:
        version = OLDEST if prefix.endswith(OLDEST) else "later"
        identifier = self._spelt(chance.uuid(self._seed, "order", number), version)
        failed = state == DONE_FAILED
        return {
            "path": f"{prefix}/orders/{identifier}",
            **self._wanted(number),
            "state": STATES[state],
            "message": chance.choice(FAILURES, self._seed, "failure", number) if failed else "",
        }

    def _wanted(self, number: int) -> dict[str, str]:
        if number < 0:
            placed = self._placed[-1 - number]
            access, service, operation = placed.access_id, placed.service, placed.operation
        else:
            order = Order(self._settings.seed, number)
            access, service = order.access_id, order.service
            ends = scenario.life_of(self._settings.seed, number).name == "terminated"
            operation = OPERATIONS[ends]
        return {"accessId": access, "service": service, "operation": operation}

    async def _orders(self, request: Request, version: str) -> Response:
        if request.method == "POST":
            return await self._place(request, version)
        wanted = request.query_params.get("state", "").strip('"')
        prefix = request.scope.get("root_path", "") + version
        numbers = [*range(-len(self._placed), 0), *range(len(self._states))]
        return operator.json_stream(
            self._order(number, self._state(number), prefix)
            for number in numbers
            if self._state(number) != _UNSEEN
            and (not wanted or STATES[self._state(number)] == wanted)
        )

    async def _one(self, request: Request, version: str) -> Response:
        number = self._number_of(request.path_params["order"])
        if number is None:
            return self.refuse(404, "There is no such order", {})
        prefix = request.scope.get("root_path", "") + version
        if request.method == "GET":
            return JSONResponse(self._order(number, self._state(number), prefix))
        if self._state(number) != RECEIVED or version == OLDEST:
            return self.refuse(409, "The order cannot be withdrawn any more", {})
        self.journal.executed("withdraw", request.path_params["order"], {})
        self._note(number, DONE_FAILED)
        return Response(status_code=204)

    def _number_of(self, identifier: str) -> int | None:
        plain = identifier.replace("-", "")
        for number in range(len(self._numbers), len(self._states)):
            self._numbers[chance.uuid(self._seed, "order", number).replace("-", "")] = number
        for placed in self._placed:
            if chance.uuid(self._seed, "order", placed.number).replace("-", "") == plain:
                return placed.number
        number = self._numbers.get(plain, -1)
        return number if number >= 0 and self._state(number) != _UNSEEN else None

    async def _place(self, request: Request, version: str) -> Response:
        wanted = await operator.json_object(request)
        fault = _fault(wanted, version)
        if wanted is None or fault is not None:
            return self.refuse(400, fault or "The body is no JSON object", {})
        prefix = request.scope.get("root_path", "") + version
        known = self._already(wanted, prefix)
        if known is not None:
            return JSONResponse(known)
        told = self._take(wanted, prefix)
        return JSONResponse(told, 201, {"Location": told["path"]})

    def _already(self, wanted: Mapping[str, str], prefix: str) -> dict[str, Any] | None:
        """The order in force that `wanted` repeats; without a path where it has had its effect."""
        latest = self._latest(wanted["accessId"], wanted["service"])
        if latest is None:
            return None
        state = self._state(latest.number)
        told = self._order(latest.number, state, prefix)
        if state in {RECEIVED, IN_PROGRESS}:
            return told
        if state == DONE_SUCCESS and latest.operation == wanted["operation"]:
            del told["path"]
            return told
        return None

    def _take(self, wanted: Mapping[str, str], prefix: str) -> dict[str, Any]:
        """Take the order; gives it as it stands before anything happens to it."""
        placed = Placed(
            -1 - len(self._placed), wanted["accessId"], wanted["service"], wanted["operation"]
        )
        self._placed.append(placed)
        self._note(placed.number, RECEIVED)
        about = {"service": placed.service, "operation": placed.operation}
        self.journal.executed("order", placed.access_id, about)
        told = self._order(placed.number, RECEIVED, prefix)
        fails = chance.share(self._seed, "fails", placed.number) < _FAILING
        self._schedule(placed.number, scenario.life_named("dropped" if fails else "plain"), self)
        return told

    def _latest(self, access: str, service: str) -> Placed | None:
        same = (p for p in reversed(self._placed) if (p.access_id, p.service) == (access, service))
        return next(same, None)


def _fault(wanted: Mapping[str, Any] | None, version: str) -> str | None:
    """What is wrong with an order, in a sentence; None where nothing is."""
    if wanted is None:
        return "The body is no JSON object"
    for name in ("accessId", "service", "operation"):
        if not isinstance(wanted.get(name), str):
            return f"{name} is missing"
    known = OPERATIONS if version == OLDEST else LATER_OPERATIONS
    if wanted["operation"] not in known:
        return f"operation must be one of {', '.join(known)}"
    if not _ACCESS.fullmatch(wanted["accessId"]):
        return "accessId must be 1 to 32 of a-z, A-Z, 0-9"
    takes_over = wanted.get("forcedTakeover")
    if wanted["operation"] == "ACTIVATE" and not isinstance(takes_over, bool):
        return "forcedTakeover is missing"
    return None

"""`/_control`: what a test reads of an operator's truth, and how it makes trouble and time pass.

Answers JSON; there only where the settings say so. Not here: what a fault does (`trouble`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from app.sandbox import faults, operator, scenario, seller, trouble

Advance = Callable[[float, float], int]
"""Let scenario seconds and clock seconds pass; gives how many steps happened."""

_FAULT: Final[Mapping[str, Any]] = {
    "rate": int | float,
    "times": int | None,
    "where": str,
    "options": dict,
}


class BadRequest(Exception):
    """The body does not say what it must."""


class Control:
    """The endpoints."""

    def __init__(
        self,
        operators: Mapping[str, operator.Operator],
        fronts: Mapping[str, trouble.Troubled],
        story: scenario.Scenario,
        advance: Advance,
    ) -> None:
        self._operators = operators
        self._fronts = fronts
        self._story = story
        self._advance = advance

    def app(self) -> Router:
        """The routes, below `/_control`."""
        return Router(
            [
                Route("/", self._overview),
                Route("/advance", _plain(self._pass_time), methods=["POST"]),
                Route("/happen", _plain(self._happen), methods=["POST"]),
                Route("/seller/deliveries", self._deliveries),
                Route("/{operator}/events", _plain(self._events)),
                Route("/{operator}/executions", _plain(self._executions)),
                Route("/{operator}/faults", _plain(self._faults), methods=["GET", "DELETE"]),
                Route("/{operator}/faults/{fault}", _plain(self._fault), methods=["PUT", "DELETE"]),
            ],
            redirect_slashes=False,
        )

    async def _overview(self, _request: Request) -> Response:
        """`{now, orders, done, operators: {name: {events, requests, faults}}}`."""
        told = {
            name: {
                "events": each.events,
                "requests": self._fronts[name].requests,
                "faults": each.faults.report(),
            }
            for name, each in self._operators.items()
        }
        return JSONResponse({
            "now": self._story.now.isoformat(),
            "orders": self._story.orders,
            "done": self._story.done,
            "operators": told,
        })  # fmt: skip

    async def _pass_time(self, request: Request) -> Response:
        """POST {scenario?: seconds, clock?: seconds} → {steps, now}."""
        given = await operator.json_object(request) or {}
        passing, clock = _seconds(given, "scenario"), _seconds(given, "clock")
        steps = self._advance(passing, clock)
        return JSONResponse({"steps": steps, "now": self._story.now.isoformat()})

    async def _happen(self, request: Request) -> Response:
        """POST {order: number, step: name}: it happens now, whatever the order's life says."""
        given = await operator.json_object(request) or {}
        order, step = given.get("order"), given.get("step")
        if not isinstance(order, int) or step not in set(scenario.Step):
            steps = ", ".join(scenario.Step)
            raise BadRequest(f"order must be a number, step one of {steps}")
        self._story.now_happens(order, scenario.Step(step))
        return JSONResponse({"order": order, "step": step})

    async def _deliveries(self, _request: Request) -> Response:
        sells = self._operators["seller"]
        return JSONResponse(sells.deliveries() if isinstance(sells, seller.Seller) else [])

    async def _events(self, request: Request) -> Response:
        return operator.json_stream(self._named(request).published())

    async def _executions(self, request: Request) -> Response:
        return JSONResponse(self._named(request).journal.executions())

    async def _faults(self, request: Request) -> Response:
        active = self._named(request).faults
        if request.method == "DELETE":
            active.drop()
        return JSONResponse(active.report())

    async def _fault(self, request: Request) -> Response:
        """PUT {rate?, times?, where?, options?} switches on, DELETE off."""
        active, name = self._named(request).faults, request.path_params["fault"]
        if request.method == "DELETE":
            active.drop(name)
            return JSONResponse(active.report())
        active.put(name, _fault(await operator.json_object(request) or {}))
        return JSONResponse(active.report())

    def _named(self, request: Request) -> operator.Operator:
        named = request.path_params["operator"]
        if named not in self._operators:
            raise BadRequest(f"there is no operator {named!r}; there are {list(self._operators)}")
        return self._operators[named]


def _seconds(given: Mapping[str, Any], name: str) -> float:
    value = given.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise BadRequest(f"{name} must be seconds, not below 0")
    return float(value)


def _fault(given: Mapping[str, Any]) -> faults.Fault:
    fault = faults.Fault(**{name: given[name] for name in _FAULT.keys() & given.keys()})
    wrong = [n for n, known in _FAULT.items() if not isinstance(getattr(fault, n), known)]
    if wrong or given.keys() - _FAULT.keys() or not 0 <= fault.rate <= 1:
        raise BadRequest(
            "a fault has rate (0 to 1), times (a number or null), where (a text) and options"
        )
    return fault


def _plain(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (BadRequest, faults.UnknownFault) as error:
            return JSONResponse({"error": str(error)}, 400)

    return answered

"""The sandbox put together: four operators, the scenario, its pace, one application for all.

    made = sandbox.create(sandbox.Settings(seed=7, control=True))
    uvicorn.run(made.app)                       # /on-api /covage /tjansteguiden /seller /_control

The caller serves it. Not here: what each operator does (its module).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from app import clock, errors
from app.sandbox import (
    control,
    covage,
    faults,
    on_api,
    operator,
    options,
    scenario,
    seller,
    tjansteguiden,
    trouble,
)

PATHS: Final[Mapping[str, str]] = {
    "on_api": "/on-api",
    "covage": "/covage",
    "tjansteguiden": "/tjansteguiden",
    "seller": "/seller",
}
"""Where each operator is mounted."""

TICK: Final = 0.05
USUAL_INTERVAL: Final = 60.0
SPAN: Final = 45 * 86400.0
_ORDERS_PER_EVENT: Final = 2


class AdvancingClock:
    """A clock that can be put forward: protocol time limits (hashes, tokens, throttles) follow."""

    def __init__(self, inner: clock.Clock) -> None:
        self._inner = inner
        self._ahead = 0.0

    def now(self) -> datetime:
        """The present moment, put forward."""
        return self._inner.now() + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self._inner.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Put it forward."""
        self._ahead += seconds


class Sandbox:
    """Operators to try against.

    `app` serves all (its lifespan runs the pace and the pushes); `apps` holds each operator's own
    application for a caller that serves them apart: it then enters `running()` itself.
    """

    def __init__(self, settings: options.Settings, time: clock.Clock) -> None:
        self._settings = settings
        self._clock = AdvancingClock(time)
        active = {
            name: faults.Faults(name, settings.seed, settings.faults.get(name, {}))
            for name in options.OPERATORS
        }
        self.seller = seller.Seller(settings, active["seller"])
        self.operators: Mapping[str, operator.Operator] = {
            "on_api": on_api.OnApi(settings, active["on_api"], self._place),
            "covage": covage.Covage(settings, active["covage"], self._clock),
            "tjansteguiden": tjansteguiden.Tjansteguiden(
                settings, active["tjansteguiden"], self._clock
            ),
            "seller": self.seller,
        }
        every = _interval(settings)
        self.scenario = scenario.Scenario(
            settings.seed,
            list(self.operators.values()),
            every=every,
            starts_at=_start(settings, every, self._clock.now()),
            stamp=self._stamp,
        )
        self._reached = self.scenario.now
        self.apps: Mapping[str, trouble.Troubled] = {
            name: trouble.Troubled(
                each.app(), each.faults, refuse=each.refuse, changes=each.changes
            )
            for name, each in self.operators.items()
        }
        self.app: ASGIApp = self._app()
        if settings.pace == "burst":
            self.scenario.finish()
            self._settle()

    def advance(self, seconds: float, clock_seconds: float = 0.0) -> int:
        """Let so many scenario seconds, and so many of the clock's, pass; gives steps happened."""
        self._clock.advance(clock_seconds)
        self._reached = self.scenario.now + timedelta(seconds=seconds)
        steps = self.scenario.advance(seconds)
        if self.scenario.done:
            self._settle()
        return steps

    def _stamp(self, moment: datetime) -> datetime:
        """When `moment` of the scenario was by the clock; at no pace its time is told as it is."""
        if isinstance(self._settings.pace, str):
            return moment
        return self._clock.now() - (self._reached - moment) / self._settings.hurry

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While inside, time passes at the pace and the seller pushes."""
        tasks = [asyncio.ensure_future(self.seller.push()), asyncio.ensure_future(self._keep())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _place(self, order: int, life: scenario.Life, teller: scenario.Teller) -> None:
        self.scenario.place(order, life, teller)
        if self._settings.pace == "burst":
            self.scenario.finish()
            self._settle()

    def _settle(self) -> None:
        for each in self.operators.values():
            each.settle()

    async def _keep(self) -> None:
        """Let time pass at the pace, in ticks."""
        if isinstance(self._settings.pace, str):
            return
        before = self._clock.monotonic()
        while True:
            await asyncio.sleep(TICK)
            now = self._clock.monotonic()
            self.advance((now - before) * self._settings.pace)
            before = now

    def _app(self) -> Router:
        routes: list[BaseRoute] = [Mount(path, self.apps[name]) for name, path in PATHS.items()]
        if self._settings.control:
            made = control.Control(self.operators, self.apps, self.scenario, self.advance)
            routes.insert(0, Mount("/_control", made.app()))
        return Router(
            routes, redirect_slashes=False, default=_nowhere, lifespan=lambda _: self.running()
        )


def create(settings: options.Settings | None = None, *, time: clock.Clock | None = None) -> Sandbox:
    """A sandbox as `settings` say. In a burst everything has happened when this returns.

    Raises `errors.ConfigurationError` where a burst would have no end, or a fault is unknown.
    """
    chosen = settings or options.Settings()
    for name in options.OPERATORS:
        limit = chosen.limit_of(name)
        if chosen.pace == "burst" and limit.orders is None and limit.events is None:
            raise errors.ConfigurationError(
                f"a burst needs an end: give {name} a limit of orders or events"
            )
    try:
        return Sandbox(chosen, time or clock.SystemClock())
    except faults.UnknownFault as error:
        raise errors.ConfigurationError(error.message) from error


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    told = {"error": "nothing is served here", "served": sorted(PATHS.values())}
    await JSONResponse(told, 404)(scope, receive, send)


def _interval(settings: options.Settings) -> float:
    """Seconds between orders: so that a burst of the wanted size fits into `SPAN`."""
    if settings.every is not None:
        return settings.every
    if settings.pace != "burst":
        return USUAL_INTERVAL
    return min(USUAL_INTERVAL, SPAN / max(1, _size(settings)))


def _size(settings: options.Settings) -> int:
    """How many orders a burst needs at most."""
    limits = [settings.limit_of(name) for name in options.OPERATORS]
    return max(
        limit.orders if limit.orders is not None else (limit.events or 0) * _ORDERS_PER_EVENT
        for limit in limits
    )


def _start(settings: options.Settings, every: float, now: datetime) -> datetime:
    """The moment of the first order: a burst lies in the past, the rest begins now."""
    if settings.starts_at is not None:
        return settings.starts_at
    if settings.pace != "burst":
        return now
    return now - timedelta(seconds=_size(settings) * every + scenario.LONGEST)

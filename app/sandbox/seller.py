"""A TM Forum seller: takes callbacks at its hubs and pushes notifications (seeds 003 and 004).

Not here: the bodies (`notices`), the hubs (`hub`), the pushing (`courier`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from app.sandbox import courier, faults, hub, journal, notices, operator, options
from app.sandbox.notices import Notice
from app.sandbox.scenario import Happening, Step

NAME: Final = "seller"


class Seller:
    """The operator."""

    name = NAME

    def __init__(self, settings: options.Settings, active: faults.Faults) -> None:
        self._seed = settings.seed
        self._styles = settings.seller.styles
        self._share = operator.Share(settings.limit_of(NAME))
        self._log: list[Notice] = []
        self._held: Notice | None = None
        self._numbers = 0
        self._ordered: dict[int, datetime] = {}
        self.faults = active
        self.journal = journal.Journal()
        self._hubs = hub.Hubs(settings.seed, settings.seller, self.journal, self._log)
        self._courier = courier.Courier(
            settings.seed, settings.seller, self._hubs, self._log, active
        )

    @property
    def hears(self) -> frozenset[Step]:
        """Every step that one of its styles has words for."""
        return frozenset[Step]().union(*(notices.steps_of(style) for style in self._styles))

    @property
    def events(self) -> int:
        """How many notices it has published."""
        return len(self._log)

    @property
    def full(self) -> bool:
        """Whether it has published enough."""
        return self._share.full(self._numbers)

    def wants(self, order: int) -> bool:
        """Whether it is one of its orders."""
        return self._share.wants(order)

    def tell(self, happening: Happening) -> None:
        """Publish a notice in each style that has words for it."""
        self._ordered.setdefault(happening.order, happening.at)
        for style in self._styles:
            for kind, subject in notices.steps_of(style).get(happening.step, ()):
                if not self.full:
                    self._publish(style, kind, subject, happening)
        self._courier.nudge()

    def settle(self) -> None:
        """Publish what was held back to come out of order."""
        if self._held is not None:
            self._log.append(self._held)
            self._held = None
            self._courier.nudge()

    def published(self) -> Iterator[dict[str, Any]]:
        """`{style, body}` of every notice, in the order it was published."""
        for notice in self._log:
            yield {"style": notice.style, "body": notices.body(self._seed, notice)}

    def deliveries(self) -> list[dict[str, Any]]:
        """What became of the pushes (`Courier.report`)."""
        return self._courier.report()

    async def push(self) -> None:
        """Push until cancelled."""
        await self._courier.run()

    def app(self) -> ASGIApp:
        """The hubs."""
        return Router(self._hubs.routes(), redirect_slashes=False, default=self._unknown)

    def changes(self, scope: Scope) -> bool:
        """Making and ending a subscription."""
        return scope["method"] in {"POST", "DELETE"}

    def refuse(self, status: int, message: str, headers: Mapping[str, str]) -> Response:
        """`{code, message, description, infoURL}`."""
        return hub.refuse(status, message, headers)

    async def _unknown(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.refuse(404, "Not found", {})(scope, receive, send)

    def _publish(self, style: options.Style, kind: str, subject: str, happening: Happening) -> None:
        self._numbers += 1
        equal = self.faults.strikes("equal_timestamps") and bool(self._log)
        notice = Notice(
            number=self._numbers,
            style=style,
            kind=kind,
            subject=subject,
            order=happening.order,
            at=self._log[-1].at if equal else happening.at,
            ordered=self._ordered[happening.order],
            malformed=self.faults.strikes("malformed_times"),
        )
        if self._held is None and self.faults.strikes("reordering"):
            self._held = notice
            return
        self._log.append(notice)
        self.settle()

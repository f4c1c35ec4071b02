"""Tjänsteguiden: a service guide that is asked by `?method=…` and answers XML (seed 001).

Two doors: `/plain/serviceguide_log` for TL, with a hash that lives 20 minutes, and
`/admin/edit/services/plain/orders` for KO, by user alone. `set_status` and `add_message` are GETs
that change state. Source: facts/wire.md §4. Not here: the answers' forms (`tjansteguiden_forms`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from app import clock
from app.sandbox import (
    chance,
    faults,
    journal,
    operator,
    options,
    tjansteguiden_forms,
    tjansteguiden_orders,
)
from app.sandbox.order import Order
from app.sandbox.scenario import Happening, Step
from app.sandbox.tjansteguiden_orders import FINAL, MESSAGES, STATUSES, STEPS, TYPES, Kept

NAME: Final = "tjansteguiden"
CHANGING: Final = frozenset({"set_status", "add_message"})
SCENARIO: Final = "scenario"


class Refused(Exception):
    """The method is refused; its words are the answer's."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A method call: by whom, at which door, with what."""

    method: str
    given: QueryParams
    account: str
    operator_door: bool

    def text(self, name: str) -> str:
        """The parameter of that name; raises `Refused` where it is missing."""
        value = self.given.get(name)
        if not value:
            raise Refused(f"Missing parameter {name}")
        return value


class Tjansteguiden:
    """The operator."""

    name = NAME

    def __init__(
        self, settings: options.Settings, active: faults.Faults, time: clock.Clock
    ) -> None:
        own = settings.tjansteguiden
        self._settings = settings
        self._clock = time
        self._seed = settings.seed
        self._share = operator.Share(settings.limit_of(NAME))
        self._orders = tjansteguiden_orders.Orders()
        self._forms = tjansteguiden_forms.Forms(settings.seed, own.zone)
        self._hashes: dict[str, tuple[str, float]] = {}
        self.faults = active
        self.journal = journal.Journal()

    # --- what happens --------------------------------------------------------------------------

    @property
    def hears(self) -> frozenset[Step]:
        """What changes a status or leaves a message."""
        return frozenset(STEPS.keys() | MESSAGES.keys())

    @property
    def events(self) -> int:
        """How many changes of status there were, first ones included."""
        return len(self._orders.changes)

    @property
    def full(self) -> bool:
        """Whether there were enough."""
        return self._share.full(self.events)

    def wants(self, order: int) -> bool:
        """Whether it is one of its orders."""
        return self._share.wants(order)

    def tell(self, happening: Happening) -> None:
        """Take an order in, change its status, or write in its log; a final status stays."""
        identifier = Order(self._seed, happening.order).reference
        kept = self._orders.get(identifier)
        if kept is None:
            kept = self._take_in(identifier, happening)
        if kept.status in FINAL:
            return
        if not kept.status and happening.step in MESSAGES:
            self._orders.set_status(kept, STATUSES[0], happening.at, SCENARIO)
        if happening.step in MESSAGES:
            self._orders.write(kept, *MESSAGES[happening.step], happening.at, SCENARIO)
        else:
            self._orders.set_status(kept, STEPS[happening.step], happening.at, SCENARIO)

    def settle(self) -> None:
        """Nothing is held back."""

    def published(self) -> Iterator[dict[str, Any]]:
        """`{order, n, status, at, by}` for every change of status; `at` in RFC 3339."""
        for change in self._orders.changes:
            yield {
                "order": str(change.order),
                "n": change.n,
                "status": change.status,
                "at": change.at.isoformat(),
                "by": change.by,
            }

    def _take_in(self, identifier: int, happening: Happening) -> Kept:
        latest = self._orders.latest()
        equal = self.faults.strikes("equal_timestamps") and latest is not None
        came = latest.came if equal and latest else happening.at
        short = self.faults.strikes("malformed_times")
        kept = Kept(identifier, happening.order, came, short)
        self._orders.add(kept)
        return kept

    # --- who asks ------------------------------------------------------------------------------

    def app(self) -> ASGIApp:
        """The two doors."""
        return Router(
            [
                Route("/plain/serviceguide_log", self._provider_door),
                Route("/admin/edit/services/plain/orders", self._operator_door),
            ],
            redirect_slashes=False,
            default=self._unknown,
        )

    def changes(self, scope: Scope) -> bool:
        """The two methods that change state, GETs though they are."""
        return QueryParams(scope["query_string"]).get("method") in CHANGING

    def refuse(self, status: int, message: str, headers: Mapping[str, str]) -> Response:
        """An error outside any method."""
        refused = _error("error", message, as_json=False, status=status)
        refused.headers.update(headers)
        return refused

    async def _unknown(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.refuse(404, "Not found", {})(scope, receive, send)

    async def _provider_door(self, request: Request) -> Response:
        given = request.query_params
        method = given.get("method", "")
        if method == "api_login":
            return self._login(given)
        account, expires = self._hashes.get(given.get("hash", ""), ("", 0.0))
        if not account:
            return _error(method or "error", "Invalid hash key", as_json=_json(given))
        if expires <= self._clock.now().timestamp():
            return _error(method or "error", "Hash key has expired", as_json=_json(given))
        return self._call(Asked(method, given, account, operator_door=False))

    async def _operator_door(self, request: Request) -> Response:
        given = request.query_params
        method = given.get("method", "")
        if given.get("api_user") not in {account.name for account in self._settings.accounts}:
            return _error(method or "error", "Access denied", as_json=_json(given))
        return self._call(Asked(method, given, given["api_user"], operator_door=True))

    def _login(self, given: QueryParams) -> Response:
        account = operator.account(
            given.get("api_user", ""), given.get("api_key", ""), self._settings.accounts
        )
        if account is None:
            return _error("api_login", "Login failed", as_json=_json(given))
        made = chance.uuid(self._seed, "hash", len(self._hashes)).replace("-", "")
        expires = self._clock.now().timestamp() + self._settings.tjansteguiden.hash_lifetime
        self._hashes[made] = (account.name, expires)
        return _success("api_login", {"hash_key": made}, as_json=_json(given))

    def _call(self, asked: Asked) -> Response:
        """Answer a method; in the KO form without the wrapper TL gets."""
        as_json = _json(asked.given)
        method = _METHODS.get(asked.method)
        if method is None:
            return _error("error", "Unknown method", as_json=as_json)
        try:
            content = method(self, asked)
        except Refused as error:
            return _error(asked.method, str(error), as_json=as_json)
        if not asked.operator_door:
            return _success(asked.method, content, as_json=as_json)
        if asked.method == "customer_info":
            return tjansteguiden_forms.answer(asked.method, content, as_json=as_json)
        root = "serviceguide" if asked.method == "orders" else asked.method
        return tjansteguiden_forms.answer(root, {"response": content}, as_json=as_json)

    # --- the methods ---------------------------------------------------------------------------

    def _order(self, asked: Asked) -> Kept:
        identifier = asked.text("id")
        kept = self._orders.get(int(identifier)) if identifier.isdecimal() else None
        if kept is None:
            raise Refused(f"Order {identifier[:40]} not found")
        return kept

    def _since(self, asked: Asked) -> list[Kept]:
        """The orders of a calendar day and later."""
        try:
            first = date.fromisoformat(asked.text("date")[:10]).isoformat()
        except ValueError:
            raise Refused("Invalid date") from None
        return [kept for kept in self._orders.all() if self._forms.day(kept.came) >= first]

    def _list(self, asked: Asked) -> dict[str, Any]:
        rows = []
        for kept in self._since(asked):
            rows.append(self._forms.row(kept))
            if self.faults.touches("duplicates", kept.id):
                rows.append(rows[-1])
        if len(rows) > 1 and self.faults.strikes("reordering"):
            turn = chance.number(self._seed, "disorder", len(rows)) % (len(rows) - 1) + 1
            rows = rows[turn:] + rows[:turn]
        return {"order": rows}

    def _customers(self, asked: Asked) -> dict[str, Any]:
        return {
            "customer": [
                {
                    "id": self._forms.customer_id(kept),
                    "date": self._forms.time(kept.came, short=True),
                    "order": str(kept.id),
                }
                for kept in self._since(asked)
            ]
        }

    def _info(self, asked: Asked) -> dict[str, Any]:
        return {"order": self._forms.info(self._order(asked))}

    def _customer(self, asked: Asked) -> dict[str, Any]:
        identifier = asked.text("id")
        known = self._orders.get(int(identifier)) if identifier.isdecimal() else None
        for kept in [known] if known else self._orders.all():
            if identifier in {str(kept.id), self._forms.customer_id(kept)}:
                return self._forms.customer(kept)
        raise Refused(f"Customer {identifier[:40]} not found")

    def _log(self, asked: Asked) -> dict[str, Any]:
        return {"log": [self._forms.entry(entry) for entry in self._order(asked).log]}

    def _set_status(self, asked: Asked) -> dict[str, Any]:
        kept, status = self._order(asked), asked.text("status")
        if status not in STATUSES:
            raise Refused(f"Unknown status {status[:40]}")
        self.journal.executed("set_status", str(kept.id), {"status": status, "by": asked.account})
        self._orders.set_status(kept, status, self._now(kept), asked.account)
        verb = "changed to" if kept.status == status else "stays"
        return {"message": f"Status {verb} {kept.status} for order {kept.id}"}

    def _add_message(self, asked: Asked) -> dict[str, Any]:
        kept, kind, message = self._order(asked), asked.text("type"), asked.text("message")
        if kind not in TYPES:
            raise Refused(f"Unknown type {kind[:40]}")
        told = {"type": kind, "message": message, "by": asked.account}
        self.journal.executed("add_message", str(kept.id), told)
        self._orders.write(kept, kind, message, self._now(kept), asked.account)
        return {"message": f"Message added to order {kept.id}"}

    def _now(self, kept: Kept) -> datetime:
        """Now, but never before the last line of the order's log."""
        return max([self._clock.now(), *(entry.at for entry in kept.log[-1:])])


_METHODS: Final[Mapping[str, Callable[[Tjansteguiden, Asked], dict[str, Any]]]] = {
    "orders": Tjansteguiden._list,  # noqa: SLF001 - this module's own table
    "order_info": Tjansteguiden._info,  # noqa: SLF001
    "customer_info": Tjansteguiden._customer,  # noqa: SLF001
    "customers": Tjansteguiden._customers,  # noqa: SLF001
    "order_log": Tjansteguiden._log,  # noqa: SLF001
    "set_status": Tjansteguiden._set_status,  # noqa: SLF001
    "add_message": Tjansteguiden._add_message,  # noqa: SLF001
}


def _json(given: QueryParams) -> bool:
    return given.get("output_format") == "json"


def _success(method: str, content: Mapping[str, Any], *, as_json: bool) -> Response:
    told = {"response": content, "status": "success"}
    return tjansteguiden_forms.answer(method, told, as_json=as_json)


def _error(root: str, message: str, *, as_json: bool, status: int = 200) -> Response:
    root = root if root in {"api_login", *_METHODS} else "error"
    told = {"response": {"message": message}, "status": "error"}
    return tjansteguiden_forms.answer(root, told, as_json=as_json, status=status)

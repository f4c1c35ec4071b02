"""How a sandbox is set up: everything that can be chosen, with its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from app.sandbox import faults

OPERATORS: Final = ("on_api", "covage", "tjansteguiden", "seller")
"""The operators, as settings and control endpoints name them."""

Role = Literal["admin", "delivery", "reader"]
Style = Literal["tmf622_2015", "tmf622_v4", "tmf622_v5", "onap"]


@dataclass(frozen=True, slots=True)
class Account:
    """Who may ask.

    HTTP Basic at ON-API, e-mail and password at Covage, api_user and api_key at Tjänsteguiden (in
    its KO form by `api_user` alone). `role` is Covage's group.
    """

    name: str
    password: str
    role: Role = "admin"


@dataclass(frozen=True, slots=True)
class Limit:
    """How much an operator has: so many orders, or lives until so many events are published."""

    orders: int | None = None
    events: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnApi:
    """Of the ON-API network.

    `unknown_since`: what a `since` it never gave out gets, 400 or the list from the start.
    `in_progress`: publish IN_PROGRESS too, which 2.4 and later may (2.3.1 never shows it).
    """

    unknown_since: Literal["error", "beginning"] = "error"
    in_progress: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Covage:
    """Of Covage.

    `shape`: old (seed 002), new (with Z and `object_alias`) or by turns. `zone` is that of the old
    shape's zoneless times. Lifetimes in seconds. `page_size` where none is asked for, never more
    than `page_limit`.
    """

    shape: Literal["old", "new", "both"] = "both"
    zone: str = "Europe/Paris"
    page_size: int = 20
    page_limit: int = 1000
    access_lifetime: float = 3600.0
    refresh_lifetime: float = 12 * 3600.0
    jwt_lifetime: float = 24 * 3600.0
    file_lifetime: float = 1800.0
    info_interval: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tjansteguiden:
    """Of Tjänsteguiden: `hash_lifetime` in seconds, `zone` of its zoneless times."""

    hash_lifetime: float = 1200.0
    zone: str = "Europe/Stockholm"


@dataclass(frozen=True, slots=True)
class Target:
    """Somewhere the seller pushes to without being asked by its hub.

    `headers` go with every push (`Authorization`); `styles` are what it is told.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    styles: tuple[Style, ...] = ("tmf622_2015", "onap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """Of the TM Forum seller.

    `styles`: what it publishes. `attempts` per push, `backoff` seconds before the second, doubled
    each time; `timeout` of one. `callback_hosts`: the only hosts its hubs accept callbacks to.
    """

    targets: tuple[Target, ...] = ()
    styles: tuple[Style, ...] = ("tmf622_2015", "onap")
    attempts: int = 3
    backoff: float = 0.5
    timeout: float = 5.0
    callback_hosts: frozenset[str] = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A sandbox.

    `pace`: "burst" (everything has happened before the first request), "manual" (only
    `/_control/advance` lets time pass) or scenario seconds a second. `every`: scenario seconds
    between two orders, `starts_at` the moment of the first (aware); both chosen by `server` where
    None. `control`: whether `/_control` answers.
    """

    seed: int = 1
    pace: Literal["burst", "manual"] | float = "burst"
    every: float | None = None
    starts_at: datetime | None = None
    limits: Mapping[str, Limit] = field(default_factory=dict)
    limit: Limit = Limit(orders=50)
    control: bool = False
    accounts: tuple[Account, ...] = (
        Account("sandbox", "sandbox"),
        Account("reader", "reader", "reader"),
    )
    faults: Mapping[str, Mapping[str, faults.Fault]] = field(default_factory=dict)
    on_api: OnApi = OnApi()
    covage: Covage = Covage()
    tjansteguiden: Tjansteguiden = Tjansteguiden()
    seller: Seller = Seller()

    @property
    def hurry(self) -> float:
        """Scenario seconds that pass in a second; 1 where its time is told as it is."""
        return 1.0 if isinstance(self.pace, str) else self.pace

    def limit_of(self, operator: str) -> Limit:
        """How much `operator` has."""
        return self.limits.get(operator, self.limit)

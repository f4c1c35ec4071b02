"""What may go wrong at an operator, on request, and when it does.

A fault has a name of `known`. Faults of an *answer* strike requests (`trouble` carries them out);
faults of the *record* strike what is published or listed (the operator does it). All are drawn from
the seed and a count, so that the same requests meet the same faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app import errors
from app.sandbox import chance

ANSWER: Final = frozenset({
    "unauthorized", "too_many_requests", "server_error", "maintenance_page", "redirect",
    "endless_body", "slow_body", "truncated_body", "lost_answer",
})  # fmt: skip
"""Faults of an answer, at every operator."""

RECORD: Final[Mapping[str, frozenset[str]]] = {
    "on_api": frozenset({"duplicates", "reordering", "changed_history"}),
    "covage": frozenset({
        "duplicates", "reordering", "late_commits", "equal_timestamps", "malformed_times",
        "changed_history",
    }),
    "tjansteguiden": frozenset({
        "duplicates", "reordering", "equal_timestamps", "malformed_times",
    }),
    "seller": frozenset({"duplicates", "reordering", "equal_timestamps", "malformed_times"}),
}  # fmt: skip
"""Faults of the record that have a meaning at each operator."""


def known(operator: str) -> frozenset[str]:
    """The names of the faults `operator` may have."""
    return ANSWER | RECORD[operator]


class UnknownFault(errors.ListenerError):
    """There is no such fault at this operator."""


@dataclass(frozen=True, slots=True)
class Fault:
    """How often a fault strikes and how.

    `rate`: the share of chances it takes, 0 to 1. `times`: it strikes so often and is over (None:
    for ever). `where`: only requests whose `path?query` contains this. `options`: of `trouble`
    (`retry_after`, `seconds`, `bytes`, `location`, `status`) or the operator (`how`).
    """

    rate: float = 1.0
    times: int | None = None
    where: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Active:
    fault: Fault
    chances: int = 0
    struck: int = 0


class Faults:
    """The faults of one operator: which are on, and how often each has struck."""

    def __init__(self, operator: str, seed: int, active: Mapping[str, Fault]) -> None:
        self._operator = operator
        self._seed = chance.number(seed, "faults", operator)
        self._active: dict[str, _Active] = {}
        for name, fault in active.items():
            self.put(name, fault)

    def put(self, name: str, fault: Fault) -> None:
        """Switch `name` on, or set it anew. Raises `UnknownFault`."""
        names = known(self._operator)
        if name not in names:
            listed = ", ".join(sorted(names))
            raise UnknownFault(f"{self._operator} has no fault {name!r}; it has {listed}")
        self._active[name] = _Active(fault)

    def drop(self, name: str | None = None) -> None:
        """Switch `name` off, or all."""
        for each in [name] if name is not None else list(self._active):
            self._active.pop(each, None)

    def options(self, name: str) -> Mapping[str, Any]:
        """The options `name` was switched on with."""
        active = self._active.get(name)
        return active.fault.options if active else {}

    def strikes(self, name: str, request: str = "") -> bool:
        """Whether it strikes now; counts the chance. `request` is its `path?query`."""
        active = self._active.get(name)
        if active is None or active.fault.where not in request:
            return False
        if active.fault.times is not None and active.struck >= active.fault.times:
            return False
        active.chances += 1
        struck = chance.share(self._seed, name, active.chances) < active.fault.rate
        active.struck += struck
        return struck

    def touches(self, name: str, place: int) -> bool:
        """Whether it touches what stands at `place`: always the same answer while it is on."""
        active = self._active.get(name)
        if active is None or chance.share(self._seed, name, place) >= active.fault.rate:
            return False
        active.struck += 1
        return True

    def on(self, name: str) -> bool:
        """Whether it is switched on."""
        return name in self._active

    def report(self) -> dict[str, dict[str, Any]]:
        """All that are on: `{name: {rate, times, where, options, struck}}`."""
        return {
            name: {
                "rate": active.fault.rate,
                "times": active.fault.times,
                "where": active.fault.where,
                "options": dict(active.fault.options),
                "struck": active.struck,
            }
            for name, active in sorted(self._active.items())
        }

"""Which one of the replicas does what only one may do: it holds the lease of that work.

A lead says who it is by being asked (`hold`); what is written under it is checked against the lease
in the same transaction, so that one that slept writes nothing. Not here: the work.
"""

from __future__ import annotations

import contextlib
import uuid
from datetime import timedelta
from typing import Final

from app import errors
from app.runtime import Runtime
from app.store import engine, leases

TERM: Final = timedelta(seconds=15)
"""How long a leader that is silent keeps its work."""


class Lead:
    """The lease called `name`, as far as this process can have it. It shares no feeds."""

    def __init__(self, runtime: Runtime, name: str, *, term: timedelta = TERM) -> None:
        self.term = term
        self._runtime = runtime
        self._name = name
        self._replica = f"{leases.ACTING}{name}/{uuid.uuid4()}"
        self._fence: leases.Fence | None = None
        self._asked_at: float | None = None

    async def hold(self) -> leases.Fence | None:
        """The lease, asked for again at half the term; null while another has it.

        Raises `errors.Unavailable`.
        """
        now = self._runtime.clock.monotonic()
        if self._asked_at is None or now - self._asked_at >= self.term.total_seconds() / 2:
            self._fence = await self._runtime.write(self._beat)
            self._asked_at = now
        return self._fence

    def lose(self) -> None:
        """Ask again before anything else: somebody else may have it."""
        self._fence = self._asked_at = None

    async def leave(self) -> None:
        """Give it back, so that another may take it at once."""
        with contextlib.suppress(errors.Unavailable):
            await self._runtime.write(lambda connection: leases.leave(connection, self._replica))

    def _beat(self, connection: engine.Connection) -> leases.Fence | None:
        leases.beat(connection, self._replica, self.term)
        leases.declare(connection, [self._name])
        held = leases.held(connection, self._replica)
        held += leases.take(connection, self._replica, [self._name], 1 - len(held))
        return next(iter(held), None)

"""Speaking with one operator: logging in when it is due, and once more when it is refused.

Shared by all that is asked of a source, so that there is one login. Not here: what is asked
(`sources` make the requests), how it travels (`outbound`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Final

from app import clock, errors
from app.feeds import trouble
from app.outbound import exchange, failures
from app.sources import base

LOGIN_LIMIT: Final = 65536
LOGIN_DEADLINE: Final = 30.0
MARGIN: Final = timedelta(seconds=60)
"""A login is renewed this long before it ends, or a tenth of its life where that is less."""

UNAUTHORIZED: Final = frozenset({401, 403})
FORBIDDEN_ALONE: Final = frozenset({401})
"""Statuses that ask for a fresh login: of a page; of a command, where 403 may speak of rights."""

PAGE: Final = "text/html"
"""What an operator sends to people: not its word on a login."""

Build = Callable[[base.Grant | None], base.Request]


class Session:
    """One login at the operator of `source`: made when something is asked, kept while it holds."""

    def __init__(
        self,
        source: base.SourceConfig,
        kind: base.PullKind,
        client: exchange.Client,
        time: clock.Clock,
    ) -> None:
        self._feed = source.feed
        self._kind = kind
        self._client = client
        self._clock = time
        self._grant: base.Grant | None = None
        self._renew_at = time.now()
        self._lock = asyncio.Lock()

    async def ask(
        self,
        build: Build,
        *,
        limit: int,
        deadline: float,
        relogin: Collection[int] = UNAUTHORIZED,
    ) -> exchange.Answer:
        """Send what `build` makes of the login; again after a fresh one if it was refused.

        `relogin`: the statuses that refuse a login. An answer is given whatever its status; close
        it. Raises `failures.ExchangeFailed` (a login refused: `Unauthorized`), `errors.SenderFault`
        for a login that is none.
        """
        grant = await self.login()
        answer = await self._client.send(build(grant), limit=limit, deadline=deadline)
        if answer.status not in relogin or grant is None:
            return answer
        with answer:
            self.forget(grant)
        grant = await self.login()
        return await self._client.send(build(grant), limit=limit, deadline=deadline)

    async def login(self) -> base.Grant | None:
        """The login in force, made or renewed now if need be; null where the kind has none."""
        async with self._lock:
            now = self._clock.now()
            if self._grant is not None and now < self._renew_at:
                return self._grant
            previous, self._grant = self._grant, None
            self._grant = await self._logged_in(previous)
            if self._grant is not None:
                life = self._grant.expires_at - now
                self._renew_at = self._grant.expires_at - min(MARGIN, life / 10)
            return self._grant

    def forget(self, grant: base.Grant | None) -> None:
        """The operator does not take `grant` any more: the next request logs in afresh."""
        if self._grant is grant:
            self._grant = None

    async def _logged_in(self, previous: base.Grant | None) -> base.Grant | None:
        """A new login; by renewing `previous` if that works."""
        if previous is not None:
            try:
                return await self._log_in(previous)
            except (failures.Refused, errors.SenderFault):
                pass  # it cannot be renewed; the name and the password still may do
        return await self._log_in(None)

    async def _log_in(self, previous: base.Grant | None) -> base.Grant | None:
        now = self._clock.now()
        request = self._kind.login(self._feed, now, previous)
        if request is None:
            return None
        answer = await self._client.send(request, limit=LOGIN_LIMIT, deadline=LOGIN_DEADLINE)
        with answer:
            answer.check()
            try:
                return self._kind.grant(self._feed, answer.read(), now, previous)
            except errors.SenderFault as fault:
                if (answer.content_type or "").startswith(PAGE):
                    told = f"{answer.place} ({answer.content_type}): {fault}"
                    raise errors.SenderFault(told) from fault
                raise trouble.LoginRefused(str(fault)) from fault

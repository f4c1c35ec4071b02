"""A command on its way to the operator: its request, its answer, and whether it was carried out.

Not here: when it is sent and what follows on its answer (`commands`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from app import errors
from app.feeds import session as sessions
from app.outbound import exchange, failures
from app.sources import base
from app.store import commands

LIMIT: Final = 16 * 1024**2
DEADLINE: Final = 30.0
"""Bytes and seconds of an answer to a command."""

Build = Callable[[base.Grant | None], base.Request | None]


class NotDone(errors.ListenerError):
    """It was not carried out: our login was refused, or failed before the request left."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer says; `wait`: how long the operator asks to be left alone (`Retry-After`)."""

    result: base.CommandResult
    wait: timedelta


class Sender:
    """Sends the commands of `source` in its `session`."""

    def __init__(
        self, source: base.SourceConfig, kind: base.PullKind, session: sessions.Session
    ) -> None:
        self._feed = source.feed
        self._kind = kind
        self._session = session

    async def sent(self, command: commands.Command) -> Answered:
        """Send it, after a fresh login if the operator does not know ours; read the answer.

        Raises `NotDone`, `errors.Refused` for one that cannot be asked for; `ExchangeFailed` and
        `errors.SenderFault` tell nothing of whether it was carried out.
        """
        try:
            return await self._once(command)
        except errors.StaleGrant:
            self._session.forget(await self._logged_in())
            try:
                return await self._once(command)
            except errors.StaleGrant as error:
                raise NotDone(str(error)) from error

    async def _logged_in(self) -> base.Grant | None:
        try:
            return await self._session.login()
        except (failures.ExchangeFailed, errors.SenderFault) as error:
            raise NotDone(str(error)) from error

    async def _once(self, command: commands.Command) -> Answered:
        await self._logged_in()
        feed, order = self._feed, command.order_id or ""
        answer = await self._session.ask(
            lambda grant: self._kind.command(
                feed, order, command.command, command.arguments, grant
            ),
            limit=LIMIT,
            deadline=DEADLINE,
            relogin=sessions.FORBIDDEN_ALONE,
        )
        with answer:
            if answer.status in sessions.FORBIDDEN_ALONE:
                raise NotDone(f"a fresh login was answered {answer.status}")
            wait = exchange.retry_after(answer.headers.get("retry-after"), datetime.now(UTC))
            result = self._kind.command_result(
                command.command, answer.status, answer.read(), command.order_id
            )
            return Answered(result, timedelta(seconds=wait or 0.0))

    async def was_done(self, command: commands.Command, since: datetime) -> bool | None:
        """Whether it was carried out since `since`; null where the operator does not tell.

        Raises `ExchangeFailed`, `errors.SenderFault`.
        """

        def build(grant: base.Grant | None) -> base.Request | None:
            return self._kind.check_request(
                self._feed,
                command.order_id or "",
                command.command,
                command.arguments,
                since,
                grant,
            )

        grant = await self._session.login()
        first = build(grant)
        if first is None:
            return None
        try:
            return await self._checked(command, since, build, first)
        except errors.StaleGrant:
            self._session.forget(grant)
            return await self._checked(command, since, build, first)

    async def _checked(
        self, command: commands.Command, since: datetime, build: Build, first: base.Request
    ) -> bool | None:
        answer = await self._session.ask(
            lambda grant: build(grant) or first, limit=LIMIT, deadline=DEADLINE
        )
        with answer:
            answer.check()
            return self._kind.was_done(
                command.command, command.arguments, answer.read(), since, self._feed
            )

"""One turn of the alerts: look at what holds, note what began and ended, tell what is due.

Not here: what holds (`conditions`), how it is told (`telling`).
"""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from app import channels, loop, telemetry
from app.alerts import conditions, messages, telling
from app.outbound import failures
from app.runtime import Runtime
from app.store import alerted, alerts, engine, jobs

REST: Final = 15.0
"""Seconds between two looks where nothing happens."""

ATTEMPT: Final = timedelta(minutes=3)
"""After this another process may try what one that died was at; longer than any attempt lasts."""

FIRST: Final = 5.0
LONGEST: Final = 900.0
"""Seconds until the second attempt, and the most between two."""


class Follower:
    """Tells what is to be told of `runtime`, by `teller`."""

    def __init__(self, runtime: Runtime, teller: telling.Teller, chance: random.Random) -> None:
        self.teller = teller
        self._runtime = runtime
        self._chance = chance
        self._log = telemetry.logger("alerts")

    async def turn(self) -> float:
        """Look, note, tell; gives the seconds to rest. Raises `errors.Unavailable`."""
        if not self._runtime.configuration.alerts:
            return REST
        now = self._runtime.clock.now()
        waiting, holds, changed = await loop.in_thread(self._look, now)
        if changed:
            await self._runtime.write(partial(self._observe, holds=holds, now=now))
        for job in waiting:
            await self._test(job)
        due = await loop.in_thread(self._due, now)
        by_channel: dict[str, list[alerts.Alert]] = {}
        for alert in due:
            by_channel.setdefault(alert.channel, []).append(alert)
        await asyncio.gather(*(self._tell_all(some) for some in by_channel.values()))
        return await loop.in_thread(self._rest)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self.teller.aclose()

    def _look(
        self, now: datetime
    ) -> tuple[list[jobs.Job], dict[alerts.Key, alerts.Condition], bool]:
        with engine.read(self._runtime.engine) as connection:
            waiting = jobs.waiting(connection, jobs.NO_SOURCE)
            found = conditions.holding(self._runtime, connection, now)
            holds: dict[alerts.Key, alerts.Condition] = {}
            for channel in self._runtime.configuration.alerts:
                holds |= conditions.wanted(channel, found)
            return waiting, holds, alerts.differs(connection, holds, self._names())

    def _observe(
        self,
        connection: engine.Connection,
        *,
        holds: dict[alerts.Key, alerts.Condition],
        now: datetime,
    ) -> None:
        alerts.observe(connection, holds, self._names(), now, self._runtime.new_id)

    def _names(self) -> list[str]:
        return [channel.name for channel in self._runtime.configuration.alerts]

    def _due(self, now: datetime) -> list[alerts.Alert]:
        with engine.read(self._runtime.engine) as connection:
            return alerts.due(connection, now)

    def _rest(self) -> float:
        """Seconds until the next attempt is due, at most `REST`."""
        now = self._runtime.clock.now()
        with engine.read(self._runtime.engine) as connection:
            moments = [one.due_at for one in alerts.listing(connection) if one.due_at is not None]
        waits = [(moment - now).total_seconds() for moment in moments]
        return max(0.0, min([REST, *waits]))

    async def _tell_all(self, some: list[alerts.Alert]) -> None:
        channel = self._channel(some[0].channel)
        for alert in some:
            now = self._runtime.clock.now()
            claim = partial(alerts.claim, alert=alert, now=now, until=now + ATTEMPT)
            if channel is None or not await self._runtime.write(claim):
                continue
            if not await self._tell(channel, alert):
                return  # the others would fail for the same reason; they stay due

    async def _tell(self, channel: channels.AlertConfig, alert: alerts.Alert) -> bool:
        now = self._runtime.clock.now()
        message = messages.of(alert, now)
        about = {"source": alert.source, "severity": alert.severity, "alert_event": message.event}
        try:
            await self.teller.tell(channel, message)
        except failures.ExchangeFailed as error:
            told = error.message
            wait = timedelta(seconds=self._wait(error, alert.attempts))
            missed = _attempt(channel, message, now, told)
            await self._runtime.write(
                partial(_not_told, alert=alert, attempt=missed, due_at=now + wait)
            )
            self._log.warning("alert_not_told", channel=channel.name, reason=told, **about)
            return False
        await self._runtime.write(
            partial(_told, alert=alert, attempt=_attempt(channel, message, now))
        )
        self._log.info("alert_told", channel=channel.name, **about)
        return True

    def _wait(self, error: failures.ExchangeFailed, attempts: int) -> float:
        if isinstance(error, failures.Refused) and error.retry_after is not None:
            return min(error.retry_after, LONGEST)
        longest = min(FIRST * 2 ** min(attempts, 20), LONGEST)
        return float(longest * self._chance.uniform(0.5, 1.0))

    async def _test(self, job: jobs.Job) -> None:
        """Send a test to the channels `job` names, once: by whichever process is first."""
        if not await self._runtime.write(lambda c: jobs.take(c, job.id, self._runtime.clock.now())):
            return
        name = job.arguments.get("channel")
        asked = [one for one in self._runtime.configuration.alerts if name in {None, one.name}]
        message = messages.trial(job.id, self._runtime.clock.now())
        result = await tested(self.teller, asked, message)
        now = self._runtime.clock.now()

        def finish(connection: engine.Connection) -> None:
            for channel in asked:
                attempt = _attempt(channel, message, now, result[channel.name])
                alerted.note(connection, attempt)
            jobs.finish(connection, job.id, now, result={"told": result})

        await self._runtime.write(finish)

    def _channel(self, name: str) -> channels.AlertConfig | None:
        found = (one for one in self._runtime.configuration.alerts if one.name == name)
        return next(found, None)


def _attempt(
    channel: channels.AlertConfig,
    message: messages.Message,
    at: datetime,
    error: str | None = None,
) -> alerted.Attempt:
    return alerted.Attempt(
        channel.name,
        message.id,
        message.event,
        message.source,
        message.severity,
        message.text,
        at,
        error,
    )


def _told(connection: engine.Connection, *, alert: alerts.Alert, attempt: alerted.Attempt) -> None:
    alerts.told(connection, alert, attempt.at)
    alerted.note(connection, attempt)


def _not_told(
    connection: engine.Connection,
    *,
    alert: alerts.Alert,
    attempt: alerted.Attempt,
    due_at: datetime,
) -> None:
    alerts.failed(connection, alert, attempt.error or "", due_at)
    alerted.note(connection, attempt)


async def tested(
    teller: telling.Teller, asked: list[channels.AlertConfig], message: messages.Message
) -> dict[str, str | None]:
    """Tell `message` to each of `asked`; by channel: null, or why it could not be told."""
    result: dict[str, str | None] = {}
    for channel in asked:
        try:
            await teller.tell(channel, message)
            result[channel.name] = None
        except failures.ExchangeFailed as error:
            result[channel.name] = error.message
    return result

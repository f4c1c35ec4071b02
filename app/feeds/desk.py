"""The jobs asked of one source, done in their order: poll, pause, resume, rewind, backfill, audit.

Not here: asking for one (`web`, `cli`), what an audit compares (`audit`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any, Final, Literal

from app import errors, loop, telemetry
from app.feeds import audit, poller, reading, trouble
from app.runtime import Runtime
from app.sources import base
from app.store import engine, feeds, jobs, pages

IDLE: Final = 3600.0


class Desk:
    """Does the jobs of `source`, under the fence of `reader`."""

    def __init__(
        self,
        runtime: Runtime,
        source: base.SourceConfig,
        kind: base.PullKind,
        reader: reading.Reader,
        turns: poller.Poller,
        follow: poller.Follow,
        bell: loop.Bell,
    ) -> None:
        self._runtime = runtime
        self._source = source
        self._kind = kind
        self._reader = reader
        self._turns = turns
        self._follow = follow
        self._bell = bell
        self._actions: Mapping[str, Callable[[jobs.Job], Awaitable[dict[str, Any]]]] = {
            "poll": self._poll,
            "pause": self._pause,
            "resume": self._resume,
            "rewind": self._rewind,
            "backfill": self._backfill,
            "audit": self._audit,
        }

    async def turn(self) -> float:
        """Do what is asked; gives the seconds until the next look. Raises `errors.Unavailable`."""
        while waiting := await loop.in_thread(self._waiting):
            for job in waiting:
                await self._do(job)
        return IDLE

    def _waiting(self) -> list[jobs.Job]:
        with engine.read(self._runtime.engine) as connection:
            return jobs.waiting(connection, self._source.name)

    async def _do(self, job: jobs.Job) -> None:
        begun = self._runtime.clock.now()
        await self._write(lambda connection: jobs.begin(connection, job.id, begun))
        result: dict[str, Any] | None = None
        reason: str | None = None
        try:
            result = await self._actions[job.action](job)
        except (trouble.Taken, pages.StaleFence, errors.Unavailable):
            raise
        except errors.ListenerError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - the job's end must be told, whatever it was
            telemetry.logger("feeds").error("job_failed", job=job.id, exc_info=error)
            reason = f"a bug of ours ({type(error).__name__}): see the log"
        ended = self._runtime.clock.now()
        await self._write(
            lambda connection: jobs.finish(connection, job.id, ended, result=result, error=reason)
        )

    async def _poll(self, _: jobs.Job) -> dict[str, Any]:
        """A turn now; what it did is in the feed's status."""
        before = await loop.in_thread(self._feed)
        if before.paused_at is not None:
            raise errors.Conflict("the feed is paused; resume it first")
        await self._turns.turn()
        found = self._turns.trouble
        if found is not None:
            raise errors.SenderFault(f"{found.cause}: {found.error}; {found.remedy}")
        if before.failures:
            self._bell.ring()  # it rests no longer after trouble that is over
        after = await loop.in_thread(self._feed)
        return {
            "entries": after.entries - before.entries,
            "appended": after.appended - before.appended,
            "quarantined": after.quarantined - before.quarantined,
        }

    async def _pause(self, job: jobs.Job) -> dict[str, Any]:
        await self._set_paused(job, paused=True)
        return {"paused": True}

    async def _resume(self, job: jobs.Job) -> dict[str, Any]:
        await self._set_paused(job, paused=False)
        self._bell.ring()
        return {"paused": False}

    async def _set_paused(self, job: jobs.Job, *, paused: bool) -> None:
        at = self._runtime.clock.now() if paused else None

        def write(connection: engine.Connection) -> None:
            feeds.pause(connection, self._source.name, job.asked_by, at)

        await self._write(write)
        await self._turns.pause(paused=paused)

    async def _rewind(self, job: jobs.Job) -> dict[str, Any]:
        """Go on from an earlier place; with `dry_run` only tell from where and to where."""
        to = place(job.arguments.get("to", "beginning"), self._runtime.clock.now().date())
        cursor = self._kind.rewound(self._source.feed, to)
        plan = {"from": self._turns.cursor, "to": cursor, "done": False}
        if job.arguments.get("dry_run"):
            return plan
        at = self._runtime.clock.now()

        def write(connection: engine.Connection) -> None:
            feeds.rewind(connection, self._source.name, cursor, at)

        await self._turns.rewind(cursor, lambda: self._write(write))
        self._bell.ring()
        return {**plan, "done": True}

    async def _backfill(self, job: jobs.Job) -> dict[str, Any]:
        """The history of one object into the log; the feed stays where it is."""
        type_, id_ = str(job.arguments["object_type"]), str(job.arguments["object_id"])
        cursor = self._kind.backfill(self._source.feed, type_, id_)
        tally = reading.Tally()
        await self._reader.aside(cursor, tally)
        await self._follow()
        return {
            "entries": tally.entries,
            "appended": tally.appended,
            "quarantined": tally.quarantined,
        }

    async def _audit(self, _: jobs.Job) -> dict[str, Any]:
        """A turn first, so that what is only not read yet is read; then the comparison."""
        await self._turns.turn()
        return await audit.run(self._runtime, self._source, self._kind, self._reader)

    def _feed(self) -> feeds.Feed:
        with engine.read(self._runtime.engine) as connection:
            found = feeds.one(connection, self._source.name)
        if found is None:
            raise errors.NotFound(f"there is no feed {self._source.name}")
        return found

    async def _write(self, job: Callable[[engine.Connection], None]) -> None:
        await self._runtime.write(job, under=self._reader.fence)


def place(text: object, today: date) -> Literal["beginning"] | date:
    """`beginning`, or a day such as 2026-01-31, not after `today` (UTC).

    Raises `errors.InvalidParameter`: from a day that is yet to come on, what comes until then would
    be left out.
    """
    if text == "beginning":
        return "beginning"
    try:
        day = date.fromisoformat(str(text))
    except ValueError as error:
        raise errors.InvalidParameter(
            "to: expected beginning or a day such as 2026-01-31"
        ) from error
    if day > today:
        raise errors.InvalidParameter("to: that day is yet to come; a rewind leads back")
    return day

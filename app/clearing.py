"""Releasing, or putting away, many refused bodies: one after the other, as a job tells.

    running = await clearing.start(runtime)
    …
    await clearing.stop(running)

One of the replicas does it, by a lease. How far it came is written in the transaction of every
body, so that it goes on where it stopped, in whatever process. Not here: asking for it (`ui`), what
becomes of one body (`doors.acts`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app import errors, lead, loop, telemetry
from app.doors import acts
from app.runtime import Runtime
from app.store import engine, jobs, leases, quarantine

NAME: Final = "clearing"

REST: Final = 0.5
"""Seconds between two looks at whether there is something to do."""

AT_ONCE: Final = 100
"""Rows that are looked up at a time."""

REASONS: Final = 20
EXAMPLES: Final = 3
LONGEST: Final = 300
"""Reasons that are told apart, rows named for each, characters of one."""

OTHERS: Final = "other reasons"

TRIES: Final = 3
OURS: Final = "a fault of ours: the log has more"
"""How often a row is begun that makes us fail, and what is said of it then."""


@dataclass(slots=True)
class Progress:
    """How far a job has come: so many `done`, so many still `refused`, nothing below `at` yet.

    `reasons`: why those are refused, with how many and the first of them.
    """

    done: int = 0
    refused: int = 0
    at: str | None = None
    reasons: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, result: Mapping[str, Any] | None) -> Progress:
        """That of a job's `result`."""
        told = dict(result or {})
        reasons = {row["reason"]: row for row in told.pop("reasons", ())}
        return cls(**told, reasons=reasons)

    def told(self) -> dict[str, Any]:
        """As it is kept in a job's result."""
        return {
            "done": self.done,
            "refused": self.refused,
            "at": self.at,
            "reasons": list(self.reasons.values()),
        }

    def refuse(self, id_: str, reason: str) -> None:
        """Count the row `id_`, which is still refused."""
        self.refused += 1
        short = reason[:LONGEST]
        if short not in self.reasons and len(self.reasons) >= REASONS:
            short = OTHERS
        row = self.reasons.setdefault(short, {"reason": short, "count": 0, "ids": []})
        row["count"] += 1
        if len(row["ids"]) < EXAMPLES:
            row["ids"].append(id_)


class Clearing:
    """Does the jobs that wait, oldest first, while it holds the lease."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lead = lead.Lead(runtime, NAME)
        self._busy = False
        self._tries: Counter[str] = Counter()
        self._log = telemetry.logger(NAME)

    async def turn(self) -> float:
        """Do what waits; gives the seconds to rest. Raises `errors.Unavailable`."""
        waiting = await loop.in_thread(self._waiting)
        if not waiting:
            await self.leave()
            return REST
        for job in waiting:
            self._busy = True
            if not await self._do(job):
                return REST
        return 0.0

    async def leave(self) -> None:
        """Give the lease back."""
        if self._busy:
            self._busy = False
            self._lead.lose()
            await self._lead.leave()

    def _waiting(self) -> list[jobs.Job]:
        with engine.read(self._runtime.engine) as connection:
            return jobs.waiting(connection, jobs.QUARANTINE)

    async def _do(self, job: jobs.Job) -> bool:
        """Do the rest of `job`; false where another process has the lease."""
        progress = Progress.of(job.result)
        begun = self._runtime.clock.now()
        if job.state == "queued" and not await self._runtime.write(
            lambda connection: jobs.take(connection, job.id, begun)
        ):
            return True
        while rows := await loop.in_thread(self._next, job, progress.at):
            for id_ in rows:
                fence = await self._lead.hold()
                if fence is None:
                    return False
                if not await self._one(job, id_, progress, fence):
                    return True
        now = self._runtime.clock.now()
        told = progress.told()
        await self._runtime.write(
            lambda connection: jobs.finish(connection, job.id, now, result=told)
        )
        self._log.info("cleared", job=job.id, action=job.action, **_counts(progress))
        return True

    def _next(self, job: jobs.Job, at: str | None) -> list[str]:
        """The next rows that are open, newest first, beyond the row `at`."""
        asked = {name: job.arguments[name] for name in ("source", "code", "ids")}
        many = quarantine.Many(at or job.arguments["upto"], **asked)
        with engine.read(self._runtime.engine) as connection:
            found = quarantine.still_open(connection, many, AT_ONCE + 1)
        return [id_ for id_ in found if id_ != at]

    async def _one(self, job: jobs.Job, id_: str, progress: Progress, fence: leases.Fence) -> bool:
        """Do it to one row, and write how far that is; false where the job is ours no more."""
        progress.at = id_
        going = False

        def note(connection: engine.Connection) -> None:
            nonlocal going
            if not leases.check(connection, [fence]):
                progress.done += 1
                going = jobs.advance(connection, job.id, progress.told())

        try:
            self._begin(id_)
            await self._act(job, id_, note)
        except errors.Refused as error:
            progress.refuse(id_, error.message)
            told = progress.told()
            going = await self._runtime.write(
                lambda connection: jobs.advance(connection, job.id, told)
            )
        except errors.Unavailable:
            self._tries.clear()
            raise
        del self._tries[id_]
        return going

    def _begin(self, id_: str) -> None:
        """Raise `errors.Conflict` for a row that made us fail again and again."""
        self._tries[id_] += 1
        if self._tries[id_] > TRIES:
            raise errors.Conflict(OURS)

    async def _act(
        self, job: jobs.Job, id_: str, note: Callable[[engine.Connection], None]
    ) -> None:
        if job.action == acts.DISCARD:
            await acts.discard(self._runtime, id_, by=job.asked_by, also=note)
        else:
            force = job.action == acts.FORCE
            await acts.release(self._runtime, id_, by=job.asked_by, force=force, also=note)


def _counts(progress: Progress) -> dict[str, int]:
    return {"done": progress.done, "refused": progress.refused}


@dataclass(frozen=True, slots=True)
class Running:
    """The clearing of a process while it runs; it ends by `stop`."""

    clearing: Clearing
    task: asyncio.Task[None]


async def start(runtime: Runtime) -> Running:
    """Begin to do what is asked of the refused bodies of `runtime`, which is started."""
    clearing = Clearing(runtime)
    return Running(clearing, asyncio.create_task(loop.run(clearing.turn, name=NAME), name=NAME))


async def stop(running: Running) -> None:
    """End it: the next process goes on where it is."""
    running.task.cancel()
    await asyncio.gather(running.task, return_exceptions=True)
    await running.clearing.leave()

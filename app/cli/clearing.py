"""Many refused bodies at once, in a terminal: how many, a question, and then how far it is.

The job is the one that the pages ask for; this process does it, unless another is at it. Not here:
doing it (`app.clearing`), one body (`quarantine`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import typer

from app import clearing, runtime as runtimes, settings
from app.cli import acting, database, failure, opening, screen
from app.doors import acts
from app.store import engine, jobs, quarantine

LIST_THEM: Final = "see which there are: listener quarantine list"
HELPS: Final = "admit them in listener.toml, or take them as they are with --force"
WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    acts.RELEASE: ("Release", "released"),
    acts.FORCE: ("Take as they are", "taken as they were"),
    acts.DISCARD: ("Discard", "discarded"),
})  # fmt: skip
"""By what is done: how it is asked, and said afterwards."""

Tell = Callable[[int, int], None]


def clear(action: str, *, source: str | None, code: int | None, yes: bool) -> None:
    """Do `action` to all that are open now, of `source` and refused with `code` where given.

    Asks before it begins, unless `yes`; an interrupt ends it where it stands. Raises
    `CommandFailed` where some are still refused, or somebody stopped it.
    """
    database.must_be_there(settings.load())
    live = acting.quiet()
    try:
        wanted = _wanted(live, source, code)
        if not wanted["total"]:
            screen.remark("none of them is open")
            return
        question, done = WORDS[action]
        which = f"{wanted['total']:,} refused {'body' if wanted['total'] == 1 else 'bodies'}"
        if not yes and not typer.confirm(f"{question}: {which}?", err=True):
            raise typer.Exit(failure.FAILED)
        live.start()
        with screen.progress("refused bodies") as tell:
            job = asyncio.run(_job(live, action, wanted, tell))
    finally:
        live.close()
    _tell(job, done)


def _wanted(live: runtimes.Runtime, source: str | None, code: int | None) -> dict[str, Any]:
    """What the job is asked: those not newer than the newest there is now, and how many."""
    with engine.read(live.engine) as connection:
        newest = quarantine.page(
            connection, state="open", source=source, code=code, after_id=None, limit=1
        )
        upto = newest[0]["id"] if newest else ""
        total, _ = quarantine.count_open(connection, quarantine.Many(upto, source, code))
    return {"upto": upto, "source": source, "code": code, "ids": [], "total": total}


async def _job(live: runtimes.Runtime, action: str, wanted: dict[str, Any], tell: Tell) -> jobs.Job:
    """Ask for it and wait for its end; an interrupt ends it, however far the asking has come."""
    who = opening.operator()
    running = await clearing.start(live)
    asked = asyncio.ensure_future(acts.ask_clearing(live, action, wanted, by=who))
    try:
        return await _end(live, await asyncio.shield(asked), wanted, tell)
    except asyncio.CancelledError:
        await acts.stop_clearing(live, await asked, by=who)
        screen.remark("ended; what was done stays done")
        raise
    finally:
        await clearing.stop(running)


async def _end(live: runtimes.Runtime, id_: str, wanted: dict[str, Any], tell: Tell) -> jobs.Job:
    def over(connection: engine.Connection) -> jobs.Job | None:
        found = jobs.one(connection, id_)
        if found is not None and found.result is not None:
            tell(found.result["done"] + found.result["refused"], wanted["total"])
        return found if found is not None and found.finished_at is not None else None

    done = await acting.until(live, over)
    assert done is not None  # noqa: S101 - it waits without an end
    return done


def _tell(job: jobs.Job, done: str) -> None:
    result = job.result or {"done": 0, "refused": 0, "reasons": []}
    if result["done"] or not result["refused"]:
        screen.done(f"{result['done']:,} {done}")
    for row in result["reasons"]:
        screen.fault(f"{row['count']:,} {row['reason']} (such as {row['ids'][0]})")
    if job.error is not None:
        raise failure.CommandFailed(f"it ended early: {job.error}", LIST_THEM)
    if result["refused"]:
        raise failure.CommandFailed(f"{result['refused']:,} still refused", HELPS)

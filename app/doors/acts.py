"""What an administrator has done: asked for and written into the audit trail in one transaction.

The same act whether it comes as JSON or from a page. Not here: who may (`deps`), doing what was
asked of a feed (`feeds`) or of many refused bodies (`clearing`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from app import errors, intake as intakes
from app.notifications import notification as canonical
from app.runtime import Runtime
from app.security import issuing
from app.sources import base
from app.store import audit, credentials, engine, feeds, jobs, quarantine, standing

ALERT_TEST: Final = "alert.test"

RELEASE: Final = "quarantine.release"
FORCE: Final = "quarantine.force"
DISCARD: Final = "quarantine.discard"
"""What may be done to refused bodies, as the audit trail and the jobs about many call it."""


def record(
    runtime: Runtime,
    connection: engine.Connection,
    *,
    by: str,
    action: str,
    target: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write into the audit trail that `by` did `action` to `target` just now."""
    audit.record(
        connection,
        id_=runtime.new_id(),
        at=runtime.clock.now(),
        principal=by,
        action=action,
        target=target,
        detail=detail,
    )


def source(runtime: Runtime, name: str) -> base.SourceConfig:
    """The source `name`. Raises `errors.NotFound`."""
    found = runtime.source(name)
    if found is None:
        raise errors.NotFound(f"there is no source {name}")
    return found


def feed_source(runtime: Runtime, name: str) -> base.SourceConfig:
    """The source `name`, which has a feed. Raises `errors.NotFound`."""
    source = runtime.source(name)
    if source is None or source.feed is None:
        raise errors.NotFound(f"there is no feed {name}")
    return source


def feed_told(
    runtime: Runtime, source: base.SourceConfig, found: feeds.Feed | None
) -> dict[str, Any]:
    """How the feed of `source` stands now (`standing.told`); `source` has one."""
    assert source.feed is not None  # noqa: S101 - those without are left out before
    return standing.told(
        found,
        name=source.name,
        kind=source.kind,
        enabled=source.enabled,
        every=source.feed.every,
        now=runtime.clock.now(),
    )


async def ask_feed(
    runtime: Runtime, name: str, action: str, arguments: dict[str, Any], *, by: str
) -> str:
    """Have `action` done at the feed `name`; gives the job's id.

    Raises `errors.NotFound` where there is no such feed, `errors.Conflict` where it is disabled.
    """
    if not feed_source(runtime, name).enabled:
        raise errors.Conflict(f"the source {name} is disabled in listener.toml")
    job = jobs.Job(runtime.new_id(), name, action, arguments, by, runtime.clock.now())
    return await _ask(runtime, job, f"feed.{action}", name, arguments)


async def ask_clearing(runtime: Runtime, action: str, arguments: dict[str, Any], *, by: str) -> str:
    """Have `action` (RELEASE, FORCE, DISCARD) done to many refused bodies; gives the job's id.

    `arguments`: `total`, and what `quarantine.Many` asks.
    """
    now = runtime.clock.now()
    job = jobs.Job(runtime.new_id(), jobs.QUARANTINE, action, arguments, by, now)
    target = arguments["source"] or "all"
    told = {name: arguments[name] for name in ("upto", "code", "total")}
    return await _ask(runtime, job, f"{action}_many", target, told)


async def stop_clearing(runtime: Runtime, id_: str, *, by: str) -> bool:
    """End the job `id_` where it stands; false where it is over already."""

    def act(connection: engine.Connection) -> bool:
        found = jobs.one(connection, id_)
        if found is None or found.source != jobs.QUARANTINE:
            raise errors.NotFound(f"there is no job {id_} of the quarantine")
        done = jobs.stop(connection, id_, runtime.clock.now(), f"stopped by {by}")
        if done:
            record(runtime, connection, by=by, action="quarantine.stop", target=id_)
        return done

    return await runtime.write(act)


async def _ask(
    runtime: Runtime, job: jobs.Job, action: str, target: str, told: Mapping[str, Any]
) -> str:
    """Keep `job`, and that it was asked for; gives its id."""

    def write(connection: engine.Connection) -> None:
        jobs.ask(connection, job)
        detail = {**told, "job": job.id}
        record(runtime, connection, by=job.asked_by, action=action, target=target, detail=detail)

    await runtime.write(write)
    return job.id


async def test_alerts(runtime: Runtime, channel: str | None, *, by: str) -> str:
    """Have a test message sent to `channel` (null: to all); gives the job's id.

    Raises `errors.Conflict` where no channel is configured, `errors.NotFound` for an unknown one.
    """
    known = [one.name for one in runtime.configuration.alerts]
    if not known:
        raise errors.Conflict("no channel is configured: give listener.toml an [[alert]]")
    if channel is not None and channel not in known:
        raise errors.NotFound(f"there is no channel {channel}; there are: {', '.join(known)}")
    arguments = {"channel": channel}
    now = runtime.clock.now()
    job = jobs.Job(runtime.new_id(), jobs.NO_SOURCE, ALERT_TEST, arguments, by, now)
    return await _ask(runtime, job, ALERT_TEST, channel or "all", {})


async def release(
    runtime: Runtime,
    id_: str,
    *,
    by: str,
    force: bool,
    also: Callable[[engine.Connection], object] = lambda _: None,
) -> intakes.Released:
    """Release the refused body `id_` into the log; `also` is done in the same transaction.

    Raises `errors.NotFound`, and `errors.Conflict` where it is not open, its source is not
    configured any more, its bytes were not kept, or it is still refused and not `force`.
    """
    row, source = await asyncio.to_thread(_releasable, runtime, id_)

    def beside(connection: engine.Connection, notification_id: str) -> None:
        at = runtime.clock.now()
        if not quarantine.mark(connection, id_, "released", by, at, notification_id):
            raise errors.Conflict(f"quarantine row {id_} is not open any more")
        detail = {"notification_id": notification_id}
        record(runtime, connection, by=by, action=RELEASE, target=id_, detail=detail)
        also(connection)

    outcome = await runtime.intake.release(
        row,
        source,
        runtime.reading(source),
        new_id=runtime.new_id(),
        force=force,
        beside=beside,
    )
    match outcome:
        case canonical.Refusal():
            raise errors.Conflict(f"still refused, {outcome.code}: {outcome.message}")
        case intakes.Quarantined():
            raise errors.Conflict(outcome.refusal.message)
        case intakes.Appended() | intakes.Repeated() | intakes.Conflicted():
            return outcome


def _releasable(runtime: Runtime, id_: str) -> tuple[dict[str, Any], base.SourceConfig]:
    """The open row `id_` and its source. Raises `errors.NotFound`, `errors.Conflict`."""
    with engine.read(runtime.engine) as connection:
        row = quarantine.one(connection, id_)
    if row is None:
        raise errors.NotFound(f"there is no quarantine row {id_}")
    if row["state"] != "open":
        raise errors.Conflict(f"quarantine row {id_} is {row['state']} already")
    source = runtime.source(row["source"])
    if source is None:
        raise errors.Conflict(f"the source {row['source']} is not configured any more")
    return row, source


async def discard(
    runtime: Runtime,
    id_: str,
    *,
    by: str,
    also: Callable[[engine.Connection], object] = lambda _: None,
) -> None:
    """Put the refused body `id_` away; `also` is done in the same transaction.

    Raises `errors.NotFound`, and `errors.Conflict` where it is not open any more.
    """

    def act(connection: engine.Connection) -> bool:
        if quarantine.one(connection, id_) is None:
            raise errors.NotFound(f"there is no quarantine row {id_}")
        done = quarantine.mark(connection, id_, "discarded", by, runtime.clock.now())
        if done:
            record(runtime, connection, by=by, action=DISCARD, target=id_)
            also(connection)
        return done

    if not await runtime.write(act):
        raise errors.Conflict(f"quarantine row {id_} is not open any more")


async def add_credential(
    runtime: Runtime, wanted: issuing.Wanted, *, by: str, id_: str | None = None
) -> tuple[str, credentials.StoredCredential]:
    """Give a source a credential: its secret, to be shown this once, and its row.

    Raises as `issuing.issue` does.
    """

    def act(connection: engine.Connection) -> tuple[str, credentials.StoredCredential]:
        pepper, now = runtime.local_issuer.pepper, runtime.clock.now()
        secret, row = issuing.issue(connection, wanted, pepper=pepper, now=now, id_=id_)
        detail = {"source": row.source, "type": row.type}
        record(runtime, connection, by=by, action="credential.add", target=row.id, detail=detail)
        return secret, row

    made = await runtime.write(act)
    await asyncio.to_thread(runtime.refresh_access)
    return made


async def revoke(runtime: Runtime, source: str, id_: str, *, by: str) -> bool:
    """Revoke the credential `id_` of `source`; false where it is none, or revoked already."""

    def act(connection: engine.Connection) -> bool:
        if id_ not in {held.id for held in credentials.listing(connection, source)}:
            return False
        done = credentials.revoke(connection, id_, runtime.clock.now())
        if done:
            record(runtime, connection, by=by, action="credential.revoke", target=id_)
        return done

    done = await runtime.write(act)
    await asyncio.to_thread(runtime.refresh_access)
    return done


async def void_tokens(runtime: Runtime, source: str, *, by: str) -> datetime:
    """Void every token of `source` issued before now, whoever issued it; answers that moment."""
    now = runtime.clock.now()

    def act(connection: engine.Connection) -> None:
        credentials.set_tokens_not_before(connection, source, now)
        record(runtime, connection, by=by, action="source.void_tokens", target=source)

    await runtime.write(act)
    await asyncio.to_thread(runtime.refresh_access)
    return now

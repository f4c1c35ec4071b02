"""The first page: what needs somebody, how orders stand, how sources fare, what came lately."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from app.doors import acts, deps
from app.notifications import event_types, notification as canonical
from app.runtime import Runtime
from app.sources import base
from app.store import engine, feeds, log, orders, pulse, stats
from app.ui import shell

NEWEST: Final = 8
LATELY: Final = timedelta(days=7)
"""How long a command that failed is told of here."""

TROUBLE: Final = frozenset({"paused", "failing", "unauthorized", "stalled"})
"""How a feed stands that somebody should look at (`standing.word`)."""

WORDS: Final = {
    "alarm": ("alarm", "alarms"),
    "buyer_action": ("order waits for us", "orders wait for us"),
    "follow_up": ("thing to follow up", "things to follow up"),
}

router = shell.router("/ui")


@dataclass(frozen=True, slots=True)
class Need:
    """Something that needs somebody: `word` for its chip, how many, since when, and where to act.

    `says` continues the count: `3 alarms`. `more`: or there are more.
    """

    word: str
    count: int
    says: str
    where: str
    since: datetime | None
    to: str
    act: str
    more: bool = False


@router.get("")
def page(request: Request, runtime: deps.The, _: deps.Nothing) -> Response:
    """Everything at a glance."""
    with engine.read(runtime.engine) as connection:
        context = {**_now(runtime, connection), **_minutes(runtime, connection)}
    return shell.render(request, "overview.html", **context)


@router.get("/overview/now")
def now(runtime: deps.The, _: deps.Nothing) -> Response:
    """The part of the page that says how things stand, to be put in its place."""
    with engine.read(runtime.engine) as connection:
        context = _now(runtime, connection)
    return _part("overview_now.html", now=runtime.clock.now(), **context)


@router.get("/overview/minutes")
def minutes(runtime: deps.The, _: deps.Nothing) -> Response:
    """The table of the last hour, to be put in its place; the plot is drawn from it."""
    with engine.read(runtime.engine) as connection:
        context = _minutes(runtime, connection)
    return _part("overview_minutes.html", **context)


def _part(template: str, **context: Any) -> Response:
    text = shell.fragment(template, **context)
    return Response(text, media_type="text/html", headers=shell.HEADERS)


# ── what is shown ────────────────────────────────────────────────────────────────────────────────


def _minutes(runtime: Runtime, connection: engine.Connection) -> dict[str, Any]:
    told = pulse.minutes(connection, runtime.clock.now())
    return {
        "minutes": told,
        "most": pulse.MOST,
        "totals": {
            name: sum(getattr(one, name) for one in told)
            for name in ("accepted", "repeated", "refused")
        },
    }


def _now(runtime: Runtime, connection: engine.Connection) -> dict[str, Any]:
    counts = stats.counts(connection)
    known = {feed.name: feed for feed in feeds.listing(connection)}
    told = {
        source.name: acts.feed_told(runtime, source, known.get(source.name))
        for source in runtime.configuration.sources
        if source.feed is not None
    }
    newest = orders.page(connection, orders.Filter(), after=None, limit=NEWEST, ascending=False)
    return {
        "empty": log.head(connection) == 0 and not counts["quarantine"],
        "url": shell.own_url(runtime),
        "listener_path": event_types.SHARED_PATH,
        "counts": counts,
        "needs": list(_needs(runtime, connection, told)),
        "states": pulse.by_state(connection),
        "newest": newest,
        "sources": [_source(runtime, source, counts, told) for source in _sources(runtime)],
    }


def _sources(runtime: Runtime) -> list[base.SourceConfig]:
    return sorted(runtime.configuration.sources, key=lambda one: one.feed is None)


def _source(
    runtime: Runtime,
    source: base.SourceConfig,
    counts: Mapping[str, Any],
    feeds_told: Mapping[str, Any],
) -> dict[str, Any]:
    """A source, with its `feed` (`standing.told`) where it is asked."""
    kind = runtime.kinds[source.kind]
    return {
        "name": source.name,
        "title": kind.title,
        "pushes": kind.channel is canonical.Channel.PUSH,
        "enabled": source.enabled,
        "notifications": counts["by_source"].get(source.name, 0),
        "feed": feeds_told.get(source.name),
    }


# ── what needs somebody ──────────────────────────────────────────────────────────────────────────


def _needs(
    runtime: Runtime, connection: engine.Connection, told: Mapping[str, Any]
) -> Iterator[Need]:
    """What is broken first, then what waits."""
    yield from _of_feeds(told)
    yield from _of_orders(connection)
    yield from _of_silence(runtime, connection)
    yield from _of_commands(runtime, connection)
    held = pulse.in_quarantine(connection)
    if held.count:
        says = "refused body" if held.count == 1 else "refused bodies"
        yield Need("quarantine", held.count, says, "", held.since, "/ui/quarantine", "See why")
    for source in stats.full_quarantines(connection):
        to = f"/ui/quarantine{shell.query(source=source)}"
        yield Need("full", 1, "quarantine is full:", source, None, to, "Make room")


def _of_feeds(told: Mapping[str, Any]) -> Iterator[Need]:
    for name, feed in told.items():
        if feed["status"] not in TROUBLE:
            continue
        paused = feed["status"] == "paused"
        since = feed["paused_at"] if paused else feed["last_success_at"] or feed["connected_at"]
        says = "feed is paused:" if paused else f"feed is {feed['status']}:"
        act = "Resume it" if paused else "See why"
        yield Need(feed["status"], 1, says, name, since, f"/ui/feeds/{name}", act)


def _of_orders(connection: engine.Connection) -> Iterator[Need]:
    """What is open on the work list, by its sort, the gravest first."""
    found = pulse.openings(connection)
    for word, says in WORDS.items():
        if word in found:
            count, since = found[word].count, found[word].since
            to = f"/ui/attention{shell.query(attention=word)}"
            yield Need(word, count, says[count > 1], "", since, to, "Take one")


def _of_silence(runtime: Runtime, connection: engine.Connection) -> Iterator[Need]:
    known = runtime.patience(connection)
    for source, quiet in pulse.silent(connection, known, runtime.clock.now()).items():
        says = "order is silent:" if quiet.count == 1 else "orders are silent:"
        to = f"/ui/orders{shell.query(silent='true', source=source, order='asc')}"
        yield Need(
            "silent", quiet.count, says, source, quiet.since, to, "Ask after them", quiet.more
        )


def _of_commands(runtime: Runtime, connection: engine.Connection) -> Iterator[Need]:
    lately = runtime.clock.now() - LATELY
    for source in runtime.configuration.sources:
        failed = pulse.failed_commands(connection, source.name, lately)
        if failed.count:
            says = "command failed:" if failed.count == 1 else "commands failed:"
            to = f"/ui/feeds/{source.name}"
            yield Need(
                "failed", failed.count, says, source.name, failed.since, to, "See why", failed.more
            )

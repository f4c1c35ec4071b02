"""The first page: what needs somebody, how orders stand, how sources fare, what came lately."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from app.doors import deps
from app.notifications import event_types, notification as canonical
from app.runtime import Runtime
from app.sources import base
from app.store import engine, log, orders, pulse, stats
from app.ui import needs, shell

NEWEST: Final = 8
router = shell.router("/ui")


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
    told = needs.feeds_told(runtime, connection)
    newest = orders.page(connection, orders.Filter(), after=None, limit=NEWEST, ascending=False)
    return {
        "empty": log.head(connection) == 0 and not counts["quarantine"],
        "url": shell.own_url(runtime),
        "listener_path": event_types.SHARED_PATH,
        "counts": counts,
        "needs": list(needs.of_all(runtime, connection, told)),
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

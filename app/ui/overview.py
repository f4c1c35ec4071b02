"""The first page: what came, how orders stand, how sources and feeds fare, what needs somebody."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.doors import acts, deps
from app.runtime import Runtime
from app.store import attention, commands, engine, feeds, orders, stats
from app.ui import shell

FEW = 8

router = shell.router("/ui")


@router.get("")
def page(request: Request, runtime: deps.The, _: deps.Nothing) -> Response:
    """Everything at a glance."""
    with engine.read(runtime.engine) as connection:
        counts = stats.counts(connection)
        context: dict[str, Any] = {
            "counts": counts,
            "openings": attention.page(
                connection, attention.Wanted(state="open"), after_id=None, limit=FEW
            ),
            "open_counts": sorted(attention.counts(connection).items()),
            "failed": commands.page(
                connection, source=None, order_id=None, state="failed", after_id=None, limit=FEW
            ),
            "newest": orders.page(
                connection, orders.Filter(), after=None, limit=FEW, ascending=False
            ),
            "feeds": _feeds(runtime, connection),
        }
    minutes = runtime.metrics.minutes()
    return shell.render(
        request,
        "overview.html",
        **context,
        sources=runtime.configuration.sources,
        kinds=runtime.kinds,
        plot=[list(column) for column in zip(*minutes, strict=True)] if minutes else [],
    )


def _feeds(runtime: Runtime, connection: engine.Connection) -> list[dict[str, Any]]:
    known = {feed.name: feed for feed in feeds.listing(connection)}
    asked = [source for source in runtime.configuration.sources if source.feed is not None]
    return [acts.feed_told(runtime, source, known.get(source.name)) for source in asked]

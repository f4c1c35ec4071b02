"""Alerts as a page: where they are told, what is open, what was told and whether it arrived.

Not here: what holds and the telling (`app.alerts`).
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app import errors
from app.doors import acts, deps, paging
from app.runtime import Runtime
from app.store import alerted, alerts, engine, jobs
from app.ui import shell, visit

HERE: Final = "/ui/alerts"
LATELY: Final = 50
"""Messages that are shown."""

ATTENTION: Final = frozenset({"alarm", "buyer_action", "follow_up"})

router = shell.router(HERE)


@router.get("")
def listing(request: Request, runtime: deps.The, _: deps.Nothing) -> Response:
    """The channels of the configuration in force, what is open, and what was told."""
    with engine.read(runtime.engine) as connection:
        rows, told = alerts.listing(connection), alerted.latest(connection, LATELY)
    return shell.render(
        request,
        "alerts.html",
        channels=[channel.shown() for channel in runtime.configuration.alerts],
        rows=[(row, _where(runtime, row)) for row in rows],
        told=told,
    )


@router.post("/test")
async def test(request: Request, runtime: deps.The, who: visit.Admin) -> Response:
    """Have a test message sent; what becomes of it has a page. Raises as `acts.test_alerts`."""
    channel = str((await request.form()).get("channel", "")) or None
    id_ = await acts.test_alerts(runtime, channel, by=who.who.subject)
    return shell.go(f"{HERE}/tests/{id_}")


@router.get("/tests/{identifier}")
def tested(
    request: Request, runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing
) -> Response:
    """What became of a test. Raises `errors.NotFound`."""
    with engine.read(runtime.engine) as connection:
        found = jobs.one(connection, identifier)
    if found is None or found.action != acts.ALERT_TEST:
        raise errors.NotFound(f"there is no test {identifier}")
    return shell.render(request, "alert_test.html", job=found)


def _where(runtime: Runtime, alert: alerts.Alert) -> tuple[str, str]:
    """Where somebody sees to it: the address, and what is there."""
    of_it = {"source": alert.source}
    if alert.severity in ATTENTION:
        return f"/ui/attention{shell.query(attention=alert.severity, **of_it)}", "Work list"
    if alert.severity == "silent":
        return f"/ui/orders{shell.query(silent='true', order='asc', **of_it)}", "Silent orders"
    source = runtime.source(alert.source)
    if source is not None and source.feed is not None:
        return f"/ui/feeds/{shell.segment(alert.source)}", "Its feed"
    return f"/ui/quarantine{shell.query(**of_it)}", "Its quarantine"

"""Feeds as pages: how each stands, its last turns, and what may be asked of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app import errors
from app.doors import acts, deps, outbox, paging
from app.store import engine, feeds, jobs
from app.ui import rewinds, shell, visit

HERE = "/ui/feeds"
ACTIONS = ("poll", "pause", "resume", "audit")
LATELY = 10
"""Jobs of a feed that are shown with it."""

TURNS = 20

router = shell.router(HERE)


@router.get("")
def listing(request: Request, runtime: deps.The, _: deps.Nothing) -> Response:
    """Every feed of the configuration in force."""
    with engine.read(runtime.engine) as connection:
        known = {feed.name: feed for feed in feeds.listing(connection)}
    asked = [source for source in runtime.configuration.sources if source.feed is not None]
    items = [acts.feed_told(runtime, source, known.get(source.name)) for source in asked]
    return shell.render(request, "feeds.html", items=items)


@router.get("/jobs/{identifier}")
def job(
    request: Request, runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing
) -> Response:
    """What became of an act. Raises `errors.NotFound`."""
    with engine.read(runtime.engine) as connection:
        found = jobs.one(connection, identifier)
    if found is None:
        raise errors.NotFound(f"there is no job {identifier}")
    return shell.render(request, "job.html", job=found)


@router.get("/{name}")
def one(request: Request, runtime: deps.The, name: paging.Identifier, _: deps.Nothing) -> Response:
    """One feed, its last turns, what was asked of it, and what may be. Raises `errors.NotFound`."""
    source = acts.feed_source(runtime, name)
    with engine.read(runtime.engine) as connection:
        found, turns = feeds.one(connection, name), feeds.turns(connection, name, TURNS)
        asked = jobs.latest(connection, name, LATELY)
    told = acts.feed_told(runtime, source, found)
    paused = told["status"] == "paused"
    return shell.render(
        request,
        "feed.html",
        told=told,
        turns=turns,
        asked=asked,
        enabled=source.enabled,
        actions=("resume", "audit") if paused else ("poll", "pause", "audit"),
        commands=bool(outbox.offered(runtime, name)),
        **rewinds.offered(runtime, source),
    )


@router.post("/{name}/act")
async def act(
    request: Request, runtime: deps.The, seen_by: visit.Admin, name: paging.Identifier
) -> Response:
    """Ask something of a feed; what becomes of it has a page.

    Raises `errors.InvalidValue` for an unknown act.
    """
    action = str((await request.form()).get("action", ""))
    if action not in ACTIONS:
        raise errors.InvalidValue(f"{action[:40]} is nothing a feed can do")
    id_ = await acts.ask_feed(runtime, name, action, {}, by=seen_by.who.subject)
    return shell.go(f"{HERE}/jobs/{id_}")

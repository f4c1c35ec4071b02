"""What we do at operators as pages: what was asked of them, how it ended, and asking for more.

Not here: what an act does (`doors.outbox`), which commands there are (`sources`).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, cast

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app import errors
from app.doors import deps, filters, lists, outbox, paging
from app.runtime import Runtime
from app.sources import base
from app.store import commands, engine
from app.ui import shell, visit

HERE: Final = "/ui/commands"
LATELY: Final = 5
"""Commands of an order that are shown beside the forms that ask for another."""

MEANS: Final = {
    "queued": "It waits to be sent. Commands of one order are sent one after the other.",
    "running": "It is being sent.",
    "unknown": "It was sent and its answer was lost. The operator is asked whether it was done; it "
    "is sent again only if it was not.",
    "done": "The operator took it.",
    "failed": "It is over, and nothing more is tried by itself.",
    "cancelled": "It was taken back, and is not sent.",
}
"""What each state means to the one who asked."""

SAID: Final = {
    "retry": "It is looked at now.",
    "cancel": "It is taken back.",
}

router = shell.router(HERE)


class Aim(deps.Parameters):
    """Which order something is to be done to."""

    source: paging.Source = None
    order_id: paging.Wanted | None = None


@router.get("")
def listing(
    request: Request, runtime: deps.The, asked: Annotated[filters.Commands, Query()]
) -> Response:
    """One part of the commands, newest first."""
    with engine.read(runtime.engine) as connection:
        page = lists.commands(connection, asked)
    return shell.render(
        request,
        "commands.html",
        **shell.part(HERE, asked, page),
        states=commands.STATES,
        sources=_sources(runtime),
    )


@router.get("/new")
def new(request: Request, runtime: deps.The, asked: Annotated[Aim, Query()]) -> Response:
    """What may be done to an order; without one, which order is meant."""
    return _forms(request, runtime, asked.source, asked.order_id)


@router.post("")
async def ask(request: Request, runtime: deps.The, who: visit.Commander) -> Response:
    """Have something done; what becomes of it has a page. What is wrong is told beside the form."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    source, order_id = form.get("source", ""), form.get("order_id", "").strip()
    offers = outbox.offered(runtime, source)
    chosen = next((one for one in offers if one.command == form.get("command")), None)
    if chosen is None:
        raise errors.InvalidValue("there is no such command at this source")
    wanted = outbox.Wanted(
        source, order_id, chosen.command, chosen.arguments(form), form.get("key", "")[:255]
    )
    try:
        made = await outbox.ask(runtime, wanted, by=who.who.subject)
    except errors.InvalidValue as error:
        return _forms(request, runtime, source, order_id, given=form, fault=error.message)
    return shell.go(f"{HERE}/{made.id}")


@router.get("/{identifier}")
def one(
    request: Request, runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing
) -> Response:
    """One command. Raises `errors.NotFound`."""
    with engine.read(runtime.engine) as connection:
        found = outbox.found(connection, identifier)
    offers = outbox.offered(runtime, found.source)
    title = next((one.title for one in offers if one.command == found.command), None)
    return shell.render(
        request,
        "command.html",
        command=found,
        title=title,
        means=MEANS[found.state],
        again=found.harmful and found.attempts > 0,
    )


@router.post("/{identifier}/retry")
async def retry(runtime: deps.The, who: visit.Commander, identifier: paging.Identifier) -> Response:
    """Have a failed or cancelled command done after all, or a waiting one looked at now."""
    await outbox.retry(runtime, identifier, by=who.who.subject)
    return shell.go(f"{HERE}/{identifier}", SAID["retry"])


@router.post("/{identifier}/cancel")
async def cancel(
    runtime: deps.The, who: visit.Commander, identifier: paging.Identifier
) -> Response:
    """Take back a command that was not begun yet."""
    await outbox.cancel(runtime, identifier, by=who.who.subject)
    return shell.go(f"{HERE}/{identifier}", SAID["cancel"])


def _forms(
    request: Request,
    runtime: Runtime,
    source: str | None,
    order_id: str | None,
    *,
    given: dict[str, str] | None = None,
    fault: str | None = None,
) -> Response:
    """The forms of what may be done to an order, with what was `given` before and was at fault."""
    sent: list[commands.Command] = []
    if source is not None and order_id:
        with engine.read(runtime.engine) as connection:
            sent = commands.page(connection, source=source, order_id=order_id, limit=LATELY)
    return shell.render(
        request,
        "command_new.html",
        status=400 if fault else 200,
        source=source,
        order_id=order_id,
        offers=outbox.offered(runtime, source or ""),
        limits=_limits(runtime, source),
        sent=sent,
        given=given or {},
        fault=fault,
        key=(given or {}).get("key") or runtime.new_id(),
        sources=_sources(runtime),
    )


def _sources(runtime: Runtime) -> list[str]:
    """Those whose operators take commands."""
    names = (source.name for source in runtime.configuration.sources)
    return [name for name in names if outbox.offered(runtime, name)]


def _limits(runtime: Runtime, name: str | None) -> dict[str, Any]:
    """Seconds there must be between two of a command to one order, by its name."""
    source = runtime.source(name or "")
    if source is None or not outbox.offered(runtime, source.name):
        return {}
    limits = cast("base.PullKind", runtime.kinds[source.kind]).limits
    return {command: length.total_seconds() for command, length in limits.items()}

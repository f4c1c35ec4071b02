"""Refused bodies as pages: why, where in the body; released or put away, one or many."""

from __future__ import annotations

from typing import Annotated, Any, Final

import markupsafe
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app import errors
from app.doors import acts, deps, filters, lists, paging, problems
from app.store import engine, jobs, quarantine
from app.ui import clearings, shell, visit, words

HERE = "/ui/quarantine"

REASONS: Final = {
    code: problem.reason
    for code, problem in problems.TABLE.items()
    if problem.status in {400, 422} and code not in {27, 28}
}
"""Why a body may be refused, by code: what is wrong with an address makes no row."""

router = shell.router(HERE)


@router.get("")
def listing(
    request: Request, runtime: deps.The, asked: Annotated[filters.Quarantine, Query()]
) -> Response:
    """One part of the refused bodies, newest first."""
    with engine.read(runtime.engine) as connection:
        page = lists.quarantine(connection, asked)
        running = jobs.waiting(connection, jobs.QUARANTINE)
    return shell.render(
        request,
        "quarantine.html",
        **shell.part(HERE, asked, page),
        running=running,
        problems=problems.TABLE,
        codes=list(REASONS),
        reasons=REASONS,
        sources=[source.name for source in runtime.configuration.sources],
    )


@router.get("/{identifier}")
def one(
    request: Request, runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing
) -> Response:
    """One refused body. Raises `errors.NotFound`."""
    with engine.read(runtime.engine) as connection:
        found = quarantine.one(connection, identifier)
    if found is None:
        raise errors.NotFound(f"there is no quarantine row {identifier}")
    return shell.render(
        request,
        "refusal.html",
        told=found,
        problem=problems.TABLE[found["code"]],
        body=marked(found["body"], found["faults"]),
    )


@router.post("/act")
async def act(request: Request, runtime: deps.The, seen_by: visit.Admin) -> Response:
    """Release or put away what was picked: one at once, more by a job that has a page.

    Raises `errors.InvalidValue`.
    """
    form = await request.form()
    picked = sorted({str(id_) for id_ in form.getlist("id")})[: paging.MOST]
    what, by = str(form.get("what", "")), seen_by.who.subject
    if not picked:
        return shell.go(HERE, "Nothing was picked.", tone="wait")
    if len(picked) > 1 or what not in clearings.ACTIONS:
        return await clearings.picked(runtime, what, picked, by=by)
    try:
        if what == "discard":
            await acts.discard(runtime, picked[0], by=by)
        else:
            await acts.release(runtime, picked[0], by=by, force=what == "force")
    except errors.Refused as error:
        return shell.go(f"{HERE}/{shell.segment(picked[0])}", error.message, tone="bad")
    return shell.go(HERE, f"1 {'discarded' if what == 'discard' else 'released'}.")


def marked(body: bytes | None, faults: list[dict[str, Any]]) -> markupsafe.Markup | None:
    """The body with the members marked that the faults name; null where no bytes are kept.

    A member is found by the last name of a fault's path, in the body line by line.
    """
    if body is None:
        return None
    text = words.indented(body) or body.decode("utf-8", "replace")
    names = {str(fault.get("path", "")).rpartition(".")[2].partition("[")[0] for fault in faults}
    wanted = tuple(f'"{name}":' for name in names if name)
    lines = []
    for line in text.splitlines():
        told = markupsafe.escape(line)
        if wanted and line.lstrip().startswith(wanted):
            told = markupsafe.Markup("<mark>{}</mark>").format(line)
        lines.append(told)
    return markupsafe.Markup("\n").join(lines)

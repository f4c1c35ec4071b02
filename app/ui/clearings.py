"""Many refused bodies at once: asked for on a page of its own, done by a job, with its progress.

Not here: doing it (`clearing`), one body (`quarantine`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app import errors
from app.doors import acts, deps, paging
from app.runtime import Runtime
from app.store import engine, jobs, pulse, quarantine
from app.ui import shell, visit

HERE: Final = "/ui/quarantine"

ID: Final = re.compile(r"[0-9a-f-]{1,64}", re.ASCII)
"""What the id of a row is made of."""

ACTIONS: Final = MappingProxyType(
    {
        "release": "quarantine.release",
        "force": "quarantine.force",
        "discard": "quarantine.discard",
    }
)
"""What may be done, as forms say it: the action of its job."""

DONE: Final = MappingProxyType(
    {
        "quarantine.release": "released",
        "quarantine.force": "taken as they were",
        "quarantine.discard": "discarded",
    }
)

router = shell.router(HERE)


class Asked(deps.Parameters):
    """What is to be done with all that are open, or with those of one source."""

    what: Literal["release", "force", "discard"]
    source: paging.Source = None


@router.get("/all")
def plan(request: Request, runtime: deps.The, asked: Annotated[Asked, Query()]) -> Response:
    """How many it would be; nothing is done yet."""
    with engine.read(runtime.engine) as connection:
        waiting = pulse.in_quarantine(connection, asked.source)
        newest = quarantine.page(
            connection, state="open", source=asked.source, after_id=None, limit=1
        )
    return shell.render(
        request,
        "clearing_plan.html",
        asked=asked,
        waiting=waiting,
        upto=newest[0]["id"] if newest else None,
        back=HERE + shell.query(source=asked.source),
    )


@router.post("/all")
async def ask(request: Request, runtime: deps.The, seen_by: visit.Admin) -> Response:
    """Have it done to all that the plan was about: what was refused later is left alone.

    Raises `errors.InvalidValue`.
    """
    form = await request.form()
    source, upto = str(form.get("source", "")) or None, str(form.get("upto", ""))
    if not ID.fullmatch(upto) or (source and runtime.source(source) is None):
        raise errors.InvalidValue("it says no row, or no source: open its page again")
    with engine.read(runtime.engine) as connection:
        total = quarantine.count_open(connection, source=source, upto=upto)
    arguments = {"source": source, "upto": upto, "ids": list[str](), "total": total}
    return await _asked(runtime, str(form.get("what", "")), arguments, seen_by.who.subject)


async def picked(runtime: Runtime, what: str, ids: Sequence[str], *, by: str) -> Response:
    """Have `what` done to the rows `ids`, at least one, and go where its progress is.

    Raises `errors.InvalidValue`.
    """
    known = [id_ for id_ in ids if ID.fullmatch(id_)]
    if not known:
        raise errors.InvalidValue("these are no rows of the quarantine")
    arguments = {"source": None, "upto": max(known), "ids": known, "total": len(known)}
    return await _asked(runtime, what, arguments, by)


@router.get("/jobs/{identifier}")
def progress(
    request: Request, runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing
) -> Response:
    """How far it has come. Raises `errors.NotFound`."""
    with engine.read(runtime.engine) as connection:
        job = jobs.one(connection, identifier)
    if job is None or job.source != jobs.QUARANTINE:
        raise errors.NotFound(f"there is no job {identifier} of the quarantine")
    result = job.result or {"done": 0, "refused": 0, "reasons": []}
    return shell.render(
        request,
        "clearing.html",
        job=job,
        result=result,
        left=max(job.arguments["total"] - result["done"] - result["refused"], 0),
        word=DONE[job.action],
    )


@router.post("/jobs/{identifier}/stop")
async def stop(runtime: deps.The, seen_by: visit.Admin, identifier: paging.Identifier) -> Response:
    """End it where it stands. Raises `errors.NotFound`."""
    done = await acts.stop_clearing(runtime, identifier, by=seen_by.who.subject)
    said = "It is stopped; what was done stays done." if done else "It was over already."
    return shell.go(f"{HERE}/jobs/{shell.segment(identifier)}", said)


async def _asked(runtime: Runtime, what: str, arguments: Mapping[str, Any], by: str) -> Response:
    if what not in ACTIONS:
        raise errors.InvalidValue(f"{what[:40]} is nothing to do with a refused body")
    id_ = await acts.ask_clearing(runtime, ACTIONS[what], dict(arguments), by=by)
    return shell.go(f"{HERE}/jobs/{id_}")

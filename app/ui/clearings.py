"""Many refused bodies at once: asked for on a page of its own, done by a job, with its progress.

Not here: doing it (`clearing`), one body (`quarantine`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from fastapi import Query
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app import errors
from app.doors import acts, deps, filters, paging, problems
from app.runtime import Runtime
from app.store import engine, jobs, quarantine
from app.ui import shell, visit

HERE: Final = "/ui/quarantine"

ID: Final = re.compile(r"^[0-9a-f-]{1,64}$", re.ASCII)
"""What the id of a row is made of."""

ACTIONS: Final = MappingProxyType(
    {
        "release": acts.RELEASE,
        "force": acts.FORCE,
        "discard": acts.DISCARD,
    }
)
"""What may be done, as forms say it: the action of its job."""

DONE: Final = MappingProxyType(
    {
        acts.RELEASE: "released",
        acts.FORCE: "taken as they were",
        acts.DISCARD: "discarded",
    }
)

router = shell.router(HERE)


class Asked(deps.Parameters):
    """What is to be done with all that are open, or with those of one source or reason."""

    what: Literal["release", "force", "discard"]
    source: paging.Source = None
    code: filters.Code = None


class Planned(Asked):
    """What a plan was about: those not newer than `upto`."""

    upto: Annotated[str, Field(pattern=ID.pattern)]


@router.get("/all")
def plan(request: Request, runtime: deps.The, asked: Annotated[Asked, Query()]) -> Response:
    """How many it would be; nothing is done yet."""
    with engine.read(runtime.engine) as connection:
        newest = quarantine.page(
            connection, state="open", source=asked.source, code=asked.code, after_id=None, limit=1
        )
        upto = newest[0]["id"] if newest else ""
        many = quarantine.Many(upto, asked.source, asked.code)
        count, since = quarantine.count_open(connection, many)
    problem = problems.TABLE.get(asked.code or 0)
    return shell.render(
        request,
        "clearing_plan.html",
        asked=asked,
        count=count,
        since=since,
        upto=upto,
        reason=problem.reason if problem else asked.code,
        back=HERE + shell.query(source=asked.source, code=asked.code),
    )


@router.post("/all")
async def ask(request: Request, runtime: deps.The, seen_by: visit.Admin) -> Response:
    """Have it done to all that the plan was about: what was refused later is left alone.

    Raises `errors.InvalidValue`.
    """
    form = await request.form()
    given = {name: str(form[name]) for name in Planned.model_fields if name in form}
    try:
        asked = Planned.model_validate(given)
    except ValidationError as error:
        place = error.errors()[0]["loc"][0]
        raise errors.InvalidValue(f"{place}: nothing we know; open its page again") from error
    with engine.read(runtime.engine) as connection:
        many = quarantine.Many(asked.upto, asked.source, asked.code)
        total, _ = quarantine.count_open(connection, many)
    if not total:
        return shell.go(HERE, "None of them is open any more.", tone="wait")
    arguments = asked.model_dump(exclude={"what"}) | {"ids": [], "total": total}
    return await _asked(runtime, asked.what, arguments, seen_by.who.subject)


async def picked(runtime: Runtime, what: str, ids: Sequence[str], *, by: str) -> Response:
    """Have `what` done to the rows `ids`, at least one, and go where its progress is.

    Raises `errors.InvalidValue`.
    """
    known = [id_ for id_ in ids if ID.fullmatch(id_)]
    if not known:
        raise errors.InvalidValue("these are no rows of the quarantine")
    many = {"source": None, "code": None, "upto": max(known), "ids": known}
    arguments = {**many, "total": len(known)}
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

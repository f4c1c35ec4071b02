"""`/admin/jobs`: what became of an act that was asked for."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from starlette.responses import Response

from app import errors
from app.doors import deps, paging
from app.store import engine, jobs
from app.web.admin import answers

router = APIRouter(prefix="/admin/jobs", dependencies=deps.READS)


@router.get("/{identifier}")
def one(runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing) -> Response:
    """One job: queued, running, done with its result, or failed with the reason."""
    with engine.read(runtime.engine) as connection:
        found = jobs.one(connection, identifier)
    if found is None:
        raise errors.NotFound(f"there is no job {identifier}")
    return answers.give(asdict(found))

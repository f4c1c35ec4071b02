"""`/admin/personal` and `/admin/files`: what tells of a person; only with the scope `personal`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from app import errors, scopes
from app.doors import deps, paging
from app.store import engine, files, log, personal
from app.web.admin import answers

SEES: Final = (Depends(deps.principal(scopes.PERSONAL)), Depends(deps.once))

router = APIRouter(prefix="/admin", dependencies=SEES)


@router.get("/personal/{source}/{order_id:path}")
def person(
    runtime: deps.The, source: paging.Identifier, order_id: paging.Identifier, _: deps.Nothing
) -> Response:
    """What the operator told of the person behind an order."""
    with engine.read(runtime.engine) as connection:
        found = personal.one(connection, source, order_id)
    if found is None:
        raise errors.NotFound(f"nothing is known of a person behind {order_id}")
    return answers.give(asdict(found))


@router.get("/notifications/{identifier}/files")
def listing(runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing) -> Response:
    """The files a notification leads to."""
    with engine.read(runtime.engine) as connection:
        if log.one(connection, identifier) is None:
            raise errors.NotFound(f"there is no notification {identifier}")
        found = files.of_notification(connection, identifier)
    told = [
        {**asdict(file), "digest": file.digest.hex() if file.digest is not None else None}
        for file in found
    ]
    return answers.give({"items": told})


@router.get("/files/{identifier}")
def content(runtime: deps.The, identifier: paging.Identifier, _: deps.Nothing) -> Response:
    """The bytes of a file, never as something a browser would run."""
    with engine.read(runtime.engine) as connection:
        found = files.one(connection, identifier)
    if found is None:
        raise errors.NotFound(f"there is no file {identifier}")
    file, body = found
    if body is None:
        raise errors.NotFound(f"file {identifier} is {file.state}, there are no bytes")
    headers = {
        **answers.HEADERS,
        "content-type": "application/octet-stream",
        "content-disposition": f'attachment; filename="{identifier}"',
    }
    return Response(body, headers=headers)

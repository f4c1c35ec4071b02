"""The files of the pages: styles, scripts, the icon. Vendored ones are told in VENDOR.json.

Their addresses bear a digest, so a browser may keep them for good.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Query
from starlette.responses import Response

from app import errors
from app.doors import deps

TYPES: Final = MappingProxyType(
    {
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
    }
)
"""What is given out, by the end of its name; nothing else is."""

FOLDERS: Final = ("static", "static/vendor")
FOR_GOOD: Final = "public, max-age=31536000, immutable"

router = APIRouter(prefix="/ui/static")


class File(NamedTuple):
    """A file as it is given out; `digest` is short, for its address."""

    content: bytes
    media_type: str
    digest: str


@functools.cache
def files() -> MappingProxyType[str, File]:
    """Every file by its name."""
    found: dict[str, File] = {}
    for folder in FOLDERS:
        for one in importlib.resources.files("app.ui").joinpath(folder).iterdir():
            media_type = TYPES.get(one.name.rpartition(".")[2])
            if media_type is not None:
                content = one.read_bytes()
                found[one.name] = File(
                    content, media_type, hashlib.sha256(content).hexdigest()[:12]
                )
    return MappingProxyType(found)


def address(name: str) -> str:
    """Where a page finds the file `name`. Raises KeyError where there is none."""
    return f"/ui/static/{name}?v={files()[name].digest}"


class Version(deps.Parameters):
    """Which version of a file is meant; there is only this one."""

    v: str | None = None


@router.get("/{name}")
def give(name: str, asked: Annotated[Version, Query()]) -> Response:
    """A file. Raises `errors.NotFound`."""
    found = files().get(name)
    if found is None:
        raise errors.NotFound(f"there is no file {name}")
    kept = FOR_GOOD if asked.v == found.digest else "no-cache"
    headers = {"cache-control": kept, "x-content-type-options": "nosniff"}
    return Response(found.content, media_type=found.media_type, headers=headers)

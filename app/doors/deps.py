"""What a JSON door asks for: the runtime, who is asking, and nothing but known query parameters.

Not here: checking a credential (`security`), the listener path (its own, faster way in).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeVar

from fastapi import Depends
from fastapi.dependencies.utils import get_flat_dependant
from fastapi.routing import APIRoute
from starlette.requests import Request

from app import errors
from app.runtime import Runtime
from app.security import access, addresses

READ: Final = "notifications:read"
ADMIN: Final = "admin"

Result = TypeVar("Result")


def get_runtime(request: Request) -> Runtime:
    """The runtime of the application that serves `request`."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def presented(request: Request) -> access.Presented:
    """The credentials that came with `request`, as they came."""
    trusted = get_runtime(request).settings.trusted_proxies
    forwarded = ",".join(request.headers.getlist("x-forwarded-for")) or None
    peer = request.client.host if request.client else ""
    return access.Presented(
        authorization=request.headers.get("authorization"),
        api_key=request.headers.get("x-api-key"),
        callback_key=None,
        remote_addr=addresses.client_address(peer, forwarded, trusted),
    )


def principal(scope: str) -> Callable[[Request], Awaitable[access.Principal]]:
    """A dependency that gives who is asking, and refuses who may not (40, 41, 42, 50)."""

    async def asking(request: Request) -> access.Principal:
        door = get_runtime(request).access
        credentials = presented(request)
        found = door.authenticate_now(credentials) or await door.authenticate(credentials)
        door.require(found, scope)
        return found

    return asking


def known_parameters(request: Request) -> None:
    """Refuse (28) query parameters that the route does not declare, or that come twice."""
    route = request.scope["route"]
    known: set[str] = set()
    if isinstance(route, APIRoute):
        known = {field.alias for field in get_flat_dependant(route.dependant).query_params}
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            raise errors.InvalidParameter(_unknown(name, known))
        if name in seen:
            raise errors.InvalidParameter(f"{name}: given twice; expected once")
        seen.add(name)


def _unknown(name: str, known: set[str]) -> str:
    expected = f"one of {', '.join(sorted(known))}" if known else "none"
    return f"{name[:80]}: no such parameter; expected {expected}"


The = Annotated[Runtime, Depends(get_runtime)]
Reader = Annotated[access.Principal, Depends(principal(READ))]
Admin = Annotated[access.Principal, Depends(principal(ADMIN))]

READS: Final = (Depends(principal(READ)), Depends(known_parameters))
ACTS: Final = (Depends(principal(ADMIN)), Depends(known_parameters))

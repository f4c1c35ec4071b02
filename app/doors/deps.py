"""What a JSON door asks for: the runtime, who is asking, and nothing but known query parameters.

Not here: checking a credential (`security`), the listener path (its own, faster way in).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request

from app import errors, scopes
from app.runtime import Runtime
from app.security import access, addresses


def get_runtime(request: Request) -> Runtime:
    """The runtime of the application that serves `request`."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def presented(request: Request) -> access.Presented:
    """The credentials that came with `request`, as they came; two of a kind are none (41)."""
    trusted = get_runtime(request).settings.trusted_proxies
    forwarded = _joined(request, "x-forwarded-for")
    peer = request.client.host if request.client else ""
    return access.Presented(
        authorization=_joined(request, "authorization"),
        api_key=_joined(request, "x-api-key"),
        callback_key=None,
        remote_addr=addresses.client_address(peer, forwarded, trusted),
    )


def _joined(request: Request, name: str) -> str | None:
    return ", ".join(request.headers.getlist(name)) or None


def principal(scope: str) -> Callable[[Request], Awaitable[access.Principal]]:
    """A dependency that gives who is asking, and refuses who may not (40, 41, 42, 50)."""

    async def asking(request: Request) -> access.Principal:
        door = get_runtime(request).access
        credentials = presented(request)
        found = door.authenticate_now(credentials) or await door.authenticate(credentials)
        door.require(found, scope)
        return found

    return asking


class Parameters(BaseModel):
    """The query parameters of a route: those it declares, and no other (28)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def once(request: Request) -> None:
    """Refuse (28) a query parameter that comes twice: which one counts would be a guess."""
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name in seen:
            raise errors.InvalidParameter(f"{name[:80]}: given twice; expected once")
        seen.add(name)


The = Annotated[Runtime, Depends(get_runtime)]
Reader = Annotated[access.Principal, Depends(principal(scopes.READ))]
Admin = Annotated[access.Principal, Depends(principal(scopes.ADMIN))]

Nothing = Annotated[Parameters, Query()]

READS: Final = (Depends(principal(scopes.READ)), Depends(once))
ACTS: Final = (Depends(principal(scopes.ADMIN)), Depends(once))

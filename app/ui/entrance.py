"""Signing in, by the link of `listener token --ui` or with a token, and out again."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import unquote

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app import errors, scopes
from app.doors import deps
from app.security import sessions
from app.store import audit, engine
from app.ui import shell, visit

COMMAND: Final = ".venv/bin/listener token --ui"
"""What prints a link, where nothing else is told (`LISTENER_SIGN_IN_COMMAND`)."""

router = shell.router("/ui", open_to_all=True)


class Code(deps.Parameters):
    """What a sign-in link bears."""

    code: str


class Back(deps.Parameters):
    """Where to go on to."""

    next: str | None = None


@router.get("/sign-in")
def page(request: Request, asked: Annotated[Back, Query()]) -> Response:
    """How to come in."""
    return _door(request, next_=asked.next)


@router.get("/enter")
async def enter(request: Request, asked: Annotated[Code, Query()]) -> Response:
    """Open a session by a code, which is then used up, and go on to a clean address."""
    runtime = deps.get_runtime(request)
    try:
        session = visit.seal(runtime).opened(asked.code, runtime.clock.now())
        await _once(request, session)
    except errors.Refused as error:
        old = isinstance(error, errors.ExpiredCredentials)
        fault = f"This link {'is too old' if old else 'was used already, or is not of here'}."
        return _door(request, fault=fault)
    return _let_in(request, session, shell.HOME)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Open a session with a token, ours or that of a configured issuer."""
    visit.check_origin(request)
    runtime = deps.get_runtime(request)
    form = await request.form()
    token, next_ = str(form.get("token", "")).strip(), str(form.get("next", ""))
    token = token.removeprefix("Bearer ").strip()
    try:
        claims = await runtime.verifier.verify(token)
        runtime.access.require(runtime.access.standing(claims), scopes.READ)
        session = visit.seal(runtime).begun(runtime.new_id(), claims, runtime.clock.now())
        await _once(request, session)
    except errors.Refused as error:
        return _door(request, next_=next_ or None, fault=error.message)
    return _let_in(request, session, inside(next_))


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Forget the session in this browser."""
    visit.check_origin(request)
    answer = shell.go(shell.SIGN_IN, "You are signed out.")
    visit.forget(answer)
    return answer


def inside(address: str) -> str:
    """`address` if it is one of a page of ours, else the overview's."""
    path = unquote(address.partition("?")[0])
    inner = path == shell.HOME or path.startswith(f"{shell.HOME}/")
    plain = inner and ".." not in path and "\\" not in path and address.isprintable()
    return address if plain else shell.HOME


def _door(request: Request, *, next_: str | None = None, fault: str | None = None) -> Response:
    """How to come in; `fault`: why it did not work."""
    return shell.render(
        request,
        "sign_in.html",
        status=401 if fault else 200,
        next=next_,
        fault=fault,
        command=deps.get_runtime(request).settings.sign_in_command or COMMAND,
    )


def _let_in(request: Request, session: sessions.Session, to: str) -> Response:
    answer = shell.go(to)
    visit.remember(request, answer, session)
    return answer


async def _once(request: Request, session: sessions.Session) -> None:
    """Write that somebody signed in. Raises InvalidCredentials where that was done already."""
    runtime = deps.get_runtime(request)
    who = runtime.access.standing(session.claims)

    def write(connection: engine.Connection) -> bool:
        return audit.record_once(
            connection,
            id_=session.id,
            at=runtime.clock.now(),
            principal=who.subject,
            action="ui.sign_in",
            target="ui",
        )

    if not await runtime.write(write):
        raise errors.InvalidCredentials

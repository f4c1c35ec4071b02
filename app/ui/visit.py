"""Who looks at a page, and what they may do there: cookies, scopes, and the token of every form.

Not here: what a session is (`security.sessions`), the sign-in page (`entrance`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app import errors, scopes
from app.doors import deps
from app.runtime import Runtime
from app.security import access, sessions

COOKIE: Final = "listener_session"
TOKEN: Final = "form_token"  # noqa: S105 - the name of a field


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in; `form_token` is what their forms bear."""

    who: access.Principal
    session: sessions.Session
    form_token: str

    @property
    def acts(self) -> bool:
        """Whether they may do what changes something."""
        return scopes.ADMIN in self.who.scopes

    @property
    def commands(self) -> bool:
        """Whether they may have something done at an operator."""
        return scopes.COMMANDS in self.who.scopes

    @property
    def sees_personal(self) -> bool:
        """Whether they may see what tells of a person."""
        return scopes.PERSONAL in self.who.scopes


def seal(runtime: Runtime) -> sessions.Seal:
    """What seals codes and cookies here."""
    return sessions.Seal(runtime.local_issuer.pepper)


def find(request: Request) -> Visit:
    """Who is asking. Raises NoCredentials, InvalidCredentials, ExpiredCredentials."""
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise errors.NoCredentials("Sign in to see this.")
    runtime = deps.get_runtime(request)
    sealing = seal(runtime)
    session = sealing.session(cookie, runtime.clock.now())
    who = runtime.access.standing(session.claims)
    return Visit(who, session, sealing.form_token(session))


async def reading(request: Request) -> Visit:
    """Who reads a page. Raises as `find`, and AccessDenied without the scope."""
    visit = find(request)
    deps.get_runtime(request).access.require(visit.who, scopes.READ)
    request.state.visit = visit
    return visit


def acting(scope: str) -> Callable[[Request], Awaitable[Visit]]:
    """A dependency that gives who sends a form, which needs `scope`.

    It raises as `reading`, and AccessDenied for a form of another site, or one without its token.
    """

    async def sending(request: Request) -> Visit:
        visit = await reading(request)
        deps.get_runtime(request).access.require(visit.who, scope)
        check_origin(request)
        given = (await request.form()).get(TOKEN)
        if not isinstance(given, str) or not sessions.same(given, visit.form_token):
            raise errors.AccessDenied("The form is none of ours, or too old: open its page again.")
        return visit

    return sending


def check_origin(request: Request) -> None:
    """Raise AccessDenied where the browser says that a form comes from another site."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    own = request.headers.get("host", "")
    if site not in {"same-origin", "none"} or (origin and urlsplit(origin).netloc != own):
        raise errors.AccessDenied("The form comes from another site.")


def remember(request: Request, response: Response, session: sessions.Session) -> None:
    """Give the browser the cookie of `session`."""
    runtime = deps.get_runtime(request)
    left = session.claims.expires_at - runtime.clock.now()
    public = runtime.settings.public_url or ""
    response.set_cookie(
        COOKIE,
        seal(runtime).cookie(session),
        max_age=max(int(left.total_seconds()), 0),
        path="/ui",
        secure=request.url.scheme == "https" or public.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def forget(response: Response) -> None:
    """Take the cookie away."""
    response.delete_cookie(COOKIE, path="/ui", httponly=True, samesite="lax")


Reader = Annotated[Visit, Depends(reading)]
Admin = Annotated[Visit, Depends(acting(scopes.ADMIN))]
Commander = Annotated[Visit, Depends(acting(scopes.COMMANDS))]

"""The shell of every page: templates, headers, what was said last, and errors as pages.

Not here: any page's own content, and who is looking (`visit`).
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import jinja2
from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app import clock, errors
from app.doors import deps, paging, problems
from app.runtime import Runtime
from app.ui import statics, visit, words

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may do: its own scripts and styles, nothing inline, nobody else's anything."""

HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
HOME: Final = "/ui"
SEE_OTHER: Final = 303
SAID: Final = "listener_said"
KEPT: Final = frozenset({"retry-after", "allow"})
"""What a page of a refusal keeps of the headers of its answer."""

AS_IT_IS: Final = {"hx-reswap": "none"}
LOGIN_CODES: Final = frozenset({40, 41, 42})
SIGN_IN: Final = "/ui/sign-in"

PLAIN: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]+", re.ASCII)
"""An id that stands in a path as it is."""

NAVIGATION: Final = (
    ("/ui", "Overview"),
    ("/ui/attention", "Work list"),
    ("/ui/orders", "Orders"),
    ("/ui/notifications", "Notifications"),
    ("/ui/quarantine", "Quarantine"),
    ("/ui/feeds", "Feeds"),
    ("/ui/commands", "Commands"),
    ("/ui/sources", "Sources"),
    ("/ui/alerts", "Alerts"),
    ("/ui/audit", "Audit"),
)

NEXT_STEPS: Final = {
    1: "Try again. If it stays so, give whoever runs the listener the reference: its log has more.",
    20: "Follow a link of the pages instead of typing an address.",
    28: "Take the filter away, or choose another value.",
    50: "Ask whoever runs the listener for a link with more scopes: listener token --ui --scope …",
    60: "It may have been a link to something of another listener. Look for its id in the list.",
    61: "Open the page it belongs to, and act from there.",
    69: "Open its page again to see how it stands now.",
    70: "Start again from the newest: the log was restored or moved since that link was made.",
    5: "Try again in a few seconds; nothing was lost.",
    6: "Try again in a few seconds; nothing was lost.",
}
"""What to do about a refusal, by its code."""


@functools.cache
def environment() -> jinja2.Environment:
    """The templates, with how values are written."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("app.ui"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        age=words.age,
        lasting=clock.lasting,
        machine=words.machine,
        number=words.number,
        pretty=words.pretty,
        spaced=words.spaced,
        tone=words.tone,
        utc=words.utc,
        segment=segment,
    )
    made.globals.update(
        address=statics.address, query=query, navigation=NAVIGATION, order_address=order_address
    )
    return made


def query(**values: object) -> str:
    """`?a=b` of the values that are set; nothing where none is."""
    given = {name: value for name, value in values.items() if value not in (None, "")}
    return f"?{urlencode(given)}" if given else ""


def part(path: str, asked: paging.Page, page: Mapping[str, Any]) -> dict[str, Any]:
    """What a list shows of its `page`: the rows, what was asked, where it begins and goes on."""
    given = asked.model_dump(exclude_defaults=True, exclude={"after"})
    following = {**given, "after": page["next"]}
    return {
        "items": page["items"],
        "asked": asked,
        "given": given,
        "here": path + query(**given),
        "next": path + query(**following) if page["next"] else None,
    }


def segment(text: object) -> str:
    """`text` as one part of a path."""
    return quote(str(text), safe="")


def own_url(runtime: Runtime) -> str:
    """Where the listener is reached, as far as it knows."""
    return runtime.settings.public_url or f"http://127.0.0.1:{runtime.settings.port}"


def order_address(source: str, order_id: str, resource_type: str | None = None) -> str:
    """Where the story of an order is told.

    An id of plain letters stands in the path. Any other is a parameter: on the way browsers resolve
    `.` and `..` in a path, and proxies `%2F` and `//`.
    """
    if PLAIN.fullmatch(order_id):
        plain = f"/ui/orders/{segment(source)}/{order_id}"
        return plain + query(resource_type=resource_type)
    return "/ui/orders/one" + query(source=source, order_id=order_id, resource_type=resource_type)


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
    """The page `template` for whoever looks, with what was said by the form before it."""
    runtime = deps.get_runtime(request)
    said = _said(request)
    text = (
        environment()
        .get_template(template)
        .render(
            visit=getattr(request.state, "visit", None),
            now=runtime.clock.now(),
            path=request.url.path,
            said=said,
            version=runtime.version,
            **context,
        )
    )
    answer = Response(text, status, media_type="text/html", headers=HEADERS)
    if said is not None:
        answer.delete_cookie(SAID, path="/ui")
    return answer


def fragment(template: str, **context: Any) -> str:
    """A part of a page, for a stream."""
    return environment().get_template(template).render(**context)


def go(to: str, said: str | None = None, *, tone: str = "good") -> Response:
    """Go on to the page `to`, which tells `said` once, in the colour of `tone`."""
    answer = RedirectResponse(to, SEE_OTHER, headers=HEADERS)
    if said is not None:
        text = base64.urlsafe_b64encode(json.dumps([tone, said[:600]]).encode()).decode()
        answer.set_cookie(SAID, text, max_age=30, path="/ui", httponly=True, samesite="strict")
    return answer


def _said(request: Request) -> tuple[str, str] | None:
    """What the last form has to say: (tone, text)."""
    try:
        tone, text = json.loads(base64.urlsafe_b64decode(request.cookies[SAID]))
    except (KeyError, ValueError, TypeError):
        return None
    return (str(tone), str(text)) if tone in {"good", "bad", "wait"} else None


class Page(APIRoute):
    """A route whose address has no empty parameters."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, inside ours."""
        usual = super().get_route_handler()

        async def handler(request: Request) -> Response:
            tidy = _without_empty(request)
            return await usual(request) if tidy is None else go(tidy)

        return handler


def router(prefix: str, *, open_to_all: bool = False) -> APIRouter:
    """A router of pages, for who may read; `open_to_all`: for anyone."""
    needed = () if open_to_all else (Depends(visit.reading), Depends(deps.once))
    return APIRouter(prefix=prefix, route_class=Page, dependencies=needed)


def _without_empty(request: Request) -> str | None:
    """The address without parameters left empty, as forms send them; null where it has none."""
    if request.method != "GET":
        return None
    given = request.query_params.multi_items()
    kept = [(name, value) for name, value in given if value.strip()]
    if len(kept) == len(given):
        return None
    return f"{request.url.path}{'?' + urlencode(kept) if kept else ''}"


def refused(request: Request, found: problems.Answer) -> Response:
    """The page of a refusal or a fault: what is wrong and the next step, nothing of our insides.

    Where a part of a page was asked for, the page stays as it is.
    """
    told = json.loads(found.body)
    if told["code"] in LOGIN_CODES:
        return _to_sign_in(request, told["code"])
    told_so = ((name.decode(), value.decode()) for name, value in found.headers)
    headers = {name: value for name, value in told_so if name in KEPT}
    if request.headers.get("hx-request") == "true":
        return Response(status_code=found.status, headers={**HEADERS, **headers, **AS_IT_IS})
    request.state.visit = _visitor(request)
    step = NEXT_STEPS.get(told["code"], "Go back, and try it another way.")
    answer = render(request, "refused.html", status=found.status, told=told, step=step)
    answer.headers.update(headers)
    return answer


def _visitor(request: Request) -> visit.Visit | None:
    try:
        return visit.find(request)
    except errors.Refused:
        return None


def _to_sign_in(request: Request, code: int) -> Response:
    """The sign-in page, which leads back to a page that was only to be read.

    Where a part of a page was asked for, the page itself is loaded again, and led there.
    """
    if request.headers.get("hx-request") == "true":
        return Response(headers=HEADERS | {"hx-refresh": "true"})
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = asked if request.method == "GET" and request.url.path != "/ui" else None
    return go(
        SIGN_IN + query(next=back),
        None if code == errors.NoCredentials.code else "Your session is over. Sign in again.",
        tone="wait",
    )

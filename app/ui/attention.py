"""The work list as a page: what orders need somebody for; taking, giving, noting, closing it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app import errors
from app.doors import deps, filters, lists, paging, work
from app.notifications import notification as canonical
from app.store import engine
from app.ui import entrance, needs, shell, visit

HERE = "/ui/attention"
STATES = ("closed", "cleared", "all")

router = shell.router(HERE)


@router.get("")
def listing(
    request: Request,
    runtime: deps.The,
    asked: Annotated[filters.Attention, Query()],
) -> Response:
    """One part of the work list, oldest first; below all of it, what else needs somebody."""
    with engine.read(runtime.engine) as connection:
        page = lists.attention(connection, asked)
        plain = asked == filters.Attention()
        beside = list(needs.beside(runtime, connection)) if plain else []
    return shell.render(
        request,
        "attention.html",
        **shell.part(HERE, asked, page),
        beside=beside,
        states=STATES,
        sources=[source.name for source in runtime.configuration.sources],
        attentions=list(canonical.Attention),
    )


@router.post("/{identifier}/assign")
async def assign(
    request: Request, runtime: deps.The, who: visit.Admin, identifier: paging.Identifier
) -> Response:
    """Give it to somebody: whoever is named, else the one who asks; `nobody` gives it back."""
    form = await request.form()
    named = str(form.get("assignee") or who.who.subject)
    assignee = None if "nobody" in form else _valid(paging.Wanted, named, "who")
    await work.assign(runtime, identifier, assignee, by=who.who.subject)
    return await _back(request, f"It is with {assignee} now." if assignee else "It is nobody's.")


@router.post("/{identifier}/note")
async def note(
    request: Request, runtime: deps.The, who: visit.Admin, identifier: paging.Identifier
) -> Response:
    """Add a note to it."""
    form = await request.form()
    text = _valid(work.NoteText, str(form.get("text", "")).replace("\r\n", "\n").strip(), "note")
    await work.note(runtime, identifier, text, by=who.who.subject)
    return await _back(request, "It is noted.")


@router.post("/{identifier}/close")
async def close(
    request: Request, runtime: deps.The, who: visit.Admin, identifier: paging.Identifier
) -> Response:
    """Close it by hand."""
    await work.close(runtime, identifier, by=who.who.subject)
    return await _back(request, "It is closed.")


def _valid(kind: Any, text: str, name: str) -> str:
    """`text` as a `kind` of text. Raises `errors.InvalidValue`."""
    try:
        return str(TypeAdapter(kind).validate_python(text))
    except ValidationError as error:
        raise errors.InvalidValue(f"{name}: {error.errors()[0]['msg']}") from error


async def _back(request: Request, said: str) -> Response:
    """To the page the form was on."""
    form = await request.form()
    to = str(form.get("back", HERE))
    return shell.go(entrance.inside(to) if to else HERE, said)

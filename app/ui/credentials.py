"""The credentials of a source on its page: those it has, one more, one less, all tokens void.

A secret is in the answer to the form that asked for it and nowhere else: no address, cookie or log
has it. Not here: what a credential is (`security.credentials`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from app import clock, errors
from app.doors import acts, deps, paging
from app.notifications import event_types, notification as canonical
from app.runtime import Runtime
from app.security import credentials, directory, issuing
from app.sources import base
from app.store import credentials as stored, engine
from app.ui import shell, visit, words

WORDS: Final = {
    "api_key": ("API key", "In the header X-API-Key. What most systems can send."),
    "basic": ("HTTP Basic", "As a user name and a password."),
    "client": ("OAuth client", "It fetches tokens that last an hour, and sends those."),
    "callback_key": ("Callback key", "In the address it posts to, where it can send nothing else."),
}
"""Each type of credential: its name, and how it is presented."""

LENGTHS: Final = {
    "": "until it is revoked", "30d": "30 days", "90d": "90 days", "365d": "a year",
    "730d": "2 years",
}  # fmt: skip
"""How long a credential may be asked to hold."""

router = shell.router("/ui/sources")


def told(runtime: Runtime, source: base.SourceConfig) -> dict[str, Any]:
    """What the page of `source` shows of credentials; nothing where it is asked, not told."""
    if runtime.kinds[source.kind].channel is not canonical.Channel.PUSH:
        return {"held": [], "offered": []}
    now = runtime.clock.now()
    with engine.read(runtime.engine) as connection:
        rows = stored.listing(connection, source.name)
        void_before = stored.source_states(connection).get(source.name)
    held = [(row, credentials.standing(row, now)) for row in reversed(rows)]
    return {
        "held": sorted(held, key=lambda one: one[1] != "active"),
        "offered": [_offer(source, type_, rows, now) for type_ in WORDS],
        "names": {type_: name for type_, (name, _) in WORDS.items()},
        "most": credentials.MAX_ACTIVE,
        "lengths": LENGTHS,
        "once": credentials.new_id(),
        "void_before": void_before,
    }


@router.post("/{name}/credentials")
async def add(
    request: Request, runtime: deps.The, seen_by: visit.Admin, name: paging.Identifier
) -> Response:
    """Make a credential and show its secret, this once; a form sent again makes no other."""
    source = acts.source(runtime, name)
    form = await request.form()
    try:
        wanted = issuing.Wanted(
            _pushing(runtime, source),
            str(form.get("type", "")),
            str(form.get("label", "")),
            _length(str(form.get("expires", ""))),
        )
        secret, row = await acts.add_credential(
            runtime, wanted, by=seen_by.who.subject, id_=str(form.get("once", ""))
        )
    except (errors.InvalidParameter, errors.Conflict) as error:
        return shell.go(_page(name), error.message, tone="bad")
    return shell.render(
        request,
        "credential.html",
        status=201,
        source=source,
        row=row,
        title=WORDS[row.type][0],
        handed=_handed(shell.own_url(runtime), row, secret),
        missing=issuing.missing_entry(source, row.type),
    )


@router.get("/{name}/credentials")
def nothing(name: paging.Identifier, _: deps.Nothing) -> Response:
    """Back to the source: the secret that was shown here is not shown again."""
    return shell.go(_page(name), "A secret is shown once, when it is made.", tone="wait")


@router.post("/{name}/revoke")
async def revoke(
    request: Request, runtime: deps.The, seen_by: visit.Admin, name: paging.Identifier
) -> Response:
    """Revoke one of its credentials."""
    id_ = str((await request.form()).get("credential", ""))
    done = await acts.revoke(runtime, name, id_, by=seen_by.who.subject)
    word = f"{id_} is revoked." if done else "It is revoked already, or none of this source."
    return shell.go(_page(name), word, tone="good" if done else "wait")


@router.post("/{name}/void")
async def void(runtime: deps.The, seen_by: visit.Admin, name: paging.Identifier) -> Response:
    """Void every token of the source that was issued until now. Raises `errors.Conflict`."""
    source = _pushing(runtime, acts.source(runtime, name))
    at = await acts.void_tokens(runtime, source.name, by=seen_by.who.subject)
    return shell.go(_page(name), f"Tokens issued before {words.utc(at)} are void.")


def _page(name: str) -> str:
    return f"/ui/sources/{shell.segment(name)}"


def _pushing(runtime: Runtime, source: base.SourceConfig) -> base.SourceConfig:
    if runtime.kinds[source.kind].channel is canonical.Channel.PUSH:
        return source
    raise errors.Conflict(f"{source.name} is asked by us: it needs no credential of ours")


def _length(text: str) -> timedelta | None:
    try:
        return (clock.length(text) or None) if text else None
    except ValueError as error:
        raise errors.InvalidParameter(f"expires: {error}") from error


def _offer(
    source: base.SourceConfig, type_: str, rows: list[stored.StoredCredential], now: datetime
) -> dict[str, Any]:
    """A type that may be chosen, with what stands in its way, if anything does."""
    name, how = WORDS[type_]
    active = [row.id for row in rows if row.type == type_ and credentials.holds(row, now)]
    return {
        "type": type_,
        "name": name,
        "how": how,
        "full": len(active) >= credentials.MAX_ACTIVE,
        "missing": issuing.missing_entry(source, type_),
        "scopes": sorted(directory.permitted(source, type_) or ()),
    }


def _handed(url: str, row: stored.StoredCredential, secret: str) -> list[tuple[str, str]]:
    """What the operator is given: (what it is, its value)."""
    posts = ("Posts to", url + event_types.SHARED_PATH)
    match row.type:
        case "api_key":
            return [posts, ("X-API-Key", secret)]
        case "basic":
            return [posts, ("User", row.source), ("Password", secret)]
        case "client":
            fetches = ("Fetches tokens at", f"{url}/oauth2/token")
            return [posts, fetches, ("client_id", row.source), ("client_secret", secret)]
        case _:
            return [("Posts to", url + event_types.keyed_path(secret))]

"""`POST /oauth2/token`: a token of ours for an operator that fetches one (RFC 6749 §4.4).

Not here: the route and how its answers look (`web.oauth`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from app import clock as clocks, errors
from app.security import credentials, directory, signing

TTL: Final = timedelta(hours=1)
GRANT: Final = "client_credentials"


@dataclass(frozen=True, slots=True)
class Granted:
    """The answer's members, beside `token_type: Bearer`; `scope` is separated by blanks."""

    access_token: str
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True)
class Denied:
    """Why not, in the words of RFC 6749 §5.2, and for a reader."""

    error: Literal["invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"]
    description: str


@dataclass(frozen=True, slots=True)
class _Client:
    source: str
    credential: str
    scopes: frozenset[str]


def token(
    form: Mapping[str, str],
    authorization: str | None,
    *,
    known: directory.Directory,
    local: signing.LocalIssuer,
    clock: clocks.Clock,
) -> Granted | Denied:
    """Answer one request: `form` is its body, `authorization` its header of that name.

    The client is the source's name with the text of a credential of type `client`, by Basic or in
    the form. The token's scopes are those of the source's auth entry, or the fewer that are asked.
    """
    client = _client(form, authorization, known, clock)
    if isinstance(client, Denied):
        return client
    if "grant_type" not in form:
        return Denied("invalid_request", f"grant_type is missing; expected {GRANT}")
    if form["grant_type"] != GRANT:
        return Denied("unsupported_grant_type", f"the only grant type is {GRANT}")
    wanted = frozenset(form.get("scope", "").split()) or client.scopes
    if not wanted <= client.scopes:
        scopes = " ".join(sorted(client.scopes))
        return Denied("invalid_scope", f"this client may ask for: {scopes}")
    issued = local.issue(
        subject=client.source,
        scopes=wanted,
        ttl=TTL,
        source=client.source,
        credential=client.credential,
    )
    return Granted(issued, int(TTL.total_seconds()), " ".join(sorted(wanted)))


def _client(
    form: Mapping[str, str],
    authorization: str | None,
    known: directory.Directory,
    clock: clocks.Clock,
) -> _Client | Denied:
    """Who asks."""
    try:
        presented = _presented(form, authorization)
        if isinstance(presented, Denied):
            return presented
        name, secret = presented
        held = known.held("client", secret, clock.now())
    except (errors.InvalidCredentials, errors.ExpiredCredentials) as error:
        return Denied("invalid_client", error.message)
    source = known.sources.get(name)
    if held.credential.source != name or source is None:
        return Denied("invalid_client", credentials.UNKNOWN)
    if not source.enabled:
        return Denied("invalid_client", f"the source {name} is disabled")
    return _Client(name, held.credential.id, held.principal.scopes)


def _presented(form: Mapping[str, str], authorization: str | None) -> tuple[str, bytes] | Denied:
    """The client's id and secret: from the header or from the form, not from both."""
    in_form = "client_secret" in form
    if authorization:
        if in_form:
            return Denied("invalid_request", "the client is named in the header and in the form")
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() != "basic":
            return Denied("invalid_client", "expected Basic, or client_id and client_secret")
        return credentials.parse_basic(rest.strip())
    if not in_form or "client_id" not in form:
        return Denied("invalid_client", "expected Basic, or client_id and client_secret")
    return form["client_id"], form["client_secret"].encode("utf-8", "surrogatepass")

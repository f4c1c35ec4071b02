"""Giving a source a long-lived credential: the same act from the command line and from a page.

Not here: what a credential is (`credentials`), what it permits (`directory`), who may (`doors`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from app import errors
from app.notifications import event_types
from app.security import credentials, directory
from app.security.credentials import Type
from app.sources import base
from app.store import credentials as stored, engine

LONGEST_LABEL: Final = 100

HOW: Final[Mapping[str, str]] = MappingProxyType(
    {
        Type.API_KEY: "the operator sends it as the header X-API-Key",
        Type.BASIC: "the operator sends it by HTTP Basic: user {source}, this as the password",
        Type.CALLBACK_KEY: f"the operator's callback: {event_types.keyed_path('KEY')}",
        Type.CLIENT: "the operator fetches tokens at /oauth2/token: client_id {source}, "
        "this as secret",
    }
)
"""How each of `Type` is presented; `{source}` is the source's name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The credential that is wanted; `lasts`: how long it holds (null: until it is revoked)."""

    source: base.SourceConfig
    type: str
    label: str | None = None
    lasts: timedelta | None = None


def issue(
    connection: engine.Connection,
    wanted: Wanted,
    *,
    pepper: bytes,
    now: datetime,
    id_: str | None = None,
) -> tuple[str, stored.StoredCredential]:
    """Make a credential and keep it: the text to be shown this once, and its row.

    `id_`: the id it is to have (16 hex digits), so that a form sent twice makes one. Raises
    `errors.InvalidParameter`, and `errors.Conflict` where there is no room for it, or it is there.
    """
    existing = stored.listing(connection)
    if id_ is not None and any(one.id == id_ for one in existing):
        raise errors.Conflict(f"the credential {id_} was made before; its secret is not kept")
    secret, row = credentials.make(
        wanted.source.name,
        wanted.type,
        pepper=pepper,
        now=now,
        label=_label(wanted.label),
        expires_at=_end(now, wanted.lasts),
        id_=id_,
    )
    credentials.check_room(existing, wanted.source.name, wanted.type, now)
    stored.add(connection, row)
    return secret, row


def missing_entry(source: base.SourceConfig, type_: str) -> str | None:
    """What `source` must list in listener.toml before a credential of `type_` holds; else null."""
    if directory.permitted(source, type_) is not None:
        return None
    return f'auth = [{{ type = "{type_}" }}]'


def _label(text: str | None) -> str | None:
    label = (text or "").strip()
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise errors.InvalidParameter(f"label: expected at most {LONGEST_LABEL} letters, in a line")
    return label or None


def _end(now: datetime, lasts: timedelta | None) -> datetime | None:
    try:
        return None if lasts is None else now + lasts
    except OverflowError as error:
        raise errors.InvalidParameter("expires: that is longer than time goes") from error

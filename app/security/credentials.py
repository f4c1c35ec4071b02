"""Long-lived credentials of sources: how they are made, kept and checked.

A credential is shown once as `<id>.<secret>`, whatever its type; only an HMAC of that text is kept
(256 random bits need no slow hash). How it is presented:

- api_key: `X-API-Key: <id>.<secret>`
- basic: the source's name as the user, `<id>.<secret>` as the password
- callback_key: `<id>.<secret>` in the path
- client: `client_id` is the source's name, `client_secret` is `<id>.<secret>`

Not here: where they are stored (`store.credentials`), what they permit (`directory`).
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

from app import errors
from app.store.stored_credential import StoredCredential


class Type(StrEnum):
    """What kind of credential: how the operator presents it."""

    API_KEY = "api_key"
    BASIC = "basic"
    CALLBACK_KEY = "callback_key"
    CLIENT = "client"


TYPES: Final = tuple(Type)
MAX_ACTIVE: Final = 2
"""Most active credentials of one type a source has: the old and the new while one is rotated."""

_ID: Final = re.compile("[0-9a-f]{16}")

UNKNOWN: Final = "The credentials are not known here."


def pepper(secret: bytes) -> bytes:
    """The key of the hashes of credentials, derived from the signing secret."""
    return hmac.digest(secret, b"tmf-listener: credentials", "sha256")


def new_id() -> str:
    """An id that no credential has: 16 hex digits."""
    return secrets.token_hex(8)


def make(
    source: str,
    type: str,  # noqa: A002 - the word of the contract
    *,
    pepper: bytes,
    now: datetime,
    label: str | None = None,
    expires_at: datetime | None = None,
    id_: str | None = None,
) -> tuple[str, StoredCredential]:
    """A new credential of `source`: the text to be shown once, and the row to be kept.

    `type` is one of `TYPES`; `id_` is one of `new_id` (null: another). Raises InvalidParameter
    when it is not.
    """
    if type not in TYPES:
        raise errors.InvalidParameter(f"{type!r} is no type of credential: {', '.join(TYPES)}")
    if id_ is not None and not _ID.fullmatch(id_):
        raise errors.InvalidParameter("id: expected 16 hex digits")
    key_id = id_ or new_id()
    shown = f"{key_id}.{secrets.token_urlsafe(32)}"
    row = StoredCredential(
        id=key_id,
        source=source,
        type=type,
        secret_hash=digest(shown.encode(), pepper),
        label=label,
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
    )
    return shown, row


def check_room(
    existing: Iterable[StoredCredential],
    source: str,
    type: str,  # noqa: A002 - the word of the contract
    now: datetime,
) -> None:
    """Raise Conflict when `source` has `MAX_ACTIVE` active credentials of `type` already."""
    active = [
        one.id for one in existing if one.source == source and one.type == type and holds(one, now)
    ]
    if len(active) >= MAX_ACTIVE:
        raise errors.Conflict(
            f"{source} has {len(active)} active credentials of type {type} already "
            f"({', '.join(active)}); revoke one of them first"
        )


def holds(credential: StoredCredential, now: datetime) -> bool:
    """Whether `credential` is neither revoked nor expired."""
    expired = credential.expires_at is not None and credential.expires_at <= now
    return credential.revoked_at is None and not expired


def standing(credential: StoredCredential, now: datetime) -> str:
    """How `credential` stands: active, expired or revoked."""
    if credential.revoked_at is not None:
        return "revoked"
    return "active" if holds(credential, now) else "expired"


def digest(text: bytes, pepper: bytes) -> bytes:
    """What is kept of a secret (32 bytes)."""
    return hmac.digest(pepper, text, "sha256")


def key_id(text: str) -> str:
    """The id in a presented `<id>.<secret>`; of any other text, something that is no id."""
    return text.partition(".")[0]


def check(presented: bytes, credential: StoredCredential, *, pepper: bytes, now: datetime) -> None:
    """Make sure that `presented` is the text of `credential`, which it names by its id.

    Raises InvalidCredentials when it is not, or it is revoked; ExpiredCredentials when it is but
    for its age.
    """
    if not hmac.compare_digest(digest(presented, pepper), credential.secret_hash):
        raise errors.InvalidCredentials(UNKNOWN)
    if credential.revoked_at is not None:
        raise errors.InvalidCredentials(UNKNOWN)
    if credential.expires_at is not None and credential.expires_at <= now:
        raise errors.ExpiredCredentials


def parse_basic(text: str) -> tuple[str, bytes]:
    """User name and password in what follows `Basic ` in an Authorization header (RFC 7617).

    Raises InvalidCredentials.
    """
    try:
        user, colon, password = base64.b64decode(text.encode(), validate=True).partition(b":")
        name = user.decode("utf-8")
    except ValueError as error:
        raise errors.InvalidCredentials("The Basic credentials are malformed.") from error
    if not colon:
        raise errors.InvalidCredentials("The Basic credentials are malformed.")
    return name, password

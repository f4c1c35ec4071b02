"""A long-lived credential as it is kept. Not here: keeping it (`credentials`).

Settings know this much of the store, and reading them loads no database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """A credential as it is kept: `secret_hash` is an HMAC, never the secret. Times aware, UTC."""

    id: str
    source: str
    type: str
    secret_hash: bytes
    label: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

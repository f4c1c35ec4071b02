"""Signatures of what we send: Standard Webhooks 1.0 (`v1`, HMAC-SHA-256). Not here: sending."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

PREFIX: Final = "whsec_"


def headers(secret: str, id_: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers that sign `body`, sent as message `id_` at `at` (seconds since 1970).

    `secret`: base64 after `whsec_`, else its own bytes.
    """
    signed = f"{id_}.{at}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()

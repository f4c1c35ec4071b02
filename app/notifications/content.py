"""What makes two bodies the same content: the digests of a push (DESIGN §5 "Identity key")."""

from __future__ import annotations

import hashlib
import json
from typing import NoReturn


def raw_digest(body: bytes) -> bytes:
    """SHA-256 (32 bytes) of the bytes as they came."""
    return hashlib.sha256(body).digest()


def canonical_digest(body: bytes) -> bytes:
    """SHA-256 (32 bytes) of what the JSON says: the order of keys and white space do not count.

    Numbers count by their lexeme (`1.0` is not `1`); of a key that comes twice the last counts. A
    body that is not JSON has its `raw_digest`.
    """
    try:
        said = json.loads(
            body.decode(), parse_int=_lexeme, parse_float=_lexeme, parse_constant=_no_number
        )
        canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return raw_digest(body)
    return hashlib.sha256(canonical.encode("ascii")).digest()


def _lexeme(lexeme: str) -> tuple[int, str]:
    """A number as `[0, lexeme]`: nothing else leaves a bare number behind, so it is unambiguous."""
    return (0, lexeme)


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)

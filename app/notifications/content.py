"""What makes two bodies the same content: the digests of a push (DESIGN §5 "Identity key")."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import orjson


def raw_digest(body: bytes) -> bytes:
    """SHA-256 (32 bytes) of the bytes as they came."""
    return hashlib.sha256(body).digest()


def canonical_digest(body: bytes, said: Mapping[str, Any] | None = None) -> bytes:
    """SHA-256 (32 bytes) of what the JSON says: the order of keys and white space do not count.

    Numbers count by their lexeme (`1.0` is not `1`); of a key that comes twice the last counts. A
    body that is not JSON, or nested more than 250 deep, has its `raw_digest`. `said`: what `body`
    says, from a reader that has it already and met no number (`body.Read.plain`).
    """
    try:
        said = _LEXEMES.decode(body.decode()) if said is None else said
        canonical = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    except (ValueError, RecursionError, orjson.JSONEncodeError):
        return raw_digest(body)
    return hashlib.sha256(canonical).digest()


def _lexeme(lexeme: str) -> tuple[int, str]:
    """A number as `[0, lexeme]`: nothing else leaves a bare number behind, so it is unambiguous."""
    return (0, lexeme)


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


_LEXEMES: Final = json.JSONDecoder(
    parse_int=_lexeme, parse_float=_lexeme, parse_constant=_no_number
)

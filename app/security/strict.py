"""JSON of strangers, read so that no two readers could understand it differently."""

from __future__ import annotations

import json
from typing import Any, Never


def document(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`: UTF-8, no name twice, no NaN or Infinity, not too deep.

    Raises ValueError.
    """
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_no_name_twice, parse_constant=_no_constant
        )
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - one exception for everything a stranger may send
    return value


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name occurs twice")
    return value


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON")

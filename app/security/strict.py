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
        msg = "too deep"
        raise ValueError(msg) from error
    if not isinstance(value, dict):
        msg = "no JSON object"
        raise ValueError(msg)  # noqa: TRY004 - one exception for everything a stranger may send
    return value


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        msg = "a name occurs twice"
        raise ValueError(msg)
    return value


def _no_constant(name: str) -> Never:
    msg = f"{name} is no JSON"
    raise ValueError(msg)

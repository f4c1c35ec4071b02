"""Bodies filled from an official Swagger 2 contract: every property of the schema, once."""

from __future__ import annotations

import functools
import gzip
import json
from pathlib import Path
from typing import Any

CONTRACTS = Path(__file__).parents[1] / "contracts"
MOST_TIMES_INSIDE_ITSELF = 2
TIME = "2026-03-02T09:15:00.000Z"
LINK = "https://operator.example/link"


@functools.cache
def contract(name: str) -> dict[str, Any]:
    """The contract in the file `name`."""
    return json.loads(gzip.decompress((CONTRACTS / f"{name}.gz").read_bytes()))


def body_of(name: str, event_name: str) -> dict[str, Any]:
    """A filled body of the event posted to `/listener/<event_name>`."""
    whole = contract(name)
    operation = whole["paths"][f"/listener/{event_name}"]["post"]
    schema = operation["parameters"][0]["schema"]
    return _filled(schema, whole["definitions"], "body", ())


def _filled(
    schema: dict[str, Any], known: dict[str, Any], name: str, inside: tuple[str, ...]
) -> Any:
    if "$ref" in schema:
        target = schema["$ref"].rpartition("/")[2]
        if inside.count(target) == MOST_TIMES_INSIDE_ITSELF:
            return None
        return _filled(known[target], known, name, (*inside, target))
    if schema.get("type") == "array":
        element = _filled(schema["items"], known, name, inside)
        return None if element is None else [element]
    if schema.get("type", "object") == "object":
        return _object(schema, known, inside)
    return _scalar(schema, name)


def _scalar(schema: dict[str, Any], name: str) -> Any:
    text = {"date-time": TIME, "uri": LINK}.get(schema.get("format", ""), name)
    first = {"integer": 1, "number": 1, "boolean": True, "string": text}[schema["type"]]
    return schema.get("enum", [first])[0]


def _object(
    schema: dict[str, Any], known: dict[str, Any], inside: tuple[str, ...]
) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for part in schema.get("allOf", []):
        filled |= _filled(part, known, "", inside)
    for name, property_ in schema.get("properties", {}).items():
        value = _filled(property_, known, name, inside)
        if value is not None:
            filled[name] = value
    return filled

"""What a notification of changed values tells: `[{path, value}]`, personal data left out.

An element of a list is named by its id or name (`orderItem[1].product.relation[Colour].value`),
else by its place. Of personal data only the path is told. Source: facts/mappings.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.notifications import body

MOST: Final = 100
LONGEST_VALUE: Final = 500
LONGEST_PATH: Final = 500

# What identifies the order is no change of it.
_IDENTITY: Final = frozenset({"id", "href", "externalId", "externalID", "@type", "@baseType"})
_PERSONAL: Final = frozenset(
    {
        *("address", "author", "birth", "birthday", "city", "comment", "contact", "customer"),
        *("description", "email", "lastname", "mail", "mobile", "msisdn", "name", "note", "notes"),
        *("party", "person", "personal", "personnummer", "phone", "place", "postcode", "pstn"),
        *("serial", "ssn", "street", "surname", "telephone", "text", "user", "zip"),
    }
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_personal(name: str) -> bool:
    """Whether a field or characteristic of this name may tell of a person."""
    return any(word.casefold() in _PERSONAL for word in _WORD.findall(name))


def told(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every value of `order` but those that identify it, at most MOST of them."""
    changes = []
    for name, value in order.items():
        if name in _IDENTITY:
            continue
        for change in _leaves(name, name, value):
            changes.append(change | {"path": change["path"][:LONGEST_PATH]})
            if len(changes) == MOST:
                return changes
    return changes


def _leaves(path: str, name: str, value: Any) -> Iterator[dict[str, Any]]:
    """The values below `path`; of a personal one the path alone."""
    if is_personal(name):
        yield {"path": path, "value": None, "personal": True}
    elif isinstance(value, list) and value:
        for place, element in enumerate(value):
            yield from _element(path, place, element)
    elif isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}", key, inner)
    else:
        yield {"path": path, "value": _small(value)}


def _element(path: str, place: int, element: Any) -> Iterator[dict[str, Any]]:
    """An element of a list; what it is named by is not told again."""
    if not isinstance(element, dict):
        yield from _leaves(f"{path}[{place}]", "", element)
        return
    label = next((key for key in ("id", "name") if isinstance(element.get(key), str)), None)
    shown = element[label].strip() if label is not None else str(place)
    here = f"{path}[{shown[:100]}]"
    personal = label == "name" and is_personal(shown)
    for key, inner in element.items():
        if key != label:
            yield from _leaves(f"{here}.{key}", shown if personal else key, inner)


def _small(value: Any) -> Any:
    match value:
        case body.OutOfRange():
            return value.lexeme
        case str() if len(value) > LONGEST_VALUE:
            return value[:LONGEST_VALUE] + "…"
        case _:
            return value

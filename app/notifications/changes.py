"""What a notification of changed values says was changed: `[{path, value}]`, personal data left out.

An element of a list is named by its id or name (`orderItem[1].product.productCharacteristic[Colour]
.value`), else by its place. Of personal data only the path is told. Source: facts/mappings.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.notifications import body

MOST: Final = 100
LONGEST_VALUE: Final = 500

# What identifies the order is no change of it.
_IDENTITY: Final = frozenset({"id", "href", "externalId", "externalID", "@type", "@baseType"})
_PERSONAL: Final = re.compile(
    r"note|relatedparty|contact|author|person|customer|user|name|mail|phone|msisdn|address|street"
    r"|city|postcode|place|birth|serial|description|text|comment",
    re.IGNORECASE,
)


def told(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every value of `order` but those that identify it, at most MOST of them."""
    changes = []
    for name, value in order.items():
        if name in _IDENTITY:
            continue
        for change in _leaves(name, name, value):
            changes.append(change)
            if len(changes) == MOST:
                return changes
    return changes


def _leaves(path: str, name: str, value: Any) -> Iterator[dict[str, Any]]:
    """The values below `path`; of a personal one the path alone."""
    if _PERSONAL.search(name) is not None:
        yield {"path": path, "value": None, "personal": True}
    elif isinstance(value, list) and value:
        for place, element in enumerate(value):
            yield from _element(path, name, place, element)
    elif isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}", key, inner)
    else:
        yield {"path": path, "value": _small(value)}


def _element(path: str, name: str, place: int, element: Any) -> Iterator[dict[str, Any]]:
    """An element of a list; what it is named by is not told again."""
    if not isinstance(element, dict):
        yield from _leaves(f"{path}[{place}]", "", element)
        return
    label = next((key for key in ("id", "name") if isinstance(element.get(key), str)), None)
    shown = element[label].strip() if label is not None else str(place)
    here = f"{path}[{shown[:100]}]"
    personal = label == "name" and _PERSONAL.search(shown) is not None
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

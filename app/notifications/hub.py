"""Subscribing to an operator's hub: what is sent, and what its answers mean, form by form. Pure.

A hub answers 201 with the subscription (its id in the body, else the last part of `Location`); the
same callback again is 400 (ONAP) or 409 (TM Forum 2015). Only some can be asked for what they have.
Source: facts/wire.md §1.3, §2.5, §8 "Hub".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

ACCEPTED: Final = range(200, 300)
DUPLICATE: Final = 409
MAYBE_KNOWN: Final = frozenset({400, DUPLICATE})
"""Answers that may mean: this callback is registered already."""

UNASKABLE: Final = frozenset({405, 501})
GONE: Final = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The hub has the subscription; `id` is null where it does not tell it."""

    id: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """The hub may have a subscription of this callback already."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The hub does not take it."""

    status: int
    message: str


def body(form: str, callback: str, query: str | None) -> bytes:
    """The subscription as `form` wants it.

    ONAP's hub breaks on a query that is null: it is left out.
    """
    asked: dict[str, Any] = {"callback": callback}
    if query is not None:
        asked["query"] = query
    elif form != "onap":
        asked["query"] = ""
    if form == "tmf622_v5":
        asked["@type"] = "Hub"
    return json.dumps(asked).encode()


def answered(
    status: int, headers: Mapping[str, str], content: bytes
) -> Subscribed | Known | Refused:
    """What the answer to a subscription means; `headers` have small names."""
    if status in ACCEPTED:
        told = _object(content).get("id")
        place = headers.get("location", "").rstrip("/").rpartition("/")[2]
        found = str(told) if isinstance(told, str | int) and told != "" else place
        return Subscribed(found or None)
    if status in MAYBE_KNOWN:
        return Known()
    told = _object(content)
    words = told.get("message") or told.get("reason") or "no reason given"
    return Refused(status, str(words)[:200])


def of_callback(content: bytes, callback: str) -> str | None:
    """The id of the subscription of `callback` in a hub's list; null where it is not there."""
    for one in _list(content) or ():
        if one.get("callback") == callback and "id" in one:
            return str(one["id"])
    return None


def lists(content: bytes, remote_id: str) -> bool | None:
    """Whether a hub's list has the subscription `remote_id`; null for what is no list."""
    listed = _list(content)
    return None if listed is None else any(str(one.get("id")) == remote_id for one in listed)


def _list(content: bytes) -> list[dict[str, Any]] | None:
    try:
        told = json.loads(content)
    except ValueError:
        return None
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else None


def _object(content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}

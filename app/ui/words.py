"""How values are written on pages: times, ages, numbers, JSON; and which colour a word bears.

Pure. Colours mean something: good (done), busy (under way), wait (somebody must act), bad (failed).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from app import clock
from app.notifications.notification import rfc3339

TONES: Final[Mapping[str, str]] = MappingProxyType({
    # states of orders
    "acknowledged": "busy", "inProgress": "busy", "pending": "wait", "held": "wait",
    "assessingCancellation": "wait", "pendingCancellation": "wait", "draft": "calm",
    "completed": "good", "partial": "wait", "failed": "bad", "rejected": "bad",
    "cancelled": "calm",
    # attention and flags
    "buyer_action": "wait", "alarm": "bad", "follow_up": "wait", "conflicting": "bad",
    "changed_after_final": "bad", "out_of_order": "wait", "late": "wait", "removed": "calm",
    "silent": "wait", "unheard": "wait",
    # feeds
    "ok": "good", "starting": "busy", "reading": "busy", "failing": "bad",
    "unauthorized": "bad", "stalled": "bad", "paused": "wait", "disabled": "calm",
    # quarantine, jobs, commands, credentials
    "quarantine": "wait", "full": "bad",
    "open": "wait", "released": "good", "discarded": "calm", "queued": "busy",
    "running": "busy", "done": "good", "unknown": "wait", "active": "good", "revoked": "calm",
    "expired": "calm",
    # alerts
    "trouble": "bad", "opened": "wait", "cleared": "good", "arrived": "good", "not_arrived": "bad",
    # kinds that stand out
    "jeopardy": "bad", "error_message": "bad", "information_required": "wait",
    "cancel_information_required": "wait",
})  # fmt: skip


def tone(word: object) -> str:
    """The colour of `word`; calm where it bears none."""
    return TONES.get(str(word), "calm")


def spaced(word: object) -> str:
    """A word of ours for people: `information_required`, `inProgress` as two words."""
    told = "".join(f" {c.lower()}" if c.isupper() else c for c in str(word))
    return told.replace("_", " ").strip()


def machine(moment: datetime) -> str:
    """For `datetime=`: RFC 3339 in UTC."""
    return rfc3339(moment)


def utc(moment: datetime) -> str:
    """`2026-11-20 12:00:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def age(moment: datetime, now: datetime) -> str:
    """How long ago: `3 min ago`, `in 2 h`; the largest unit only."""
    seconds = (now - moment).total_seconds()
    told = clock.lasting(abs(seconds))
    if told == "0 s":
        return "now"
    return f"{told} ago" if seconds > 0 else f"in {told}"


def number(value: float) -> str:
    """With thin groups of thousands: `12,345`."""
    return f"{value:,}"


def pretty(value: Any) -> str:
    """A JSON value, indented."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def text_of(raw: bytes) -> str | None:
    """Bytes as text; null where they are none."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def indented(raw: bytes) -> str | None:
    """A JSON body with every member on its line; null for what is no JSON."""
    try:
        return json.dumps(json.loads(raw), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return None

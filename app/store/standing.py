"""How a feed stands, in one word and in full: for web, command line and metrics. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from app.store.feeds import Feed

SLACK: Final = timedelta(minutes=2)
"""A turn may be so late, beyond its interval, before the feed counts as stalled."""


def word(feed: Feed | None, *, enabled: bool, every: timedelta, now: datetime) -> str:
    """How a feed stands: ok, starting, reading, failing, unauthorized, stalled, paused, disabled.

    starting: never turned; reading: its first read is not through; stalled: it has no trouble, but
    nobody turns it.
    """
    if not enabled:
        return "disabled"
    if feed is None:
        return "starting"
    if feed.paused_at is not None:
        return "paused"
    if feed.cause is not None:
        return "unauthorized" if feed.cause == "unauthorized" else "failing"
    if feed.last_success_at is None:
        moved = feed.cursor_at or feed.connected_at
        busy = "reading" if feed.cursor_at is not None else "starting"
        return busy if now - moved < every + SLACK else "stalled"
    return "ok" if now - feed.last_success_at < 2 * every + SLACK else "stalled"


def lag(feed: Feed | None, now: datetime) -> float | None:
    """Seconds since the operator's list was last read to its end; null: never yet."""
    if feed is None or feed.last_success_at is None:
        return None
    return max(0.0, (now - feed.last_success_at).total_seconds())


def age(feed: Feed | None, now: datetime) -> float | None:
    """Seconds since the feed last brought something; null: never yet."""
    if feed is None or feed.cursor_at is None or feed.entries == 0:
        return None
    return max(0.0, (now - feed.cursor_at).total_seconds())


def told(
    feed: Feed | None, *, name: str, kind: str, enabled: bool, every: timedelta, now: datetime
) -> dict[str, Any]:
    """All that is told of a feed; `events` counts the rows of the log it brought."""
    own: dict[str, Any] = {
        key: getattr(feed, key, None)
        for key in (
            "last_success_at", "last_error", "cause", "remedy", "last_error_at", "failures",
            "last_turn_at", "next_turn_at", "connected_at", "caught_up_at", "cursor_at",
            "paused_at", "paused_by",
        )
    }  # fmt: skip
    counts = {key: getattr(feed, key, 0) for key in ("entries", "reread", "quarantined")}
    return {
        "name": name,
        "kind": kind,
        "status": word(feed, enabled=enabled, every=every, now=now),
        "cursor": feed.cursor if feed is not None else None,
        "lag_seconds": lag(feed, now),
        "age_seconds": age(feed, now),
        "events": feed.appended if feed is not None else 0,
        "every_seconds": every.total_seconds(),
        "warnings": list(feed.warnings) if feed is not None else [],
        **own,
        **counts,
    }

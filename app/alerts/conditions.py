"""What there is to tell of each source at this moment: open attention, silent orders, trouble."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from app import channels
from app.alerts import messages
from app.runtime import Runtime
from app.store import alerts, attention, engine, feeds, silence, standing, stats

BAD: Final = frozenset({"failing", "unauthorized", "stalled"})
"""How a feed stands that is in trouble (`standing.word`)."""

Holding = Mapping[tuple[str, str], tuple[alerts.Condition, timedelta]]
"""By (source, severity): what holds, and for how long it has."""


def holding(runtime: Runtime, connection: engine.Connection, now: datetime) -> Holding:
    """Everything that holds, whoever wants to know of it."""
    found: dict[tuple[str, str], tuple[alerts.Condition, timedelta]] = {}
    for (source, word), (count, since, orders) in attention.counts(connection).items():
        text = f"{messages.counted(word, count)} at {source}"
        found[source, word] = alerts.Condition(count, text, tuple(orders)), now - since
    for source, (n, oldest) in silence.counts(
        connection, runtime.patience(connection), now
    ).items():
        text = f"{messages.counted('silent', n)} at {source}"
        found[source, "silent"] = alerts.Condition(n, text, tuple(oldest)), timedelta.max
    for source, text, lasting in _troubles(runtime, connection, now):
        found.setdefault((source, "trouble"), (alerts.Condition(1, text), lasting))
    return found


def wanted(channel: channels.AlertConfig, found: Holding) -> dict[alerts.Key, alerts.Condition]:
    """What of `found` is to be told to `channel`."""
    return {
        alerts.Key(channel.name, source, severity): condition
        for (source, severity), (condition, lasting) in found.items()
        if severity in channel.severities
        and (channel.sources is None or source in channel.sources)
        and (severity != "trouble" or lasting >= channel.after)
    }


def _troubles(
    runtime: Runtime, connection: engine.Connection, now: datetime
) -> Iterator[tuple[str, str, timedelta]]:
    """(source, what troubles it, how long it has lasted)."""
    known = {feed.name: feed for feed in feeds.listing(connection)}
    for source in runtime.configuration.sources:
        if source.feed is None:
            continue
        feed = known.get(source.name)
        word = standing.word(feed, enabled=source.enabled, every=source.feed.every, now=now)
        if feed is not None and word in BAD:
            since = feed.last_success_at or feed.connected_at
            told = "; ".join(part for part in (feed.last_error, feed.remedy) if part)
            yield (
                source.name,
                f"the feed {source.name} is {word}: {told or 'nobody turns it'}",
                (now - since),
            )
    for name in stats.full_quarantines(connection):
        yield name, f"the quarantine of {name} is full: bodies are not kept any more", timedelta.max

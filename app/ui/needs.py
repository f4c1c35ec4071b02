"""What needs somebody: each sort with how many there are, since when, and where to act.

Not here: the pages that tell it (`overview`, `attention`), the numbers (`store.pulse`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.doors import acts
from app.runtime import Runtime
from app.store import engine, feeds, pulse, stats
from app.ui import shell

LATELY: Final = timedelta(days=7)
"""How long a command that failed is told of."""

TROUBLE: Final = frozenset({"paused", "failing", "unauthorized", "stalled"})
"""How a feed stands that somebody should look at (`standing.word`)."""

WORDS: Final = {
    "alarm": ("alarm", "alarms"),
    "buyer_action": ("order waits for us", "orders wait for us"),
    "follow_up": ("thing to follow up", "things to follow up"),
}


@dataclass(frozen=True, slots=True)
class Need:
    """Something that needs somebody: `word` for its chip, how many, since when, and where to act.

    `says` continues the count: `3 alarms`; `one`: there is but one, which is not counted. `more`:
    or there are more.
    """

    word: str
    count: int
    says: str
    where: str
    since: datetime | None
    to: str
    act: str
    more: bool = False
    one: bool = False


def feeds_told(runtime: Runtime, connection: engine.Connection) -> dict[str, dict[str, Any]]:
    """How each feed of the configuration in force stands, by its source."""
    known = {feed.name: feed for feed in feeds.listing(connection)}
    return {
        source.name: acts.feed_told(runtime, source, known.get(source.name))
        for source in runtime.configuration.sources
        if source.feed is not None
    }


def of_all(
    runtime: Runtime, connection: engine.Connection, told: Mapping[str, Any]
) -> Iterator[Need]:
    """Everything, what is broken first; `told`: the feeds (`feeds_told`)."""
    yield from _of_feeds(told)
    yield from _of_orders(connection)
    yield from _waiting(runtime, connection)


def beside(runtime: Runtime, connection: engine.Connection) -> Iterator[Need]:
    """Everything but what is open on the work list."""
    yield from _of_feeds(feeds_told(runtime, connection))
    yield from _waiting(runtime, connection)


def _waiting(runtime: Runtime, connection: engine.Connection) -> Iterator[Need]:
    yield from _of_silence(runtime, connection)
    yield from _of_unheard(connection)
    yield from _of_commands(runtime, connection)
    yield from _of_quarantine(connection)


def _of_feeds(told: Mapping[str, Any]) -> Iterator[Need]:
    for name, feed in told.items():
        if feed["status"] not in TROUBLE:
            continue
        paused = feed["status"] == "paused"
        since = feed["paused_at"] if paused else feed["last_success_at"] or feed["connected_at"]
        says = "feed is paused:" if paused else f"feed is {feed['status']}:"
        act = "Resume it" if paused else "See why"
        yield Need(feed["status"], 1, says, name, since, f"/ui/feeds/{name}", act, one=True)


def _of_orders(connection: engine.Connection) -> Iterator[Need]:
    """What is open on the work list, by its sort, the gravest first."""
    found = pulse.openings(connection)
    for word, says in WORDS.items():
        if word in found:
            count, since = found[word].count, found[word].since
            to = f"/ui/attention{shell.query(attention=word)}"
            yield Need(word, count, says[count > 1], "", since, to, "Take one")


def _of_silence(runtime: Runtime, connection: engine.Connection) -> Iterator[Need]:
    known = runtime.patience(connection)
    for source, quiet in pulse.silent(connection, known, runtime.clock.now()).items():
        says = "order is silent:" if quiet.count == 1 else "orders are silent:"
        to = f"/ui/orders{shell.query(silent='true', source=source, order='asc')}"
        yield Need(
            "silent", quiet.count, says, source, quiet.since, to, "Ask after them", quiet.more
        )


def _of_unheard(connection: engine.Connection) -> Iterator[Need]:
    """Orders that were placed, of which their operator has not said a word."""
    for source, placed in pulse.unheard(connection).items():
        says = (
            "placed order was never told of:"
            if placed.count == 1
            else ("placed orders were never told of:")
        )
        to = f"/ui/orders/outstanding{shell.query(told='false', source=source)}"
        yield Need(
            "unheard", placed.count, says, source, placed.since, to, "Ask after them", placed.more
        )


def _of_commands(runtime: Runtime, connection: engine.Connection) -> Iterator[Need]:
    names = [source.name for source in runtime.configuration.sources]
    lately = runtime.clock.now() - LATELY
    for source, failed in pulse.failed_commands(connection, names, lately).items():
        says = "command failed:" if failed.count == 1 else "commands failed:"
        to = f"/ui/commands{shell.query(source=source, state='failed')}"
        yield Need("failed", failed.count, says, source, failed.since, to, "See why", failed.more)


def _of_quarantine(connection: engine.Connection) -> Iterator[Need]:
    held = pulse.in_quarantine(connection)
    if held.count:
        says = "refused body" if held.count == 1 else "refused bodies"
        yield Need("quarantine", held.count, says, "", held.since, "/ui/quarantine", "See why")
    for source in stats.full_quarantines(connection):
        to = f"/ui/quarantine{shell.query(source=source)}"
        since = pulse.in_quarantine(connection, source).since
        yield Need("full", 1, "quarantine is full:", source, since, to, "Make room", one=True)

"""Holding the log against the operator's own list: what is missing, changed, reordered or late.

- missing: the log has it, the operator does not list it any more;
- changed: it is listed with other content than the log has;
- reordered: it is listed at another place than the log has it (lists that may only grow);
- late: it is listed before the place we have read up to, and the log does not have it.

What is listed after that place is not read yet, which is no fault; nor is what a feed that does not
start at the beginning left out before it. What comes twice, as at the borders of pages, is one
event. Reads the whole list and stores nothing. Source: DESIGN §8.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app import loop
from app.feeds import reading
from app.notifications import content, notification as canonical
from app.runtime import Runtime
from app.sources import base
from app.store import engine, holdings, snapshots

MOST_TOLD: Final = 1000
"""Events of one fault that are named; all are counted."""

BORDER: Final = 20_000
"""Events that are kept in mind, to know those that come again."""

FAULTS: Final = ("missing", "changed", "reordered", "late")


@dataclass(slots=True)
class Findings:
    """What was found so far; `names` by fault, at most `MOST_TOLD` each, `counts` all."""

    listed: int = 0
    unreadable: int = 0
    not_read_yet: int = 0
    names: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, fault: str, **named: Any) -> None:
        """One more event with `fault`."""
        self.counts[fault] = self.counts.get(fault, 0) + 1
        told = self.names.setdefault(fault, [])
        if len(told) < MOST_TOLD:
            told.append({"fault": fault, **named})


async def run(
    runtime: Runtime, source: base.SourceConfig, kind: base.PullKind, reader: reading.Reader
) -> dict[str, Any]:
    """Audit the feed of `source`: `listed`, `faults` {fault: n}, `events` [{fault, event_id, …}].

    Raises what reading the feed raises.
    """
    held = _Audit(runtime, source, kind)
    await reader.pages(kind.rewound(source.feed, "beginning"), held.visit)
    await loop.in_thread(held.finish)
    found = held.findings
    events = [one for fault in FAULTS for one in found.names.get(fault, [])]
    return {
        "listed": found.listed,
        "unreadable": found.unreadable,
        "not_read_yet": found.not_read_yet,
        "faults": {fault: found.counts.get(fault, 0) for fault in FAULTS},
        "events": events,
    }


class _Audit:
    """The audit as it goes along the operator's list; `visit` is shown it part by part."""

    def __init__(self, runtime: Runtime, source: base.SourceConfig, kind: base.PullKind) -> None:
        self.findings = Findings()
        self._runtime = runtime
        self._source = source
        self._kind = kind
        self._seqs = array("q")
        """Of what is listed and held, in the list's order."""
        self._unheld: list[canonical.Notification] = []
        """Listed and not held, since the last that is; only so many are named."""
        self._unheld_count = 0
        self._whole = source.feed is None or source.feed.start == "beginning"
        self._lately: dict[tuple[str, bytes], None] = {}

    async def visit(self, entries: Sequence[base.Entry]) -> None:
        """Hold the next entries of the list against the log."""
        await loop.in_thread(self._visit, entries)

    def _visit(self, entries: Sequence[base.Entry]) -> None:
        told = [self._told(entry) for entry in entries]
        listed = [
            (one, digest)
            for one, entry in zip(told, entries, strict=True)
            if one is not None
            and not self._again(one, digest := content.raw_digest(self._kind.content(entry.body)))
        ]
        with engine.read(self._runtime.engine) as connection:
            held = self._held(connection, [one for one, _ in listed])
        for (one, digest), rows in zip(listed, held, strict=True):
            self.findings.listed += 1
            if not rows:
                self._unheld_count += 1
                if self._unheld_count <= MOST_TOLD:
                    self._unheld.append(one)
                continue
            self._found_after_unheld()
            if all(digest != row.digest for row in rows):
                self.findings.add("changed", seq=rows[0].seq, **_names(one))
            self._seqs.append(rows[0].seq)

    def _again(self, one: canonical.Notification, digest: bytes) -> bool:
        """Whether this event was listed a moment ago."""
        if one.event_id is None:
            return False
        if (one.event_id, digest) in self._lately:
            return True
        self._lately[one.event_id, digest] = None
        if len(self._lately) > BORDER:
            del self._lately[next(iter(self._lately))]
        return False

    def _told(self, entry: base.Entry) -> canonical.Notification | None:
        """What `entry` tells; null, and counted, where it cannot be read."""
        arrival = canonical.Arrival(
            id=self._runtime.new_id(),
            source=self._source.name,
            channel=canonical.Channel.PULL,
            body=entry.body,
            content_type=entry.content_type,
            received_at=self._runtime.clock.now(),
            reading=self._runtime.reading(self._source),
        )
        read = None if entry.fault is not None else self._kind.parse(arrival)
        if isinstance(read, canonical.Notification):
            return read
        self.findings.unreadable += 1
        return None

    def _held(
        self, connection: engine.Connection, told: Sequence[canonical.Notification]
    ) -> list[list[holdings.Held]]:
        """What the log holds of each of `told`: by its event id, or as its last snapshot."""
        keys = [self._kind.snapshot_key(one) for one in told]
        ids = {one.event_id for one, key in zip(told, keys, strict=True) if key is None}
        named = holdings.known(connection, self._source.name, {one for one in ids if one})
        wanted = {(self._source.name, key) for key in keys if key is not None}
        last = snapshots.latest(connection, wanted)
        found = []
        for one, key in zip(told, keys, strict=True):
            if key is None:
                found.append(named.get(one.event_id or "", []))
            else:
                shot = last.get((self._source.name, key))
                found.append([] if shot is None else [holdings.Held(0, shot.digest)])
        return found

    def _found_after_unheld(self) -> None:
        """What was not held so far lies before something that is: it came late."""
        if self._seqs or self._whole:
            for one in self._unheld:
                self.findings.add("late", **_names(one))
            beyond = self._unheld_count - len(self._unheld)
            if beyond:
                self.findings.counts["late"] = self.findings.counts.get("late", 0) + beyond
        self._unheld, self._unheld_count = [], 0

    def finish(self) -> None:
        """Say what the whole list tells: what is missing, and what lies elsewhere."""
        self.findings.not_read_yet = self._unheld_count if self._seqs or self._whole else 0
        if any(seq == 0 for seq in self._seqs):
            return  # snapshots have neither a history nor an order
        with engine.read(self._runtime.engine) as connection:
            held = holdings.seqs(connection, self._source.name)
            self._tell(connection, "missing", _without(held, self._seqs))
            if self._kind.ordered:
                self._tell(connection, "reordered", misplaced(self._seqs))

    def _tell(self, connection: engine.Connection, fault: str, seqs: Sequence[int]) -> None:
        for seq, event_id, order_id in holdings.named(connection, seqs[:MOST_TOLD]):
            self.findings.add(fault, seq=seq, event_id=event_id, order_id=order_id)
        self.findings.counts[fault] = len(seqs)


def _names(told: canonical.Notification) -> dict[str, Any]:
    return {"event_id": told.event_id, "order_id": told.order_id}


def _without(held: Sequence[int], listed: Sequence[int]) -> list[int]:
    """What is in `held` (ascending) and not in `listed`."""
    ordered = array("q", sorted(listed))
    missing = []
    at = 0
    for seq in held:
        while at < len(ordered) and ordered[at] < seq:
            at += 1
        if at == len(ordered) or ordered[at] != seq:
            missing.append(seq)
    return missing


def misplaced(seqs: Sequence[int]) -> list[int]:
    """The fewest of `seqs` without which the rest ascends: those not at their place. Ascending.

    What is left out of a longest ascending subsequence, in O(n log n).
    """
    tails = array("q")
    tail_at = array("q")
    before = array("q", bytes(8 * len(seqs)))
    for n, seq in enumerate(seqs):
        place = bisect_left(tails, seq)
        before[n] = tail_at[place - 1] if place else -1
        if place == len(tails):
            tails.append(seq)
            tail_at.append(n)
        else:
            tails[place], tail_at[place] = seq, n
    kept = set()
    at = tail_at[-1] if tail_at else -1
    while at >= 0:
        kept.add(at)
        at = before[at]
    return sorted({seq for n, seq in enumerate(seqs) if n not in kept})

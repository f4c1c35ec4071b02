"""What is new, what is a repeat and what a conflict (law 4): pure, given what the log knows.

Source: DESIGN §5; docs/adr/0003.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from app.store import append, snapshots


def identity(source: str, event_id: str | None, digest: bytes) -> bytes:
    """SHA-256 over length-prefixed (source, event id or an absent mark, digest); DESIGN §5."""
    parts = (source.encode(), None if event_id is None else event_id.encode(), digest)
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(b"-" if part is None else b"+%d:" % len(part))
        hasher.update(part or b"")
    return hasher.digest()


def decide(candidates: Sequence[append.Candidate], found: append.Found) -> list[append.Decision]:
    """Say of each candidate, in order, whether it is new, new but in conflict, or a repeat.

    Pure. `found` is what the log knew before the batch; decisions of the batch count as known for
    the ones after them.
    """
    decisions: list[append.Decision] = []
    head = found.head
    for candidate in candidates:
        decision = _decide_one(candidate, found, head + 1)
        if isinstance(decision, append.New):
            head = decision.seq
            _learn(candidate, decision, found)
        decisions.append(decision)
    return decisions


def _decide_one(candidate: append.Candidate, found: append.Found, seq: int) -> append.Decision:
    told = candidate.notification
    if candidate.snapshot_key is not None:
        return _decide_snapshot(candidate, candidate.snapshot_key, found, seq)
    if candidate.identity is None:
        return _decide_undated(candidate, found, seq)
    if told.event_id is None:
        known = found.by_identity.get(candidate.identity)
        return append.New(seq, candidate.identity, None) if known is None else append.Repeat(known)
    same_event = found.by_event.get((told.source, told.event_id), [])
    for known in same_event:
        if candidate.canonical_digest == known.canonical_digest:
            return append.Repeat(known)
    conflict = same_event[0].id if same_event and candidate.event_id_unique else None
    return append.New(seq, candidate.identity, conflict)


def _decide_undated(candidate: append.Candidate, found: append.Found, seq: int) -> append.Decision:
    """A push with neither id nor time repeats only the latest of its order (DESIGN §5)."""
    told = candidate.notification
    latest = found.latest.get((told.source, told.order_id))
    if latest is not None and latest.canonical_digest == candidate.canonical_digest:
        return append.Repeat(latest)
    after = 0 if latest is None else latest.seq
    digest = hashlib.sha256(b"%d:" % after + candidate.canonical_digest).digest()
    return append.New(seq, identity(told.source, None, digest), None)


def _decide_snapshot(
    candidate: append.Candidate, key: str, found: append.Found, seq: int
) -> append.Decision:
    """What a feed without event ids shows: new when it differs from what it showed last."""
    source = candidate.notification.source
    last = found.snapshots.get((source, key))
    if last is not None and last.digest == candidate.canonical_digest:
        return append.Unchanged()
    n = 1 if last is None else last.n + 1
    changed = snapshots.Snapshot(source, key, n, candidate.canonical_digest)
    named = identity(source, changed.event_id, candidate.canonical_digest)
    return append.New(seq, named, None, changed)


def _learn(candidate: append.Candidate, decision: append.New, found: append.Found) -> None:
    told = candidate.notification
    if decision.snapshot is not None:
        found.snapshots[told.source, decision.snapshot.key] = decision.snapshot
        return
    known = append.Known(
        decision.seq,
        told.id,
        decision.identity,
        candidate.raw_digest,
        candidate.canonical_digest,
    )
    if told.event_id is not None:
        found.by_event.setdefault((told.source, told.event_id), []).append(known)
    else:
        found.by_identity[decision.identity] = known
    key = (told.source, told.order_id)
    if key in found.latest:
        found.latest[key] = known

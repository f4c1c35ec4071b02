"""THE door in: whatever arrives becomes a notification, a repeat or a quarantined row.

Push and pull enter here and nowhere else (law 6). `decision` says what is new, a repeat or a
conflict; the store only says what it found. `receipt` names what became of an arrival. Not here:
how a body is read (`sources`), who may send (`security`), HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from app import errors
from app.intake.decision import decide, identity
from app.intake.receipt import (
    Appended,
    Conflicted,
    EntryReceipt,
    Quarantined,
    Receipt,
    Released,
    Repeated,
    Unchanged,
)
from app.notifications import content, notification as canonical
from app.sources import base
from app.store import append, engine, leases, pages, quarantine, writer

__all__ = [
    "Appended",
    "Conflicted",
    "EntryReceipt",
    "Intake",
    "Quarantined",
    "Receipt",
    "Released",
    "Repeated",
    "Unchanged",
    "decide",
    "identity",
]

KEPT_OF_OVERSIZED = 64 * 1024
"""Bytes kept of a body over the limit (law 2)."""

ROW_OVERHEAD = 1024
"""Bytes a notification takes in the queue beside its body, roughly."""

INTERNAL = canonical.Refusal(1, "The database refused this notification; we look into it.")


class Intake:
    """Parses arrivals by their source's kind and hands them to the writer."""

    def __init__(
        self,
        log_writer: writer.Writer,
        kinds: Mapping[str, base.SourceKind],
    ) -> None:
        self._writer = log_writer
        self._kinds = kinds

    async def accept(self, arrival: canonical.Arrival, source: base.SourceConfig) -> Receipt:
        """Take one push: return after its row, sighting or quarantine row is committed.

        Raises `errors.OverCapacity` (queue full), `errors.Unavailable` (database away): nothing was
        kept and the sender must repeat.
        """
        match self._kinds[source.kind].parse(arrival):
            case canonical.Refusal() as refusal:
                return await self.hold(arrival, refusal)
            case canonical.Notification() as told:
                return await self._append(arrival, told, source)

    async def accept_page(
        self,
        arrivals: Sequence[canonical.Arrival],
        *,
        cursor: Mapping[str, Any] | None,
        fence: leases.Fence,
        source: base.SourceConfig,
        at: datetime,
        faults: Mapping[int, canonical.Refusal] | None = None,
        own_acts: Mapping[str | None, Sequence[base.OwnAct]] | None = None,
        beside: Callable[[engine.Connection], object] | None = None,
    ) -> list[EntryReceipt]:
        """Take a part of a page and the cursor that covers it, in one transaction (law 5).

        One receipt an arrival, in order. `faults`: by their place, entries that could not be read
        at all; they go to quarantine as they are. `at`: now. `own_acts`: what we did at the
        operator, by order, so that its echo is known for ours. `beside`: a write that goes with
        them. Raises `pages.StaleFence` where another process has taken over, `errors.Unavailable`
        and `errors.OverCapacity`: nothing was written, cursor included.
        """
        kind = cast("base.PullKind", self._kinds[source.kind])
        refusals, acts = dict(faults or {}), own_acts or {}
        entries: list[writer.Entry] = []
        for n, arrival in enumerate(arrivals):
            read = refusals.get(n) or kind.parse(arrival)
            if isinstance(read, canonical.Refusal):
                refusals[n] = read
                entries.append(_hold(arrival, read, None, reread=True))
            else:
                entries.append(_pulled(arrival, _whose(read, kind, acts), kind))
        fallbacks = tuple(_hold(one, INTERNAL, None, reread=True) for one in arrivals)
        page = pages.Page(source.name, cursor, fence, at, fallbacks)
        size = sum(len(arrival.body) for arrival in arrivals)
        also = None if beside is None else lambda connection, _: beside(connection)
        outcomes = await self._commit(tuple(entries), size, page, also)
        return [
            _receipt(outcome, arrival.id, refusals.get(n, INTERNAL))
            for n, (outcome, arrival) in enumerate(zip(outcomes, arrivals, strict=True))
        ]

    async def note(self, told: canonical.Notification) -> Released:
        """Append what we tell ourselves of an order, once an event id, whatever its words.

        Raises `errors.OverCapacity` and `errors.Unavailable`: nothing was kept.
        """
        digest = content.raw_digest((told.event_id or told.id).encode())
        candidate = append.Candidate(
            told,
            raw_digest=content.raw_digest(told.raw),
            canonical_digest=digest,
            identity=identity(told.source, told.event_id, digest),
        )
        (decision,) = await self._commit((candidate,), len(told.raw) + ROW_OVERHEAD)
        match _receipt(decision, told.id, INTERNAL):
            case Appended() | Repeated() | Conflicted() as receipt:
                return receipt
            case _:
                raise TypeError(decision)

    async def hold(
        self, arrival: canonical.Arrival, refusal: canonical.Refusal, *, length: int | None = None
    ) -> Quarantined:
        """Quarantine a refused arrival; `length` is what was read of a body that is not whole."""
        held = _hold(arrival, refusal, length)
        (row,) = await self._commit((held,), len(held.body or b""))
        if not isinstance(row, str):
            msg = "the writer answered a refusal with a decision"
            raise TypeError(msg)
        return Quarantined(row, refusal)

    async def release(
        self,
        row: Mapping[str, Any],
        source: base.SourceConfig,
        reading: canonical.Reading,
        *,
        new_id: str,
        force: bool,
        beside: Callable[[engine.Connection, str], object],
    ) -> Receipt | canonical.Refusal:
        """Validate a quarantined body again with today's `reading` and append it as `new_id`.

        `beside` is told the id it is in the log by, and what it writes goes with it.
        Returns the refusal where it is still refused, unless `force`: then the bytes are appended
        as kind `other`. Raises `errors.Conflict` where the bytes were not kept whole.
        """
        arrival = _arrival(row, new_id, reading)
        read = self._kinds[source.kind].parse(arrival)
        if isinstance(read, canonical.Refusal):
            if not force:
                return read
            read = _forced(arrival, read)

        def also(connection: engine.Connection, outcomes: list[writer.Outcome]) -> None:
            (decision,) = outcomes
            known = decision.known.id if isinstance(decision, append.Repeat) else new_id
            beside(connection, known)

        return await self._append(arrival, read, source, also)

    async def _append(
        self,
        arrival: canonical.Arrival,
        told: canonical.Notification,
        source: base.SourceConfig,
        beside: writer.Beside | None = None,
    ) -> Receipt:
        candidate = _candidate(arrival, told, source)
        size = len(arrival.body) + ROW_OVERHEAD
        try:
            (decision,) = await self._commit((candidate,), size, beside=beside)
        except writer.DataFault:
            return await self.hold(arrival, INTERNAL)
        match _receipt(decision, told.id, INTERNAL):
            case Unchanged():
                raise TypeError(decision)
            case receipt:
                return receipt

    async def _commit(
        self,
        entries: tuple[writer.Entry, ...],
        size: int,
        page: pages.Page | None = None,
        beside: writer.Beside | None = None,
    ) -> list[writer.Outcome]:
        future: asyncio.Future[list[writer.Outcome]] = asyncio.get_running_loop().create_future()
        self._writer.submit(writer.Unit(entries, size, future, page, beside))
        return await future


def _receipt(outcome: writer.Outcome, id_: str, refusal: canonical.Refusal) -> EntryReceipt:
    """The name of what became of arrival `id_`; `refusal` is why, where it was quarantined."""
    match outcome:
        case append.Repeat(known=known):
            return Repeated(known.seq, known.id)
        case append.New(seq=seq, conflict_of=None):
            return Appended(seq, id_)
        case append.New(seq=seq, conflict_of=str(earlier)):
            return Conflicted(seq, id_, earlier)
        case append.Unchanged():
            return Unchanged()
        case str(row):
            return Quarantined(row, refusal)
        case _:
            raise TypeError(outcome)


def _whose(
    told: canonical.Notification,
    kind: base.PullKind,
    own_acts: Mapping[str | None, Sequence[base.OwnAct]],
) -> canonical.Notification:
    """`told` with the one whose act it was."""
    origin = kind.origin(told, own_acts.get(told.order_id, ()))
    return told if origin is told.origin else told.model_copy(update={"origin": origin})


def _pulled(
    arrival: canonical.Arrival, told: canonical.Notification, kind: base.PullKind
) -> append.Candidate:
    """An entry of a feed: what is content is its kind's to say."""
    digest = content.raw_digest(kind.content(arrival.body))
    key = kind.snapshot_key(told)
    return append.Candidate(
        told,
        raw_digest=content.raw_digest(arrival.body),
        canonical_digest=digest,
        identity=None if key is not None else identity(told.source, told.event_id, digest),
        snapshot_key=key,
        later=None if key is None else kind.later(told),
    )


def _candidate(
    arrival: canonical.Arrival, told: canonical.Notification, source: base.SourceConfig
) -> append.Candidate:
    raw_digest = content.raw_digest(arrival.body)
    seen_as = raw_digest
    canonical_digest = told.content_digest or content.canonical_digest(arrival.body)
    if arrival.event_name is not None and told.event_type == arrival.event_name:
        # the path alone says what happened: it is content, or a deletion would repeat a creation
        named = told.event_type.encode()
        seen_as = content.raw_digest(named + raw_digest)
        canonical_digest = content.raw_digest(named + canonical_digest)
    undated = told.event_id is None and told.occurred_at is None and told.occurred_at_raw is None
    return append.Candidate(
        told,
        raw_digest=raw_digest,
        canonical_digest=canonical_digest,
        identity=None if undated else identity(told.source, told.event_id, seen_as),
        event_id_unique=source.event_id_unique,
    )


def _hold(
    arrival: canonical.Arrival,
    refusal: canonical.Refusal,
    length: int | None,
    *,
    reread: bool = False,
) -> quarantine.Hold:
    truncated = length is not None and length > len(arrival.body)
    return quarantine.Hold(
        id=arrival.id,
        source=arrival.source,
        raw_digest=content.raw_digest(arrival.body),
        code=refusal.code,
        message=refusal.message,
        faults=tuple(
            {"path": f.path, "problem": f.problem, "expected": f.expected} for f in refusal.faults
        ),
        received_at=arrival.received_at,
        channel=arrival.channel,
        flavour=arrival.flavour,
        event_name=arrival.event_name,
        content_type=arrival.content_type,
        principal=arrival.principal,
        remote_addr=arrival.remote_addr,
        body=arrival.body,
        length=len(arrival.body) if length is None else length,
        truncated=truncated,
        reread=reread,
    )


def _arrival(row: Mapping[str, Any], new_id: str, reading: canonical.Reading) -> canonical.Arrival:
    if row["body"] is None or row["truncated"]:
        msg = "its bytes were not kept whole, so it cannot be released; ask the sender to repeat it"
        raise errors.Conflict(msg)
    flavour = row["flavour"]
    return canonical.Arrival(
        id=new_id,
        source=str(row["source"]),
        channel=canonical.Channel(str(row["channel"])),
        body=bytes(row["body"]),
        content_type=row["content_type"],
        received_at=row["received_at"],
        principal=row["principal"],
        remote_addr=row["remote_addr"],
        event_name=row["event_name"],
        flavour=None if flavour is None else canonical.Flavour(str(flavour)),
        reading=reading,
    )


def _forced(arrival: canonical.Arrival, refusal: canonical.Refusal) -> canonical.Notification:
    """The bytes as a notification of kind `other`: taken by hand, though it cannot be read."""
    return canonical.Notification(
        id=arrival.id,
        source=arrival.source,
        channel=arrival.channel,
        flavour=arrival.flavour or canonical.Flavour.ONAP,
        event_type=arrival.event_name or "unreadable",
        kind=canonical.Kind.OTHER,
        resource_type=canonical.ResourceType.OTHER,
        occurred_at_raw=None,
        received_at=arrival.received_at,
        principal=arrival.principal,
        remote_addr=arrival.remote_addr,
        warnings=("forced",),
        summary={"message": refusal.message, "code": refusal.code},
        content_type=arrival.content_type,
        raw=arrival.body,
    )

"""Reading pages of a feed until it is dry: request, answer, units, cursors. One turn's work.

Not here: when a turn comes and what its trouble means (`poller`), what a page holds (its kind).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app import errors, intake as intakes, telemetry
from app.feeds import acts as acting, session as sessions, trouble, units
from app.notifications import notification as canonical
from app.outbound import exchange
from app.runtime import Runtime
from app.sources import base
from app.store import engine, leases

LIMIT: Final = 4 * 1024**3
DEADLINE: Final = 1800.0
"""Bytes and seconds of one page; a first read may be the operator's whole history."""

INLINE: Final = 64 * 1024
"""Bytes of an answer that is read without a thread."""

MOST_PAGES: Final = 100_000
"""Pages of one turn."""

MOST_AHEAD: Final = 20
"""Parts of which all was known already, or nothing came, after which the cursor is stored."""

LASTING: Final = 3
"""Turns that a page was answered 5xx after which its kind is asked whether it can do without."""

UNREADABLE: Final = 22
PAGE_REFUSED: Final = range(400, 500)
PAGE_FAILED: Final = range(500, 600)

NEWS: Final = (intakes.Appended, intakes.Conflicted, intakes.Quarantined)

OUTCOMES: Final[Mapping[type[intakes.EntryReceipt], telemetry.Outcome]] = {
    intakes.Appended: "appended",
    intakes.Conflicted: "conflicted",
    intakes.Repeated: "repeated",
    intakes.Unchanged: "repeated",
    intakes.Quarantined: "quarantined",
}


@dataclass(slots=True)
class Tally:
    """What a turn did so far."""

    requests: int = 0
    entries: int = 0
    appended: int = 0
    quarantined: int = 0
    warnings: list[str] = field(default_factory=list)

    def add(self, receipts: Sequence[intakes.EntryReceipt]) -> None:
        """Count what became of a unit's entries."""
        for receipt in receipts:
            match receipt:
                case intakes.Appended() | intakes.Conflicted():
                    self.appended += 1
                case intakes.Quarantined():
                    self.quarantined += 1
                case _:
                    pass


Commit = Callable[[Sequence[base.Entry], base.Cursor | None], Awaitable[None]]
"""Takes entries and the cursor after them (null: where it was)."""


class Reader:
    """Reads the feed of `source`, under `fence`."""

    def __init__(
        self,
        runtime: Runtime,
        source: base.SourceConfig,
        kind: base.PullKind,
        session: sessions.Session,
        fence: leases.Fence,
    ) -> None:
        self._runtime = runtime
        self._source = source
        self._kind = kind
        self._session = session
        self.fence = fence
        self.acts = acting.Acts(runtime, source.name)
        self._ahead = 0
        self._failing: tuple[base.Cursor, int] = ({}, 0)

    async def until_dry(
        self,
        cursor: base.Cursor,
        tally: Tally,
        *,
        kept: Callable[[base.Cursor, Tally], Awaitable[None]],
    ) -> None:
        """Read from `cursor` on; what is new goes into the log with the cursor that covers it.

        `kept` is told each cursor up to which all is in the log. It is stored with what is new, at
        the end, and now and then; not with each part that was known already. Raises
        `failures.ExchangeFailed`, `errors.SenderFault` (`trouble.Stuck`), `errors.Unavailable`,
        `pages.StaleFence`: what was committed stays, and so does the last cursor that was kept.
        """
        stored = None if self._ahead else cursor

        async def commit(entries: Sequence[base.Entry], at: base.Cursor | None) -> None:
            nonlocal stored
            receipts = await self.commit(entries, at) if entries else ()
            tally.add(receipts)
            if at is None:
                return
            if any(isinstance(receipt, NEWS) for receipt in receipts):
                stored = at
            self._ahead = 0 if at == stored else self._ahead + 1
            if self._ahead > MOST_AHEAD:
                await self.commit((), at)
                stored, self._ahead = at, 0
            await kept(at, tally)

        end = await self._pages(cursor, tally, commit)
        if end is None:
            return
        if end != stored:
            await self.commit((), end)
        self._ahead = 0
        await kept(end, tally)

    async def aside(self, cursor: base.Cursor, tally: Tally) -> None:
        """Read from `cursor` on into the log, and leave the feed where it is. Raises as above."""

        async def commit(entries: Sequence[base.Entry], _: base.Cursor | None) -> None:
            if entries:
                tally.add(await self.commit(entries, None))

        await self._pages(cursor, tally, commit)

    async def pages(
        self, cursor: base.Cursor, visit: Callable[[Sequence[base.Entry]], Awaitable[None]]
    ) -> None:
        """Read from `cursor` on, show each unit to `visit`, store nothing. Raises as above."""

        async def commit(entries: Sequence[base.Entry], _: base.Cursor | None) -> None:
            await visit(entries)

        await self._pages(cursor, Tally(), commit)

    async def commit(
        self,
        entries: Sequence[base.Entry],
        cursor: base.Cursor | None,
        *,
        beside: Callable[[engine.Connection], object] | None = None,
    ) -> Sequence[intakes.EntryReceipt]:
        """Put entries into the log and, unless it is null, the feed at `cursor`: all or nothing.

        Where entries were all known already the feed stays where it was. `beside`: a write that
        goes with them.
        """
        now = self._runtime.clock.now()
        acts = await self.acts.since_yesterday(now) if entries else {}
        receipts = await _patiently(
            lambda: self._runtime.intake.accept_page(
                [self._arrival(entry) for entry in entries],
                cursor=cursor,
                fence=self.fence,
                source=self._source,
                at=now,
                own_acts=acts,
                faults={n: _refusal(e.fault) for n, e in enumerate(entries) if e.fault is not None},
                beside=beside,
            )
        )
        for entry, receipt in zip(entries, receipts, strict=True):
            self._tell(entry, receipt)
        return receipts

    async def _pages(self, cursor: base.Cursor, tally: Tally, commit: Commit) -> base.Cursor | None:
        """Page after page, until the feed is dry; gives where it rests (null: nothing to ask).

        Raises `trouble.Stuck` where it never is dry.
        """
        empty: set[str] = set()
        for _ in range(MOST_PAGES):
            before = tally.entries
            end = await self._page(cursor, tally, commit)
            if end is None or not end.more:
                return None if end is None else end.cursor
            if end.cursor == cursor:
                raise trouble.Stuck("the page says there is more, and to go on from where we were")
            if tally.entries > before:
                empty.clear()
            else:
                place = json.dumps(end.cursor, sort_keys=True)
                if place in empty:
                    raise trouble.Stuck("pages without an entry lead back to where we were")
                empty.add(place)
                if not end.tried:
                    await commit((), end.cursor)
            cursor = end.cursor
        raise trouble.Stuck(f"{MOST_PAGES} pages were not the end")

    async def _page(self, cursor: base.Cursor, tally: Tally, commit: Commit) -> base.PageEnd | None:
        """One page, with a fresh login if its text says that ours is over; null: nothing to ask."""
        grant = await self._session.login()
        try:
            return await self._asked(cursor, tally, commit)
        except errors.StaleGrant:
            if grant is None:
                raise
            self._session.forget(grant)
            return await self._asked(cursor, tally, commit)

    async def _asked(
        self, cursor: base.Cursor, tally: Tally, commit: Commit
    ) -> base.PageEnd | None:
        feed, now = self._source.feed, self._runtime.clock.now()
        grant = await self._session.login()
        first = self._kind.next_request(feed, cursor, now, grant)
        if first is None:
            return None

        def build(grant: base.Grant | None) -> base.Request:
            return self._kind.next_request(feed, cursor, now, grant) or first

        tally.requests += 1
        answer = await self._session.ask(build, limit=LIMIT, deadline=DEADLINE)
        with answer:
            if answer.status in PAGE_REFUSED or self._lasts(cursor, answer.status):
                end = self._kind.refused(feed, cursor, answer.status)
                if end is not None:
                    tally.warnings += end.warnings
                    return end
            answer.check()
            return await self._read(answer, cursor, tally, commit)

    def _lasts(self, cursor: base.Cursor, status: int) -> bool:
        """Whether this page was answered 5xx so often that it is more than a moment's trouble."""
        at, times = self._failing
        before = times if at == cursor else 0
        self._failing = (cursor, before + 1 if status in PAGE_FAILED else 0)
        return self._failing[1] >= LASTING

    async def _read(
        self, answer: exchange.Answer, cursor: base.Cursor, tally: Tally, commit: Commit
    ) -> base.PageEnd:
        now = self._runtime.clock.now()
        parts = self._kind.read_page(self._source.feed, answer.chunks(), cursor, now)
        following = units.cut(parts)
        if answer.length > INLINE:
            return await self._read_ahead(answer, following, tally, commit)
        while True:
            end = await self._take(_next(following, answer), tally, commit)
            if end is not None:
                return end

    async def _read_ahead(
        self, answer: exchange.Answer, following: Iterator[units.Unit], tally: Tally, commit: Commit
    ) -> base.PageEnd:
        """The same, with the next unit read by another thread while one is committed."""
        ahead = asyncio.create_task(asyncio.to_thread(_next, following, answer))
        try:
            while True:
                unit = await ahead
                if unit.end is None:
                    ahead = asyncio.create_task(asyncio.to_thread(_next, following, answer))
                end = await self._take(unit, tally, commit)
                if end is not None:
                    return end
        finally:
            await asyncio.wait({ahead})  # the body it reads is about to go
            if not ahead.cancelled():
                ahead.exception()

    async def _take(self, unit: units.Unit, tally: Tally, commit: Commit) -> base.PageEnd | None:
        """Commit a unit; the page's end, if it has it."""
        if unit.entries:
            await commit(unit.entries, unit.cursor)
            tally.entries += len(unit.entries)
        if unit.end is not None:
            tally.warnings += unit.end.warnings
        return unit.end

    def _arrival(self, entry: base.Entry) -> canonical.Arrival:
        return canonical.Arrival(
            id=self._runtime.new_id(),
            source=self._source.name,
            channel=canonical.Channel.PULL,
            body=entry.body,
            content_type=entry.content_type,
            received_at=self._runtime.clock.now(),
            principal=f"feed:{self._source.name}",
            backfill=entry.backfill,
            reading=self._runtime.reading(self._source),
        )

    def _tell(self, entry: base.Entry, receipt: intakes.EntryReceipt) -> None:
        """One metric an entry, and one line for what is new or refused."""
        outcome = OUTCOMES[type(receipt)]
        code = receipt.refusal.code if isinstance(receipt, intakes.Quarantined) else 0
        self._runtime.metrics.arrival(self._source.name, outcome, code)
        if isinstance(receipt, intakes.Unchanged | intakes.Repeated):
            return
        self._runtime.arrivals.tell(
            self._runtime.clock.now(),
            self._source.name,
            outcome,
            code=code,
            seq=getattr(receipt, "seq", None),
            reference=receipt.id,
            length=len(entry.body),
        )


def _next(following: Iterator[units.Unit], answer: exchange.Answer) -> units.Unit:
    """The next unit; a fault of the page says what was answered, and where."""
    try:
        return next(following)
    except errors.StaleGrant:
        raise
    except errors.SenderFault as fault:
        what = answer.content_type or "no Content-Type"
        raise errors.SenderFault(f"{answer.place} ({what}): {fault}") from fault


async def _patiently(
    attempt: Callable[[], Awaitable[Sequence[intakes.EntryReceipt]]],
) -> Sequence[intakes.EntryReceipt]:
    """Do `attempt` until there is a place in the writer's queue: a page waits, a push does not."""
    while True:
        try:
            return await attempt()
        except errors.OverCapacity:
            await asyncio.sleep(0.05)


def _refusal(fault: canonical.Fault) -> canonical.Refusal:
    return canonical.Refusal(UNREADABLE, "This entry of the feed cannot be read.", (fault,))

"""The outbox of one source: what is asked for is done at the operator, once where a repeat harms.

An attempt is written down before it is made. Where its answer is lost, by a broken connection or by
our own death, whether it was done is asked before it is done again; where that cannot be told, it
is not repeated and a person is asked to look. Commands of one order are done one after the other.
Source: DESIGN §8, §13; states: `store.commands`.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from app import errors, loop, telemetry
from app.feeds import attempts, doubts, notes, reading, sending, session as sessions, trouble
from app.outbound import failures
from app.runtime import Runtime
from app.sources import base
from app.store import commands, engine, personal

AT_ONCE: Final = 8
"""Orders of a source whose commands are done side by side."""

GLANCE: Final = 1.0
"""Seconds between two looks at what else is due, while an operator keeps some waiting."""

LOOKED_AT: Final = 100
"""Commands that are looked up at once."""

IDLE: Final = 3600.0
SETTLE: Final = timedelta(seconds=30)
"""A request whose answer was lost may still be carried out for so long: a `no` counts only then.

From the moment it was given up, which a slow login and a deadline put long after its beginning.
"""

GIVE_UP: Final = timedelta(days=3)
"""After so long a command that could not be sent, or whose fate cannot be learnt, has failed."""

MOST_REFUSALS: Final = 8
"""Refusals that say `again` after which it is enough; what never arrived is none."""

NOT_SENT: Final = (failures.Unreachable, failures.Untrusted, failures.Blocked)
"""Failures after which the request is known not to have arrived."""

Result = TypeVar("Result")

Follow = Callable[[], Awaitable[None]]


class Outbox:
    """Does the commands of `source`, under the fence of `reader`.

    `follow` asks for what follows on the notes we add. `settle`: see `SETTLE`.
    """

    def __init__(
        self,
        runtime: Runtime,
        source: base.SourceConfig,
        kind: base.PullKind,
        session: sessions.Session,
        reader: reading.Reader,
        follow: Follow,
        settle: timedelta = SETTLE,
    ) -> None:
        self._runtime = runtime
        self._source = source
        self._kind = kind
        self._sender = sending.Sender(source, kind, session)
        self._reader = reader
        self._fence = reader.fence
        self._follow = follow
        self._settle = settle
        self._due: deque[commands.Command] = deque()
        self._rest_of_all = IDLE
        self._in_hand: set[str] = set()
        self._doubts = doubts.Doubts()
        self._taking = False
        self._looking = asyncio.Lock()
        self._chance = random.Random()  # noqa: S311 - jitter, not a secret
        self._log = telemetry.logger("feeds").bind(feed=source.name)

    async def turn(self) -> float:
        """Do what is due, until nothing is; gives the seconds until something will be.

        Raises `errors.Unavailable`, `pages.StaleFence`.
        """
        hands: set[asyncio.Task[None]] = set()
        self._taking = True
        self._due.clear()
        try:
            while True:
                free = min(await self._look_around(), AT_ONCE - len(hands))
                hands |= {asyncio.create_task(self._hand()) for _ in range(free)}
                if not hands:
                    return self._rest_of_all
                ended, hands = await asyncio.wait(
                    hands, timeout=GLANCE, return_when=asyncio.FIRST_COMPLETED
                )
                for one in ended:
                    one.result()
        except asyncio.CancelledError:
            for hand in hands:
                hand.cancel()
            raise
        finally:
            self._taking = False
            await asyncio.gather(*hands, return_exceptions=True)

    async def _hand(self) -> None:
        """Do one after the other, until nothing is due that nobody has in hand."""
        while self._taking and await self._look_around():
            command = self._due.popleft()
            self._in_hand.add(command.id)
            try:
                await self._do(command)
            finally:
                self._in_hand.discard(command.id)

    async def _look_around(self) -> int:
        """See what is due of each order, if nothing is known to be; answers how many are.

        Not what is in hand: in the meantime that is no longer as it was seen.
        """
        async with self._looking:
            if self._due:
                return len(self._due)
            in_hand = set(self._in_hand)
            source = self._source.name
            first = await self._read(
                lambda connection: commands.first_of_orders(connection, source, LOOKED_AT)
            )
            now = self._runtime.clock.now()
            free = [command for command in first if command.id not in in_hand]
            self._due.extend(command for command in free if command.due_at <= now)
            rests = ((command.due_at - now).total_seconds() for command in free)
            self._rest_of_all = min(rests, default=IDLE)
            return len(self._due)

    async def _do(self, command: commands.Command) -> None:
        """One step of `command`: an attempt, or a look at what became of the last one."""
        if command.state == "queued":
            await self._attempt(command)
        elif command.harmful:
            await self._look(command)
        else:
            await self._put_back(command, self._runtime.clock.now(), command.error)

    # --- an attempt -------------------------------------------------------------------------

    async def _attempt(self, command: commands.Command) -> None:
        now = self._runtime.clock.now()
        kind, token = self._kind, self._fence.token
        match await self._write(
            lambda connection: attempts.begin(connection, kind, command, now, token)
        ):
            case attempts.Later():
                return
            case attempts.Dropped(reason=reason):
                self._doubts.over(command.id)
                self._tell("command_dropped", command, reason=reason)
                return
            case attempts.Begun():
                self._reader.acts.tell(command, now)
                self._doubts.of(command.id).lost_at = None
        try:
            answered = await self._sender.sent(command)
        except (sending.NotDone, *NOT_SENT) as error:
            await self._not_done(command, str(error), self._rest(command.attempts + 1))
        except (failures.ExchangeFailed, errors.SenderFault) as error:
            await self._lost(command, error)
        except errors.Refused as error:
            await self._failed(command, error.message, undone=True)
        else:
            await self._resulted(command, answered)

    # --- what became of it ------------------------------------------------------------------

    async def _resulted(self, command: commands.Command, answered: sending.Answered) -> None:
        match answered.result:
            case base.Done():
                await self._done(command, answered.result)
            case base.Throttled(wait=wait):
                rest = max(wait, answered.wait)
                await self._not_done(command, "the operator says: too early", rest)
            case base.Failed(message=message, again=False):
                await self._failed(command, message, undone=True)
            case base.Failed(message=message):
                await self._refused(command, message, answered.wait)

    async def _refused(self, command: commands.Command, message: str, wait: timedelta) -> None:
        """It may be tried again: where a repeat harms once it is known not to have been done."""
        now, doubt = self._runtime.clock.now(), self._doubts.of(command.id)
        doubt.refusals += 1
        doubt.lost_at, doubt.looks = now, 0
        if doubt.refusals >= MOST_REFUSALS:
            await self._failed(command, message)
            return
        due = now + max(self._rest(doubt.refusals), wait)
        state = "unknown" if command.harmful else "queued"
        await self._put_back(command, due, message, state=state)

    async def _done(self, command: commands.Command, result: base.Done) -> None:
        """Keep what it told and say that it is done, in one transaction."""
        now = self._runtime.clock.now()
        told = {"message": result.message} if result.message is not None else {}

        def write(connection: engine.Connection) -> None:
            if result.personal and command.order_id is not None:
                person = personal.Person(
                    self._source.name, command.order_id, now, dict(result.personal)
                )
                personal.put(connection, person)
            commands.finish(connection, command.id, "done", now, result=told)

        if result.entries:
            await self._reader.commit(result.entries, None, beside=write)
        else:
            await self._write(write)
        self._doubts.over(command.id)
        self._tell("command_done", command)

    async def _not_done(self, command: commands.Command, reason: str, rest: timedelta) -> None:
        """It is known not to have been carried out: again after `rest`, but not for ever."""
        now = self._runtime.clock.now()
        if now - command.asked_at > GIVE_UP:
            await self._failed(command, reason, undone=True)
        else:
            await self._put_back(command, now + rest, reason, undone=True)

    async def _lost(self, command: commands.Command, error: Exception) -> None:
        """No answer, or none that can be read: it may have been done."""
        now, doubt = self._runtime.clock.now(), self._doubts.of(command.id)
        self._tell("command_unanswered", command, reason=str(error))
        doubt.lost_at, doubt.looks = now, 0
        if command.harmful:
            await self._put_back(command, now, str(error), state="unknown")
        else:
            await self._not_done(command, str(error), self._rest(command.attempts + 1))

    async def _look(self, command: commands.Command) -> None:
        """Ask the operator whether an attempt whose answer was lost was carried out."""
        now, doubt = self._runtime.clock.now(), self._doubts.of(command.id)
        since = command.attempted_at or command.asked_at
        lost_at = doubt.lost_at = doubt.lost_at or now
        try:
            done = await self._sender.was_done(command, since)
        except (failures.ExchangeFailed, errors.SenderFault) as error:
            doubt.looks += 1
            if now - since > GIVE_UP:
                await self._failed(command, f"its answer was lost: {error}")
            else:
                due = now + self._rest(doubt.looks)
                await self._put_back(command, due, str(error), state="unknown")
            return
        if done:
            await self._done(command, base.Done("it was done, though its answer was lost"))
        elif done is None:
            reason = "its answer was lost and the operator does not tell"
            await self._failed(command, reason, undone=True)  # who tries again has looked
        elif now - command.asked_at > GIVE_UP:
            reason = f"it was not done, again and again: {command.error}"
            await self._failed(command, reason, undone=True)
        elif now - lost_at < self._settle:
            await self._put_back(command, lost_at + self._settle, command.error, state="unknown")
        else:
            before = command.attempts - 1  # the first is repeated at once
            due = now + self._rest(before) if before > 0 else now
            await self._put_back(command, due, command.error, undone=True)

    async def _failed(
        self, command: commands.Command, reason: str, *, undone: bool = False
    ) -> None:
        """It failed for good; so does the chain it belongs to, and a person is asked to follow up.

        The note goes into the log first: a death in between writes it again, which is a repeat.
        """
        now = self._runtime.clock.now()
        if command.follows is not None and await notes.is_due(self._runtime, command):
            await notes.follow_up(self._runtime, self._source, command, reason)
            await self._follow()

        def write(connection: engine.Connection) -> None:
            commands.finish(connection, command.id, "failed", now, error=reason, undone=undone)
            if command.follows is not None:
                why = f"{command.command} before it failed"
                commands.cancel_chain(connection, command.follows, now, why)

        await self._write(write)
        self._doubts.over(command.id)
        self._tell("command_failed", command, reason=reason)

    # --- odds and ends ----------------------------------------------------------------------

    def _rest(self, times: int) -> timedelta:
        """How long to wait after the `times`-th time it went wrong (from 1)."""
        return timedelta(seconds=trouble.rest(errors.SenderFault(), times, self._chance))

    async def _put_back(
        self,
        command: commands.Command,
        due: datetime,
        error: str | None,
        *,
        state: str = "queued",
        undone: bool = False,
    ) -> None:
        await self._write(
            lambda connection: commands.put_back(
                connection, command.id, due, error, state=state, undone=undone
            )
        )

    async def _read(self, question: Callable[[engine.Connection], Result]) -> Result:
        def read() -> Result:
            with engine.read(self._runtime.engine) as connection:
                return question(connection)

        return await loop.in_thread(read)

    async def _write(self, job: Callable[[engine.Connection], Result]) -> Result:
        """Write under the fence. Raises `pages.StaleFence` where another process has taken over."""
        return await self._runtime.write(job, under=self._fence)

    def _tell(self, event: str, command: commands.Command, **more: str) -> None:
        self._log.info(event, command=command.command, order_id=command.order_id, **more)

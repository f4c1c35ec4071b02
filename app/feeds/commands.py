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
from app.feeds import attempts, notes, reading, session as sessions, trouble
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
LIMIT: Final = 16 * 1024**2
DEADLINE: Final = 30.0
"""Bytes and seconds of an answer to a command."""

SETTLE: Final = timedelta(seconds=30)
"""A request whose answer was lost may still be carried out for so long: a `no` counts only then."""

GIVE_UP: Final = timedelta(days=3)
"""After so long a command that could not be sent, or whose fate cannot be learnt, has failed."""

MOST_REFUSALS: Final = 8
"""Refusals that say `again` after which it is enough."""

NOT_SENT: Final = (failures.Unreachable, failures.Untrusted, failures.Blocked)
"""Failures after which the request is known not to have arrived."""

Result = TypeVar("Result")

Follow = Callable[[], Awaitable[None]]


class NotDone(errors.ListenerError):
    """It was not carried out: the login failed before it, or the operator refused a fresh one."""


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
        self._session = session
        self._reader = reader
        self._fence = reader.fence
        self._follow = follow
        self._settle = settle
        self._due: deque[commands.Command] = deque()
        self._rest_of_all = IDLE
        self._in_hand: set[str] = set()
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
                self._tell("command_dropped", command, reason=reason)
                return
            case attempts.Begun():
                self._reader.acts.tell(command, now)
        try:
            result = await self._sent(command)
        except (NotDone, *NOT_SENT) as error:
            await self._not_sent(command, error, undone=True)
        except (failures.ExchangeFailed, errors.SenderFault) as error:
            await self._lost(command, error)
        except errors.Refused as error:
            await self._failed(command, error.message)
        else:
            await self._resulted(command, result)

    async def _sent(self, command: commands.Command) -> base.CommandResult:
        """Send it, after a fresh login if the operator does not know ours; read the answer."""
        try:
            return await self._once(command)
        except errors.StaleGrant:
            self._session.forget(await self._logged_in())
            try:
                return await self._once(command)
            except errors.StaleGrant as error:
                raise NotDone(str(error)) from error

    async def _logged_in(self) -> base.Grant | None:
        try:
            return await self._session.login()
        except (failures.ExchangeFailed, errors.SenderFault) as error:
            raise NotDone(str(error)) from error

    async def _once(self, command: commands.Command) -> base.CommandResult:
        await self._logged_in()
        feed, order = self._source.feed, command.order_id or ""
        answer = await self._session.ask(
            lambda grant: self._kind.command(
                feed, order, command.command, command.arguments, grant
            ),
            limit=LIMIT,
            deadline=DEADLINE,
            relogin=sessions.FORBIDDEN_ALONE,
        )
        with answer:
            if answer.status in sessions.FORBIDDEN_ALONE:
                raise NotDone(f"a fresh login was answered {answer.status}")
            return self._kind.command_result(
                command.command, answer.status, answer.read(), command.order_id
            )

    # --- what became of it ------------------------------------------------------------------

    async def _resulted(self, command: commands.Command, result: base.CommandResult) -> None:
        now = self._runtime.clock.now()
        match result:
            case base.Done():
                await self._done(command, result)
            case base.Throttled(wait=wait):
                await self._put_back(command, now + wait, "the operator says: too early")
            case base.Failed(message=message, again=False):
                await self._failed(command, message)
            case base.Failed(message=message):
                if command.attempts + 1 >= MOST_REFUSALS:
                    await self._failed(command, message)
                else:
                    state = "unknown" if command.harmful else "queued"
                    await self._put_back(command, now + self._rest(command), message, state=state)

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
        self._tell("command_done", command)

    async def _not_sent(
        self, command: commands.Command, error: Exception, *, undone: bool = False
    ) -> None:
        now = self._runtime.clock.now()
        if now - command.asked_at > GIVE_UP:
            await self._failed(command, str(error))
        else:
            due = now + self._rest(command)
            await self._put_back(command, due, str(error), undone=undone)

    async def _lost(self, command: commands.Command, error: Exception) -> None:
        """No answer, or none that can be read: it may have been done."""
        now = self._runtime.clock.now()
        self._tell("command_unanswered", command, reason=str(error))
        if command.harmful:
            await self._put_back(command, now, str(error), state="unknown")
        else:
            await self._not_sent(command, error)

    async def _look(self, command: commands.Command) -> None:
        """Ask the operator whether an attempt whose answer was lost was carried out."""
        now = self._runtime.clock.now()
        since = command.attempted_at or command.asked_at
        try:
            done = await self._was_done(command, since)
        except (failures.ExchangeFailed, errors.SenderFault) as error:
            if now - since > GIVE_UP:
                await self._failed(command, f"its answer was lost: {error}")
            else:
                due = now + self._rest(command)
                await self._put_back(command, due, str(error), state="unknown")
            return
        if done:
            await self._done(command, base.Done("it was done, though its answer was lost"))
        elif done is None:
            await self._failed(command, "its answer was lost and the operator does not tell")
        elif now - command.asked_at > GIVE_UP:
            await self._failed(command, f"it was not done, again and again: {command.error}")
        elif now - since < self._settle:
            await self._put_back(command, since + self._settle, command.error, state="unknown")
        else:
            await self._put_back(command, now, command.error, undone=True)

    async def _was_done(self, command: commands.Command, since: datetime) -> bool | None:
        feed, order = self._source.feed, command.order_id or ""

        def build(grant: base.Grant | None) -> base.Request | None:
            return self._kind.check_request(
                feed, order, command.command, command.arguments, since, grant
            )

        grant = await self._session.login()
        first = build(grant)
        if first is None:
            return None
        try:
            return await self._checked(command, since, build, first)
        except errors.StaleGrant:
            self._session.forget(grant)
            return await self._checked(command, since, build, first)

    async def _checked(
        self,
        command: commands.Command,
        since: datetime,
        build: Callable[[base.Grant | None], base.Request | None],
        first: base.Request,
    ) -> bool | None:
        answer = await self._session.ask(
            lambda grant: build(grant) or first, limit=LIMIT, deadline=DEADLINE
        )
        with answer:
            answer.check()
            return self._kind.was_done(
                command.command, command.arguments, answer.read(), since, self._source.feed
            )

    async def _failed(self, command: commands.Command, reason: str) -> None:
        """It failed for good; so does the chain it belongs to, and a person is asked to follow up.

        The note goes into the log first: a death in between writes it again, which is a repeat.
        """
        now = self._runtime.clock.now()
        if command.follows is not None and await notes.is_due(self._runtime, command):
            await notes.follow_up(self._runtime, self._source, command, reason)
            await self._follow()

        def write(connection: engine.Connection) -> None:
            commands.finish(connection, command.id, "failed", now, error=reason)
            if command.follows is not None:
                why = f"{command.command} before it failed"
                commands.cancel_chain(connection, command.follows, now, why)

        await self._write(write)
        self._tell("command_failed", command, reason=reason)

    # --- odds and ends ----------------------------------------------------------------------

    def _rest(self, command: commands.Command) -> timedelta:
        seconds = trouble.rest(errors.SenderFault(), command.attempts + 1, self._chance)
        return timedelta(seconds=seconds)

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

"""The durable outbox of what we do at operators: asked for once, kept until its end is known.

A command is queued, then running while it is attempted; done, failed or cancelled at the end;
unknown where the answer was lost: whether it was done is asked before it is done again. Not here:
doing it (`feeds.commands`), what it means (its kind).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, case, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.store import tail
from app.store.feed_tables import COMMAND

OPEN: Final = ("queued", "running", "unknown")
STATES: Final = (*OPEN, "done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Command:
    """A command's row; every field is explained at `feed_tables.Command`."""

    id: str
    source: str
    order_id: str | None
    command: str
    arguments: dict[str, Any]
    idempotency_key: str
    harmful: bool
    asked_by: str
    asked_at: datetime
    due_at: datetime
    state: str = "queued"
    follows: str | None = None
    attempts: int = 0
    attempted_at: datetime | None = None
    token: int | None = None
    finished_at: datetime | None = None
    result: dict[str, Any] | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What we did at an operator: the order, the command, its arguments, when it was sent."""

    order_id: str | None
    command: str
    arguments: dict[str, Any]
    at: datetime


def ask(connection: Connection, command: Command) -> Command:
    """Keep `command`; answers the one of its source and idempotency key, which may be older."""
    known = and_(
        COMMAND.c.source == command.source,
        COMMAND.c.idempotency_key == command.idempotency_key,
    )
    found = connection.execute(select(COMMAND).where(known)).mappings().first()
    if found is not None:
        return Command(**found)
    connection.execute(insert(COMMAND).values(asdict(command)))
    tail.wake(connection)
    return command


def ask_all(connection: Connection, asked: Sequence[Command]) -> None:
    """Keep `asked`, but for those whose source and idempotency key are known."""
    if asked:
        statement = _ASK[connection.dialect.name]
        connection.execute(statement, [asdict(command) for command in asked])
        tail.wake(connection)


def one(connection: Connection, id_: str) -> Command | None:
    """The command `id_`; null where there is none."""
    found = connection.execute(select(COMMAND).where(COMMAND.c.id == id_)).mappings().first()
    return None if found is None else Command(**found)


def page(
    connection: Connection,
    *,
    source: str | None = None,
    order_id: str | None = None,
    state: str | None = None,
    after_id: str | None = None,
    limit: int,
) -> list[Command]:
    """At most `limit` commands before `after_id` (null: from the newest), newest first."""
    wanted = {"source": source, "order_id": order_id, "state": state}
    rows = select(COMMAND).order_by(COMMAND.c.id.desc()).limit(limit)
    for name, value in wanted.items():
        if value is not None:
            rows = rows.where(COMMAND.c[name] == value)
    if after_id is not None:
        rows = rows.where(COMMAND.c.id < after_id)
    return [Command(**row) for row in connection.execute(rows).mappings()]


def first_of_orders(connection: Connection, source: str, most: int) -> list[Command]:
    """The first open command of each order of `source`, at most `most`, by when they are due.

    Those of one order are done one after the other, in the order they were asked for.
    """
    first = (
        select(func.min(COMMAND.c.id))
        .where(COMMAND.c.source == source, COMMAND.c.state.in_(OPEN))
        .group_by(func.coalesce(COMMAND.c.order_id, COMMAND.c.id))
    )
    rows = (
        select(COMMAND)
        .where(COMMAND.c.id.in_(first))
        .order_by(COMMAND.c.due_at, COMMAND.c.id)
        .limit(most)
    )
    return [Command(**row) for row in connection.execute(rows).mappings()]


def sources_with_open(connection: Connection) -> set[str]:
    """The sources that have open commands."""
    rows = select(COMMAND.c.source).where(COMMAND.c.state.in_(OPEN)).distinct()
    return set(connection.execute(rows).scalars())


def last_attempt(connection: Connection, command: Command) -> datetime | None:
    """When a command of this name was last sent to this order, by whichever replica.

    As far as it may have been carried out.
    """
    rows = select(func.max(COMMAND.c.attempted_at)).where(
        COMMAND.c.source == command.source,
        COMMAND.c.order_id == command.order_id,
        COMMAND.c.command == command.command,
    )
    found: datetime | None = connection.execute(rows).scalar_one()
    return found


def begin(connection: Connection, id_: str, at: datetime, token: int) -> bool:
    """Mark `id_` as being attempted; false where it is not queued any more."""
    begun = connection.execute(
        update(COMMAND)
        .where(COMMAND.c.id == id_, COMMAND.c.state == "queued")
        .values(
            state="running",
            attempted_at=at,
            token=token,
            attempts=COMMAND.c.attempts + 1,
            error=None,
        )
    )
    return begun.rowcount == 1


def put_back(
    connection: Connection,
    id_: str,
    due_at: datetime,
    error: str | None,
    *,
    state: str = "queued",
    undone: bool = False,
) -> None:
    """Let `id_` be looked at again at `due_at`: as queued, or as unknown.

    `undone`: the last attempt is known not to have been carried out, and counts for no limit.
    """
    values: dict[str, Any] = {"state": state, "due_at": due_at, "error": error}
    if undone:
        values["attempted_at"] = None
    connection.execute(update(COMMAND).where(COMMAND.c.id == id_).values(**values))


def finish(
    connection: Connection,
    id_: str,
    state: str,
    at: datetime,
    *,
    result: Mapping[str, Any] | None = None,
    error: str | None = None,
    undone: bool = False,
) -> None:
    """Say how `id_` ended: done with its `result`, failed or cancelled with the reason.

    `undone`: as for `put_back`.
    """
    values: dict[str, Any] = {"state": state, "finished_at": at, "error": error}
    values["result"] = None if result is None else dict(result)
    if undone:
        values["attempted_at"] = None
    connection.execute(update(COMMAND).where(COMMAND.c.id == id_).values(**values))


def cancel_chain(connection: Connection, follows: str, at: datetime, reason: str) -> int:
    """Cancel what of the chain of notification `follows` was not begun; answers how many."""
    waiting = and_(COMMAND.c.follows == follows, COMMAND.c.state == "queued")
    values = {"state": "cancelled", "finished_at": at, "error": reason}
    return connection.execute(update(COMMAND).where(waiting).values(**values)).rowcount


def cancel(connection: Connection, id_: str, at: datetime, reason: str) -> bool:
    """Cancel `id_`; false where it was begun already, or is over."""
    waiting = and_(COMMAND.c.id == id_, COMMAND.c.state == "queued")
    values = {"state": "cancelled", "finished_at": at, "error": reason}
    return connection.execute(update(COMMAND).where(waiting).values(**values)).rowcount == 1


def retry(connection: Connection, id_: str, at: datetime) -> bool:
    """Queue `id_` again, or look at once at one that waits; false where it is running or done.

    Whether one that may have been carried out was is asked first: it is, or stays, unknown. One
    that was over has its patience anew, as if it was asked for at `at`.
    """
    over = and_(COMMAND.c.id == id_, COMMAND.c.state.in_(("failed", "cancelled")))
    waiting = and_(COMMAND.c.id == id_, COMMAND.c.state.in_(("queued", "unknown")))
    doubtful = and_(COMMAND.c.harmful, COMMAND.c.attempted_at.is_not(None))
    again = {
        "state": case((doubtful, "unknown"), else_="queued"),
        "attempts": 0,
        "asked_at": at,
        "due_at": at,
        "finished_at": None,
        "error": None,
    }
    hastened = connection.execute(update(COMMAND).where(waiting).values(due_at=at)).rowcount
    revived = connection.execute(update(COMMAND).where(over).values(**again)).rowcount
    tail.wake(connection)
    return hastened + revived == 1


def acts(connection: Connection, source: str, since: datetime) -> Sequence[Act]:
    """What was sent to the operator of `source` since `since` and may have been done there."""
    rows = select(
        COMMAND.c.order_id, COMMAND.c.command, COMMAND.c.arguments, COMMAND.c.attempted_at
    ).where(
        COMMAND.c.source == source,
        COMMAND.c.harmful,
        COMMAND.c.attempted_at > since,
    )
    return [Act(*row) for row in connection.execute(rows)]


_ONCE: Final = ("source", "idempotency_key")
_ASK: Final = {
    "sqlite": sqlite.insert(COMMAND).on_conflict_do_nothing(index_elements=_ONCE),
    "postgresql": postgresql.insert(COMMAND).on_conflict_do_nothing(index_elements=_ONCE),
}

"""Whether a command may be attempted now, written down in one transaction before it is.

Not here: the attempt itself and what became of it (`commands`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.sources import base
from app.store import commands, engine, telling


@dataclass(frozen=True, slots=True)
class Begun:
    """The attempt is written down: it may be made."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: it was put off, or is not queued any more."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Not at all: its order has gone on."""

    reason: str


def begin(
    connection: engine.Connection,
    kind: base.PullKind,
    command: commands.Command,
    now: datetime,
    token: int,
) -> Begun | Later | Dropped:
    """Write an attempt of `command` down under the lease's `token`.

    Not where the order has gone on since the news it answers, nor while the operator's limit
    forbids it: then it waits until it no longer does.
    """
    reason = _overtaken(connection, kind, command)
    if reason is not None:
        dropped = commands.cancel(connection, command.id, now, reason)
        return Dropped(reason) if dropped else Later()
    interval = kind.limits.get(command.command)
    last = None if interval is None else commands.last_attempt(connection, command)
    if interval is not None and last is not None and last + interval > now:
        commands.put_back(connection, command.id, last + interval, command.error)
        return Later()
    return Begun() if commands.begin(connection, command.id, now, token) else Later()


def _overtaken(
    connection: engine.Connection, kind: base.PullKind, command: commands.Command
) -> str | None:
    """How its order has gone on since the news it answers; null where it has not."""
    if command.follows is None or command.order_id is None or not command.harmful:
        return None
    told = telling.by_id(connection, command.follows)
    latest = telling.latest_state(connection, command.source, command.order_id)
    if told is None or latest is None or not kind.overtaken(command.command, told, latest):
        return None
    return f"the order has gone on: {told.raw_state} was answered, it is {latest.raw_state}"

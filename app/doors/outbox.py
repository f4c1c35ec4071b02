"""Commands at operators: asked for, tried again, taken back; each with its line in the audit trail.

The same act whether it comes as JSON or from a page. Not here: who may (`deps`), doing it
(`feeds.commands`), what a command is (its kind).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from app import errors
from app.doors import acts
from app.notifications.notification import Channel
from app.runtime import Runtime
from app.sources import base, offers
from app.store import commands, engine


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done; the same `idempotency_key` again is the same command, not another."""

    source: str
    order_id: str
    command: str
    arguments: dict[str, Any]
    idempotency_key: str


def offered(runtime: Runtime, source: str) -> tuple[offers.Offer, ...]:
    """What may be asked of the operator of `source`; nothing where there is no such source."""
    found = runtime.source(source)
    if found is None or runtime.kinds[found.kind].channel is not Channel.PULL:
        return ()
    return cast("base.PullKind", runtime.kinds[found.kind]).offers


async def ask(runtime: Runtime, wanted: Wanted, *, by: str) -> commands.Command:
    """Have a command carried out; gives its row, which is an older one for a key used before.

    Raises `errors.NotFound` for the source, `errors.InvalidValue` for what its kind does not know,
    `errors.Conflict` where the key is that of another command.
    """
    made = _command(runtime, wanted, by)

    def write(connection: engine.Connection) -> commands.Command:
        kept = commands.ask(connection, made)
        if kept is made:
            acts.record(runtime, connection, by=by, action="command.ask", target=made.id)
        return kept

    kept = await runtime.write(write)
    same = ("order_id", "command", "arguments")
    if any(getattr(kept, name) != getattr(made, name) for name in same):
        raise errors.Conflict(f"idempotency_key: used before, by another command, {kept.id}")
    return kept


async def retry(runtime: Runtime, id_: str, *, by: str) -> commands.Command:
    """Have a failed or cancelled command done after all, or a waiting one looked at now.

    Raises `errors.NotFound`, and `errors.Conflict` where it is running or done.
    """
    at = runtime.clock.now()
    return await _change(runtime, id_, "retry", lambda c: commands.retry(c, id_, at), by)


async def cancel(runtime: Runtime, id_: str, *, by: str) -> commands.Command:
    """Take back a command that was not begun yet. Raises as `retry` does."""
    at, reason = runtime.clock.now(), f"cancelled by {by}"
    return await _change(runtime, id_, "cancel", lambda c: commands.cancel(c, id_, at, reason), by)


def found(connection: engine.Connection, id_: str) -> commands.Command:
    """The command `id_`. Raises `errors.NotFound`."""
    one = commands.one(connection, id_)
    if one is None:
        raise errors.NotFound(f"there is no command {id_}")
    return one


async def _change(
    runtime: Runtime,
    id_: str,
    action: str,
    change: Callable[[engine.Connection], bool],
    by: str,
) -> commands.Command:
    def write(connection: engine.Connection) -> commands.Command:
        before = found(connection, id_)
        if not change(connection):
            raise errors.Conflict(f"command {id_} is {before.state}: no {action} any more")
        acts.record(runtime, connection, by=by, action=f"command.{action}", target=id_)
        return found(connection, id_)

    return await runtime.write(write)


def _command(runtime: Runtime, wanted: Wanted, by: str) -> commands.Command:
    """The command, if its source's kind knows it."""
    source = runtime.source(wanted.source)
    if source is None or runtime.kinds[source.kind].channel is not Channel.PULL:
        raise errors.NotFound(f"source: {wanted.source} is no source that takes commands")
    kind = cast("base.PullKind", runtime.kinds[source.kind])
    try:
        request = kind.command(source.feed, wanted.order_id, wanted.command, wanted.arguments, None)
    except errors.InvalidParameter as error:
        raise errors.InvalidValue(error.message) from error
    at = runtime.clock.now()
    return commands.Command(
        id=runtime.new_id(),
        source=wanted.source,
        order_id=wanted.order_id,
        command=wanted.command,
        arguments=wanted.arguments,
        idempotency_key=wanted.idempotency_key,
        harmful=request.changes_state,
        asked_by=by,
        asked_at=at,
        due_at=at,
    )

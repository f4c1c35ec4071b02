"""What people do with orders and the work list, each act with its line in the audit trail.

The same act whether it comes as JSON, from a page or from the command line. Not here: who may
(`deps`), what opens and clears (`orders.timeline`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from pydantic import Field

from app import errors
from app.doors import acts
from app.runtime import Runtime
from app.store import attention, engine, expected

MULTILINE: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$"
NoteText = Annotated[str, Field(min_length=1, max_length=attention.LONGEST_NOTE, pattern=MULTILINE)]
"""What may be noted: text in lines."""


async def expect(runtime: Runtime, orders: Sequence[expected.Expected], *, by: str) -> None:
    """Keep `orders` as placed, in transactions of at most `expected.AT_ONCE`."""
    for start in range(0, len(orders), expected.AT_ONCE):
        some = orders[start : start + expected.AT_ONCE]
        await runtime.write(_putting(runtime, some, by))


def _putting(
    runtime: Runtime, some: Sequence[expected.Expected], by: str
) -> Callable[[engine.Connection], None]:
    def put(connection: engine.Connection) -> None:
        expected.put(connection, some)
        first = some[0]
        target = f"{first.source}/{first.order_id}"
        detail = {"orders": len(some)} if len(some) > 1 else None
        acts.record(runtime, connection, by=by, action="order.expect", target=target, detail=detail)

    return put


async def assign(runtime: Runtime, id_: str, assignee: str | None, *, by: str) -> dict[str, Any]:
    """Give the opening `id_` to `assignee`, or to nobody; gives it as it is then.

    Raises `errors.NotFound`, and `errors.Conflict` where it is not open any more.
    """
    return await _act(
        runtime, id_, "assign", lambda c: attention.assign(c, id_, assignee), by, to=assignee
    )


async def close(runtime: Runtime, id_: str, *, by: str) -> dict[str, Any]:
    """Close the opening `id_` by hand; gives it as it is then. Raises as `assign` does."""
    at = runtime.clock.now()
    return await _act(runtime, id_, "close", lambda c: attention.close(c, id_, at, by), by)


async def note(runtime: Runtime, id_: str, text: str, *, by: str) -> dict[str, Any]:
    """Add a note to the opening `id_`; gives it as it is then.

    Raises `errors.NotFound`, and `errors.Conflict` where it has too many.
    """
    at = runtime.clock.now()
    return await _act(runtime, id_, "note", lambda c: attention.note(c, id_, at, by, text), by)


async def _act(
    runtime: Runtime,
    id_: str,
    action: str,
    change: Callable[[engine.Connection], bool],
    by: str,
    **detail: Any,
) -> dict[str, Any]:
    def write(connection: engine.Connection) -> dict[str, Any]:
        before = attention.one(connection, id_)
        if before is None:
            raise errors.NotFound(f"the work list has no {id_}")
        if not change(connection):
            raise errors.Conflict(f"{id_} is {before['state']}: no {action} any more")
        acts.record(
            runtime, connection, by=by, action=f"attention.{action}", target=id_, detail=detail
        )
        return attention.one(connection, id_) or before

    return await runtime.write(write)

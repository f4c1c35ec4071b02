"""The lists, one part at a time: the same rows whether they leave as JSON or as a page.

Each gives `{"items": […], "next": cursor}` (`paging.page`) and raises as `paging.place` does. Not
here: what may be asked (`filters`), the statements (`store`).
"""

from __future__ import annotations

from typing import Any

from app.doors import filters, paging
from app.runtime import Runtime
from app.store import (
    attention as openings,
    commands as outbox,
    engine,
    epochs,
    expected as placed,
    log,
    orders as known,
    quarantine as refused,
    silence,
)


def notifications(connection: engine.Connection, asked: filters.Notifications) -> dict[str, Any]:
    """The log, newest first unless `order=asc`."""
    epoch = epochs.current(connection)
    rows = log.page(
        connection,
        asked.wanted(),
        after_seq=paging.place(asked, epoch, log.head(connection)),
        limit=asked.limit + 1,
        ascending=asked.order == "asc",
    )
    return paging.page(rows, asked.limit, epoch, by="seq")


def orders(
    runtime: Runtime, connection: engine.Connection, asked: filters.Orders
) -> dict[str, Any]:
    """The orders, those with the newest news first unless `order=asc`."""
    epoch = epochs.current(connection)
    after = paging.place(asked, epoch, 2 * log.head(connection) + 1)
    rows = known.page(
        connection,
        asked.wanted(runtime.clock.now(), runtime.patience(connection)),
        after=after,
        limit=asked.limit + 1,
        ascending=asked.order == "asc",
    )
    return paging.page(rows, asked.limit, epoch, by="place")


def expected(
    runtime: Runtime, connection: engine.Connection, asked: filters.Expected
) -> dict[str, Any]:
    """The placed orders that came to no end, the oldest first; which of them are `silent`."""
    epoch = epochs.current(connection)
    rows = placed.outstanding(
        connection,
        source=asked.source,
        told=None if asked.told is None else asked.told == "true",
        after_id=paging.identifier(asked, epoch),
        limit=asked.limit + 1,
    )
    patience, now = runtime.patience(connection), runtime.clock.now()
    told = [{**row, "silent": silence.is_quiet(row, patience, now)} for row in rows]
    return paging.page(told, asked.limit, epoch, by="id")


def commands(connection: engine.Connection, asked: filters.Commands) -> dict[str, Any]:
    """What was asked of operators, newest first; each item is a `Command`."""
    epoch = epochs.current(connection)
    rows = outbox.page(
        connection,
        source=asked.source,
        order_id=asked.order_id,
        state=asked.state,
        after_id=paging.identifier(asked, epoch),
        limit=asked.limit + 1,
    )
    page = paging.page([{"id": row.id, "row": row} for row in rows], asked.limit, epoch, by="id")
    return {**page, "items": [item["row"] for item in page["items"]]}


def attention(connection: engine.Connection, asked: filters.Attention) -> dict[str, Any]:
    """The work list, oldest first."""
    epoch = epochs.current(connection)
    rows = openings.page(
        connection,
        asked.wanted(),
        after_id=paging.identifier(asked, epoch),
        limit=asked.limit + 1,
    )
    return paging.page(rows, asked.limit, epoch, by="notification_id")


def quarantine(connection: engine.Connection, asked: filters.Quarantine) -> dict[str, Any]:
    """The refused bodies, newest first."""
    epoch = epochs.current(connection)
    rows = refused.page(
        connection,
        state=None if asked.state == "all" else asked.state,
        source=asked.source,
        code=asked.code,
        after_id=paging.identifier(asked, epoch),
        limit=asked.limit + 1,
    )
    return paging.page(rows, asked.limit, epoch, by="id")

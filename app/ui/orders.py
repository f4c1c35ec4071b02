"""The orders as pages: the list, those that are outstanding, and one with its story drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app import errors
from app.doors import deps, filters, lists, outbox, paging, stories
from app.notifications import notification as canonical, states
from app.orders import order as model
from app.runtime import Runtime
from app.store import attention, commands, engine, expected, personal
from app.ui import drawing, shell, visit

AGES: Final = {
    "1h": "an hour", "1d": "a day", "3d": "3 days", "7d": "a week", "14d": "2 weeks",
    "30d": "30 days",
}  # fmt: skip
"""How long without news may be asked for, with a word for each."""

EXPORTED: Final = frozenset({"source", "order_id"})
"""What of the orders that are asked for can be asked of an export of notifications."""

ROWS: Final = set(filters.OrdersWanted.model_fields)
"""What of it can be asked of an export of orders: all but where the list begins, and its order."""

SHOWN: Final = 500
"""Entries of a story in its table: the newest; what is older is a list of notifications."""

WIDTHS: Final = (1000, 340)
"""The story is drawn once for a screen and once for a telephone, px."""

OTHERS: Final = 6
"""Linked orders that are drawn beside a story."""

COMMANDS: Final = 50

router = shell.router("/ui/orders")


@router.get("")
def listing(
    request: Request,
    runtime: deps.The,
    asked: Annotated[filters.Orders, Query()],
) -> Response:
    """One part of the orders, those with the newest news first unless `order=asc`."""
    with engine.read(runtime.engine) as connection:
        page = lists.orders(runtime, connection, asked)
    part = shell.part("/ui/orders", asked, page)
    given = part["given"]
    return shell.render(
        request,
        "orders.html",
        **part,
        export=f"/ui/export{shell.query(**given)}" if given.keys() <= EXPORTED else None,
        rows=f"/ui/export/orders{shell.query(**asked.model_dump(include=ROWS))}",
        sources=_sources(runtime),
        states=list(states.STATES),
        flags=list(model.FLAGS),
        attentions=list(canonical.Attention),
        types=list(canonical.ResourceType),
        ages=AGES,
    )


@router.get("/outstanding")
def outstanding(
    request: Request,
    runtime: deps.The,
    asked: Annotated[filters.Expected, Query()],
) -> Response:
    """One part of the orders we placed that came to no end, the oldest first."""
    with engine.read(runtime.engine) as connection:
        page = lists.expected(runtime, connection, asked)
    return shell.render(
        request,
        "outstanding.html",
        **shell.part("/ui/orders/outstanding", asked, page),
        sources=_sources(runtime),
    )


class Named(filters.Order):
    """An order by its source and its id, whatever that is made of."""

    source: str
    order_id: str


@router.get("/one")
def named(
    request: Request,
    runtime: deps.The,
    seen_by: visit.Reader,
    asked: Annotated[Named, Query()],
) -> Response:
    """One order whose id is no plain word, as `one` tells it (`shell.order_address`)."""
    given = filters.Order(resource_type=asked.resource_type)
    return one(request, runtime, seen_by, asked.source, asked.order_id, given)


@router.get("/{source}/{order_id:path}")
def one(
    request: Request,
    runtime: deps.The,
    seen_by: visit.Reader,
    source: paging.Identifier,
    order_id: paging.Identifier,
    asked: Annotated[filters.Order, Query()],
) -> Response:
    """One order with its story, or what is known of one that was placed and never told of.

    Raises `errors.NotFound`.
    """
    with engine.read(runtime.engine) as connection:
        found = stories.of(connection, source, order_id)
        chosen = stories.chosen(found, asked.resource_type)
        placed = expected.one(connection, source, order_id)
        story = None if chosen is None else _story(connection, runtime, chosen)
        person = personal.one(connection, source, order_id)
    if story is None and (placed is None or asked.resource_type is not None):
        raise errors.NotFound(f"The source {source} has told of no order {order_id}.")
    if story is None:
        declared = runtime.source(source)
        is_asked = declared is not None and declared.feed is not None
        return shell.render(request, "order_placed.html", placed=placed, asked=is_asked)
    return shell.render(
        request,
        "order.html",
        placed=placed,
        person=person if seen_by.sees_personal else None,
        hidden_person=person is not None and not seen_by.sees_personal,
        asks=seen_by.commands and _takes_commands(runtime, chosen),
        others=[key.resource_type for key in found if chosen is None or key != chosen.key],
        here=shell.order_address(source, order_id, asked.resource_type),
        **story,
    )


def _takes_commands(runtime: Runtime, chosen: model.Order | None) -> bool:
    """Whether the operator of `chosen` does what is asked; of orders alone, not of services."""
    if chosen is None or chosen.resource_type is canonical.ResourceType.SERVICE:
        return False
    return bool(outbox.offered(runtime, chosen.source))


def _sources(runtime: Runtime) -> list[str]:
    return [source.name for source in runtime.configuration.sources]


def _story(connection: engine.Connection, runtime: Runtime, chosen: model.Order) -> dict[str, Any]:
    """What the page of `chosen` tells, its pictures among it."""
    sent = commands.page(connection, source=chosen.source, order_id=chosen.order_id, limit=COMMANDS)
    openings = _openings(connection, chosen)
    linked = expected.linked(connection, chosen)
    scene = drawing.Scene(
        order=chosen,
        now=runtime.clock.now(),
        sent=sent,
        closed={row["notification_id"]: row["closed_at"] for row in openings if row["closed_at"]},
        beside=_beside(connection, linked),
    )
    told = stories.told(connection, chosen)
    return {
        "told": told,
        "entries": told["timeline"][-SHOWN:],
        "left_out": max(len(told["timeline"]) - SHOWN, 0),
        "sent": sent,
        "on_list": openings,
        "linked": linked,
        "pictures": [drawing.draw(scene, width=width) for width in WIDTHS],
    }


def _openings(connection: engine.Connection, order: model.Order) -> list[dict[str, Any]]:
    """What is, or was, on the work list for `order`, oldest first."""
    asked = attention.Wanted(state="all", source=order.source, order_id=order.order_id)
    rows = attention.page(connection, asked, after_id=None, limit=paging.MOST)
    return [row for row in rows if row["resource_type"] == order.resource_type]


def _beside(connection: engine.Connection, linked: Sequence[dict[str, Any]]) -> list[model.Order]:
    """The stories of the first of `linked`."""
    found = []
    for row in linked[:OTHERS]:
        type_ = canonical.ResourceType(row["resource_type"])
        told = stories.of(connection, row["source"], row["order_id"])
        other = stories.chosen(told, type_)
        if other is not None:
            found.append(other)
    return found

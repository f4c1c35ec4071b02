"""Orders as pages: the list, and the story of one, drawn."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app import errors
from app.doors import deps, filters, paging, stories
from app.notifications import notification as canonical, states
from app.orders import order as folded
from app.store import commands, engine, epochs, log, orders, personal
from app.ui import drawing, shell, visit

MOST_COMMANDS = 50

router = shell.router("/ui/orders")


@router.get("")
def listing(
    request: Request, runtime: deps.The, asked: Annotated[filters.Orders, Query()]
) -> Response:
    """One part of the orders, those with the newest news first."""
    with engine.read(runtime.engine) as connection:
        epoch = epochs.current(connection)
        rows = orders.page(
            connection,
            asked.wanted(runtime.clock.now()),
            after=paging.place(asked, epoch, 2 * log.head(connection) + 1),
            limit=asked.limit + 1,
            ascending=asked.order == "asc",
        )
    page = paging.page(rows, asked.limit, epoch, by="place")
    given = asked.model_dump(exclude_defaults=True, exclude={"after"})
    further = {**given, "after": page["next"]}
    return shell.render(
        request,
        "orders.html",
        items=page["items"],
        asked=asked,
        given=given,
        here=f"/ui/orders{shell.query(**given)}",
        next=f"/ui/orders{shell.query(**further)}" if page["next"] else None,
        sources=[source.name for source in runtime.configuration.sources],
        states=list(states.STATES),
        flags=list(folded.FLAGS),
        attentions=["any", "none", *canonical.Attention],
    )


@router.get("/{source}/{order_id:path}")
def one(
    request: Request,
    runtime: deps.The,
    seen_by: visit.Reader,
    source: paging.Identifier,
    order_id: paging.Identifier,
    asked: Annotated[filters.Order, Query()],
) -> Response:
    """The story of one order. Raises `errors.NotFound`."""
    with engine.read(runtime.engine) as connection:
        found = stories.of(connection, source, order_id)
        chosen = stories.chosen(found, asked.resource_type)
        if chosen is None:
            raise errors.NotFound(f"the source {source} has told of no order {order_id}")
        story = stories.told(connection, chosen)
        sent = commands.page(
            connection,
            source=source,
            order_id=order_id,
            state=None,
            after_id=None,
            limit=MOST_COMMANDS,
        )
        person = personal.one(connection, source, order_id)
    return shell.render(
        request,
        "order.html",
        story=story,
        figure=drawing.timeline(story["timeline"]),
        others=sorted(key.resource_type for key in found if key != chosen.key),
        commands=sent,
        person=person if seen_by.sees_personal else None,
        hidden_person=person is not None and not seen_by.sees_personal,
    )

"""`/admin/orders`: the orders as their notifications tell them, and one with its whole story."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from app import errors
from app.doors import deps, filters, lists, paging, stories
from app.store import engine, expected
from app.web.admin import answers

router = APIRouter(prefix="/admin/orders", dependencies=deps.READS)


@router.get("")
def listing(runtime: deps.The, asked: Annotated[filters.Orders, Query()]) -> Response:
    """One page of the orders, those with the newest news first unless `order=asc`."""
    with engine.read(runtime.engine) as connection:
        return answers.give(lists.orders(runtime, connection, asked))


@router.get("/{source}/{order_id:path}")
def one(
    runtime: deps.The,
    source: paging.Identifier,
    order_id: paging.Identifier,
    asked: Annotated[filters.Order, Query()],
) -> Response:
    """One order with its story, folded from the log as it is now. Raises `errors.NotFound`."""
    with engine.read(runtime.engine) as connection:
        found = stories.of(connection, source, order_id)
        chosen = stories.chosen(found, asked.resource_type)
        if chosen is None:
            raise errors.NotFound(f"the source {source} has told of no order {order_id}")
        story = stories.told(connection, chosen)
        placed = expected.one(connection, source, order_id)
        linked = expected.linked(connection, chosen)
    others = [key.resource_type for key in found if key != chosen.key]
    further = {
        "other_resource_types": sorted(others),
        "expected": None if placed is None else asdict(placed),
        "linked": linked,
    }
    return answers.give({**story, **further})

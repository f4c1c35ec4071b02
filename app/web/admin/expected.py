"""What was placed: `PUT /admin/orders/{source}/{order_id}`; `/admin/expected`: outstanding."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict
from starlette.responses import Response

from app import errors
from app.doors import bodies, deps, filters, lists, paging, work
from app.store import engine, expected
from app.web.admin import answers

router = APIRouter(prefix="/admin")


MOMENT: Final = re.compile(
    r"(19|20)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
"""A time with its zone, of our days: further ones have no place in every database."""

OrderId = Annotated[
    str, Path(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
]


def _written(value: object) -> object:
    if value is None or (isinstance(value, str) and MOMENT.fullmatch(value)):
        return value
    raise ValueError("expected a time with its zone, such as 2026-11-20T12:00:00Z")


class Placed(BaseModel):
    """What is known of an order we placed; `placed_at`: when, else now."""

    model_config = ConfigDict(extra="forbid")

    own_ref: paging.Wanted | None = None
    access_id: paging.Wanted | None = None
    placed_at: Annotated[AwareDatetime | None, BeforeValidator(_written)] = None
    answer: paging.Wanted | None = None


@router.get("/expected", dependencies=deps.READS)
def outstanding(runtime: deps.The, asked: Annotated[filters.Expected, Query()]) -> Response:
    """One page of the placed orders that came to no end, the oldest first; which are silent."""
    with engine.read(runtime.engine) as connection:
        return answers.give(lists.expected(runtime, connection, asked))


@router.put("/orders/{source}/{order_id:path}", dependencies=deps.ACTS)
async def put(
    runtime: deps.The,
    who: deps.Admin,
    source: paging.Identifier,
    order_id: OrderId,
    _: deps.Nothing,
    asked: Annotated[Placed, Depends(bodies.of(Placed))],
) -> Response:
    """Say that this order was placed; what was said before is replaced."""
    if runtime.source(source) is None:
        raise errors.NotFound(f"there is no source {source}")
    now = runtime.clock.now()
    order = expected.Expected(
        source=source,
        order_id=order_id.strip(),
        own_ref=asked.own_ref,
        access_id=asked.access_id,
        placed_at=asked.placed_at or now,
        answer=asked.answer,
        put_at=now,
        put_by=who.subject,
    )
    await work.expect(runtime, [order], by=who.subject)
    with engine.read(runtime.engine) as connection:
        kept = expected.one(connection, source, order.order_id)
    return answers.give(asdict(kept or order))

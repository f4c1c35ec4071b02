"""What ours is measured against: a route that does nothing, and the usual way.

(a) `noop`: a FastAPI route that takes our flavour models as its body and answers 201. (b) `usual`:
the FastAPI + SQLModel way of the tutorials, a session per request on the same table, committed
before the answer. Started by `python -m bench.references PORT [URL]`.
"""

import itertools
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import sqlalchemy
import uuid_utils
import uvicorn
from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field
from sqlmodel import Session

from app.notifications import tmf622_2015
from app.store import engine, schema, tables


class Event(BaseModel):
    """`event` of a TMF622 notification of 2015."""

    product_order: tmf622_2015.IdentifiedProductOrder = Field(alias="productOrder")


class Body(tmf622_2015.ProductOrderNotification):
    """The whole body, made of the models ours validates with."""

    event_type: str
    event: Event


def safe(url: str) -> sqlalchemy.Engine:
    """SQLite as one who knows it sets it up: durable, loses no update, waits for its lock."""
    made = sqlalchemy.create_engine(url, pool_size=10, max_overflow=40)

    @sqlalchemy.event.listens_for(made, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in engine.SQLITE_PRAGMAS:
            connection.execute(pragma)

    @sqlalchemy.event.listens_for(made, "begin")
    def _begun(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return made


def application(url: str) -> FastAPI:
    """Both routes, the second on the database at `url`."""
    app = FastAPI()
    migrated = engine.create(url)
    schema.upgrade(migrated)
    migrated.dispose()
    database = safe(url)
    numbers = itertools.count(1)

    def session() -> Iterator[Session]:
        with Session(database) as made:
            yield made

    @app.post("/noop", status_code=201)
    async def noop(body: Body) -> None:
        del body

    @app.post("/usual", status_code=201)
    def usual(body: Body, made: Annotated[Session, Depends(session)]) -> dict[str, str]:
        made.add(
            tables.Log(
                seq=next(numbers),
                id=str(uuid_utils.uuid7()),
                source="bench",
                channel="push",
                flavour="tmf622_2015",
                event_id=body.event_id,
                event_type=body.event_type,
                kind="state_changed",
                resource_type="productOrder",
                origin="operator",
                received_at=datetime.now(UTC),
            )
        )
        made.commit()
        return {"eventId": str(body.event_id)}

    return app


def main() -> None:
    """Serve on the port of argv[1], with the database of argv[2]."""
    port, url = int(sys.argv[1]), sys.argv[2]
    uvicorn.run(
        application(url), host="127.0.0.1", port=port, access_log=False, log_level="warning",
        http="httptools", loop="uvloop",
    )  # fmt: skip


if __name__ == "__main__":
    main()

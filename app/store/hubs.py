"""Our subscriptions at operators' hubs: wanted, registered, failing, or not wanted any more.

Not here: registering (`feeds.registration`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from app.store import tail
from app.store.feed_tables import HUB_REGISTRATION as HUB


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration's row; every field is explained at `feed_tables.HubRegistration`."""

    source: str
    form: str
    hub_url: str
    query: str | None
    asked_at: datetime
    due_at: datetime
    remote_id: str | None = None
    state: str = "wanted"
    credential_id: str | None = None
    registered_at: datetime | None = None
    checked_at: datetime | None = None
    failures: int = 0
    error: str | None = None


def want(connection: Connection, wanted: Registration) -> None:
    """Want a registration; one that is there is looked at now."""
    found = one(connection, wanted.source)
    if found is None:
        connection.execute(insert(HUB).values(asdict(wanted)))
    else:
        state = found.state if found.state == "registered" else "wanted"
        values = {"form": wanted.form, "hub_url": wanted.hub_url, "query": wanted.query}
        change(connection, wanted.source, state=state, due_at=wanted.due_at, **values)
    tail.wake(connection)


def unwant(connection: Connection, source: str, at: datetime) -> bool:
    """Want the registration of `source` no more; false where there is none."""
    done = change(connection, source, state="unwanted", due_at=at)
    tail.wake(connection)
    return done


def one(connection: Connection, source: str) -> Registration | None:
    """The registration of `source`; null where there is none."""
    found = connection.execute(select(HUB).where(HUB.c.source == source)).mappings().first()
    return None if found is None else Registration(**found)


def listing(connection: Connection) -> list[Registration]:
    """All registrations, by source."""
    rows = connection.execute(select(HUB).order_by(HUB.c.source)).mappings()
    return [Registration(**row) for row in rows]


def is_due(connection: Connection, at: datetime) -> bool:
    """Whether some registration is to be looked at."""
    return connection.execute(select(HUB.c.source).where(HUB.c.due_at <= at)).first() is not None


def change(connection: Connection, source: str, **values: Any) -> bool:
    """Set columns of the registration of `source`; false where there is none."""
    rows = update(HUB).where(HUB.c.source == source).values(**values)
    return connection.execute(rows).rowcount == 1


def forget(connection: Connection, source: str) -> None:
    """Delete the registration of `source`."""
    connection.execute(delete(HUB).where(HUB.c.source == source))

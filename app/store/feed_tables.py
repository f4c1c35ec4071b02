"""The tables of what we do at operators: feeds, leases, commands, files, jobs, hubs, personal data.

Private to `store`, as `tables` is. The step `0002` makes them. Times are aware, UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from app.store.tables import BIG, DOCUMENT, METADATA, Table, UtcMoment


class Replica(Table, table=True):
    """A process that does feeds; alive until `expires_at` by the database's clock."""

    __tablename__ = "replica"

    id: str = Field(sa_type=Text, primary_key=True)
    expires_at: datetime = Field(sa_type=UtcMoment)


class Lease(Table, table=True):
    """Who does the work called `name`: the replica `owner`, while it lives.

    `token` rises with every change of hands: what was begun under a lower one is stale.
    """

    __tablename__ = "lease"

    name: str = Field(sa_type=Text, primary_key=True)
    owner: str | None = Field(default=None, sa_type=Text)
    token: int = Field(default=0, sa_type=BIG)


class Feed(Table, table=True):
    """Where one feed stands, and how it fares. `name` is the source's.

    `cursor` is its kind's own and commits with the rows it covers (law 5). `caught_up_at`: the
    first time it ran dry. `cause` (timeout, refused, …), `last_error` and `remedy` speak of the
    trouble in force, null when there is none; `failures` counts turns that failed in a row.
    `entries`, `appended`, `reread`, `quarantined` count entries by what became of them.
    `followed_seq`: up to which row of the log its follow-ups are asked for.
    """

    __tablename__ = "feed"

    name: str = Field(sa_type=Text, primary_key=True)
    cursor: dict[str, Any] = Field(default={}, sa_type=DOCUMENT)
    cursor_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    connected_at: datetime = Field(sa_type=UtcMoment)
    caught_up_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    paused_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    paused_by: str | None = Field(default=None, sa_type=Text)
    last_turn_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    last_success_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    next_turn_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    cause: str | None = Field(default=None, sa_type=Text)
    last_error: str | None = Field(default=None, sa_type=Text)
    last_error_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    remedy: str | None = Field(default=None, sa_type=Text)
    failures: int = Field(default=0)
    entries: int = Field(default=0, sa_type=BIG)
    appended: int = Field(default=0, sa_type=BIG)
    reread: int = Field(default=0, sa_type=BIG)
    quarantined: int = Field(default=0, sa_type=BIG)
    followed_seq: int = Field(default=0, sa_type=BIG)
    warnings: list[str] = Field(default=[], sa_type=DOCUMENT)


class FeedTurn(Table, table=True):
    """A turn that brought something or failed; the newest 100 of a feed are kept."""

    __tablename__ = "feed_turn"
    __table_args__ = (Index("feed_turn_feed", "feed", "id"),)

    id: str = Field(sa_type=Text, primary_key=True)
    feed: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcMoment)
    seconds: float
    requests: int
    entries: int
    appended: int
    quarantined: int
    cause: str | None = Field(default=None, sa_type=Text)
    error: str | None = Field(default=None, sa_type=Text)


class Snapshot(Table, table=True):
    """What a feed without event ids showed last under `key`, and how often it changed (`n`)."""

    __tablename__ = "snapshot"

    feed: str = Field(sa_type=Text, primary_key=True)
    key: str = Field(sa_type=Text, primary_key=True)
    n: int
    digest: bytes = Field(sa_type=LargeBinary)


class Command(Table, table=True):
    """Something we do at an operator, kept until it is known what became of it.

    `state`: queued, running, unknown (the answer was lost: ask before repeating), done, failed,
    cancelled. `follows`: the notification whose chain it belongs to. `token`: the lease's when the
    attempt was made. `harmful`: doing it twice harms.
    """

    __tablename__ = "command"
    __table_args__ = (
        UniqueConstraint("source", "idempotency_key", name="command_once"),
        Index("command_state", "state", "source", "id"),
        Index("command_order", "source", "order_id", "id"),
        Index("command_attempted", "source", "attempted_at"),
        Index("command_follows", "follows"),
        Index("command_by_source", "source", "id"),
        Index("command_by_state", "state", "id"),
        Index("command_by_order_id", "order_id", "id"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text)
    order_id: str | None = Field(default=None, sa_type=Text)
    command: str = Field(sa_type=Text)
    arguments: dict[str, Any] = Field(default={}, sa_type=DOCUMENT)
    idempotency_key: str = Field(sa_type=Text)
    harmful: bool
    state: str = Field(default="queued", sa_type=Text)
    follows: str | None = Field(default=None, sa_type=Text)
    asked_by: str = Field(sa_type=Text)
    asked_at: datetime = Field(sa_type=UtcMoment)
    due_at: datetime = Field(sa_type=UtcMoment)
    attempts: int = Field(default=0)
    attempted_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    token: int | None = Field(default=None, sa_type=BIG)
    finished_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    result: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT, nullable=True)
    error: str | None = Field(default=None, sa_type=Text)


class Personal(Table, table=True):
    """What an operator told of the person behind an order; scope `personal`, erasable."""

    __tablename__ = "personal"

    source: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text, primary_key=True)
    fetched_at: datetime = Field(sa_type=UtcMoment)
    content_type: str | None = Field(default=None, sa_type=Text)
    body: bytes = Field(sa_type=LargeBinary)


class File(Table, table=True):
    """A file an event points to. `state`: wanted, stored, failed, gone (erased).

    `address` is where it lies without its query: the token in it is no part of the file's name.
    """

    __tablename__ = "file"
    __table_args__ = (
        UniqueConstraint("notification_id", "label", name="file_once"),
        Index("file_state", "state", "source", "id"),
        Index("file_order", "source", "order_id", "id"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text)
    order_id: str | None = Field(default=None, sa_type=Text)
    notification_id: str = Field(sa_type=Text)
    event_id: str | None = Field(default=None, sa_type=Text)
    label: str = Field(sa_type=Text)
    address: str = Field(sa_type=Text)
    state: str = Field(default="wanted", sa_type=Text)
    wanted_at: datetime = Field(sa_type=UtcMoment)
    due_at: datetime = Field(sa_type=UtcMoment)
    attempts: int = Field(default=0)
    fetched_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    content_type: str | None = Field(default=None, sa_type=Text)
    length: int | None = Field(default=None, sa_type=BIG)
    digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    error: str | None = Field(default=None, sa_type=Text)


class Job(Table, table=True):
    """What one room asks of another. `state`: queued, running, done, failed."""

    __tablename__ = "job"
    __table_args__ = (Index("job_state", "state", "id"),)

    id: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    arguments: dict[str, Any] = Field(default={}, sa_type=DOCUMENT)
    state: str = Field(default="queued", sa_type=Text)
    asked_by: str = Field(sa_type=Text)
    asked_at: datetime = Field(sa_type=UtcMoment)
    started_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    finished_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    result: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT, nullable=True)
    error: str | None = Field(default=None, sa_type=Text)


class HubRegistration(Table, table=True):
    """Our subscription at an operator's hub. `state`: wanted, registered, failing, unwanted.

    `callback` is kept without any key: `credential_id` names the callback key's row.
    """

    __tablename__ = "hub_registration"

    source: str = Field(sa_type=Text, primary_key=True)
    form: str = Field(sa_type=Text)
    hub_url: str = Field(sa_type=Text)
    query: str | None = Field(default=None, sa_type=Text)
    remote_id: str | None = Field(default=None, sa_type=Text)
    state: str = Field(default="wanted", sa_type=Text)
    credential_id: str | None = Field(default=None, sa_type=Text)
    asked_at: datetime = Field(sa_type=UtcMoment)
    registered_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    checked_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    due_at: datetime = Field(sa_type=UtcMoment)
    failures: int = Field(default=0)
    error: str | None = Field(default=None, sa_type=Text)


REPLICA = METADATA.tables["replica"]
LEASE = METADATA.tables["lease"]
FEED = METADATA.tables["feed"]
FEED_TURN = METADATA.tables["feed_turn"]
SNAPSHOT = METADATA.tables["snapshot"]
COMMAND = METADATA.tables["command"]
PERSONAL = METADATA.tables["personal"]
FILE = METADATA.tables["file"]
JOB = METADATA.tables["job"]
HUB_REGISTRATION = METADATA.tables["hub_registration"]

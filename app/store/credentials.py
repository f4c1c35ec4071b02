"""The long-lived credentials of sources, as hashes, and what was withdrawn from a source.

Not here: making and checking one (`security.credentials`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, text, update

from app.store import tables, tail
from app.store.stored_credential import StoredCredential

_SET_TOKENS_NOT_BEFORE = text(
    """INSERT INTO source_state (source, tokens_not_before) VALUES (:source, :at)
    ON CONFLICT (source) DO UPDATE SET tokens_not_before = excluded.tokens_not_before"""
).bindparams(bindparam("at", type_=tables.UtcMoment()))


def add(connection: Connection, credential: StoredCredential) -> None:
    """Keep `credential`; every process knows it soon after the commit."""
    connection.execute(insert(tables.CREDENTIAL).values(asdict(credential)))
    tail.wake(connection)


def listing(connection: Connection, source: str | None = None) -> list[StoredCredential]:
    """All credentials, revoked and expired ones too, of one source or of all: oldest first."""
    credential = tables.CREDENTIAL
    rows = select(credential).order_by(
        credential.c.source, credential.c.type, credential.c.created_at, credential.c.id
    )
    if source is not None:
        rows = rows.where(credential.c.source == source)
    return _stored(connection.execute(rows).mappings())


def active(connection: Connection) -> list[StoredCredential]:
    """All credentials that are not revoked; whether one has expired is for who knows the time."""
    credential = tables.CREDENTIAL
    rows = select(credential).where(credential.c.revoked_at.is_(None)).order_by(credential.c.id)
    return _stored(connection.execute(rows).mappings())


def revoke(connection: Connection, id_: str, at: datetime) -> bool:
    """Revoke the credential at `at`; false when there is none, or it was revoked already."""
    credential = tables.CREDENTIAL
    revoked = connection.execute(
        update(credential)
        .where(credential.c.id == id_, credential.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    tail.wake(connection)
    return revoked.rowcount == 1


def source_states(connection: Connection) -> dict[str, datetime]:
    """Of each source with one, the moment before which no token issued is honoured."""
    state = tables.SOURCE_STATE
    rows = select(state.c.source, state.c.tokens_not_before)
    found = connection.execute(rows.where(state.c.tokens_not_before.is_not(None)))
    return {row.source: row.tokens_not_before for row in found}


def set_tokens_not_before(connection: Connection, source: str, at: datetime) -> None:
    """Void every token of `source` issued before `at`."""
    connection.execute(_SET_TOKENS_NOT_BEFORE, {"source": source, "at": at})
    tail.wake(connection)


def _stored(rows: Iterable[RowMapping]) -> list[StoredCredential]:
    return [StoredCredential(**row) for row in rows]

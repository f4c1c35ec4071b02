"""Which notifications a list shows, as conditions on `log` (DESIGN §12).

Not here: paging (`cursors`, `log.page`) and what `q` finds (`search`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal_column, or_, select

from app.store import tables, zones
from app.store.order_tables import ORDERS

_EQUAL = (
    "source",
    "channel",
    "flavour",
    "kind",
    "state",
    "attention",
    "order_id",
    "external_id",
)
_INDEXED = ("order_id", "event_id", "external_id", "attention")


def is_storable(value: object) -> bool:
    """Whether a text column may hold `value`: PostgreSQL refuses even to be asked for a NUL."""
    return not (isinstance(value, str) and "\0" in value)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a notification must be to be shown; null asks nothing.

    All but `conflict` and `q` are compared whole. `conflict`: marked as disagreeing with an earlier
    one of its event id, or not. `q`: what `search` finds, which is not among the `conditions`.
    """

    source: str | None = None
    kind: str | None = None
    state: str | None = None
    order_id: str | None = None
    event_id: str | None = None
    external_id: str | None = None
    flavour: str | None = None
    channel: str | None = None
    attention: str | None = None
    conflict: bool | None = None
    q: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on `log`, all of which must hold."""
        if not all(is_storable(value) for value in astuple(self)):
            return [false()]
        asked = [
            tables.LOG.c[name] == getattr(self, name)
            for name in _EQUAL
            if getattr(self, name) is not None
        ]
        if self.event_id is not None:
            asked.append(self._of_event(self.event_id))
        if self.conflict is not None:
            conflict_of = tables.LOG.c.conflict_of
            asked.append(conflict_of.is_not(None) if self.conflict else conflict_of.is_(None))
        return asked

    def sort(self) -> dict[str, object]:
        """What is asked of the sort of a row (`zones.SORT`); empty where an index finds the rows.

        An index does where an id or attention is asked.
        """
        return {} if self.indexed() else self.sorts()

    def sorts(self) -> dict[str, object]:
        """What is asked of the sort of a row, whatever else is."""
        found = {name: getattr(self, name) for name in zones.SORT}
        return {name: value for name, value in found.items() if value is not None}

    def indexed(self) -> list[ColumnElement[bool]]:
        """Those of the conditions by which an index of the log finds the rows."""
        asked = {name: getattr(self, name) for name in _INDEXED}
        return Filter(**asked).conditions()

    def _of_event(self, event_id: str) -> ColumnElement[bool]:
        """By the ledger, which must have that index anyway: the log is spared one."""
        ledger = tables.LEDGER
        known = select(ledger.c.seq).where(ledger.c.event_id == event_id)
        return tables.LOG.c.seq.in_(known)


def silent(
    cutoffs: Iterable[tuple[tuple[str, str | None], datetime]], dialect: str
) -> list[ColumnElement[bool]]:
    """Not final, and not heard of since the moment of its source and state.

    SQLite would gather every order of each of these, and sort them: it is kept from their indexes.
    Most are passed over by the latest moment of all, before they are compared with each.
    """
    row = ORDERS.c
    its_source: ColumnElement[Any] = row.source
    its_state: ColumnElement[Any] = row.state
    heard: ColumnElement[Any] = row.last_news_at
    if dialect == "sqlite":
        its_source, its_state = row.source.concat(""), row.state.concat("")
        heard = literal_column("+orders.last_news_at", heard.type)
    known = list(cutoffs)
    latest = [heard <= max(moment for _, moment in known)] if known else []
    too_long = [
        and_(
            its_source == source,
            its_state.is_(None) if state is None else its_state == state,
            row.last_news_at <= moment,
        )
        for (source, state), moment in known
    ]
    unfinished: ColumnElement[bool] = literal_column(
        "NOT orders.final"
    )  # in the words of its partial index
    return [unfinished, *latest, or_(false(), *too_long)]

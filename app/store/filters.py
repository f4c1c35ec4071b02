"""Which notifications a list shows, as conditions on `log` (DESIGN §12).

Not here: paging (`cursors`, `log.page`) and what `q` finds (`search`).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

from sqlalchemy import ColumnElement, false, select

from app.store import tables, zones

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
_INDEXED = ("order_id", "event_id", "external_id", "attention", "q")


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

        An index does where an id, attention or `q` is asked.
        """
        if any(getattr(self, name) is not None for name in _INDEXED):
            return {}
        found = {name: getattr(self, name) for name in zones.SORT}
        return {name: value for name, value in found.items() if value is not None}

    def _of_event(self, event_id: str) -> ColumnElement[bool]:
        """By the ledger, which must have that index anyway: the log is spared one."""
        ledger = tables.LEDGER
        known = select(ledger.c.seq).where(ledger.c.event_id == event_id)
        return tables.LOG.c.seq.in_(known)

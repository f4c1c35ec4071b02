"""Where in the log rows of a sort may be: which sorts there are in each stretch of 2 048 seqs.

A list of what is rare, or of what nobody has, reads the stretches that have it and no other; where
a stretch has one such row only, that row alone. That costs ingest nothing, for it follows the log
(`indexing`); an index would. Not here: the rest of the log, which nobody came by yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select, text

from app.store.search_tables import ZONE

WIDTH: Final = 2048
"""Seqs of a zone."""

SORT: Final = ("source", "kind", "state", "flavour", "channel", "conflict")
"""What makes the sort of a row; all of it is few words."""

OF: Final = (*SORT[:-1], "conflict_of")
"""The columns of the log it is made of."""

Span = tuple[int, int]
"""The first and the last seq of a stretch."""


def note(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Remember the sorts of `rows` of the log; again is as well as once."""
    told: dict[tuple[Any, ...], int | None] = {}
    for row in rows:
        sort = (*(row[name] or "" for name in SORT[:-1]), row["conflict_of"] is not None)
        key = (row["seq"] // WIDTH, *sort)
        told[key] = row["seq"] if told.get(key, row["seq"]) == row["seq"] else None
    names = ("zone", *SORT, "seq")
    connection.execute(
        _NOTE, [dict(zip(names, (*key, seq), strict=True)) for key, seq in told.items()]
    )


def spans(
    connection: Connection, sort: Mapping[str, Any], upto: int, *, ascending: bool
) -> list[Span]:
    """The stretches that have rows of `sort` (names of `SORT` and their values), in order.

    Up to seq `upto` as noted; of what is beyond nothing is known, so that all of it is one.
    """
    asked = [ZONE.c[name] == value for name, value in sort.items()]
    rows = select(ZONE.c.zone, ZONE.c.seq).where(*asked).distinct().order_by(ZONE.c.zone)
    zones: dict[int, list[int | None]] = {}
    for zone, seq in connection.execute(rows):
        zones.setdefault(zone, []).append(seq)
    found = [(first, min(last, upto)) for first, last in _merged(zones) if first <= upto]
    found.append((upto + 1, _LAST))
    return found if ascending else found[::-1]


def _merged(zones: Mapping[int, Collection[int | None]]) -> Sequence[Span]:
    """Zones, ascending, with their lone rows, as stretches; whole neighbours are one."""
    found: list[Span] = []
    for zone, lone in zones.items():
        first, last = zone * WIDTH, (zone + 1) * WIDTH - 1
        if None not in lone:
            found += [(seq, seq) for seq in sorted(seq for seq in lone if seq is not None)]
        elif found and found[-1][1] + 1 == first:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return found


_LAST: Final = 2**63 - 1
_NOTE: Final = text(
    "INSERT INTO zone (zone, source, kind, state, flavour, channel, conflict, seq)"
    " VALUES (:zone, :source, :kind, :state, :flavour, :channel, :conflict, :seq)"
    " ON CONFLICT (zone, source, kind, state, flavour, channel, conflict) DO UPDATE SET seq = NULL"
    " WHERE zone.seq <> coalesce(excluded.seq, 0)"
)

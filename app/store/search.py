"""Finding notifications by what somebody holds in hand: an id, a reference, words of a message.

A notification is found where one of its ids is, or begins with, what is sought, as it was sent
(case counts); or where its refs and messages have every word of it (`notifications.findable`).
Ids are there at once; words once the follower came by (`indexing`). Not here: what words there are,
and what else a list asks (`filters`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    union_all,
)

from app.notifications import findable
from app.store import tables
from app.store.search_tables import SEARCH_TEXT

SHORTEST_PREFIX: Final = findable.SHORTEST_BEGINNING
"""A shorter `q` is compared with whole ids only: it would begin half of them."""

NEAR: Final = 5000
"""Rows that are looked at one by one first, so that what is frequent costs no index its hits."""

MANY: Final = 20_000
"""Where ids are hit so often, what else is asked is not looked up hit by hit."""

STRETCHES: Final = {"sqlite": (), "postgresql": (50_000, 250_000)}
"""How many seqs beyond those near by are looked at first, by words.

PostgreSQL fetches every row the index hits before the first is given; SQLite as they are asked for.
"""

FREQUENT: Final = 2
"""Words that are often found together; more of them are not looked for by stretches."""

MOST_WORDS: Final = 4
"""Words of what is sought that an index is asked for."""

_LAST = chr(0x10FFFF)
_SURROGATES = range(0xD800, 0xE000)
_IDS: Final = ("id", "order_id", "about_order_id", "external_id", "service_id", "access_id")
_NAMED: Final = (*(tables.LOG.c[name] for name in _IDS), tables.LEDGER.c.event_id)


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for, where: beyond `after_seq` (null: from the end it begins at).

    `conditions` on `log` must hold, too.
    """

    q: str
    conditions: Sequence[ColumnElement[bool]]
    after_seq: int | None
    limit: int
    ascending: bool

    def beyond(self, seq: ColumnElement[int]) -> list[ColumnElement[bool]]:
        """`seq` lies beyond the place to begin at."""
        if self.after_seq is None:
            return []
        return [seq > self.after_seq if self.ascending else seq < self.after_seq]

    def ordered(self, rows: Select[Any], seq: ColumnElement[int]) -> Select[Any]:
        """`rows` in the order they are wanted in."""
        return rows.order_by(seq if self.ascending else seq.desc())


def seqs(connection: Connection, sought: Sought, *, near: int = NEAR) -> list[int]:
    """The first rows of the log, in its order or against it, that are found: `limit` at most.

    What is frequent is found among the next `near` rows; what is rare by the indexes, which cost
    what they hit.
    """
    phrases = findable.phrases(sought.q)
    edge = connection.execute(_edge(sought, near)).scalar()
    found = list(connection.execute(_near(connection, sought, phrases, edge)).scalars())
    if len(found) >= sought.limit or edge is None:
        return found
    every = set((_by_ids_among if sought.conditions else _by_ids)(connection, sought))
    if phrases:
        every.update(_by_words(connection, sought, phrases, edge))
    return sorted(every, reverse=not sought.ascending)[: sought.limit]


# ── by ids ───────────────────────────────────────────────────────────────────────────────────────


def by_ids(q: str, dialect: str) -> ColumnElement[bool]:
    """The condition on `log` that one of a notification's ids is, or begins with, `q`.

    Written as a union of one index range an id, which both engines answer without reading the log.
    """
    return tables.LOG.c.seq.in_(_ranges(q, dialect))


def _ranges(q: str, dialect: str) -> CompoundSelect[Any]:
    found: list[Select[Any]] = [
        select(column.table.c.seq).where(matches(column, q, dialect)) for column in _NAMED
    ]
    return union_all(*found)


def matches(column: ColumnElement[Any], q: str, dialect: str) -> ColumnElement[bool]:
    """`column` is `q` or, where that is long enough, begins with it."""
    if len(q) < SHORTEST_PREFIX:
        return column == q
    return begins_with(column, q, dialect)


def begins_with(column: ColumnElement[Any], prefix: str, dialect: str) -> ColumnElement[bool]:
    """`column` begins with `prefix`, as a range of bytes that a btree can seek.

    SQLite compares text by bytes anyway; on PostgreSQL the operators of `text_pattern_ops` do,
    whatever the collation of the database.
    """
    at_least, below = ("~>=~", "~<~") if dialect == "postgresql" else (">=", "<")
    lower = column.bool_op(at_least)(prefix)
    end = _after(prefix)
    return lower if end is None else and_(lower, column.bool_op(below)(end))


def _after(prefix: str) -> str | None:
    """The smallest text above all that begin with `prefix`; null when there is none."""
    kept = prefix.rstrip(_LAST)
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    if following in _SURROGATES:
        following = _SURROGATES.stop
    return kept[:-1] + chr(following)


def _by_ids(connection: Connection, sought: Sought) -> set[int]:
    """By the indexes, of which each gives the first rows it hits."""
    first = (_first(sought, column, connection.dialect.name) for column in _NAMED)
    return set(connection.execute(union_all(*first)).scalars())


def _by_ids_among(connection: Connection, sought: Sought) -> list[int]:
    """The same where more is asked: of every hit, or row for row from where there are very many."""
    dialect, seq = connection.dialect.name, tables.LOG.c.seq
    rows = sought.ordered(select(seq).where(*sought.conditions), seq).limit(sought.limit)
    some = _ranges(sought.q, dialect).limit(MANY).subquery()
    if connection.execute(select(func.count()).select_from(some)).scalar_one() < MANY:
        hits = by_ids(sought.q, dialect)
        return list(connection.execute(rows.where(hits, *sought.beyond(seq))).scalars())
    first = _by_ids(connection, replace(sought, limit=1))
    if not first:
        return []
    place = min(first) if sought.ascending else max(first)
    beyond = seq >= place if sought.ascending else seq <= place
    return list(connection.execute(rows.where(or_(*_named(sought.q, dialect)), beyond)).scalars())


def _first(sought: Sought, column: ColumnElement[Any], dialect: str) -> Select[Any]:
    """The first rows that `column` names, in no column's order, or SQLite reads the log in it."""
    place = column.table.c.seq + literal_column("0")
    rows = select(place.label("seq")).where(matches(column, sought.q, dialect))
    first = sought.ordered(rows.where(*sought.beyond(place)), place).limit(sought.limit)
    return select(first.subquery().c.seq)


# ── row for row ──────────────────────────────────────────────────────────────────────────────────


def by_row(q: str, dialect: str) -> ColumnElement[bool]:
    """The condition on `log` that `q` finds a row, for where few rows are looked at."""
    said = _named(q, dialect)
    if phrases := findable.phrases(q):
        text = SEARCH_TEXT.c
        words = select(_says(phrases)).where(text.seq == tables.LOG.c.seq)
        said.append(words.scalar_subquery())  # `exists` PostgreSQL may answer for all rows first
    return or_(*said)


def _named(q: str, dialect: str) -> list[ColumnElement[bool]]:
    """That `q` names a row of the log, id by id."""
    return [matches(tables.LOG.c[name], q, dialect) for name in (*_IDS, "event_id")]


def _edge(sought: Sought, near: int) -> Select[Any]:
    """The seq that `near` rows are before; nothing where there are fewer."""
    seq = tables.LOG.c.seq
    rows = select(seq).where(*sought.beyond(seq)).offset(near).limit(1)
    return sought.ordered(rows, seq)


def _near(
    connection: Connection, sought: Sought, phrases: Sequence[findable.Phrase], edge: int | None
) -> Select[Any]:
    """What is found before `edge`, by no index of what is sought."""
    log = tables.LOG.c
    said = _named(sought.q, connection.dialect.name)
    if phrases:
        said.append(_says(phrases))
    text = SEARCH_TEXT.c
    said_of = and_(text.seq == log.seq, *_between(sought, text.seq, edge))  # or all are read
    rows = select(log.seq).outerjoin(SEARCH_TEXT, said_of)
    rows = rows.where(*_between(sought, log.seq, edge), *sought.conditions, or_(*said))
    return sought.ordered(rows, log.seq).limit(sought.limit)


def _between(
    sought: Sought, seq: ColumnElement[int], edge: int | None
) -> list[ColumnElement[bool]]:
    """`seq` lies beyond the place to begin at, and before `edge`."""
    if edge is None:
        return sought.beyond(seq)
    return [*sought.beyond(seq), seq < edge if sought.ascending else seq > edge]


# ── by words ─────────────────────────────────────────────────────────────────────────────────────


def _says(phrases: Sequence[findable.Phrase]) -> ColumnElement[bool]:
    """The words of a row hold each phrase. They are letters and digits alone, one blank apart.

    So a phrase's place in the text is the whole truth, and an index need only bring the rows that
    may hold it: all its words, wherever they stand.
    """
    spaced = literal(" ").concat(SEARCH_TEXT.c.words).concat(" ")
    return and_(
        *(
            spaced.contains(f" {' '.join(phrase.words)}{'' if phrase.open else ' '}")
            for phrase in phrases
        )
    )


def _words(phrases: Sequence[findable.Phrase]) -> list[tuple[str, bool]]:
    """The longest words, and whether only the beginning of each is sought.

    Each word costs an index its hits, and the longest have the fewest; `_says` looks at them all.
    """
    found: dict[tuple[str, bool], None] = {}
    for phrase in phrases:
        *whole, last = phrase.words
        found |= dict.fromkeys([*((word, False) for word in whole), (last, phrase.open)])
    return sorted(found, key=lambda word: len(word[0]), reverse=True)[:MOST_WORDS]


def _by_words(
    connection: Connection, sought: Sought, phrases: Sequence[findable.Phrase], edge: int
) -> list[int]:
    """What the index of words brings: within a stretch beyond `edge`, where that is enough."""
    said = _BY_WORDS[connection.dialect.name]
    several = len(_words(phrases)) > FREQUENT
    for width in () if several else STRETCHES[connection.dialect.name]:
        bound = edge + width if sought.ascending else edge - width
        rows = said(sought, phrases, _between(sought, SEARCH_TEXT.c.seq, bound))
        found = list(connection.execute(rows.limit(sought.limit)).scalars())
        if len(found) == sought.limit:
            return found
    rows = said(sought, phrases, sought.beyond(SEARCH_TEXT.c.seq))
    return list(connection.execute(rows.limit(sought.limit)).scalars())


def _words_on_sqlite(
    sought: Sought, phrases: Sequence[findable.Phrase], where: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    """By FTS5, which gives its rows in the order of seq, as they are asked for."""
    said = " AND ".join(f'"{word}"{"*" if part else ""}' for word, part in _words(phrases))
    index = table("search_words", column("rowid"), column("search_words"))
    seq: ColumnElement[int] = index.c.rowid
    rows = (
        select(seq)
        .join(SEARCH_TEXT, SEARCH_TEXT.c.seq == seq)
        .join(tables.LOG, tables.LOG.c.seq == seq)
        .where(index.c.search_words.bool_op("MATCH")(said), *sought.beyond(seq), _says(phrases))
    )
    return sought.ordered(rows.where(*where, *sought.conditions), seq)


def _words_on_postgresql(
    sought: Sought, phrases: Sequence[findable.Phrase], where: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    """By GIN, apart: with the order of seq in sight the planner may read the table for it."""
    said = " & ".join(f"'{word}'{':*' if part else ''}" for word, part in _words(phrases))
    words: ColumnElement[Any] = column("search_words")
    hits = (
        select(SEARCH_TEXT.c.seq)
        .where(words.bool_op("@@")(func.to_tsquery("simple", said)), _says(phrases))
        .where(*where)
        .cte("hits")
        .prefix_with("MATERIALIZED")
    )
    rows = select(hits.c.seq)
    if sought.conditions:
        rows = rows.join(tables.LOG, tables.LOG.c.seq == hits.c.seq).where(*sought.conditions)
    return sought.ordered(rows, hits.c.seq)


_Said = Callable[[Sought, Sequence[findable.Phrase], Sequence[ColumnElement[bool]]], Select[Any]]
_BY_WORDS: Mapping[str, _Said] = {
    "sqlite": _words_on_sqlite,
    "postgresql": _words_on_postgresql,
}

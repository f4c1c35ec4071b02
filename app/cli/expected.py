"""`listener orders expect`: say what was placed, from a file, so that silence is visible."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer

from app import runtime as runtimes
from app.cli import acting, failure, opening, screen
from app.doors import work
from app.store import expected, filters

EXPECT_EXAMPLES = ("listener orders expect placed.csv", "listener orders expect --check placed.csv")

COLUMNS: Final = ("source", "order_id", "own_ref", "access_id", "placed_at", "answer")
NEEDED: Final = ("source", "order_id")
LONGEST: Final = 255
MOST_FAULTS: Final = 20
"""Faults that are told before the rest is only counted."""


class _Unreadable(ValueError):
    """A line that says nothing of use; the text is why."""


def expect(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="CSV with a head.")
    ],
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Read it, tell faults, keep none.")
    ] = False,
) -> None:
    """Say which orders were placed. All lines of the file are kept, or none.

    Columns: source, order_id, and as far as known own_ref, access_id, placed_at (with its zone;
    else now) and answer.
    """
    live = acting.quiet()
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            orders, faults = _read(text, live)
        for fault in faults[:MOST_FAULTS]:
            screen.fault(fault)
        if faults:
            msg = f"{len(faults)} lines of {file} are not of use; nothing was kept"
            raise failure.CommandFailed(msg, "mend them; try first with --check")
        if not check:
            live.start()
            asyncio.run(work.expect(live, orders, by=opening.operator()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise failure.usage(f"{file} is no CSV in UTF-8: {error}", "save it as such") from error
    finally:
        live.close()
    screen.done(f"{len(orders)} orders {'would be' if check else 'are'} expected")


def _read(text: TextIO, live: runtimes.Runtime) -> tuple[list[expected.Expected], list[str]]:
    """The orders of the lines that are of use, and what is wrong with the others."""
    reader = csv.DictReader(text, strict=True, restkey="", skipinitialspace=True)
    named = tuple(reader.fieldnames or ())
    unknown = sorted(set(named) - set(COLUMNS)) + [one for one in NEEDED if one not in named]
    if unknown:
        msg = f"the head is wrong about: {', '.join(unknown)}"
        raise failure.usage(msg, f"name these columns: {', '.join(COLUMNS)}")
    now, who = live.clock.now(), opening.operator()
    known = {source.name for source in live.configuration.sources}
    orders: list[expected.Expected] = []
    faults: list[str] = []
    for line, row in _lines(reader):
        try:
            orders.append(_order(row, known, now, who))
        except _Unreadable as error:
            faults.append(f"line {line}: {error}")
    return orders, faults


def _lines(reader: csv.DictReader[str]) -> Iterator[tuple[int, Mapping[str, str | None]]]:
    for row in reader:
        if any(row.values()):
            yield reader.line_num, row


def _order(
    row: Mapping[str, str | None], known: set[str], now: datetime, who: str
) -> expected.Expected:
    if "" in row:
        raise _Unreadable("has more columns than the head")
    values = {name: (row.get(name) or "").strip() or None for name in COLUMNS}
    for name, value in values.items():
        if not filters.is_storable(value) or len(value or "") > LONGEST:
            raise _Unreadable(f"{name} is longer than {LONGEST} characters or holds a NUL")
    source, order_id = values["source"], values["order_id"]
    if source not in known:
        raise _Unreadable(f"no source is called {source!r}; expected {', '.join(sorted(known))}")
    if order_id is None:
        raise _Unreadable("has no order_id")
    return expected.Expected(
        source=source,
        order_id=order_id,
        own_ref=values["own_ref"],
        access_id=values["access_id"],
        placed_at=_moment(values["placed_at"], now),
        answer=values["answer"],
        put_at=now,
        put_by=who,
    )


def _moment(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now
    wrong = f"placed_at {text!r}: expected a time with its zone, such as 2026-11-20T12:00:00Z"
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _Unreadable(wrong) from error
    raise _Unreadable(wrong)

"""`listener orders expect`: say what was placed, from a file, so that silence is visible."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer

from app import clock, runtime as runtimes, settings
from app.cli import acting, acts, database, failure, opening, screen
from app.doors import work
from app.store import engine, expected, filters, silence

EXPECT_EXAMPLES = ("listener orders expect placed.csv", "listener orders expect --check placed.csv")

OUTSTANDING_EXAMPLES = (
    "listener orders outstanding",
    "listener orders outstanding --silent --json",
)

SHOWN: Final = ("placed_at", "source", "order_id", "own_ref", "answer", "state", "last_news_at")
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
            msg = f"lines of {file} that are not of use: {len(faults)}; nothing was kept"
            raise failure.CommandFailed(msg, "mend them; try first with --check")
        if not check:
            live.start()
            asyncio.run(work.expect(live, orders, by=opening.operator()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise failure.usage(f"{file} is no CSV in UTF-8: {error}", "save it as such") from error
    finally:
        live.close()
    screen.done(f"{len(orders)} orders {'would be' if check else 'are'} expected")


def outstanding(
    *,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Of this source.")] = None,
    silent: Annotated[bool, typer.Option("--silent", help="Without news for too long.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, max=100_000, help="Look at so many.")
    ] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON document a line.")] = False,
) -> None:
    """Show the placed orders that came to no end, the oldest first."""
    found = settings.load()
    declared = opening.configuration(found)
    configured = {one.name: one.stuck_after for one in declared.sources}
    now = clock.SystemClock().now()
    with database.opened(found) as opened, engine.read(opened) as connection:
        known = silence.patience(connection, configured)
        rows = expected.outstanding(connection, source=source, after_id=None, limit=limit)
    told = [{**row, "silent": silence.is_quiet(row, known, now)} for row in rows]
    told = [row for row in told if row["silent"] or not silent]
    if as_json:
        for row in told:
            screen.json_line(row)
    elif told:
        flat = [{**row, **(row["order"] or {"state": None, "last_news_at": None})} for row in told]
        screen.table(SHOWN, ([row[name] for name in SHOWN] for row in flat))
    else:
        screen.remark("no order is outstanding" if not silent else "no order is silent")


def _read(text: TextIO, live: runtimes.Runtime) -> tuple[list[expected.Expected], list[str]]:
    """The orders of the lines that are of use, and what is wrong with the others."""
    reader = csv.DictReader(text, strict=True, restkey="", skipinitialspace=True)
    named = tuple(reader.fieldnames or ())
    faults = [f"has no column {one}" for one in NEEDED if one not in named]
    faults += [f"names {one!r}, which is none" for one in sorted(set(named) - set(COLUMNS))]
    if faults:
        raise failure.usage(
            f"the head {'; '.join(faults)}", f"its columns may be: {', '.join(COLUMNS)}"
        )
    now, who = live.clock.now(), opening.operator()
    known = {source.name for source in live.configuration.sources}
    orders: list[expected.Expected] = []
    faults = []
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


ACTS = (
    acts.Act(expect, EXPECT_EXAMPLES),
    acts.Act(outstanding, OUTSTANDING_EXAMPLES),
)

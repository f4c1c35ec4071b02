"""`listener notifications`: the log on the screen, read from the database itself."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from app import settings
from app.cli import acts, database, failure, screen, wanted
from app.notifications import warnings
from app.store import engine, log, tail

EXAMPLES = (
    "listener notifications --source orange --state rejected",
    "listener notifications --order 4711 --json",
    "listener notifications --follow",
    "listener notifications 42",
    "listener notifications 42 --raw > body.json",
)
COLUMNS = {"seq": 0, "received": 0, "source": 0, "kind": 0, "state": 0, "order": 0}
FOLLOWED = {"seq": 8, "received": 20, "source": 13, "kind": 18, "state": 12, "order": 24}
"""The columns of a list, and how wide they are at least, where more is to come."""

PAGE = 500
WAIT = 5.0


@wanted.filtered
def notifications(
    which: Annotated[
        str | None, typer.Argument(metavar="ID or SEQ", help="Show this one whole.")
    ] = None,
    *,
    asked: log.Filter,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, max=PAGE, help="How many.")
    ] = 20,
    before: Annotated[int | None, typer.Option(metavar="SEQ", help="Older than this.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="And those to come.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="With an ID: the exact bytes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line a notification.")] = False,
) -> None:
    """Show the newest notifications, the latest last; or one whole."""
    with database.opened(settings.load()) as opened:
        if which is not None:
            _show_one(opened, which, raw=raw, as_json=as_json)
            return
        with contextlib.suppress(*[KeyboardInterrupt] if follow else []):  # the way to end it
            with engine.read(opened) as connection:
                rows = log.page(connection, asked, after_seq=before, limit=limit, ascending=False)
                head = log.head(connection)
            coming = _to_come(opened, asked, head) if follow else iter(())
            _list(rows[::-1], coming, as_json=as_json, columns=FOLLOWED if follow else COLUMNS)
            if not rows and not follow:
                screen.remark("none; send one: listener send --samples lists what there is to send")


def _list(
    known: list[dict[str, Any]],
    coming: Iterator[dict[str, Any]],
    *,
    as_json: bool,
    columns: Mapping[str, int],
) -> None:
    """Print the rows that are `known`, then those `coming` as they come."""
    if as_json:
        for row in itertools.chain(known, coming):
            screen.json_line(row)
    else:
        screen.listing(columns, [_line(row) for row in known], map(_line, coming))


def _line(row: dict[str, Any]) -> screen.Line:
    names = ("seq", "received_at", "source", "kind", "state", "order_id")
    return [row[name] for name in names], _remarks(row)


def _remarks(row: dict[str, Any]) -> list[str]:
    """What of a row wants a look, in words that have a colour."""
    said = [row["attention"]] if row["attention"] else []
    if row["conflict"]:
        said.append("conflict")
    if row["sightings"]:
        said.append(f"again ×{row['sightings']}")
    return [*said, *row["warnings"]]


def _to_come(opened: engine.Database, asked: log.Filter, head: int) -> Iterator[dict[str, Any]]:
    """The rows after `head` as they are committed, until interrupted."""
    follower = tail.Tail(opened)
    follower.start()
    try:
        while True:
            follower.wait(head, WAIT)
            with engine.read(opened) as connection:
                seen = log.head(connection)
                rows = log.page(connection, asked, after_seq=head, limit=PAGE, ascending=True)
            yield from rows
            head = rows[-1]["seq"] if len(rows) == PAGE else seen
    finally:
        follower.close()


def _show_one(opened: engine.Database, which: str, *, raw: bool, as_json: bool) -> None:
    with engine.read(opened) as connection:
        found = log.one(connection, _id_of(connection, which))
    if found is None:
        msg = f"there is no notification {which!r}"
        raise failure.CommandFailed(msg, "look for it: listener notifications --query …")
    if raw:
        if found["raw"] is None:
            msg = f"the bytes of {which} are not kept any more"
            raise failure.CommandFailed(msg, "what is left of it: the same without --raw")
        sys.stdout.buffer.write(found["raw"])
    elif as_json:
        screen.json_line(found)
    else:
        screen.fields(found)
        _explain(found["warnings"])


def _explain(names: list[str]) -> None:
    """Say what each warning means, and what to do about it."""
    for name in names:
        row = warnings.TABLE.get(name)
        if row is not None:
            screen.remark(f"{name}: {row.sentence} {row.remedy}")


def _id_of(connection: engine.Connection, which: str) -> str:
    """The id of the row that `which` names by its id or, in digits, by its seq."""
    if not (which.isascii() and which.isdigit() and len(which) < len(str(2**63))):
        return which
    rows = log.page(connection, log.Filter(), after_seq=int(which) - 1, limit=1, ascending=True)
    return str(rows[0]["id"]) if rows and rows[0]["seq"] == int(which) else which


ACTS = (acts.Act(notifications, EXAMPLES),)

"""`listener export`: all notifications of a filter into a file, read from the database itself."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from app import clock, settings
from app.cli import acts, choice, database, failure, screen, wanted
from app.notifications import forms
from app.store import engine, export as exports, log

EXAMPLES = (
    "listener export > log.ndjson",
    "listener export --format csv --source orange --output orange.csv",
    "listener export --format cloudevents --order 4711",
    "listener export --personal --output with-bodies.ndjson",
)


@wanted.filtered
def export(
    *,
    form: Annotated[
        forms.Name, choice.option(tuple(forms.Name), "FORM", "How it is written", "--format")
    ] = forms.Name.NDJSON,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A new file, instead of stdout.")
    ] = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="With the bytes, which tell of persons; audited.")
    ] = False,
    asked: log.Filter,
) -> None:
    """Write all notifications of a filter, oldest first, up to the newest there is now."""
    with database.opened(settings.load()) as opened:
        if personal:
            _audit(opened, form)
        with _target(output) as target:
            written = _write(opened, asked, forms.FORMS[form], target, personal=personal)
    screen.done(f"{written} notifications" + (f" in {output}" if output else ""))


def _write(
    opened: engine.Database,
    asked: log.Filter,
    form: forms.Form,
    target: BinaryIO,
    *,
    personal: bool,
) -> int:
    """Write what is asked for; answers how many notifications it was."""
    upto = exports.head(opened)
    written = 0

    def counted(progress: Progress) -> Iterator[list[dict[str, Any]]]:
        nonlocal written
        task = progress.add_task("", total=upto, told="")
        for rows in exports.pages(opened, asked, upto=upto, personal=personal):
            written += len(rows)
            yield rows
            progress.update(task, completed=rows[-1]["seq"], told=f"{written:,}")
        progress.update(task, completed=upto)

    with _progress() as progress:
        fields = exports.PERSONAL_FIELDS if personal else exports.FIELDS
        target.writelines(form.write(counted(progress), fields))
    return written


def _progress() -> Progress:
    """How far through the log it is, on stderr where that is a terminal."""
    columns = (BarColumn(), TextColumn("{task.fields[told]}"), TimeRemainingColumn())
    console = screen.remarks()
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextlib.contextmanager
def _target(output: Path | None) -> Iterator[BinaryIO]:
    """Where to write: stdout, or a file for its owner alone that must not be there yet."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        made = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        msg = f"cannot make {output}: {error.strerror}"
        raise failure.CommandFailed(msg, "name a new file in a folder you may write to") from error
    with os.fdopen(made, "wb") as target:
        yield target


def _audit(opened: engine.Database, form: str) -> None:
    """Say in the audit trail who took what is personal, before any of it leaves."""
    with opened.begin() as connection:
        now = clock.SystemClock().now()
        database.record(connection, "export.personal", "log", at=now, format=form)


ACTS = (acts.Act(export, EXAMPLES),)

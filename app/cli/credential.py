"""`listener credential …`: long-lived credentials of sources.

A secret is shown once, on stdout, and kept only as a hash. At most two of a type are active for a
source, so that they can be rotated without a gap.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from app import clock, runtime, settings
from app.cli import acts, choice, database, duration, failure, opening, screen
from app.security import credentials, issuing
from app.store import credentials as stored, engine

ADD_EXAMPLES = (
    "listener credential add orange --type api_key",
    "listener credential add orange --type client --label 2027 --expires 365d",
)
LIST_EXAMPLES = ("listener credential list", "listener credential list orange --json")
VOID_EXAMPLES = ("listener credential void orange",)
REVOKE_EXAMPLES = ("listener credential revoke 0199f2a4",)

Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="The source, as listener.toml names it.")
]


def add(
    source: Source,
    *,
    type_: Annotated[
        credentials.Type,
        choice.option(tuple(credentials.Type), "TYPE", "How the operator presents it", "--type"),
    ],
    label: Annotated[str | None, typer.Option(help="A word to know it by.")] = None,
    expires: Annotated[
        timedelta | None,
        typer.Option(parser=duration.parse, metavar="TIME", help="Ends after this time."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of the secret.")] = False,
) -> None:
    """Make a credential and print its secret, this once."""
    found = settings.load()
    chosen = opening.push_source(opening.configuration(found), source)
    now = clock.SystemClock().now()
    wanted = issuing.Wanted(chosen, type_.value, label, expires)
    pepper = credentials.pepper(settings.signing_secret(found))
    with database.using(runtime.open_database(found)) as opened, opened.begin() as connection:
        secret, row = issuing.issue(connection, wanted, pepper=pepper, now=now)
        database.record(connection, "credential.add", row.id, at=now, source=chosen.name)
    if as_json:
        screen.json_line({"id": row.id, "source": row.source, "type": row.type, "secret": secret})
        return
    typer.echo(secret)
    screen.done(f"credential {row.id} of {row.source}; it is not shown again")
    screen.remark(issuing.HOW[type_].format(source=row.source))
    missing = issuing.missing_entry(chosen, type_)
    if missing is not None:
        screen.remark(f"it is refused until the source {row.source} lists it: {missing}")


def listing(
    source: Annotated[
        str | None, typer.Argument(metavar="SOURCE", help="Only of this source.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line a credential.")] = False,
) -> None:
    """List credentials; a secret is never among what is shown."""
    now = clock.SystemClock().now()
    with database.opened(settings.load()) as opened, engine.read(opened) as connection:
        rows = stored.listing(connection, source)
    if as_json:
        for row in rows:
            screen.json_line({**_shown(row), "status": credentials.standing(row, now)})
        return
    if not rows:
        screen.remark("none; make one: listener credential add SOURCE --type api_key")
        return
    screen.table(
        ("id", "source", "type", "label", "status", "created_at", "expires_at"),
        (
            (
                row.id,
                row.source,
                row.type,
                row.label,
                credentials.standing(row, now),
                row.created_at,
                row.expires_at,
            )
            for row in rows
        ),
    )


def revoke(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As listener credential list shows it.")],
) -> None:
    """Revoke a credential; running listeners refuse it within 5 seconds."""
    now = clock.SystemClock().now()
    with database.opened(settings.load()) as opened, opened.begin() as connection:
        if not stored.revoke(connection, id_, now):
            msg = f"no active credential has the id {id_!r}"
            raise failure.CommandFailed(msg, "see which there are: listener credential list")
        database.record(connection, "credential.revoke", id_, at=now)
    screen.done(f"credential {id_} is revoked; running listeners refuse it within 5 seconds")


def void(
    source: Source,
) -> None:
    """Void every token of a source that was issued until now, whoever issued it.

    For a token that leaked: running listeners refuse it within 5 seconds, new ones are honoured.
    """
    found = settings.load()
    chosen = opening.push_source(opening.configuration(found), source)
    now = clock.SystemClock().now()
    with database.using(runtime.open_database(found)) as opened, opened.begin() as connection:
        stored.set_tokens_not_before(connection, chosen.name, now)
        database.record(connection, "source.void_tokens", chosen.name, at=now)
    screen.done(f"tokens of {chosen.name} issued before {now:{screen.TIME}} are void")


def _shown(row: stored.StoredCredential) -> dict[str, object]:
    return {
        "id": row.id,
        "source": row.source,
        "type": row.type,
        "label": row.label,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
    }


ACTS = (
    acts.Act(add, ADD_EXAMPLES),
    acts.Act(listing, LIST_EXAMPLES, name="list"),
    acts.Act(revoke, REVOKE_EXAMPLES),
    acts.Act(void, VOID_EXAMPLES),
)

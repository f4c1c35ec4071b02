"""`listener check`: the dry run of the configuration. It changes nothing and sends nothing.

It reads the environment, listener.toml and the database, and tells every fault it finds at once.
"""

from __future__ import annotations

from app import errors, settings, sources
from app.cli import acts, database, failure, opening, screen
from app.notifications.notification import Channel
from app.sources import base
from app.store import engine, schema

EXAMPLES = ("listener check", "LISTENER_CONFIG=new.toml listener check")


def check() -> None:
    """Read the whole configuration and tell every fault; sends nothing, changes nothing."""
    found = settings.load()
    faults = [*_configuration_faults(found), *_secret_faults(found), *_database_faults(found)]
    if faults:
        for fault in faults:
            screen.fault(fault)
        count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
        msg = f"{count} in the configuration"
        raise failure.usage(msg, "mend what is named above, then run listener check again")
    _tell(found)


def _configuration_faults(found: settings.Settings) -> list[str]:
    try:
        opening.configuration(found)
    except errors.ConfigurationError as error:
        return error.message.splitlines()
    return []


def _secret_faults(found: settings.Settings) -> list[str]:
    if found.is_sqlite() or found.secret is not None:
        return []
    return ["LISTENER_SECRET is missing; with PostgreSQL every process needs the same one"]


def _database_faults(found: settings.Settings) -> list[str]:
    if opening.missing_file(found) is not None:
        return []
    try:
        with database.using(engine.create(_only_reading(found))) as opened:
            schema.check(engine.reading(opened))
    except errors.ListenerError as error:
        return [error.message]
    return []


def _only_reading(found: settings.Settings) -> str:
    """The database's URL; over PostgreSQL's, whatever is asked can change nothing."""
    if found.is_sqlite():
        return found.url()
    joint = "&" if "?" in found.url() else "?"
    return f"{found.url()}{joint}options=-c%20default_transaction_read_only%3Don"


def _tell(found: settings.Settings) -> None:
    declared = opening.configuration(found)
    issuers = ", ".join(issuer.name for issuer in declared.issuers) or "none"
    channels = ", ".join(channel.name for channel in declared.alerts) or "none"
    screen.done(
        f"sources: {len(declared.sources)}; remote issuers: {issuers}; alert channels: {channels}"
    )
    kinds = sources.discover()
    screen.table(
        ("source", "kind", "channel", "enabled", "auth"),
        (
            (
                source.name,
                source.kind,
                kinds[source.kind].channel,
                source.enabled,
                _admitted(source) if kinds[source.kind].channel is Channel.PUSH else None,
            )
            for source in declared.sources
        ),
    )
    missing = opening.missing_file(found)
    where = opening.shown_url(found.url())
    screen.done(f"database {where}" + (" (made at the first start)" if missing else ""))


def _admitted(source: base.SourceConfig) -> str:
    """Which credentials lead to it, beside tokens of ours."""
    return ", ".join(entry.type for entry in source.auth) or "any but callback_key"


ACTS = (acts.Act(check, EXAMPLES),)

"""What a command opens before it works: settings, listener.toml, the local issuer.

Not here: the database (`database`), which takes longest to load.
"""

from __future__ import annotations

import getpass
import os
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from app import clock, settings, sources
from app.cli import failure
from app.notifications import notification as canonical
from app.security import sessions, signing
from app.sources import base

PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*@")


def configuration(found: settings.Settings) -> settings.Configuration:
    """What listener.toml declares. Raises `errors.ConfigurationError` with every fault."""
    return settings.read_configuration(found, os.environ, kinds=sources.discover())


def local_issuer(found: settings.Settings) -> signing.LocalIssuer:
    """The built-in issuer, which signs with our own secret."""
    return signing.LocalIssuer(settings.signing_secret(found), clock.SystemClock())


def url(found: settings.Settings) -> str:
    """The URL of the listener these settings serve, as seen from this machine."""
    scheme = "https" if found.tls_cert else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(found.host, found.host)  # noqa: S104 - a look-up
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{found.port}"


def sign_in_link(found: settings.Settings, scopes: Iterable[str]) -> str:
    """A link to the pages for the one at the keyboard: good for one click, within 60 seconds."""
    seal = sessions.Seal(local_issuer(found).pepper)
    user = operator().removeprefix("cli:")
    code = seal.code(clock.new_id(), user, scopes, clock.SystemClock().now())
    return f"{found.public_url or url(found)}/ui/enter?code={code}"


def program(*, everywhere: bool = False) -> str:
    """What calls this program in a shell of this folder; `everywhere`: of any folder."""
    script = Path(sys.executable).with_name("listener")
    if not script.exists():
        return f"{shlex.quote(sys.executable)} -m app"
    here = Path.cwd()
    near = not everywhere and script.is_relative_to(here)
    return shlex.quote(str(script.relative_to(here) if near else script))


def operator() -> str:
    """Who is at the keyboard, as the audit trail names them."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name
        return f"cli:{os.getuid()}"


def missing_file(found: settings.Settings) -> Path | None:
    """SQLite's file where it is not there yet, else null."""
    if not found.is_sqlite():
        return None
    path = Path(found.url().removeprefix("sqlite:///"))
    return None if path.exists() else path


def shown_url(url: str) -> str:
    """`url` with its password blotted out, to be shown."""
    return PASSWORD.sub(r"\1***@", url)


def push_source(declared: settings.Configuration, name: str | None) -> base.SourceConfig:
    """The source called `name`; without a name, `local` or the only one that pushes.

    Raises `CommandFailed` (usage) naming the sources there are.
    """
    kinds = sources.discover()
    pushing = {
        source.name: source
        for source in declared.sources
        if kinds[source.kind].channel is canonical.Channel.PUSH
    }
    names = ", ".join(sorted(pushing)) or "none"
    if name is not None:
        if name in pushing:
            return pushing[name]
        msg = f"no source that pushes is called {name!r}"
        raise failure.usage(msg, f"choose one of: {names}")
    if "local" in pushing:
        return pushing["local"]
    if len(pushing) == 1:
        return next(iter(pushing.values()))
    msg = "it is not clear which source is meant"
    raise failure.usage(msg, f"name one with --source: {names}")

"""Who is known, and what each may do: one immutable table, made anew when anything changes.

It joins what listener.toml declares with the credentials and revocations of the store. A source
with an `auth` list is reached by exactly the types it lists; without one, by any credential made
for it but a callback key, which must always be asked for. Tokens of the local issuer need no entry.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from app import errors, scopes
from app.security import credentials
from app.sources import auths, base
from app.store.stored_credential import StoredCredential

WRITES: Final = frozenset({scopes.WRITE})


class Principal(NamedTuple):
    """Who is asking: `subject` is `<auth type>:<subject>`; `source` is null for no source's."""

    source: str | None
    subject: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Held:
    """A stored credential and who presents it."""

    credential: StoredCredential
    principal: Principal


class Directory:
    """The table. Every look-up is a dictionary's, at most one HMAC besides."""

    def __init__(
        self,
        sources: Iterable[base.SourceConfig],
        stored: Iterable[StoredCredential],
        tokens_not_before: Mapping[str, datetime],
        pepper: bytes,
    ) -> None:
        self._pepper = pepper
        self.sources: Final = {source.name: source for source in sources}
        self.not_before: Final = _not_before(self.sources.values(), tokens_not_before)
        self._clients: dict[tuple[str, str], Principal] = {}
        self._keys: dict[bytes, Principal] = {}
        self._users: dict[str, tuple[bytes, Principal]] = {}
        self._held: dict[str, Held] = {}
        for source in self.sources.values():
            for entry in source.auth:
                self._declare(source.name, entry)
        for one in stored:
            self._hold(one)

    def client(self, issuer: str, client: str) -> Principal:
        """Who a remote issuer's `client` is; who is none of ours may try to write (and gets 51)."""
        known = self._clients.get((issuer, client))
        return known or Principal(source=None, subject=f"jwt:{client}", scopes=WRITES)

    def api_key(self, key: bytes, now: datetime) -> Principal:
        """Who presents `key`. Raises InvalidCredentials, ExpiredCredentials."""
        declared = self._keys.get(credentials.digest(key, self._pepper)) if self._keys else None
        return declared or self.held("api_key", key, now).principal

    def basic(self, username: str, password: bytes, now: datetime) -> Principal:
        """Who presents `username` and `password`. Raises InvalidCredentials, ExpiredCredentials."""
        declared = self._users.get(username)
        if declared is not None:
            found = credentials.digest(password, self._pepper)
            if hmac.compare_digest(found, declared[0]):
                return declared[1]
        held = self.held("basic", password, now)
        if held.credential.source != username:
            raise errors.InvalidCredentials(credentials.UNKNOWN)
        return held.principal

    def held(self, type_: str, presented: bytes, now: datetime) -> Held:
        """The stored credential of `type_` that is `presented`, and who presents it.

        Raises InvalidCredentials, ExpiredCredentials.
        """
        held = self._held.get(credentials.key_id(presented.decode("latin-1")))
        if held is None or held.credential.type != type_:
            raise errors.InvalidCredentials(credentials.UNKNOWN)
        credentials.check(presented, held.credential, pepper=self._pepper, now=now)
        return held

    def scopes_of(self, credential_id: str, now: datetime) -> frozenset[str] | None:
        """What may still be done with tokens made for a credential; null when it is withdrawn."""
        held = self._held.get(credential_id)
        if held is None or not credentials.holds(held.credential, now):
            return None
        return held.principal.scopes

    def _declare(self, source: str, entry: auths.Auth) -> None:
        match entry:
            case auths.JwtAuth():
                principal = Principal(source, f"jwt:{entry.client_id}", frozenset(entry.scopes))
                self._clients[entry.issuer, entry.client_id] = principal
            case auths.ApiKeyAuth(key=key) if key is not None:
                digest = credentials.digest(key.get_secret_value().encode(), self._pepper)
                principal = Principal(source, f"api_key:{source}", frozenset(entry.scopes))
                self._keys[digest] = principal
            case auths.BasicAuth(username=str(name), password=password) if password is not None:
                digest = credentials.digest(password.get_secret_value().encode(), self._pepper)
                principal = Principal(source, f"basic:{name}", frozenset(entry.scopes))
                self._users[name] = (digest, principal)
            case _:
                pass

    def _hold(self, one: StoredCredential) -> None:
        source = self.sources.get(one.source)
        granted = WRITES if source is None else permitted(source, one.type)
        if granted is not None:
            principal = Principal(one.source, f"{one.type}:{one.id}", granted)
            self._held[one.id] = Held(one, principal)


def permitted(source: base.SourceConfig, type_: str) -> frozenset[str] | None:
    """The scopes of a stored credential of `type_` at `source`; null where it does not hold there.

    `listener credential add` asks this before it makes one.
    """
    entries = [entry for entry in source.auth if entry.type == type_]
    if entries:
        listed = [getattr(entry, "scopes", WRITES) for entry in entries]
        return frozenset(scope for some in listed for scope in some)
    if source.auth or type_ == "callback_key":
        return None
    return WRITES


def _not_before(
    sources: Iterable[base.SourceConfig], decided: Mapping[str, datetime]
) -> dict[str, datetime]:
    """Per source the later of what the file and the store say."""
    never = datetime.min.replace(tzinfo=UTC)
    moments = {
        source.name: max(source.tokens_not_before or never, decided.get(source.name) or never)
        for source in sources
    }
    return {name: moment for name, moment in moments.items() if moment != never}


def faults(sources: Iterable[base.SourceConfig]) -> Iterator[tuple[str, str, str]]:
    """What the `auth` lists of `sources` say that cannot hold: (source, key, what is wrong).

    A credential must be whole, lead to one source, and have scopes there are. No fault tells a
    secret.
    """
    owners: dict[tuple[str, str, str], str] = {}
    for source in sources:
        for n, entry in enumerate(source.auth):
            for key, fault in _entry_faults(entry):
                yield source.name, f"auth[{n}]{key}", fault
            mark = _mark(entry)
            if mark is not None and mark in owners:
                yield source.name, f"auth[{n}]", f"the same is declared for {owners[mark]} already"
            elif mark is not None:
                owners[mark] = source.name


def _entry_faults(entry: auths.Auth) -> Iterator[tuple[str, str]]:
    """What is wrong with one entry by itself: (key within it, what)."""
    for scope in getattr(entry, "scopes", ()):
        if scope not in scopes.ALL:
            yield ".scopes", f"there is no scope {scope!r}; expected {', '.join(scopes.ALL)}"
    match entry:
        case auths.ApiKeyAuth(key=key) if key is not None and not key.get_secret_value():
            yield ".key", "is empty; leave it out to use `listener credential add`"
        case auths.BasicAuth(username=name, password=word) if name is not None or word is not None:
            if not name or word is None or not word.get_secret_value():
                yield "", "username and password are needed together, neither empty"
            elif ":" in name:
                yield ".username", "a user name has no colon (RFC 7617)"
        case _:
            pass


def _mark(entry: auths.Auth) -> tuple[str, str, str] | None:
    """What of an entry must lead to one source."""
    match entry:
        case auths.JwtAuth():
            return entry.type, entry.issuer, entry.client_id
        case auths.ApiKeyAuth(key=key) if key is not None:
            return entry.type, "", key.get_secret_value()
        case auths.BasicAuth(username=str(name)):
            return entry.type, "", name
        case _:
            return None

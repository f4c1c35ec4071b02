"""Who is it, and may it: the one place the doors ask.

Not here: what a token must look like (`jwt`), who is known (`directory`), what the refusals look
like on the wire (`doors.problems`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from app import clock as clocks, errors, scopes
from app.security import addresses, credentials, directory, jwt, oauth, rate, signing
from app.sources import base
from app.store.stored_credential import StoredCredential

Principal = directory.Principal
client_address = addresses.client_address

BEARER = "bearer"
BASIC = "basic"


class Configured(Protocol):
    """What of the configuration (`settings.Configuration`, a floor above) is needed here."""

    @property
    def issuers(self) -> tuple[signing.IssuerConfig, ...]:
        """Who may sign tokens besides ourselves."""
        ...

    @property
    def sources(self) -> tuple[base.SourceConfig, ...]:
        """The declared sources."""
        ...


class Presented(NamedTuple):
    """What a request brings along: headers as text, the key in its path, where it comes from.

    Where there are several, the callback key counts, then Authorization, then the API key.
    """

    authorization: str | None = None
    api_key: str | None = None
    callback_key: str | None = None
    remote_addr: str = ""


class Access:
    """Asked on every request. Only `authenticate` ever waits (for a remote issuer's keys).

    Sources, scopes and withdrawals are looked up each time, in a table that `refresh` and `reload`
    replace; both may be called from any thread, everything else belongs to the event loop.
    """

    def __init__(
        self, configuration: Configured, verifier: jwt.Verifier, clock: clocks.Clock
    ) -> None:
        self._verifier = verifier
        self._clock = clock
        self._lock = threading.Lock()
        self._stored: Sequence[StoredCredential] = ()
        self._states: Mapping[str, datetime] = {}
        self._sources = configuration.sources
        self._windows: dict[str, rate.Window] = {}
        self._directory = self._made()

    def refresh(
        self, stored: Sequence[StoredCredential], tokens_not_before: Mapping[str, datetime]
    ) -> None:
        """Know these credentials, and these moments per source before which tokens are void."""
        with self._lock:
            if (stored, tokens_not_before) == (self._stored, self._states):
                return
            self._stored, self._states = stored, tokens_not_before
            self._directory = self._made()

    def reload(self, configuration: Configured) -> None:
        """Know these sources and issuers from now on."""
        with self._lock:
            before = {source.name: source.rate for source in self._sources}
            self._sources = configuration.sources
            self._windows = {
                source.name: self._windows[source.name]
                for source in configuration.sources
                if source.name in self._windows and source.rate == before[source.name]
            }
            self._directory = self._made()
        self._verifier.reload(configuration.issuers)

    def authenticate_now(self, presented: Presented) -> Principal | None:
        """Who is asking, if that can be told at once; null means: ask `authenticate`."""
        try:
            return self._known(presented)
        except errors.Refused:
            return None

    async def authenticate(self, presented: Presented) -> Principal:
        """Who is asking.

        Raises NoCredentials, InvalidCredentials, ExpiredCredentials; Unavailable when the keys of
        the token's issuer cannot be had, so that nobody can tell.
        """
        known = self._known(presented)
        if known is not None:
            return known
        _, token = _scheme(presented.authorization or "")
        return self._bearer(await self._verifier.verify(token))

    def standing(self, claims: signing.Claims) -> Principal:
        """Who was let in earlier with `claims`, as things stand now.

        Raises InvalidCredentials where what they came with is withdrawn. Age is not judged here.
        """
        return self._bearer(claims)

    def require(self, principal: Principal, scope: str) -> None:
        """Raise AccessDenied unless `principal` has `scope`."""
        if scope not in principal.scopes:
            raise errors.AccessDenied(f"The credentials lack the scope {scope}.")

    def writer_source(self, principal: Principal, remote_addr: str) -> base.SourceConfig:
        """The source on whose behalf `principal` writes, once it is sure that it may, now.

        Raises, in this order, AccessDenied (scope), ForbiddenRequester (no configured source),
        ForbiddenUser (disabled, or `remote_addr` not allowed), TooManyRequests.
        """
        self.require(principal, scopes.WRITE)
        source = self._directory.sources.get(principal.source or "")
        if source is None:
            raise errors.ForbiddenRequester(f"{principal.subject} is no configured source.")
        if not source.enabled:
            raise errors.ForbiddenUser(f"The source {source.name} is disabled.")
        if not addresses.allowed(remote_addr, source.allow):
            raise errors.ForbiddenUser(f"{source.name} may not send from this address.")
        if source.rate is not None:
            self._window(source.name, source.rate).pass_one(self._clock.monotonic())
        return source

    def oauth_token(
        self, form: Mapping[str, str], authorization: str | None
    ) -> oauth.Granted | oauth.Denied:
        """Answer `POST /oauth2/token` (see `oauth.token`)."""
        return oauth.token(
            form,
            authorization,
            known=self._directory,
            local=self._verifier.local,
            clock=self._clock,
        )

    def _known(self, presented: Presented) -> Principal | None:
        """Who is asking; null when it is a token that must be verified first."""
        if presented.callback_key is not None:
            return self._held("callback_key", presented.callback_key)
        if presented.authorization:
            return self._authorized(presented.authorization)
        if presented.api_key:
            return self._directory.api_key(_bytes(presented.api_key), self._clock.now())
        raise errors.NoCredentials

    def _authorized(self, authorization: str) -> Principal | None:
        scheme, rest = _scheme(authorization)
        if scheme == BEARER:
            claims = self._verifier.cached(rest)
            return None if claims is None else self._bearer(claims)
        if scheme == BASIC:
            name, password = credentials.parse_basic(rest)
            return self._directory.basic(name, password, self._clock.now())
        raise errors.InvalidCredentials("Authorization is neither Bearer nor Basic.")

    def _held(self, type_: str, key: str) -> Principal:
        return self._directory.held(type_, _bytes(key), self._clock.now()).principal

    def _bearer(self, claims: signing.Claims) -> Principal:
        """Who a verified token speaks for, as things stand now."""
        if claims.issuer_name == signing.LINK:
            principal = Principal(None, f"ui:{claims.subject}", claims.scopes)
        elif claims.issuer_name == signing.LOCAL:
            principal = Principal(claims.source, f"jwt:{claims.subject}", self._scopes(claims))
        else:
            principal = self._directory.client(claims.issuer_name, claims.subject)
        void_before = self._directory.not_before.get(principal.source or "")
        if void_before is not None and claims.issued_at < void_before:
            raise errors.InvalidCredentials("The token has been revoked.")
        return principal

    def _scopes(self, claims: signing.Claims) -> frozenset[str]:
        if claims.credential is None:
            return claims.scopes
        left = self._directory.scopes_of(claims.credential, self._clock.now())
        if left is None:
            raise errors.InvalidCredentials("The credential the token was made for is withdrawn.")
        return claims.scopes & left

    def _window(self, name: str, most: int) -> rate.Window:
        window = self._windows.get(name)
        if window is None:
            window = self._windows[name] = rate.Window(most)
        return window

    def _made(self) -> directory.Directory:
        return directory.Directory(
            self._sources, self._stored, self._states, self._verifier.local.pepper
        )


def _scheme(authorization: str) -> tuple[str, str]:
    """The scheme in small letters, and what follows it."""
    scheme, _, rest = authorization.partition(" ")
    return scheme.lower(), rest.strip(" ")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

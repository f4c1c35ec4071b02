"""Tokens: what they must say and be signed with, and the cache of those already verified.

python-jose accepts too much by default (facts/dependencies §0.2, §7), so it is asked for one thing
only: whether this signature fits this one key under this one algorithm. Everything else is decided
here. Not here: making one (`signing`), which keys an issuer has (`jwks`), what its subject may do
(`access`).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from jose import exceptions, jws
from jose.backends.base import Key

from app import clock as clocks, errors
from app.security import jwks, signing, strict

MAX_LENGTH: Final = 8192
"""Most characters of a token."""
LEEWAY: Final = 60.0
"""Seconds by which a remote issuer's clock may differ from ours. Our own has none."""
CACHED: Final = 60.0
"""Most seconds that a verified token is believed without looking again."""
CACHE_SIZE: Final = 10_000

COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
TYPES: Final = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
FORBIDDEN: Final = frozenset({"crit", "enc", "zip", "b64"})
YEAR_10000: Final = 253402300800


class Verifier:
    """Tells what a token says, once it is sure that it may say so.

    Used from one event loop; `cached` may be called from any thread.
    """

    def __init__(
        self,
        local: signing.LocalIssuer,
        issuers: Sequence[signing.IssuerConfig],
        fetch: jwks.Fetch,
        clock: clocks.Clock,
    ) -> None:
        self.local: Final = local
        self._fetch = fetch
        self._clock = clock
        self._verified: OrderedDict[bytes, tuple[float, signing.Claims]] = OrderedDict()
        self._issuers: dict[str, tuple[signing.IssuerConfig, jwks.Keyring]] = {}
        self.reload(issuers)

    def reload(self, issuers: Sequence[signing.IssuerConfig]) -> None:
        """Use `issuers` from now on; the keys of those that stay the same are kept."""
        before = dict(self._issuers.values())
        self._issuers = {
            config.issuer: (config, before.get(config) or self._keyring(config))
            for config in issuers
        }
        self._verified.clear()

    def cached(self, token: str) -> signing.Claims | None:
        """What `token` says if it was verified within the last minute. Never blocks."""
        if len(token) > MAX_LENGTH or not token.isascii():
            return None
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is None or known[0] <= self._clock.monotonic():
            return None
        try:
            self._verified.move_to_end(digest)
        except KeyError:  # another thread dropped it just now
            return None
        return known[1]

    async def verify(self, token: str) -> signing.Claims:
        """What `token` says.

        Raises ExpiredCredentials when it is good but for its age, InvalidCredentials for any other
        fault, Unavailable when its issuer's keys cannot be had.
        """
        known = self.cached(token)
        if known is not None:
            return known
        header, claims = _parse(token)
        said = await self._said(token, header, claims)
        self._remember(token, said)
        return said

    async def _said(
        self, token: str, header: dict[str, Any], claims: dict[str, Any]
    ) -> signing.Claims:
        issuer, algorithm, kid = claims.get("iss"), header["alg"], header["kid"]
        if issuer == signing.LOCAL_ISSUER:
            if algorithm != "HS256" or kid != signing.LOCAL:
                raise _refused("it is not signed as ours are")
            _check_signature(token, self.local.key, algorithm)
            return _local_claims(claims, self._clock.now())
        found = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if found is None:
            raise _refused("its issuer is not configured here")
        config, keyring = found
        if algorithm not in config.algorithms:
            raise _refused("its algorithm is not accepted of its issuer")
        _check_signature(token, await keyring.key(kid, algorithm), algorithm)
        return _remote_claims(config, claims, self._clock.now())

    def _remember(self, token: str, said: signing.Claims) -> None:
        left = (said.expires_at - self._clock.now()).total_seconds()
        if left <= 0:
            return
        while len(self._verified) >= CACHE_SIZE:
            self._verified.popitem(last=False)
        digest = hashlib.sha256(token.encode()).digest()
        self._verified[digest] = (self._clock.monotonic() + min(left, CACHED), said)

    def _keyring(self, config: signing.IssuerConfig) -> jwks.Keyring:
        return jwks.Keyring(
            config.jwks_url,
            config.algorithms,
            fetch=self._fetch,
            clock=self._clock,
            changed=self._verified.clear,
        )


def _parse(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of `token`, nothing of them verified, the header of the right shape."""
    if len(token) > MAX_LENGTH:
        raise _refused(f"it is longer than {MAX_LENGTH} characters")
    if not COMPACT.fullmatch(token):
        raise _refused("it has not three parts in base64url")
    try:
        header, claims = (strict.document(_decode(part)) for part in token.split(".")[:2])
    except ValueError as error:
        raise _refused("its header and claims are not two JSON objects") from error
    if FORBIDDEN & header.keys():
        raise _refused("its header asks for what is not supported")
    if not isinstance(header.get("alg"), str):
        raise _refused("its header names no algorithm")
    if not isinstance(header.get("kid"), str) or not header["kid"]:
        raise _refused("its header names no key (kid)")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise _refused("its type is not JWT")
    return header, claims


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _check_signature(token: str, key: Key, algorithm: str) -> None:
    try:
        jws.verify(token, key, algorithms=[algorithm])
    except (exceptions.JOSEError, RecursionError) as error:
        raise _refused("its signature does not fit") from error


def _local_claims(claims: dict[str, Any], now: datetime) -> signing.Claims:
    _check_audience(claims, signing.LOCAL_ISSUER)
    subject, scope = _text(claims, "sub"), claims.get("scope", "")
    if not isinstance(scope, str):
        raise _refused("its scope is not text")
    source = _text(claims, "source") if "source" in claims else None
    credential = _text(claims, "credential") if "credential" in claims else None
    issued_at, expires_at = _times(claims, now, leeway=0.0)
    return signing.Claims(
        issuer_name=signing.LOCAL,
        subject=subject,
        scopes=frozenset(scope.split()),
        issued_at=issued_at,
        expires_at=expires_at,
        source=source,
        credential=credential,
    )


def _remote_claims(
    config: signing.IssuerConfig, claims: dict[str, Any], now: datetime
) -> signing.Claims:
    _check_audience(claims, config.audience)
    names = [name for name in ("client_id", "azp", "sub") if name in claims]
    if not names:
        raise _refused("it names no client (client_id, azp or sub)")
    subject, *_ = [_text(claims, name) for name in names]
    issued_at, expires_at = _times(claims, now, leeway=LEEWAY)
    return signing.Claims(
        issuer_name=config.name,
        subject=subject,
        scopes=frozenset(),
        issued_at=issued_at,
        expires_at=expires_at,
    )


def _check_audience(claims: dict[str, Any], audience: str) -> None:
    said = claims.get("aud")
    listed = [said] if isinstance(said, str) else said
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise _refused("it names no audience (aud)")
    if audience not in listed:
        raise _refused("it is meant for another audience (aud)")


def _times(claims: dict[str, Any], now: datetime, *, leeway: float) -> tuple[datetime, datetime]:
    """When it was issued and expires; the age is judged last, so that 42 means "only old"."""
    issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
    here = now.timestamp()
    if issued > here + leeway:
        raise _refused("it was issued in the future (iat)")
    if "nbf" in claims and _seconds(claims, "nbf") > here + leeway:
        raise _refused("it does not hold yet (nbf)")
    if expires + leeway <= here:
        raise errors.ExpiredCredentials
    return datetime.fromtimestamp(issued, UTC), datetime.fromtimestamp(expires, UTC)


def _seconds(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused(f"it has no {name} that is a number")
    if not 0 <= value < YEAR_10000:
        raise _refused(f"its {name} is no time")
    return float(value)


def _text(claims: dict[str, Any], name: str) -> str:
    """A name that can be kept and shown: no control characters, no half of a surrogate pair."""
    value = claims.get(name)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise _refused(f"its {name} is missing or no printable text")
    return value


def _refused(why: str) -> errors.InvalidCredentials:
    return errors.InvalidCredentials(f"The token is not valid here: {why}.")

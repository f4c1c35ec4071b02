"""The public keys of one remote issuer: read from its JWKS, kept fresh, chosen by `kid`.

Not here: what a token must look like (`jwt`), how a document is fetched (`outbound.client`).
Source: facts/dependencies §7, RFC 7517.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from jose import exceptions, jwk
from jose.backends.base import Key

from app import clock as clocks, errors, telemetry
from app.outbound import fetchable
from app.security import strict

Fetch = Callable[[str], Awaitable[bytes]]

TTL: Final = 600.0
"""Seconds after which the keys are fetched again."""
COOL_DOWN: Final = 30.0
"""Least seconds between two fetches while keys are known: what a flood of unknown kids meets."""
RETRY: Final = 5.0
"""Least seconds between two fetches while no keys are known."""
STALE: Final = 86400.0
"""Seconds that old keys hold while the issuer cannot be reached."""

RSA_BITS: Final = range(2048, 8193)
CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("x", "y")}
BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of one JWKS: by (kid, algorithm), and every kid that was named.

    A kid that names several keys is in `kids` but has no key. `members` says which keys they
    are, to notice a change.
    """

    keys: dict[tuple[str, str], Key]
    kids: frozenset[str]
    members: frozenset[tuple[str, ...]]


def read(body: bytes, algorithms: Collection[str]) -> KeySet:
    """The keys in `body` that may verify a signature of one of `algorithms`.

    Keys we have no use for (other types, `use: enc`, weak, private, without kid) are passed over.
    Raises ValueError when the document is no JWKS.
    """
    listed = strict.document(body).get("keys")
    if not isinstance(listed, list):
        raise ValueError("no JWKS: it has no list named keys")  # noqa: TRY004 - one exception for everything a stranger may send
    signing = [one for one in listed if isinstance(one, dict) and _is_for_signatures(one)]
    named = Counter(one["kid"] for one in signing)
    keys = {
        (one["kid"], algorithm): key
        for one in signing
        if named[one["kid"]] == 1
        for algorithm in algorithms
        if (key := _key(one, algorithm)) is not None
    }
    members = frozenset(
        (algorithm, kid, *(str(value) for value in key.to_dict().values()))
        for (kid, algorithm), key in keys.items()
    )
    return KeySet(keys=keys, kids=frozenset(named), members=members)


def _is_for_signatures(one: dict[str, Any]) -> bool:
    operations = one.get("key_ops", ["verify"])
    return (
        isinstance(one.get("kid"), str)
        and one.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
    )


def _key(one: dict[str, Any], algorithm: str) -> Key | None:
    """The key in `one` bound to `algorithm`; null when it does not fit or is not sound."""
    family = "EC" if algorithm in CURVES else "RSA"
    if one.get("kty") != family or one.get("alg", algorithm) != algorithm or "d" in one:
        return None
    public = {name: one.get(name) for name in MEMBERS[family]}
    if not all(isinstance(it, str) and BASE64URL.fullmatch(it) for it in public.values()):
        return None
    if family == "EC" and one.get("crv") != CURVES[algorithm]:
        return None
    if family == "RSA" and _bits(str(public["n"])) not in RSA_BITS:
        return None
    try:
        return jwk.construct({"kty": family, "crv": one.get("crv"), **public}, algorithm)
    except (exceptions.JOSEError, ValueError):
        return None


def _bits(number: str) -> int:
    padded = number + "=" * (-len(number) % 4)
    try:
        return int.from_bytes(base64.urlsafe_b64decode(padded), "big").bit_length()
    except ValueError:
        return 0


class Keyring:
    """The keys of one issuer, fetched when needed, one fetch at a time.

    They are kept for `TTL`; when the issuer cannot be reached, the old ones hold for `STALE`. A kid
    we do not know makes us look again, but not within `COOL_DOWN` of the last look. `changed` is
    called when other keys are found than before.
    """

    def __init__(
        self,
        url: str,
        algorithms: Collection[str],
        *,
        fetch: Fetch,
        clock: clocks.Clock,
        changed: Callable[[], None],
    ) -> None:
        self._url = url
        self._algorithms = tuple(algorithms)
        self._fetch = fetch
        self._clock = clock
        self._changed = changed
        self._lock = asyncio.Lock()
        self._known: KeySet | None = None
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._failed = False

    async def key(self, kid: str, algorithm: str) -> Key:
        """The one key that `kid` names, bound to `algorithm`.

        Raises InvalidCredentials when there is none or the kid is ambiguous, Unavailable when the
        issuer's keys could not be fetched, so that the token may well be good (law 1).
        """
        if self._is_due(kid):
            await self._refresh(self._clock.monotonic())
        known, age = self._known, self._clock.monotonic() - self._fetched_at
        if known is None or age > STALE:
            raise self._unavailable()
        key = known.keys.get((kid, algorithm))
        if key is not None:
            return key
        if self._failed and kid not in known.kids:
            raise self._unavailable()
        raise errors.InvalidCredentials(
            "The token names no key of its issuer that fits its algorithm."
        )

    def _is_due(self, kid: str) -> bool:
        now = self._clock.monotonic()
        if self._known is None:
            return now - self._tried_at >= RETRY
        if now - self._tried_at < COOL_DOWN:
            return False
        if kid not in self._known.kids:
            return True
        return now - self._fetched_at >= TTL and not self._lock.locked()

    async def _refresh(self, asked_at: float) -> None:
        """Fetch the keys, unless someone did while we waited for our turn."""
        async with self._lock:
            if self._tried_at >= asked_at:
                return
            try:
                found = read(await self._fetch(self._url), self._algorithms)
            except (fetchable.FetchFailed, ValueError) as error:
                self._failed = True
                telemetry.logger("security").warning("jwks_not_fetched", why=str(error))
            else:
                self._take(found)
            self._tried_at = self._clock.monotonic()

    def _take(self, found: KeySet) -> None:
        before, self._known = self._known, found
        self._failed = False
        self._fetched_at = self._clock.monotonic()
        if before is not None and before.members != found.members:
            self._changed()

    def _unavailable(self) -> errors.Unavailable:
        return errors.Unavailable(
            "The keys of the token's issuer cannot be fetched now; send the request again."
        )

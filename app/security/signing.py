"""Who issues tokens: ourselves, and the remote issuers of listener.toml; what a token says.

Not here: whether a token that is presented says so (`jwt`), and the keys of others (`jwks`).
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from jose import exceptions, jwk, jws
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app import clock as clocks, errors
from app.outbound import fetchable
from app.security import credentials
from app.sources import base

LOCAL: Final = "local"
"""The name, and the `kid`, of the issuer that is always there: ourselves."""
LINK: Final = "link"
"""The name under which somebody came by a sign-in link of the pages; never that of an issuer."""
LOCAL_ISSUER: Final = "tmf-listener"
"""`iss` and `aud` of our own tokens."""


class IssuerConfig(BaseModel):
    """One remote issuer as listener.toml declares it (`[[issuer]]`). Unknown keys are errors.

    `issuer` and `audience` are compared with `iss` and `aud` letter by letter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=base.NAME_PATTERN)
    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    jwks_url: str
    algorithms: tuple[Literal["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"], ...] = (
        "RS256",
    )

    @field_validator("name")
    @classmethod
    def _not_ours(cls, value: str) -> str:
        if value in {LOCAL, LINK}:
            raise ValueError(f"{value!r} is the built-in issuer; choose another name")
        return value

    @field_validator("issuer")
    @classmethod
    def _not_as_us(cls, value: str) -> str:
        if value == LOCAL_ISSUER:
            raise ValueError(f"{LOCAL_ISSUER!r} is the built-in issuer")
        return value

    @field_validator("algorithms")
    @classmethod
    def _some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("expected at least one")
        return value

    @field_validator("jwks_url")
    @classmethod
    def _fetchable(cls, value: str) -> str:
        try:
            return fetchable.check_url(value)
        except fetchable.FetchFailed as error:
            raise ValueError(error.message) from error


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says.

    `subject`: `sub` of our own tokens; client_id, else azp, else sub of a remote one. `scopes`,
    `source` and `credential` (the client credential it was made for) are set by our own tokens
    alone: a remote issuer has no say in them.
    """

    issuer_name: str
    subject: str
    scopes: frozenset[str]
    issued_at: datetime
    expires_at: datetime
    source: str | None = None
    credential: str | None = None


class LocalIssuer:
    """Signs our own tokens (HS256 with `secret`), and holds the one key that verifies them.

    `pepper` is the key, derived from the same secret, under which credentials are hashed.
    """

    def __init__(self, secret: bytes, clock: clocks.Clock) -> None:
        self._clock = clock
        self.pepper: Final = credentials.pepper(secret)
        try:
            self.key: Final = jwk.construct(secret, "HS256")
        except exceptions.JOSEError as error:
            msg = (
                "LISTENER_SECRET looks like a key or certificate file; "
                "it must be random text, such as `openssl rand -hex 32` prints"
            )
            raise errors.ConfigurationError(msg) from error

    def issue(
        self,
        *,
        subject: str,
        scopes: Iterable[str],
        ttl: timedelta,
        source: str | None = None,
        credential: str | None = None,
    ) -> str:
        """A token for `subject` that holds for `ttl`, less than a second short.

        `iat` is a whole second, rounded down: receivers that share the secret may differ in their
        clocks by a little, and our own tokens have no leeway.
        """
        issued = math.floor(self._clock.now().timestamp())
        claims = {
            "iss": LOCAL_ISSUER,
            "aud": LOCAL_ISSUER,
            "sub": subject,
            "jti": str(uuid.uuid4()),
            "iat": issued,
            "exp": issued + math.ceil(ttl.total_seconds()),
            "scope": " ".join(sorted(set(scopes))),
        }
        if source is not None:
            claims["source"] = source
        if credential is not None:
            claims["credential"] = credential
        return jws.sign(claims, self.key, headers={"kid": LOCAL}, algorithm="HS256")

"""Covage's logins: tokens of version 1 (`JWT`, 24 hours) and 2 (`Bearer`, 1 hour, with refresh).

The tokens are JWTs by their form, signed with a key of the sandbox's seed: they guard nothing but
the exercise. Source: facts/wire.md §5. Not here: what a role may do (`covage`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from app import clock
from app.sandbox import chance, operator, options

SCHEMES: Final[Mapping[str, str]] = {"JWT": "jwt", "Bearer": "access"}
"""The scheme of each kind of token in `Authorization`."""


class Logins:
    """Makes tokens and knows them again."""

    def __init__(
        self,
        seed: int,
        accounts: Iterable[options.Account],
        settings: options.Covage,
        time: clock.Clock,
    ) -> None:
        self._key = chance.uuid(seed, "token key").encode()
        self._accounts = tuple(accounts)
        self._lifetimes = {
            "jwt": settings.jwt_lifetime,
            "access": settings.access_lifetime,
            "refresh": settings.refresh_lifetime,
        }
        self._clock = time
        self._made = 0

    def account(self, email: object, password: object) -> options.Account | None:
        """Whose e-mail and password these are."""
        if not isinstance(email, str) or not isinstance(password, str):
            return None
        return operator.account(email, password, self._accounts)

    def token(self, kind: str, account: options.Account) -> str:
        """A token of `kind` jwt, access or refresh."""
        now = self._clock.now().timestamp()
        self._made += 1
        claims = {
            "token_type": kind,
            "email": account.name,
            "iat": int(now),
            "exp": now + self._lifetimes[kind],
            "jti": self._made,
        }
        head = _written({"alg": "HS256", "typ": "JWT"})
        return self._signed(f"{head}.{_written(claims)}")

    def holder(self, token: object, kind: str) -> options.Account | None:
        """Whose token of `kind` it is; None where it is none, another's, altered or too old."""
        if not isinstance(token, str) or token.count(".") != 2:  # noqa: PLR2004 - a JWT has three parts
            return None
        signed, _, _ = token.rpartition(".")
        if not hmac.compare_digest(self._signed(signed).encode(), token.encode()):
            return None
        claims = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "=="))
        if claims["token_type"] != kind or claims["exp"] <= self._clock.now().timestamp():
            return None
        named = (each for each in self._accounts if each.name == claims["email"])
        return next(named, None)

    def asking(self, authorization: str) -> options.Account | None:
        """Who asks, by an `Authorization` header of either version."""
        scheme, _, token = authorization.partition(" ")
        kind = SCHEMES.get(scheme)
        return self.holder(token, kind) if kind else None

    def _signed(self, text: str) -> str:
        digest = hmac.digest(self._key, text.encode(), hashlib.sha256)
        return f"{text}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _written(part: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")

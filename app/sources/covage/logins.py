"""Covage's logins: version 1 gives one token for 24 hours, version 2 two for 1 and 12 hours.

Where a token is renewed is not in the seed (~): beside where it is made, as `refresh/`.
Source: facts/wire.md §5.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pydantic import Field, SecretStr, field_validator

from app import errors
from app.sources import base, feed_config, fields

PATHS: Final = {"v1": "api/account/token/", "v2": "api/v2/account/token/"}
RENEWAL: Final = "refresh/"  # ~
LIFETIMES: Final = {"v1": timedelta(hours=24), "v2": timedelta(hours=1)}
SCHEMES: Final = {"v1": "JWT", "v2": "Bearer"}
TOKENS: Final = {"v1": "token", "v2": "access"}


class CovageLogin(feed_config.FeedConfig):
    """`url`: the host (`https://extranet.example/`); `login`: which version of it."""

    email: str = Field(min_length=1)
    password: SecretStr
    login: Literal["v1", "v2"] = "v2"

    @field_validator("write_back")
    @classmethod
    def _is_only_read(cls, value: str) -> str:
        if value != "off":
            raise ValueError('there is nothing to write back to this operator; expected "off"')
        return value


def request(feed: CovageLogin, previous: base.Grant | None) -> base.Request:
    """How to log in; with what renews `previous`, how to renew it."""
    path = PATHS[feed.login]
    if previous is not None and previous.refresh is not None:
        name = "token" if feed.login == "v1" else "refresh"
        return _post(feed, path + RENEWAL, {name: previous.refresh})
    return _post(feed, path, {"email": feed.email, "password": feed.password.get_secret_value()})


def grant(feed: CovageLogin, body: bytes, now: datetime, previous: base.Grant | None) -> base.Grant:
    """The token a login or renewal answered; what renews it goes with it."""
    said = fields.object_of(body)
    token = said.get(TOKENS[feed.login])
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise errors.SenderFault(
            f"the login's answer has no {TOKENS[feed.login]}; is `login` ({feed.login}) right?"
        )
    refresh = token if feed.login == "v1" else said.get("refresh")
    if not isinstance(refresh, str):
        refresh = previous.refresh if previous is not None else None
    return base.Grant(f"{SCHEMES[feed.login]} {token}", now + LIFETIMES[feed.login], refresh)


def _post(feed: CovageLogin, path: str, content: dict[str, Any]) -> base.Request:
    return base.Request(
        method="POST",
        url=f"{feed.url.rstrip('/')}/{path}",
        headers={"Accept": "application/json", "Content-Type": "application/json"},
        body=json.dumps(content).encode(),
        purpose="login",
    )

"""How a source proves who it is (`[[source]].auth` of listener.toml). Not here: checking it.

Source: DESIGN §7.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from app import scopes as known

_TO_WRITE = (known.WRITE,)


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JwtAuth(_Entry):
    """A token of a configured issuer whose client (client_id, azp or sub) is `client_id`."""

    type: Literal["jwt"]
    issuer: str
    client_id: str
    scopes: tuple[str, ...] = _TO_WRITE


class ApiKeyAuth(_Entry):
    """`X-API-Key`; the keys themselves are made by `listener credential add`, or given as `key`."""

    type: Literal["api_key"]
    key: SecretStr | None = None
    scopes: tuple[str, ...] = _TO_WRITE


class BasicAuth(_Entry):
    """HTTP Basic; passwords by `listener credential add`, or `username` and `password` here."""

    type: Literal["basic"]
    username: str | None = None
    password: SecretStr | None = None
    scopes: tuple[str, ...] = _TO_WRITE


class CallbackKeyAuth(_Entry):
    """A key in the callback's path, for an operator that cannot send credentials; never implied."""

    type: Literal["callback_key"]


class ClientAuth(_Entry):
    """OAuth2 client credentials: the operator fetches its token from our `POST /oauth2/token`."""

    type: Literal["client"]
    scopes: tuple[str, ...] = _TO_WRITE


Auth = Annotated[
    JwtAuth | ApiKeyAuth | BasicAuth | CallbackKeyAuth | ClientAuth, Field(discriminator="type")
]

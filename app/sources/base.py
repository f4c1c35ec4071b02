"""What every kind of source offers (`SourceKind`) and how one source is configured (`SourceConfig`).

Not here: any operator's words (its folder), the store, the network. Source: DESIGN §7, §13.
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Protocol
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from app.notifications import notification as canonical

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JwtAuth(_Entry):
    """A token of a configured issuer whose client (client_id, azp or sub) is `client_id`."""

    type: Literal["jwt"]
    issuer: str
    client_id: str
    scopes: tuple[str, ...] = ("notifications:write",)


class ApiKeyAuth(_Entry):
    """`X-API-Key`; the keys themselves are made by `listener credential add`, or given as `key`."""

    type: Literal["api_key"]
    key: SecretStr | None = None
    scopes: tuple[str, ...] = ("notifications:write",)


class BasicAuth(_Entry):
    """HTTP Basic; passwords by `listener credential add`, or `username` and `password` here."""

    type: Literal["basic"]
    username: str | None = None
    password: SecretStr | None = None
    scopes: tuple[str, ...] = ("notifications:write",)


class CallbackKeyAuth(_Entry):
    """A key in the callback's path, for an operator that cannot send credentials. Off by default."""

    type: Literal["callback_key"]


class ClientAuth(_Entry):
    """OAuth2 client credentials: the operator fetches its token from our `POST /oauth2/token`."""

    type: Literal["client"]
    scopes: tuple[str, ...] = ("notifications:write",)


Auth = Annotated[
    JwtAuth | ApiKeyAuth | BasicAuth | CallbackKeyAuth | ClientAuth, Field(discriminator="type")
]


class SourceConfig(_Entry):
    """One operator as listener.toml declares it (`[[source]]`). Unknown keys are errors.

    `zone`: IANA name for times without one. `allow`: networks the source may send from (empty =
    any). `rate`: most requests a minute, per process (null = no limit). `accept`: kinds it may
    send (null = all). `success_status`: overrides the status the path requires (200–299).
    """

    name: str = Field(pattern=NAME_PATTERN)
    kind: str = "tmf"
    enabled: bool = True
    auth: tuple[Auth, ...] = ()
    zone: str | None = None
    strict: bool = False
    unknown_event_types: Literal["refuse", "store"] = "refuse"
    accept: frozenset[canonical.Kind] | None = None
    event_id_unique: bool = True
    success_status: int | None = Field(default=None, ge=200, le=299)
    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    rate: int | None = Field(default=None, gt=0)
    tokens_not_before: datetime | None = None

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str | None) -> str | None:
        if value is not None:
            ZoneInfo(value)
        return value

    def reading(self, *, max_depth: int) -> canonical.Reading:
        """How bodies of this source are read."""
        return canonical.Reading(
            zone=ZoneInfo(self.zone) if self.zone else None,
            strict=self.strict,
            unknown_event_types=self.unknown_event_types,
            max_depth=max_depth,
            accept=self.accept,
        )


class SourceKind(Protocol):
    """One way of speaking: a folder under `sources/` whose `__init__` has `KIND = …` of this shape."""

    name: str
    title: str
    channel: canonical.Channel

    def parse(
        self, arrival: canonical.Arrival
    ) -> canonical.Notification | canonical.Refusal:
        """Read one body. Bad input is a `Refusal`, never an exception."""
        ...

"""Where alerts are told (`[[alert]]` of listener.toml): a webhook or mail, of what, from whom.

Not here: telling (`alerts`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from app.outbound import guard
from app.sources import base, feed_config

Severity = Literal["alarm", "buyer_action", "follow_up", "silent", "trouble"]
SEVERITIES: Final[tuple[Severity, ...]] = (
    "alarm",
    "buyer_action",
    "follow_up",
    "silent",
    "trouble",
)
"""What is told of a source: open attention of these sorts, silent orders, trouble with itself."""


class Webhook(BaseModel):
    """`url` is posted to; it may hold a key and is never shown. `secret` signs what is posted.

    `allow_private`: its host may have a private address, though it is named by a name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(repr=False)
    secret: SecretStr | None = None
    allow_private: bool = False

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if urlsplit(value).scheme not in {"http", "https"} or not guard.host_of(value):
            raise ValueError("expected a URL such as https://hooks.example/listener")
        if value.startswith("http:") and not guard.is_loopback(value):
            raise ValueError("must be https:// (http:// only towards this machine)")
        return value


class Mail(BaseModel):
    """A server that takes mail, who it is from, who gets it.

    `tls`: `starttls` (port 587), `tls` from the first byte (465), `none` only towards this machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: feed_config.Host
    port: int = Field(default=587, ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    sender: str = Field(alias="from", pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$")
    to: tuple[str, ...] = Field(min_length=1, max_length=50)

    @field_validator("to")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            name, at, host = one.partition("@")
            if not (name and at and host and one.isprintable()) or set(one) & set(" <>,;"):
                raise ValueError("expected addresses such as ops@example.org")
        return value

    @model_validator(mode="after")
    def _guarded(self) -> Mail:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password are needed together")
        if self.tls == "none" and not guard.is_loopback(f"smtp://{self.host}"):
            raise ValueError("tls may be none only towards this machine")
        return self


class AlertConfig(BaseModel):
    """One place to tell alerts (`[[alert]]`): a webhook or mail. Unknown keys are errors.

    `sources`: of these (null: all). `severities`: of these sorts. `after`: trouble with a feed is
    told once it lasts so long.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=base.NAME_PATTERN)
    webhook: Webhook | None = None
    mail: Mail | None = None
    sources: frozenset[str] | None = None
    severities: frozenset[Severity] = frozenset(SEVERITIES)
    after: feed_config.Span = timedelta(minutes=5)

    @model_validator(mode="after")
    def _one_of_them(self) -> AlertConfig:
        if (self.webhook is None) == (self.mail is None):
            raise ValueError("expected either webhook = { url = … } or mail = { host = … }")
        return self

    def shown(self) -> dict[str, Any]:
        """It without anything that is secret: a webhook's URL may be a key."""
        webhook, mail = self.webhook, self.mail
        host = guard.host_of(webhook.url) if webhook is not None else mail.host if mail else ""
        return {
            "name": self.name,
            "type": "webhook" if webhook is not None else "mail",
            "host": host,
            "sources": None if self.sources is None else sorted(self.sources),
            "severities": sorted(self.severities),
            "after_seconds": self.after.total_seconds(),
        }

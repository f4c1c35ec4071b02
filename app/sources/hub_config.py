"""How an operator's hub is configured (`[[source]].hub` of listener.toml): where we subscribe.

Not here: the forms of a subscription (`notifications.hub`), keeping it alive
(`feeds.registration`). Source: DESIGN §10, facts/wire.md §1.3, §2.5.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator, model_validator

from app.outbound import guard
from app.sources import feed_config


class HubConfig(BaseModel):
    """`url`: the hub itself (`https://operator.example/nbi/api/v4/hub`). Unknown keys are errors.

    `form`: how it takes subscriptions. `query`: which events (`eventType = A, B`); null: all.
    `username` and `password` (Basic) or `token` (Bearer) are shown to the hub. `every`: how often
    it is asked whether the subscription still stands. `allow_private`: it may have a private
    address, though `url` names it by a name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    form: Literal["onap", "tmf622_2015", "tmf622_v4", "tmf622_v5", "tmf641_v3", "tmf641_v4"] = (
        "tmf622_v4"
    )
    query: str | None = None
    username: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    every: feed_config.Span = timedelta(minutes=10)
    allow_private: bool = False

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        return feed_config.operator_url(value)

    @model_validator(mode="after")
    def _one_way_in(self) -> HubConfig:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password are needed together")
        if self.token is not None and self.username is not None:
            raise ValueError("give either a token, or username and password")
        if self.every < timedelta(seconds=10) and not guard.is_loopback(self.url):
            raise ValueError('every is less than a hub should be asked; expected at least "10s"')
        return self

"""Telling one message to one channel, by webhook or mail; what went wrong in words without secrets.

Not here: what is to be told (`messages`), when (`following`).
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Final

from app import channels
from app.alerts import messages
from app.outbound import exchange, failures, guard, mail
from app.runtime import Runtime
from app.security import signature

DEADLINE: Final = 15.0
"""Seconds for a webhook to answer."""

ANSWER: Final = 64 * 1024
"""The most bytes of its answer that are read."""


@dataclass(frozen=True, slots=True)
class _Post:
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    method: str = "POST"
    changes_state: bool = True


class Teller:
    """Tells the channels of a process. Close it when done."""

    def __init__(self, runtime: Runtime, trust: ssl.SSLContext) -> None:
        self._runtime = runtime
        self._trust = trust
        self._clients: dict[channels.Webhook, exchange.Client] = {}

    async def aclose(self) -> None:
        """End the connections that are kept."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def tell(self, channel: channels.AlertConfig, message: messages.Message) -> None:
        """Tell `message` to `channel`. Raises `failures.ExchangeFailed`."""
        public_url = self._runtime.settings.public_url
        link = None if public_url is None else f"{public_url}/ui"
        if channel.webhook is not None:
            await self._post(channel.webhook, message, messages.document(message, link))
        elif channel.mail is not None:
            by = channel.mail
            made = messages.mail(message, sender=by.sender, to=by.to, link=link)
            await asyncio.to_thread(mail.send, _server(by), made, self._trust)

    async def _post(
        self, webhook: channels.Webhook, message: messages.Message, body: bytes
    ) -> None:
        headers = {"Content-Type": "application/json", "webhook-id": message.id}
        if webhook.secret is not None:
            at = int(self._runtime.clock.now().timestamp())
            secret = webhook.secret.get_secret_value()
            headers |= signature.headers(secret, message.id, at, body)
        client = self._client(webhook)
        try:
            request = _Post(webhook.url, headers, body)
            with await client.send(request, limit=ANSWER, deadline=DEADLINE) as answer:
                answer.check()
        except failures.ExchangeFailed as error:
            raise _nameless(error, webhook.url) from None

    def _client(self, webhook: channels.Webhook) -> exchange.Client:
        found = self._clients.get(webhook)
        if found is None:
            policy = guard.policy([webhook.url], allow_private=webhook.allow_private)
            agent = f"tmf-listener/{self._runtime.version}"
            found = exchange.Client(policy, self._trust, agent=agent)
            self._clients[webhook] = found
        return found


def _server(by: channels.Mail) -> mail.Server:
    password = None if by.password is None else by.password.get_secret_value()
    return mail.Server(by.host, by.port, by.tls, by.username, password)


def _nameless(error: failures.ExchangeFailed, url: str) -> failures.ExchangeFailed:
    """`error` without the URL's path, which may be a key (law 9)."""
    place = f"the webhook at {guard.host_of(url)}"
    told = error.message.replace(exchange.shown(url), place)
    if isinstance(error, failures.Redirected):
        told = f"{place} points to another place, which is not followed"
    if isinstance(error, failures.Refused):
        return type(error)(told, status=error.status, retry_after=error.retry_after)
    return type(error)(told)

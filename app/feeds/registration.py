"""Our subscriptions at operators' hubs: made, kept alive, ended; by one replica at a time.

A hub that forgot us is subscribed to again; one that cannot be asked is told once a day anew, and
understands that as a duplicate. For an operator that shows no credentials the callback holds a key
of its own, made anew with every subscription and kept here as a hash only.
"""

from __future__ import annotations

import base64
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar
from urllib.parse import quote

from app import errors, loop, telemetry
from app.feeds import trouble
from app.notifications import event_types, hub as forms
from app.outbound import exchange, failures, guard
from app.runtime import Runtime
from app.security import credentials
from app.sources import base, hub_config
from app.store import credentials as stored, engine, hubs, leases, pages

LEASE: Final = "hubs"
IDLE: Final = 60.0
WITHOUT_LEASE: Final = 5.0
"""Seconds between two looks: at what is due, and at whether this process is the one to look."""

TOLD_ANEW: Final = timedelta(days=1)
"""How often a hub that cannot be asked is told anew."""

LIMIT: Final = 1024 * 1024
DEADLINE: Final = 30.0
CALLBACK_KEY: Final = "callback_key"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Callback:
    """Where the operator is to post; `credential` is the key's row where there is one."""

    url: str
    credential: stored.StoredCredential | None


class Registrar:
    """Keeps all subscriptions of this installation. `fence` tells the lease as it is held now."""

    def __init__(
        self,
        runtime: Runtime,
        trust: ssl.SSLContext,
        fence: Callable[[], leases.Fence | None],
        chance: random.Random,
    ) -> None:
        self._runtime = runtime
        self._trust = trust
        self._fence = fence
        self._chance = chance
        self._log = telemetry.logger("hubs")

    async def turn(self) -> float:
        """Do what is due; gives the seconds until the next look. Raises `errors.Unavailable`."""
        if self._fence() is None:
            return WITHOUT_LEASE
        now = self._runtime.clock.now()
        try:
            for one in await loop.in_thread(self._listing):
                if one.due_at <= now:
                    await self._do(one)
        except pages.StaleFence:
            return WITHOUT_LEASE
        return IDLE

    def _listing(self) -> list[hubs.Registration]:
        with engine.read(self._runtime.engine) as connection:
            return hubs.listing(connection)

    async def _do(self, one: hubs.Registration) -> None:
        try:
            source, hub = self._configured(one)
            await self._at(_Hub(self._runtime, hub, self._trust), source, one)
        except (failures.ExchangeFailed, errors.ConfigurationError, errors.SenderFault) as error:
            rest = trouble.rest(error, one.failures + 1, self._chance)
            due = self._runtime.clock.now() + timedelta(seconds=rest)
            state = "failing" if one.state in {"wanted", "failing"} else one.state
            await self._change(
                one, state=state, due_at=due, failures=one.failures + 1, error=str(error)
            )
            self._log.error("hub_failed", source=one.source, reason=str(error))

    def _configured(self, one: hubs.Registration) -> tuple[base.SourceConfig, hub_config.HubConfig]:
        """The source and its hub. Raises `errors.ConfigurationError` where they are no more."""
        source = self._runtime.source(one.source)
        if source is None or source.hub is None:
            raise errors.ConfigurationError(f"{one.source} has no hub in listener.toml any more")
        return source, source.hub

    async def _at(self, hub: _Hub, source: base.SourceConfig, one: hubs.Registration) -> None:
        try:
            if one.state == "unwanted":
                await self._end(hub, one)
            elif one.state != "registered" or not await self._stands(hub, one):
                await self._subscribe(hub, source, one)
        finally:
            await hub.close()

    async def _stands(self, hub: _Hub, one: hubs.Registration) -> bool:
        """Whether the hub still has us; one that cannot be asked is believed for a day."""
        now = self._runtime.clock.now()
        stands = await hub.has(one.remote_id)
        if stands is None:
            stands = one.registered_at is not None and now - one.registered_at < TOLD_ANEW
        if stands:
            due = now + hub.every
            await self._change(one, checked_at=now, due_at=due, failures=0, error=None)
        else:
            self._log.warning("hub_forgot_us", source=one.source)
        return stands

    async def _subscribe(
        self, hub: _Hub, source: base.SourceConfig, one: hubs.Registration
    ) -> None:
        callback = self._callback(source)
        if callback.credential is not None:
            await self._admit(callback.credential)
        remote_id = await hub.subscribe(callback.url)
        now = self._runtime.clock.now()
        made = callback.credential.id if callback.credential is not None else None

        def write(connection: engine.Connection) -> None:
            if one.credential_id is not None and one.credential_id != made:
                stored.revoke(connection, one.credential_id, now)
            hubs.change(
                connection,
                one.source,
                state="registered",
                remote_id=remote_id,
                credential_id=made,
                registered_at=now,
                checked_at=now,
                due_at=now + hub.every,
                failures=0,
                error=None,
            )

        await self._write(write)
        if one.remote_id not in (None, remote_id):
            await hub.end(one.remote_id)
        self._log.info("hub_registered", source=one.source, form=hub.form)

    async def _end(self, hub: _Hub, one: hubs.Registration) -> None:
        if one.remote_id is not None:
            await hub.end(one.remote_id)
        now = self._runtime.clock.now()

        def write(connection: engine.Connection) -> None:
            if one.credential_id is not None:
                stored.revoke(connection, one.credential_id, now)
            hubs.forget(connection, one.source)

        await self._write(write)
        self._log.info("hub_unregistered", source=one.source)

    def _callback(self, source: base.SourceConfig) -> Callback:
        """Where `source` is to post. Raises `errors.ConfigurationError` without a public URL."""
        public = self._runtime.settings.public_url
        if public is None:
            raise errors.ConfigurationError(
                "LISTENER_PUBLIC_URL is missing: a hub must be told where to post"
            )
        if all(entry.type != CALLBACK_KEY for entry in source.auth):
            return Callback(f"{public}{event_types.SHARED_PATH}", None)
        shown, row = credentials.make(
            source.name,
            CALLBACK_KEY,
            pepper=self._runtime.local_issuer.pepper,
            now=self._runtime.clock.now(),
            label="hub",
        )
        return Callback(f"{public}{event_types.keyed_path(shown)}", row)

    async def _admit(self, row: stored.StoredCredential) -> None:
        """Let the key in before the hub is told of it: the first event may come at once.

        Older ones of hubs give way, all but the one in use.
        """

        def write(connection: engine.Connection) -> None:
            used = {one.credential_id for one in hubs.listing(connection)}
            for other in stored.active(connection):
                ours = (other.source, other.type, other.label) == (row.source, row.type, row.label)
                if ours and other.id not in used:
                    stored.revoke(connection, other.id, row.created_at)
            credentials.check_room(stored.active(connection), row.source, row.type, row.created_at)
            stored.add(connection, row)

        try:
            await self._write(write)
        except errors.Conflict as error:
            raise errors.ConfigurationError(error.message) from error
        await loop.in_thread(self._runtime.refresh_access)

    async def _change(self, one: hubs.Registration, **values: object) -> None:
        await self._write(lambda connection: hubs.change(connection, one.source, **values))

    async def _write(self, job: Callable[[engine.Connection], Result]) -> Result:
        fence = self._fence()
        if fence is None:
            raise pages.StaleFence
        return await self._runtime.write(job, under=fence)


class _Hub:
    """One operator's hub. Each method raises `failures.ExchangeFailed`, `errors.SenderFault`."""

    def __init__(self, runtime: Runtime, hub: hub_config.HubConfig, trust: ssl.SSLContext) -> None:
        self.form = hub.form
        self.every = hub.every
        self._hub = hub
        policy = guard.policy([hub.url], allow_private=hub.allow_private)
        self._client = exchange.Client(policy, trust, agent=f"tmf-listener/{runtime.version}")

    async def close(self) -> None:
        """End its connections."""
        await self._client.aclose()

    async def subscribe(self, callback: str) -> str | None:
        """Subscribe `callback`; gives the subscription's id, null where the hub does not tell."""
        request = self._request(
            "POST", "", forms.body(self._hub.form, callback, self._hub.query), changes_state=True
        )
        with await self._client.send(request, limit=LIMIT, deadline=DEADLINE) as answer:
            told = forms.answered(answer.status, answer.headers, answer.read())
            match told:
                case forms.Subscribed(id=id_):
                    return id_
                case forms.Known():
                    known = await self._listed(callback)
                    if known is None and answer.status != forms.DUPLICATE:
                        answer.check()
                    return known
                case forms.Refused(message=message):
                    try:
                        answer.check()
                    except failures.Refused as refused:
                        refused.add_note(message)
                        raise
                    raise errors.SenderFault(f"the hub answered {answer.status}: {message}")

    async def has(self, remote_id: str | None) -> bool | None:
        """Whether the hub has the subscription; null where it cannot be asked.

        TM Forum's hubs need not be: one that knows no such place and has no list tells nothing.
        """
        if remote_id is None:
            return None
        request = self._request("GET", f"/{quote(remote_id, safe='')}")
        with await self._client.send(request, limit=LIMIT, deadline=DEADLINE) as answer:
            if answer.status in forms.UNASKABLE:
                return None
            if answer.status not in forms.GONE:
                answer.check()
                return True
        listed = await self._list()
        return None if listed is None else forms.lists(listed, remote_id)

    async def end(self, remote_id: str) -> None:
        """End the subscription; one that is not there any more has ended."""
        request = self._request("DELETE", f"/{quote(remote_id, safe='')}", changes_state=True)
        with await self._client.send(request, limit=LIMIT, deadline=DEADLINE) as answer:
            if answer.status not in forms.GONE:
                answer.check()

    async def _listed(self, callback: str) -> str | None:
        listed = await self._list()
        return None if listed is None else forms.of_callback(listed, callback)

    async def _list(self) -> bytes | None:
        """What the hub has, as it tells it; null where it does not."""
        request = self._request("GET", "")
        with await self._client.send(request, limit=LIMIT, deadline=DEADLINE) as answer:
            return answer.read() if answer.status in forms.ACCEPTED else None

    def _request(
        self, method: str, path: str, body: bytes | None = None, *, changes_state: bool = False
    ) -> base.Request:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._hub.token is not None:
            headers["Authorization"] = f"Bearer {self._hub.token.get_secret_value()}"
        elif self._hub.password is not None:
            both = f"{self._hub.username}:{self._hub.password.get_secret_value()}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(both).decode()}"
        url = f"{self._hub.url.rstrip('/')}{path}"
        return base.Request(method, url, headers, body, changes_state, purpose="hub")

"""Fetching the files that events point to, at once: their links live for minutes only.

A link that is too old is asked for anew. Not here: where files are kept (`store.files`).
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Final

from app import errors, loop, telemetry
from app.feeds import session as sessions, trouble
from app.outbound import exchange, failures
from app.runtime import Runtime
from app.sources import base
from app.store import engine, files, telling

LIMIT: Final = 32 * 1024**2
ENTRY_LIMIT: Final = 16 * 1024**2
DEADLINE: Final = 120.0
"""Bytes and seconds of a file; bytes of the event that links to it."""

MOST: Final = 20
"""Attempts after which a file has failed."""

IDLE: Final = 3600.0
EVENT: Final = "event"


class Fetcher:
    """Fetches the files of `source`. Fetching one twice does no harm: there is no fence."""

    def __init__(
        self,
        runtime: Runtime,
        source: base.SourceConfig,
        kind: base.PullKind,
        session: sessions.Session,
        client: exchange.Client,
    ) -> None:
        self._runtime = runtime
        self._source = source
        self._kind = kind
        self._session = session
        self._client = client
        self._chance = random.Random()  # noqa: S311 - jitter, not a secret
        self._log = telemetry.logger("feeds").bind(feed=source.name)

    async def turn(self) -> float:
        """Fetch what is due, until nothing is; gives the seconds until something will be.

        Raises `errors.Unavailable`.
        """
        while True:
            wanted = await loop.in_thread(self._wanted)
            now = self._runtime.clock.now()
            due = [file for file in wanted if file.due_at <= now]
            if not due:
                rests = [(file.due_at - now).total_seconds() for file in wanted]
                return min(rests, default=IDLE)
            for file in due:
                await self._do(file)

    def _wanted(self) -> list[files.File]:
        with engine.read(self._runtime.engine) as connection:
            return files.wanted(connection, self._source.name, 10)

    async def _do(self, file: files.File) -> None:
        try:
            body, content_type = await self._fetched(file)
        except (failures.ExchangeFailed, errors.SenderFault, errors.Refused) as error:
            await self._failed(file, error)
            return
        at = self._runtime.clock.now()

        def write(connection: engine.Connection) -> None:
            files.store(connection, file.id, body, content_type, at)

        await self._runtime.write(write)
        self._log.info("file_stored", file=file.id, bytes=len(body))

    async def _fetched(self, file: files.File) -> tuple[bytes, str | None]:
        """The file's bytes: by the link it came with if that still holds, else by a fresh one."""
        if file.attempts == 0:
            raw = await loop.in_thread(self._raw, file.notification_id)
            link = self._link(raw, file)
            if link is not None:
                try:
                    return await self._get(link)
                except failures.Refused:
                    pass  # its token is over
        link = self._link(await self._event(file), file)
        if link is None:
            raise errors.SenderFault("the event does not link to this file any more")
        return await self._get(link)

    def _raw(self, notification_id: str) -> bytes:
        with engine.read(self._runtime.engine) as connection:
            told = telling.by_id(connection, notification_id)
        return told.raw if told is not None else b""

    def _link(self, body: bytes, file: files.File) -> str | None:
        links = self._kind.files(body) if body else ()
        return next((link.url for link in links if link.label == file.label), None)

    async def _event(self, file: files.File) -> bytes:
        """The event anew, as its operator tells it now."""
        feed, event = self._source.feed, file.event_id or ""
        answer = await self._session.ask(
            lambda grant: self._kind.entry_request(feed, EVENT, event, grant),
            limit=ENTRY_LIMIT,
            deadline=DEADLINE,
        )
        with answer:
            answer.check()
            return self._kind.read_entry(feed, answer.read(), EVENT, event).body

    async def _get(self, link: str) -> tuple[bytes, str | None]:
        """The bytes behind `link`, asked for without any login: its token is all it needs."""
        request = base.Request("GET", link, {}, purpose="file")
        with await self._client.send(request, limit=LIMIT, deadline=DEADLINE) as answer:
            answer.check()
            return answer.read(), answer.content_type

    async def _failed(self, file: files.File, error: errors.ListenerError) -> None:
        over = file.attempts + 1 >= MOST or isinstance(error, failures.Blocked | failures.TooLarge)
        rest = trouble.rest(error, file.attempts + 1, self._chance)
        due = None if over else self._runtime.clock.now() + timedelta(seconds=rest)

        def write(connection: engine.Connection) -> None:
            files.failed(connection, file.id, str(error), due)

        await self._runtime.write(write)
        self._log.error("file_failed", file=file.id, reason=str(error), over=over)

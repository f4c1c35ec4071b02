"""Load for the law tests: connections that post unique notifications and note what was promised."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests import serving

Body = Callable[[str], bytes]


def state_change(event_id: str, *, state: str = "InProgress", order_id: str | None = None) -> bytes:
    """A small TMF622 2015 state change with this event id."""
    return json.dumps(
        {
            "eventId": event_id,
            "eventTime": "2026-11-20T16:42:25+01:00",
            "eventType": "orderStateChangeNotification",
            "event": {"productOrder": {"id": order_id or f"PO-{event_id}", "state": state}},
        }
    ).encode()


@dataclass
class Load:
    """Posts until `stop` is set; reconnects when a connection breaks.

    `acked`: event ids answered 201. `statuses`: how often each status came. `broken`: requests
    whose connection ended without an answer, though it had answered before; `unaccepted`: those
    on a connection that never answered.
    """

    ports: Sequence[int]
    connections: int = 16
    body: Body = state_change
    acked: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    unaccepted: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Keep posting on every connection, each to one of the ports."""
        bearer = serving.token()
        await asyncio.gather(
            *(
                self._connection(self.ports[n % len(self.ports)], bearer)
                for n in range(self.connections)
            )
        )

    async def until(self, enough: Callable[[Load], bool], *, deadline: float = 60.0) -> None:
        """Wait until `enough(self)`; raises `TimeoutError` after `deadline` seconds."""
        async with asyncio.timeout(deadline):
            while not enough(self):  # noqa: ASYNC110 - a condition, looked at until it holds
                await asyncio.sleep(0.01)

    async def _connection(self, port: int, bearer: str) -> None:
        while not self.stop.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            answered = False
            try:
                while not self.stop.is_set() and await self._post(reader, writer, bearer):
                    answered = True
            except (OSError, asyncio.IncompleteReadError):
                self.broken += answered
                self.unaccepted += not answered
            finally:
                writer.close()

    async def _post(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bearer: str
    ) -> bool:
        event_id = uuid.uuid4().hex
        body = self.body(event_id)
        head = (
            f"POST {serving.PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {bearer}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        status = int(answer[9:12])
        self.statuses[status] += 1
        if status == 201:
            self.acked.append(event_id)
        return b"connection: close" not in answer

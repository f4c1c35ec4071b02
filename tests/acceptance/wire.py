"""HTTP by hand, over a real socket: what no polite client would send, and answers read exactly.

    with wire.Connection(port) as line:
        line.send(wire.post(body, bearer=token))
        answer = line.answer()

Not here: who may send what (the tests), starting the server (`tests.serving`).
"""

from __future__ import annotations

import json
import select
import socket
from dataclasses import dataclass
from typing import Any, Self

from tests import serving

JSON = "application/json;charset=utf-8"
PATIENCE = 30.0
"""Seconds an answer may take."""


@dataclass(frozen=True)
class Answer:
    """One answer: its status, its headers by small names in their order, its body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The header of this small name; several are joined by commas."""
        found = [value for given, value in self.headers if given == name]
        return ", ".join(found) if found else None

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> int | None:
        """The code of an ErrorRepresentation; null for what is none."""
        if self.status < 400:
            return None
        return int(self.json()["code"])


def request(
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    headers: dict[str, str | None] | None = None,
    bearer: str | None = None,
    version: str = "1.1",
) -> bytes:
    """A whole request. A header of null is left out; Content-Length is that of `body`."""
    usual: dict[str, str | None] = {"Host": "127.0.0.1"}
    if bearer is not None:
        usual["Authorization"] = f"Bearer {bearer}"
    if body is not None:
        usual |= {"Content-Type": JSON, "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/{version}"]
    lines += [f"{n}: {v}" for n, v in (usual | (headers or {})).items() if v is not None]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def post(
    body: bytes,
    *,
    path: str = serving.PATH,
    headers: dict[str, str | None] | None = None,
    bearer: str | None = None,
    version: str = "1.1",
) -> bytes:
    """A POST of `body`, as the source `local` unless `bearer` says otherwise."""
    return request(
        "POST", path, body, headers=headers, bearer=bearer or serving.token(), version=version
    )


class Connection:
    """One TCP connection to 127.0.0.1:`port`."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        self._socket.sendall(data)

    def finish(self) -> None:
        """Say that nothing more will be sent, and go on listening."""
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self, *, informational: bool = False) -> Answer:
        """The next answer; those of 1xx are passed over unless `informational`."""
        while True:
            head = self._until(b"\r\n\r\n").decode("latin-1")
            first, *lines = head.split("\r\n")
            status = int(first.split(" ", 2)[1])
            pairs = [line.partition(":")[::2] for line in lines if line]
            headers = [(name.lower(), value.strip()) for name, value in pairs]
            if status >= 200 or informational:
                return Answer(status, headers, self._body(status, dict(headers)))

    def is_answered(self, *, within: float) -> bool:
        """Whether something of an answer is there; waits for it, but no more than these seconds."""
        return bool(self._received) or bool(select.select([self._socket], [], [], within)[0])

    def is_closed(self) -> bool:
        """Whether the server hung up; waits for it."""
        try:
            return self._received == b"" and self._socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _body(self, status: int, headers: dict[str, str]) -> bytes:
        if status < 200 or status == 204:
            return b""
        return self._exactly(int(headers["content-length"]))

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._received:
            self._read()
        found, _, self._received = self._received.partition(mark)
        return found

    def _exactly(self, length: int) -> bytes:
        while len(self._received) < length:
            self._read()
        found, self._received = self._received[:length], self._received[length:]
        return found

    def _read(self) -> None:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise ConnectionError(f"the server hung up after {self._received!r}")
        self._received += chunk


def exchange(port: int, data: bytes) -> Answer:
    """Send `data` on a connection of its own and read one answer."""
    with Connection(port) as line:
        line.send(data)
        return line.answer()

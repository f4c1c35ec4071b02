import shutil

import pytest

from tests.web import inside


@pytest.fixture
async def door(database_url, tmp_path):
    """The application on a database of the test's own, on either engine."""
    async with inside.opened(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
async def shared(sqlite_template, tmp_path_factory):
    """One application for all tests of a module that change nothing."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copyfile(sqlite_template, folder / "listener.db")
    async with inside.opened(f"sqlite:///{folder / 'listener.db'}", folder) as opened:
        yield opened

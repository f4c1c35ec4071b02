"""One calm sandbox that tests share which only read."""

from __future__ import annotations

import pytest

from tests.sandbox import serving


@pytest.fixture(scope="session")
def calm():
    with serving.sandbox() as served:
        yield served

"""What the law tests share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.store import engine, schema


@pytest.fixture
def migrate() -> Callable[[str], None]:
    """Bring the database at a URL to our schema."""

    def upgrade(url: str) -> None:
        made = engine.create(url)
        schema.upgrade(made)
        made.dispose()

    return upgrade

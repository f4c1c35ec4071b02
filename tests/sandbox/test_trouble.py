"""Cutting a connection needs the server's hand on it."""

from __future__ import annotations

import pytest

from app.sandbox import trouble


async def test_a_connection_out_of_reach_is_said_to_be():
    async def wrapped(_message):
        raise AssertionError

    with pytest.raises(trouble.Severed, match="uvicorn"):
        await trouble.hang_up(wrapped, wrapped)

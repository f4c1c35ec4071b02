"""Reads of the database in threads that are waited for, also where the turn that asked is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar, cast

Result = TypeVar("Result")


class Reads:
    """The reads of one loop, one at a time."""

    def __init__(self) -> None:
        self._under_way: asyncio.Future[Any] | None = None

    async def of(self, look: Callable[[], Result]) -> Result:
        """What `look` finds, in a thread."""
        self._under_way = asyncio.ensure_future(asyncio.to_thread(look))
        return cast("Result", await asyncio.shield(self._under_way))

    async def aclose(self) -> None:
        """Let what is being read come to its end."""
        if self._under_way is not None:
            await asyncio.gather(self._under_way, return_exceptions=True)

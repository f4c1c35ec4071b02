"""An operator's own truth about what it was told: how often each call was really executed.

What it published it keeps itself (`Operator.published`), in the form it needs anyway.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any


class Journal:
    """Counts executions of the calls that change an operator's state."""

    def __init__(self) -> None:
        self._executions: Counter[tuple[str, str, str]] = Counter()

    def executed(self, call: str, about: str, arguments: Mapping[str, Any]) -> None:
        """Call `call` about the order (or callback) `about` was carried out with `arguments`."""
        told = json.dumps(arguments, sort_keys=True, ensure_ascii=False)
        self._executions[call, about, told] += 1

    def executions(self) -> list[dict[str, Any]]:
        """`[{call, about, arguments, count}]` in the order of first execution."""
        return [
            {"call": call, "about": about, "arguments": json.loads(told), "count": count}
            for (call, about, told), count in self._executions.items()
        ]

"""How the admin interface answers: JSON that is not kept by anyone between.

Times are given out as RFC 3339 with Z and 6 decimals (DESIGN §13).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import pydantic_core
from starlette.responses import Response

from app.notifications.notification import rfc3339

HEADERS: Final = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}


def give(document: Any, *, status: int = 200) -> Response:
    """`document` (dicts, lists, datetimes) as JSON."""
    content = pydantic_core.to_json(_plain(document), inf_nan_mode="strings")
    return Response(content, status, media_type="application/json", headers=HEADERS)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return rfc3339(value)
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value

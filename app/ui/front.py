"""The bare address, as who has just come types it into a browser: it leads to the pages."""

from __future__ import annotations

from starlette.responses import Response

from app.ui import shell

router = shell.router("", open_to_all=True)


@router.get("/")
def lead_in() -> Response:
    """Go on to the first page."""
    return shell.go(shell.HOME)

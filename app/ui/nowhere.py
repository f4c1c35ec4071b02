"""Every other address under `/ui`: a page that says so. Mounted last."""

from __future__ import annotations

from app import errors
from app.ui import shell

router = shell.router("/ui", open_to_all=True)


@router.get("/{rest:path}")
def nowhere(rest: str) -> None:
    """Raises `errors.NotFound`."""
    raise errors.NotFound(f"There is no page /ui/{rest[:80]}.")

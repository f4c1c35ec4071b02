"""The admin interface (JSON): what was received, what was refused, and how the sources fare."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from app.web.admin import audit, notifications, quarantine, search, sources, stats

routers: Final[tuple[APIRouter, ...]] = (
    notifications.router,
    search.router,
    quarantine.router,
    sources.router,
    stats.router,
    audit.router,
)

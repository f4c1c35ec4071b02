"""The admin interface (JSON): what was received and refused, how sources and feeds fare."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from app.web.admin import (
    alerts,
    attention,
    audit,
    commands,
    expected,
    export,
    feeds,
    jobs,
    notifications,
    orders,
    personal,
    quarantine,
    search,
    sources,
    stats,
)

routers: Final[tuple[APIRouter, ...]] = (
    notifications.router,
    search.router,
    orders.router,
    export.router,
    quarantine.router,
    sources.router,
    feeds.router,
    jobs.router,
    commands.router,
    personal.router,
    stats.router,
    attention.router,
    alerts.router,
    expected.router,
    audit.router,
)

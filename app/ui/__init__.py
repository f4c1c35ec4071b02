"""The ops pages under `/ui`: server-rendered, readable without a script, in reach of a keyboard.

One module a page; `shell` renders, `visit` knows who is looking. Not here: SQL (`store`), what an
act does (`doors.acts`), JSON (`web`).
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from app.ui import (
    alerts,
    attention,
    clearings,
    commands,
    credentials,
    entrance,
    export,
    feeds,
    front,
    notifications,
    nowhere,
    orders,
    overview,
    quarantine,
    rewinds,
    shell,
    sources,
    statics,
    trail,
)

HOME: Final = shell.HOME
refused: Final = shell.refused
routers: Final[tuple[APIRouter, ...]] = (
    statics.router,
    front.router,
    entrance.router,
    overview.router,
    notifications.router,
    export.router,
    orders.router,
    attention.router,
    clearings.router,
    quarantine.router,
    feeds.router,
    rewinds.router,
    commands.router,
    sources.router,
    credentials.router,
    alerts.router,
    trail.router,
    nowhere.router,
)

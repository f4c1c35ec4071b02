"""`create_app(settings)`: the doors put together.

Not here: the loops behind them (`behind`), building the long-lived objects (`runtime`), the process
around it (`server`).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import behind, runtime as runtimes, settings as config, ui
from app.doors import bodies, live, problems
from app.web import admin, contract, health, listener, oauth


def create_app(settings: config.Settings, *, work: bool = False) -> FastAPI:
    """The application; `work`: it does in its own process what else is done beside it.

    Raises `errors.ConfigurationError` where it cannot serve.
    """
    runtime = runtimes.build(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with contextlib.closing(runtime):
            runtime.start()
            async with behind.working(runtime) if work else contextlib.nullcontext():
                yield

    app = FastAPI(
        title="tmf-listener",
        version=runtime.version,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.runtime = runtime
    app.state.live = live.Live(runtime.tail)
    for router in (health.router, oauth.router, contract.router, *admin.routers, *ui.routers):
        app.include_router(router)
    app.add_middleware(bodies.Bounds, deadline=settings.body_deadline)
    app.add_middleware(listener.ListenerDoor, runtime=runtime)
    problems.install(app, {ui.HOME: ui.refused})
    return app

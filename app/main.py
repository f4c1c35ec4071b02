"""`create_app(settings)`: the doors put together; `working(runtime)`: the loops behind them.

Not here: building the long-lived objects (`runtime`), the process around it (`server`).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from app import (
    alerts,
    clearing,
    feeds as polling,
    projector,
    runtime as runtimes,
    settings as config,
    ui,
)
from app.doors import live, problems
from app.web import admin, contract, health, listener, oauth


@asynccontextmanager
async def working(runtime: runtimes.Runtime, *, feeds: bool = True) -> AsyncIterator[None]:
    """Keep the orders, tell alerts and ask operators (`feeds`) while inside.

    `runtime` is started. Several processes share the work.
    """
    async with AsyncExitStack() as ending:
        ending.push_async_callback(projector.stop, await projector.start(runtime))
        ending.push_async_callback(alerts.stop, await alerts.start(runtime))
        ending.push_async_callback(clearing.stop, await clearing.start(runtime))
        if feeds:
            ending.push_async_callback(polling.stop, await polling.start(runtime))
        yield


def create_app(settings: config.Settings, *, work: bool = False) -> FastAPI:
    """The application; `work`: it does in its own process what else is done beside it.

    Raises `errors.ConfigurationError` where it cannot serve.
    """
    runtime = runtimes.build(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with contextlib.closing(runtime):
            runtime.start()
            async with working(runtime) if work else contextlib.nullcontext():
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
    app.add_middleware(listener.ListenerDoor, runtime=runtime)
    problems.install(app, {ui.HOME: ui.refused})
    return app

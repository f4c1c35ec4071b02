"""`create_app(settings)`: the FastAPI application with its doors and its loops, over one `Runtime`.

Not here: building the long-lived objects (`runtime`), the process around it (`server`).
"""

from __future__ import annotations

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


def create_app(settings: config.Settings, *, feeds: bool = True) -> FastAPI:
    """The application; `feeds`: it asks operators too, as far as no other replica does.

    Raises `errors.ConfigurationError` where it cannot serve.
    """
    runtime = runtimes.build(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as ending:
            ending.callback(runtime.close)
            runtime.start()
            ending.push_async_callback(projector.stop, await projector.start(runtime))
            ending.push_async_callback(alerts.stop, await alerts.start(runtime))
            ending.push_async_callback(clearing.stop, await clearing.start(runtime))
            if feeds:
                ending.push_async_callback(polling.stop, await polling.start(runtime))
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

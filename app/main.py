"""`create_app(settings)`: the FastAPI application with its doors, over one `Runtime`.

Not here: building the long-lived objects (`runtime`), the process around it (`server`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import runtime as runtimes, settings as config
from app.doors import problems
from app.web import admin, contract, health, listener, oauth


def create_app(settings: config.Settings) -> FastAPI:
    """The application. Raises `errors.ConfigurationError` where it cannot serve."""
    runtime = runtimes.build(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        runtime.start()
        try:
            yield
        finally:
            runtime.close()

    app = FastAPI(
        title="tmf-listener",
        version=runtime.version,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.runtime = runtime
    for router in (health.router, oauth.router, contract.router, *admin.routers):
        app.include_router(router)
    app.add_middleware(listener.ListenerDoor, runtime=runtime)
    problems.install(app)
    return app

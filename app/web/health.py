"""Is the process alive, does it take notifications, and what Prometheus asks. Open to anyone."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from app import errors
from app.doors import deps
from app.store import engine, stats
from app.telemetry import Sample

router = APIRouter()


@router.get("/healthz")
def healthz(runtime: deps.The) -> Response:
    """The process is alive; nothing else is asked."""
    return JSONResponse({"status": "alive", "version": runtime.version})


@router.get("/readyz")
def readyz(runtime: deps.The) -> Response:
    """The process takes notifications: the database answers, and it is not stopping (else 503/5).

    `trouble` names what does not stop it but wants a look.
    """
    if runtime.draining:
        raise errors.Unavailable("the process is stopping")
    with engine.read(runtime.engine) as connection:
        full = stats.full_quarantines(connection)
    trouble = [f"the quarantine of {source} is full" for source in full]
    return JSONResponse({"status": "ready", "version": runtime.version, "trouble": trouble})


@router.get("/metrics")
def metrics(runtime: deps.The) -> Response:
    """What was counted, and what the store says now, for Prometheus."""
    with engine.read(runtime.engine) as connection:
        gauges = stats.gauges(connection)
    samples = [Sample(gauge.name, gauge.meaning, gauge.labels, gauge.value) for gauge in gauges]
    text, content_type = runtime.metrics.render(samples)
    return Response(text, headers={"content-type": content_type})

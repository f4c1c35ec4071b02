"""Sources as pages: who may tell us, how much each told, and a sample to try it with."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app import errors, sources as speakers
from app.doors import acts, deps, paging
from app.intake import receipt
from app.notifications import notification as canonical
from app.runtime import Runtime
from app.sources import base
from app.store import credentials, engine, stats
from app.ui import shell, visit

HERE = "/ui/sources"

router = shell.router(HERE)


@router.get("")
def listing(request: Request, runtime: deps.The, _: deps.Nothing) -> Response:
    """Every source of the configuration in force."""
    with engine.read(runtime.engine) as connection:
        counts = stats.counts(connection)["by_source"]
    return shell.render(
        request,
        "sources.html",
        items=runtime.configuration.sources,
        kinds=runtime.kinds,
        counts=counts,
    )


@router.get("/{name}")
def one(request: Request, runtime: deps.The, name: paging.Identifier, _: deps.Nothing) -> Response:
    """One source: its credentials, and samples to send. Raises `errors.NotFound`."""
    source = _source(runtime, name)
    pushes = runtime.kinds[source.kind].channel is canonical.Channel.PUSH
    with engine.read(runtime.engine) as connection:
        held = credentials.listing(connection, name)
    return shell.render(
        request,
        "source.html",
        source=source,
        kind=runtime.kinds[source.kind],
        held=held,
        samples=speakers.samples(source.kind) if pushes else [],
    )


@router.post("/{name}/sample")
async def sample(
    request: Request, runtime: deps.The, seen_by: visit.Admin, name: paging.Identifier
) -> Response:
    """Take in a shipped sample as if the source had sent it. Raises `errors.NotFound`."""
    source = _source(runtime, name)
    wanted = (await request.form()).get("sample")
    found = next((one for one in speakers.samples(source.kind) if one.name == wanted), None)
    if found is None or not found.path:
        raise errors.NotFound("there is no such sample to send")
    arrival = canonical.Arrival(
        id=runtime.new_id(),
        source=name,
        channel=canonical.Channel.PUSH,
        body=found.body,
        content_type="application/json",
        received_at=runtime.clock.now(),
        principal=seen_by.who.subject,
        event_name=found.event_name,
        flavour=found.flavour if found.event_name else None,
        reading=runtime.reading(source),
    )
    outcome = await runtime.intake.accept(arrival, source)
    match outcome:
        case receipt.Quarantined():
            return shell.go(f"/ui/quarantine/{outcome.id}", "It was refused.", tone="wait")
        case receipt.Appended() | receipt.Repeated() | receipt.Conflicted():
            word = "It came before: counted as a sighting."
            new = isinstance(outcome, receipt.Appended)
            return shell.go(f"/ui/notifications/{outcome.id}", "Taken in." if new else word)


@router.post("/{name}/revoke")
async def revoke(
    request: Request, runtime: deps.The, seen_by: visit.Admin, name: paging.Identifier
) -> Response:
    """Revoke one of its credentials."""
    id_ = str((await request.form()).get("credential", ""))
    done = await acts.revoke(runtime, name, id_, by=seen_by.who.subject)
    word = f"{id_} is revoked." if done else "It is revoked already, or none of this source."
    return shell.go(f"{HERE}/{name}", word, tone="good" if done else "wait")


def _source(runtime: Runtime, name: str) -> base.SourceConfig:
    source = runtime.source(name)
    if source is None:
        raise errors.NotFound(f"there is no source {name}")
    return source

"""Sources as pages: who may tell us, how much each told, and a sample to try it with."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app import errors, sources as speakers
from app.doors import acts, deps, paging
from app.intake import receipt
from app.notifications import event_types, notification as canonical
from app.store import engine, stats
from app.ui import credentials, shell, visit

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
    source = acts.source(runtime, name)
    pushes = runtime.kinds[source.kind].channel is canonical.Channel.PUSH
    return shell.render(
        request,
        "source.html",
        source=source,
        kind=runtime.kinds[source.kind],
        pushes=pushes,
        url=shell.own_url(runtime),
        listener_path=event_types.SHARED_PATH,
        samples=speakers.samples(source.kind) if pushes else [],
        **credentials.told(runtime, source),
    )


@router.post("/{name}/sample")
async def sample(
    request: Request, runtime: deps.The, seen_by: visit.Admin, name: paging.Identifier
) -> Response:
    """Take in a shipped sample as if the source had sent it. Raises `errors.NotFound`."""
    source = acts.source(runtime, name)
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

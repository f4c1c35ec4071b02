"""`Runtime`: everything that lives as long as the process, built once, typed, closed once.

The composition root. Not here: what any of it does.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from app import errors, intake as intakes, settings as config, telemetry
from app.clock import Clock, SystemClock, new_id
from app.notifications import notification as canonical
from app.outbound import client
from app.security import access, jwt, signing
from app.sources import base, discover
from app.store import (
    credentials,
    engine as engines,
    leases,
    pages,
    schema,
    silence,
    tail,
    writer,
)

Result = TypeVar("Result")


@dataclass(slots=True)
class Runtime:
    """What the doors and loops share. `draining` is set once, when the process begins to stop."""

    settings: config.Settings
    configuration: config.Configuration
    engine: engines.Database
    writer: writer.Writer
    tail: tail.Tail
    intake: intakes.Intake
    kinds: Mapping[str, base.SourceKind]
    access: access.Access
    verifier: jwt.Verifier
    local_issuer: signing.LocalIssuer
    metrics: telemetry.Metrics
    arrivals: telemetry.ArrivalLog
    clock: Clock
    version: str
    new_id: Callable[[], str] = new_id
    draining: bool = False
    drain: asyncio.Event = field(default_factory=asyncio.Event)
    _readings: dict[str, canonical.Reading] = field(default_factory=dict)
    _refreshing: threading.Lock = field(default_factory=threading.Lock)

    def reading(self, source: base.SourceConfig) -> canonical.Reading:
        """How bodies of `source` are read, with today's configuration and limits."""
        found = self._readings.get(source.name)
        if found is None:
            found = source.reading(max_depth=self.settings.max_depth)
            self._readings[source.name] = found
        return found

    def reload(self) -> None:
        """Read listener.toml again (SIGHUP). A bad file keeps the old configuration.

        Raises `errors.ConfigurationError` that says what is wrong with the new one.
        """
        self.configuration = config.read_configuration(self.settings, os.environ, kinds=self.kinds)
        self.access.reload(self.configuration)
        self._readings.clear()
        self.refresh_access()

    def refresh_access(self) -> None:
        """Look up credentials and revocations again: at start and whenever the tail wakes.

        One at a time, so that nobody puts back what somebody else has seen withdrawn.
        """
        with self._refreshing, engines.read(self.engine) as connection:
            self.access.refresh(
                credentials.active(connection), credentials.source_states(connection)
            )

    def source(self, name: str) -> base.SourceConfig | None:
        """The source of this name in the configuration in force."""
        return next((one for one in self.configuration.sources if one.name == name), None)

    def patience(self, connection: engines.Connection) -> dict[tuple[str, str], timedelta]:
        """By source and state, how long an order may be silent (`silence.patience`)."""
        configured = {one.name: one.stuck_after for one in self.configuration.sources}
        return silence.patience(connection, configured)

    async def write(
        self, act: Callable[[engines.Connection], Result], *, under: leases.Fence | None = None
    ) -> Result:
        """What `act` gives, done by the writer in a transaction (`writer.Writer.run`).

        `under`: the lease it needs. Raises `pages.StaleFence` where another process has that now,
        `errors.Unavailable` where the database is away: nothing was written.
        """

        def fenced(connection: engines.Connection) -> Result:
            if under is not None and leases.check(connection, [under]):
                raise pages.StaleFence
            return act(connection)

        return await asyncio.wrap_future(self.writer.run(fenced))

    def start(self) -> None:
        """Start the writer and the tail. Raises `errors.ConfigurationError` for an old schema."""
        self.refresh_access()
        self.writer.start()
        self.tail.on_wake(self.refresh_access)
        self.tail.start()

    def close(self) -> None:
        """Commit what waits, then let go of everything. Safe to call twice."""
        self.writer.close()
        self.tail.close()
        engines.dispose(self.engine)


def build(settings: config.Settings, clock: Clock | None = None) -> Runtime:
    """Build a runtime; nothing is started and nothing but the secret and the schema is written.

    SQLite is migrated here; PostgreSQL must be migrated already. Raises
    `errors.ConfigurationError` where the configuration or the schema is not usable.
    """
    clock = clock or SystemClock()
    kinds = discover()
    configuration = config.read_configuration(settings, os.environ, kinds=kinds)
    local = signing.LocalIssuer(config.signing_secret(settings), clock)
    engine = open_database(settings)
    verifier = jwt.Verifier(local, configuration.issuers, client.fetch_json, clock)
    metrics = telemetry.Metrics()
    follower = tail.Tail(engine)
    log_writer = writer.Writer(
        engine,
        intakes.decide,
        observer=metrics,
        nudge=follower.nudge,
        queue_units=settings.queue_units,
        queue_bytes=settings.queue_bytes,
    )
    metrics.watch_queue(log_writer.queued)
    return Runtime(
        settings=settings,
        configuration=configuration,
        engine=engine,
        writer=log_writer,
        tail=follower,
        intake=intakes.Intake(log_writer, kinds),
        kinds=kinds,
        access=access.Access(configuration, verifier, clock),
        verifier=verifier,
        local_issuer=local,
        metrics=metrics,
        arrivals=telemetry.ArrivalLog(settings.log_level, settings.log_format),
        clock=clock,
        version=importlib.metadata.version("tmf-listener"),
    )


def open_database(settings: config.Settings) -> engines.Database:
    """The engine on a schema that fits: SQLite migrates by itself, PostgreSQL is only checked.

    Raises `errors.ConfigurationError` (old schema: names `listener db upgrade`).
    """
    engine = engines.create(settings.url())
    try:
        if settings.is_sqlite():
            schema.upgrade(engine)
        else:
            schema.check(engine)
    except BaseException:
        engines.dispose(engine)
        raise
    return engine


def reload(runtime: Runtime) -> None:
    """Read listener.toml again, and say how it went: a bad one keeps the old."""
    log = telemetry.logger("server")
    try:
        runtime.reload()
    except errors.ListenerError as error:
        log.error("reload_refused", reason=error.message, kept="the configuration in force")  # noqa: TRY400 - the message says it all
    else:
        log.info("reloaded", sources=len(runtime.configuration.sources))

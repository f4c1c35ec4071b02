"""`/admin/sources`: who is configured, where each posts to, and what came of it. No secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from app.doors import deps
from app.notifications import event_types
from app.notifications.notification import Channel
from app.runtime import Runtime
from app.sources import base
from app.store import engine, stats
from app.web.admin import answers

KEYED_PATH = event_types.keyed_path("{key}")

router = APIRouter(prefix="/admin/sources", dependencies=deps.READS)


@router.get("")
def listing(runtime: deps.The, _: deps.Nothing) -> Response:
    """Every source of the configuration in force, in its order."""
    with engine.read(runtime.engine) as connection:
        counts = stats.counts(connection)
    items = [
        _told(runtime, source, counts["by_source"]) for source in runtime.configuration.sources
    ]
    return answers.give({"items": items})


def _told(
    runtime: Runtime, source: base.SourceConfig, notifications: Mapping[str, int]
) -> dict[str, Any]:
    kind = runtime.kinds[source.kind]
    auth = sorted({entry.type for entry in source.auth})
    return {
        "name": source.name,
        "kind": source.kind,
        "title": kind.title,
        "channel": kind.channel,
        "enabled": source.enabled,
        "auth": auth,
        "accept": None if source.accept is None else sorted(source.accept),
        "strict": source.strict,
        "unknown_event_types": source.unknown_event_types,
        "success_status": source.success_status,
        "paths": paths(keyed="callback_key" in auth) if kind.channel is Channel.PUSH else [],
        "notifications": notifications.get(source.name, 0),
    }


def paths(*, keyed: bool) -> list[str]:
    """Where a source that pushes may POST to; `keyed`: by a key in the path, too."""
    named = [
        f"{mount.prefix}/{event}" for mount in event_types.MOUNTS.values() for event in mount.events
    ]
    return [event_types.SHARED_PATH, *([KEYED_PATH] if keyed else []), *named]

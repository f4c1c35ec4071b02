"""What we tell ourselves: a notification of ours where a chain failed and a person must look."""

from __future__ import annotations

import json
from typing import Final

from app import loop
from app.notifications import notification as canonical
from app.runtime import Runtime
from app.sources import base
from app.store import commands, engine, telling

EVENT_TYPE: Final = "follow_up"


async def is_due(runtime: Runtime, command: commands.Command) -> bool:
    """Whether a note is due: not on what itself follows on a note of ours, or there is no end."""

    def read() -> canonical.Notification | None:
        with engine.read(runtime.engine) as connection:
            return telling.by_id(connection, command.follows or "")

    told = await loop.in_thread(read)
    return told is None or told.event_type != EVENT_TYPE


async def follow_up(
    runtime: Runtime, source: base.SourceConfig, command: commands.Command, reason: str
) -> None:
    """Note in the log that `command` failed for `reason` and its order needs a person (DESIGN §13).

    Raises `errors.Unavailable`; done again, it is a repeat.
    """
    words = {"message": f"{command.command} failed: {reason}", "command_id": command.id}
    now = runtime.clock.now()
    await runtime.intake.note(
        canonical.Notification(
            id=runtime.new_id(),
            source=source.name,
            channel=canonical.Channel.PULL,
            flavour=canonical.Flavour(source.kind),
            event_id=f"follow_up:{command.id}",
            event_type=EVENT_TYPE,
            kind=canonical.Kind.NOTE,
            resource_type=canonical.ResourceType.ORDER,
            order_id=command.order_id,
            attention=canonical.Attention.FOLLOW_UP,
            origin=canonical.Origin.SELF,
            occurred_at=now,
            received_at=now,
            principal=command.asked_by,
            summary=words,
            content_type="application/json",
            raw=json.dumps(words, ensure_ascii=False).encode(),
        )
    )

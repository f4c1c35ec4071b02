"""How an operator SPEAKS: one folder a kind, found by discovery. No I/O: bytes to notifications.

A kind is a package here whose `__init__` has `KIND`; its `samples/` hold one body a file, named
`<flavour>.<event name>[.<variant>].json`: what is posted, or of a kind that is asked one entry of
an answer. Samples are product: the command line sends them, the UI and the contract show them.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from importlib import resources

from app.notifications import event_types, notification as canonical
from app.sources import base


@dataclass(frozen=True, slots=True)
class Sample:
    """A body one can send, or an entry one can be answered.

    `path`: where it is posted to (empty for an entry); `event_name`: the last segment of a TM Forum
    path (null on the shared listener path and for an entry); `variant`: the deviation or the word
    it shows, if any.
    """

    name: str
    flavour: canonical.Flavour
    event: str
    variant: str | None
    event_name: str | None
    path: str
    body: bytes


def discover() -> dict[str, base.SourceKind]:
    """Every kind by its name: the packages of this folder that have a `KIND`."""
    kinds: dict[str, base.SourceKind] = {}
    for found in pkgutil.iter_modules(__path__):
        if not found.ispkg:
            continue
        kind = getattr(importlib.import_module(f"{__name__}.{found.name}"), "KIND", None)
        if kind is not None:
            kinds[kind.name] = kind
    return kinds


def samples(kind: str) -> list[Sample]:
    """The samples of the kind named `kind`, by their file names."""
    asked = discover()[kind].channel is canonical.Channel.PULL
    folder = resources.files(f"{__name__}.{kind}") / "samples"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".json")),
        key=lambda file: file.name,
    )
    return [
        _sample(file.name.removesuffix(".json"), file.read_bytes(), asked=asked) for file in files
    ]


def _sample(name: str, body: bytes, *, asked: bool) -> Sample:
    flavour_name, event, *variant = name.split(".", 2)
    flavour = canonical.Flavour(flavour_name)
    mount = event_types.MOUNTS.get(flavour)
    on_path = mount is not None and event in mount.events
    path = f"{mount.prefix}/{event}" if mount and on_path else event_types.SHARED_PATH
    return Sample(
        name=name,
        flavour=flavour,
        event=event,
        variant=variant[0] if variant else None,
        event_name=event if on_path else None,
        path="" if asked else path,
        body=body,
    )

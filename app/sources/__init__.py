"""How an operator SPEAKS: one folder a kind, found by discovery. No I/O: bytes to notifications.

A kind is a package here whose `__init__` has `KIND`; its `samples/` hold one body a file, named
`<flavour>.<event name>[.<variant>].json`. Samples are product: the command line sends them, the UI
and the contract show them.
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
    """A body one can send.

    `path`: where it is posted to; `event_name`: the last segment of a TM Forum path (null on the
    shared listener path); `variant`: the deviation it shows, if any.
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
    folder = resources.files(f"{__name__}.{kind}") / "samples"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".json")),
        key=lambda file: file.name,
    )
    return [_sample(file.name.removesuffix(".json"), file.read_bytes()) for file in files]


def _sample(name: str, body: bytes) -> Sample:
    flavour_name, event, *variant = name.split(".", 2)
    flavour = canonical.Flavour(flavour_name)
    mount = event_types.MOUNTS.get(flavour)
    on_path = mount is not None and event in mount.events
    return Sample(
        name=name,
        flavour=flavour,
        event=event,
        variant=variant[0] if variant else None,
        event_name=event if on_path else None,
        path=f"{mount.prefix}/{event}" if mount and on_path else event_types.SHARED_PATH,
        body=body,
    )

"""The samples the kinds ship: product, for `send` sends them and `serve` greets with one."""

from __future__ import annotations

from importlib import resources

from app import sources


def by_name() -> dict[str, bytes]:
    """Every shipped sample: its name (`tmf622_2015.orderCreationNotification`) and its bytes."""
    return {
        name: body for kind in sorted(sources.discover()) for name, body in of_kind(kind).items()
    }


def of_kind(kind: str) -> dict[str, bytes]:
    """The samples of one kind, in the order of their names."""
    folder = resources.files("app.sources") / kind / "samples"
    return {
        file.name.removesuffix(".json"): file.read_bytes()
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".json")
    }

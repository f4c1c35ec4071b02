"""`listener openapi`: the contract this listener keeps, as served at /openapi.json and /docs."""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLES = ("listener openapi > listener.yaml", "listener openapi --json | jq .paths")


def openapi(
    *, as_json: Annotated[bool, typer.Option("--json", help="JSON instead of YAML.")] = False
) -> None:
    """Print the contract: what is accepted, and every answer (OpenAPI 3.1)."""
    from app.web import contract  # noqa: PLC0415 - FastAPI is slow to load; only this needs it

    typer.echo(contract.as_json() if as_json else contract.text().encode())

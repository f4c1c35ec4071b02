"""`listener openapi`: the contract this listener keeps, as served at /openapi.json and /docs."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli import acts
from app.web import contract

EXAMPLES = ("listener openapi > listener.yaml", "listener openapi --json | jq .paths")


def openapi(
    *, as_json: Annotated[bool, typer.Option("--json", help="JSON instead of YAML.")] = False
) -> None:
    """Print the contract: what is accepted, and every answer (OpenAPI 3.1)."""
    typer.echo(contract.as_json() if as_json else contract.text().encode())


ACTS = (acts.Act(openapi, EXAMPLES),)

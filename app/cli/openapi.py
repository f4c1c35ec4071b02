"""`listener openapi`: the contract this listener keeps, as served at /openapi.json."""

from __future__ import annotations

EXAMPLES = ("listener openapi > listener.json",)

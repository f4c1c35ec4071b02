"""openapi/listener.yaml is the contract: it is valid, it is what is served, and it is kept."""

import json
import math
from pathlib import Path

import httpx
import jsonschema
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode

from app import sources
from app.notifications import event_types
from app.web import contract

FILE = Path(__file__).parents[2] / "openapi" / "listener.yaml"

schema = schemathesis.openapi.from_dict(contract.document())
schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])

bounded = settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@schema.parametrize()
@bounded
def test_every_answer_is_one_of_the_contract(case, server, bearer):
    case.call_and_validate(base_url=server.url, headers=bearer)

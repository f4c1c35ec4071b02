"""Asking a server in tests: posts, reads and acts with the right token."""

import itertools
import json
import os
from dataclasses import dataclass

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from app.web import contract as contracts
from tests import serving

READ = ("notifications:read",)
ADMIN = ("admin", "notifications:read")
NUMBERS = itertools.count(1)


@dataclass
class Asking:
    """One server; every answer is an `httpx.Response`."""

    server: serving.Listener

    def get(self, path, *, scopes=READ, headers=None, **parameters):
        return self._ask("GET", path, scopes, headers, params=parameters or None)

    def act(self, path, document=None, *, scopes=ADMIN):
        content = None if document is None else json.dumps(document)
        headers = {} if document is None else {"Content-Type": "application/json"}
        return self._ask("POST", path, scopes, headers, content=content)

    def post(self, body, *, source="local", path=serving.PATH, **headers):
        return self.server.post(
            body, path=path, headers=headers, bearer=serving.token(source=source)
        )

    def told(self, **changes):
        """Post a state change that no other test has; gives its body and its row in the log."""
        event_id = changes.setdefault("eventId", unique("event"))
        body = json.dumps(state_change(**changes)).encode()
        answer = self.post(body, source=changes.get("source", "local"))
        assert answer.status_code == 201, answer.text
        rows = self.get("/admin/notifications", event_id=event_id, limit=1).json()["items"]
        return body, rows[0]

    def refused(self, body, *, source="local"):
        """Post a body that is refused; gives the id of its row in quarantine."""
        answer = self.post(body, source=source)
        assert answer.status_code in {400, 422}, answer.text
        return answer.json()["referenceError"]

    def _ask(self, method, path, scopes, headers, **more):
        sent = dict(headers or {})
        if scopes is not None:
            sent["Authorization"] = f"Bearer {serving.token(source=None, scopes=scopes)}"
        url = f"{self.server.url}{path}"
        return httpx.request(method, url, headers=sent, timeout=30, **more)


def unique(word):
    """A text no other test of this run uses, in this process or another."""
    return f"{word}-{os.getpid()}-{next(NUMBERS)}"


def state_change(*, eventId, order=None, state="InProgress", externalId=None, **_):  # noqa: N803
    """orderStateChangeNotification of 2015."""
    told = {"id": order or unique("order"), "state": state}
    if externalId is not None:
        told["externalId"] = externalId
    return {
        "eventId": eventId,
        "eventTime": "2026-03-02T09:15:00Z",
        "eventType": "orderStateChangeNotification",
        "event": {"productOrder": told},
    }


def code(answer):
    """(HTTP status, code of the Listener contract) of a refusal."""
    said = answer.json()
    assert said["status"] == answer.status_code
    assert said["@type"] == "ErrorRepresentation"
    return answer.status_code, said["code"]


def contract(*, whole):
    """The contract for schemathesis, with data that fit it and data that do not.

    `whole`: with its examples, and a walk through every keyword of every schema.
    """
    schema = schemathesis.openapi.from_dict(contracts.document())
    schema.config.generation.update(modes=list(schemathesis.GenerationMode))
    schema.config.phases.examples.enabled = whole
    schema.config.phases.coverage.enabled = whole
    return schema


def bounded(examples):
    """Settings for `examples` generated cases an operation, the same in every run."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

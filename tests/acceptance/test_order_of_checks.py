"""The order of checks: route, credentials, source, rate, event name, headers, size, body."""

from __future__ import annotations

import json

import pytest

from tests import serving
from tests.acceptance import bodies, wire

PATH = "/tmf-api/productOrderingManagement/v4/listener/"
WRONG_BODY = b'{"eventId": ' + b" " * 1048576
STEPS = [
    # (the code of what is wrong and told, what is put right after it)
    (61, {"method": "POST"}),
    (40, {"bearer": "not.a.token"}),
    (41, {"bearer": serving.token(source="unheard-of", scopes=("notifications:read",))}),
    (50, {"bearer": serving.token(source="unheard-of")}),
    (51, {"bearer": serving.token(source="disabled")}),
    (52, {"bearer": serving.token(source="slowed")}),
    (53, {"bearer": serving.token(source="choosy")}),
    (20, {"path": PATH + "productOrderStateChangeEvent"}),
    (25, {"Content-Type": "text/plain"}),
    (26, {"Content-Type": wire.JSON}),
    (22, {"body": b"[]"}),
    (22, {"body": json.dumps({"event": "x"}).encode()}),
    (24, {"body": json.dumps({"event": {"productOrder": {"id": 1}}}).encode()}),
    (100, {"bearer": serving.token(source="local")}),
    (201, {}),
]


def request(method: str, path: str, body: bytes, bearer: str | None, **headers: str | None):
    return wire.request(
        method, path, body, bearer=bearer, headers={"Content-Type": None, **headers}
    )


@pytest.fixture
def used_up(server, send):
    """The source `slowed` has no request left in this minute."""
    while send(wire.post(bodies.body(), bearer=serving.token(source="slowed"))).status == 201:
        pass


def test_of_all_that_is_wrong_the_first_is_told(send, used_up):
    asked = {"method": "GET", "path": PATH + "no", "body": WRONG_BODY, "bearer": None}
    told = []
    for _, right in STEPS:
        answer = send(request(**asked))
        told.append(answer.code or answer.status)
        asked |= right
    assert told == [code for code, _ in STEPS]


def test_who_is_not_known_does_not_learn_which_paths_of_the_admin_there_are(send):
    for path in ("/admin/notifications/x", "/admin/notifications?limit=x", "/admin/search"):
        assert send(wire.request("GET", path)).code == 40
    assert send(wire.request("GET", "/admin/nothing")).code == 60

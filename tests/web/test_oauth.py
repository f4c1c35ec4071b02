"""POST /oauth2/token: a token, or why not, in the words of RFC 6749 and of the contract."""

import subprocess
import sys
import time

import httpx
import pytest

from tests import serving
from tests.web.asking import code, state_change, unique

KNOWN_WITHIN = 5.0
"""Seconds until a new credential is known to every process."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def secret(server):
    """A client secret of the source `local`, that the server knows already."""
    command = [sys.executable, "-m", "app", "credential", "add", "local", "--type", "client"]
    done = subprocess.run(
        command, cwd=server.folder, env=server.environment, check=True, capture_output=True
    )
    return done.stdout.decode().split()[-1]


@pytest.fixture
def ask(server, secret):
    def asked(body=None, auth=None, headers=FORM):
        if isinstance(body, dict):
            body = str(httpx.QueryParams(body))
        url = f"{server.url}/oauth2/token"
        ends = time.monotonic() + KNOWN_WITHIN
        while True:
            answer = httpx.post(url, content=body, headers=headers, auth=auth)
            fresh = answer.status_code == 401 and secret in f"{body}{auth}"
            if not fresh or time.monotonic() > ends:
                return answer
            time.sleep(0.02)

    return asked


def test_a_client_gets_a_token_that_lets_it_write(ask, secret, server):
    answer = ask({"grant_type": "client_credentials"}, auth=("local", secret))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json()
    assert said["token_type"] == "Bearer"
    assert said["expires_in"] > 0
    assert said["scope"].split() == ["notifications:write"]
    body = str(state_change(eventId=unique("event"))).replace("'", '"').encode()
    assert server.post(body, bearer=said["access_token"]).status_code == 201


def test_the_client_may_name_itself_in_the_form(ask, secret):
    form = {"grant_type": "client_credentials", "client_id": "local", "client_secret": secret}
    assert ask(form | {"audience": "x", "resource": "y"}).status_code == 200


@pytest.mark.parametrize(
    ("form", "expected", "error"),
    [
        ({}, (400, 21), "invalid_request"),
        ({"scope": "x"}, (400, 23), "invalid_request"),
        ({"grant_type": "password"}, (400, 24), "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "admin"}, (400, 24), "invalid_scope"),
    ],
)
def test_what_a_client_asks_wrongly_is_told_twice(ask, secret, form, expected, error):
    answer = ask(form, auth=("local", secret))
    assert code(answer) == expected
    assert answer.json()["error"] == error
    assert answer.json()["error_description"] == answer.json()["message"]


@pytest.mark.parametrize(
    ("form", "auth", "number"),
    [
        ({}, None, 40),
        ({}, ("local", "wrong"), 41),
        ({"client_id": "local", "client_secret": "wrong"}, None, 41),
        ({}, ("nobody", "wrong"), 41),
    ],
)
def test_who_is_no_client_is_challenged(ask, form, auth, number):
    answer = ask({"grant_type": "client_credentials", **form}, auth=auth)
    assert code(answer) == (401, number)
    assert answer.json()["error"] == "invalid_client"
    assert "Basic" in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("body", "headers", "number"),
    [
        ("grant_type=client_credentials&grant_type=password", FORM, 24),
        ("grant_type=%FF", FORM, 22),
        ("grant_type=" + "x" * 20_000, FORM, 22),
        ("{}", {"Content-Type": "application/json"}, 26),
        ("grant_type=client_credentials", {}, 25),
    ],
)
def test_what_is_no_small_form_is_refused(ask, body, headers, number):
    answer = ask(body.encode(), headers=headers)
    assert code(answer) == (400, number)
    assert answer.json()["error"] == "invalid_request"


def test_a_secret_is_never_in_the_log(ask, secret, server):
    ask({"grant_type": "client_credentials"}, auth=("local", secret))
    ask({"grant_type": "x", "client_id": "local", "client_secret": secret})
    assert secret not in server.log
    assert serving.SECRET not in server.log

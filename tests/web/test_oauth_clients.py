"""Who may fetch a token at `POST /oauth2/token`, and who may not any more."""

import asyncio
import base64
from datetime import timedelta

import pytest

from app.security import credentials
from app.store import credentials as stored
from tests import serving
from tests.web import inside

CONFIG = """
[[source]]
name = "orange"
auth = [{ type = "client", scopes = ["notifications:write", "notifications:read"] }]

[[source]]
name = "disabled"
enabled = false
auth = [{ type = "client" }]

[[source]]
name = "keyed"
auth = [{ type = "api_key" }]
"""
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
async def door(database_url, tmp_path):
    """The application on a database of the test's own, on either engine."""
    async with inside.opened(database_url, tmp_path, CONFIG) as opened:
        yield opened


def client_of(door, source, *, type_="client", life=timedelta(hours=1)):
    """The text of a new credential of `source`, and its row; the door knows it at once."""
    shown, row = credentials.make(
        source,
        type_,
        pepper=credentials.pepper(serving.SECRET.encode()),
        now=door.runtime.clock.now(),
        expires_at=door.runtime.clock.now() + life,
    )
    with door.runtime.engine.begin() as connection:
        stored.add(connection, row)
    door.runtime.refresh_access()
    return shown, row


async def ask(door, form, *, auth=None, authorization=None):
    headers = {} if authorization is None else {"Authorization": authorization}
    return await door.client.post("/oauth2/token", data=form, auth=auth, headers=headers)


def assert_refused(answer, status, code, error):
    said = answer.json()
    assert (answer.status_code, said["code"], said["error"]) == (status, code, error), said
    assert said["status"] == status
    assert said["@type"] == "ErrorRepresentation"
    assert said["error_description"] == said["message"]
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_a_client_gets_what_its_source_may_or_less(door):
    shown, _ = client_of(door, "orange")
    answer = await ask(door, GRANT, auth=("orange", shown))
    said = answer.json()
    token = said.pop("access_token")
    assert said == {
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "notifications:read notifications:write",
    }
    assert answer.headers["cache-control"] == "no-store"
    asked = await door.client.get("/admin/stats", headers={"Authorization": f"Bearer {token}"})
    assert asked.status_code == 200
    less = await ask(door, {**GRANT, "scope": "notifications:write"}, auth=("orange", shown))
    assert less.json()["scope"] == "notifications:write"
    more = await ask(door, {**GRANT, "scope": "admin"}, auth=("orange", shown))
    assert_refused(more, 400, 24, "invalid_scope")


async def test_a_token_ends_with_the_credential_it_was_made_for(door):
    shown, row = client_of(door, "orange")
    token = (await ask(door, GRANT, auth=("orange", shown))).json()["access_token"]
    with door.runtime.engine.begin() as connection:
        assert stored.revoke(connection, row.id, door.runtime.clock.now())
    door.runtime.refresh_access()
    asked = await door.client.get("/admin/stats", headers={"Authorization": f"Bearer {token}"})
    assert (asked.status_code, asked.json()["code"]) == (401, 41)
    assert_refused(await ask(door, GRANT, auth=("orange", shown)), 401, 41, "invalid_client")


@pytest.mark.parametrize(
    ("source", "type_", "life", "name"),
    [
        ("disabled", "client", 3600, "disabled"),
        ("keyed", "api_key", 3600, "keyed"),
        ("orange", "client", -1, "orange"),
        ("orange", "client", 3600, "disabled"),
        ("gone", "client", 3600, "gone"),
    ],
    ids=["disabled", "of another type", "expired", "by another name", "no source"],
)
async def test_who_is_no_client_is_told_so(door, source, type_, life, name):
    shown, _ = client_of(door, source, type_=type_, life=timedelta(seconds=life))
    assert_refused(await ask(door, GRANT, auth=(name, shown)), 401, 41, "invalid_client")
    form = {**GRANT, "client_id": name, "client_secret": shown}
    assert_refused(await ask(door, form), 401, 41, "invalid_client")


@pytest.mark.parametrize(
    ("form", "authorization", "status", "code", "error"),
    [
        (GRANT, None, 401, 40, "invalid_client"),
        ({**GRANT, "client_id": "orange"}, None, 401, 40, "invalid_client"),
        ({**GRANT, "client_secret": "x"}, None, 401, 41, "invalid_client"),
        (GRANT, "Basic !!!", 401, 41, "invalid_client"),
        (GRANT, "Basic b3Jhbmdl", 401, 41, "invalid_client"),
        (GRANT, "Bearer x", 401, 41, "invalid_client"),
        ({**GRANT, "client_id": "orange", "client_secret": "x"}, "Basic eDp4", 400, 23,
         "invalid_request"),
        ({**GRANT, "client_id": "\U0001f600", "client_secret": "\u00e9"}, None, 401, 41,
         "invalid_client"),
    ],
)  # fmt: skip
async def test_how_a_client_may_not_show_itself(door, form, authorization, status, code, error):
    answer = await ask(door, form, authorization=authorization)
    assert_refused(answer, status, code, error)


async def test_a_form_that_does_not_come_is_63(sqlite_url, tmp_path):
    never = asyncio.Event()

    async def slow():
        yield b"grant_type="
        await never.wait()

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with inside.opened(sqlite_url, tmp_path, CONFIG, body_deadline=0.05) as door:
        answer = await door.client.post("/oauth2/token", content=slow(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (408, 63)
    assert answer.headers["connection"] == "close"


async def test_a_secret_is_shown_to_nobody(door, capfd):
    shown, _ = client_of(door, "orange")
    encoded = base64.b64encode(f"orange:{shown}".encode()).decode()
    token = (await ask(door, GRANT, auth=("orange", shown))).json()["access_token"]
    refused = await ask(door, {"grant_type": "x"}, auth=("orange", shown))
    told = refused.text + "".join(capfd.readouterr())
    for secret in (shown, encoded, token, serving.SECRET):
        assert secret not in told

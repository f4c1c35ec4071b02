"""What is done about credentials: all tokens of a source are void by a click; acts are told."""

import pytest

from tests import serving
from tests.ui.acting import form_token
from tests.ui.conftest import SCOPES, code
from tests.web import inside

SOURCES = (
    inside.SOURCES
    + """
[[source]]
name = "guide"
kind = "tjansteguiden"
feed = { url = "http://127.0.0.1:9/", api_user = "u", api_key = "p", every = "1h" }
"""
)


@pytest.fixture
async def door(tmp_path):
    url = f"sqlite:///{tmp_path / 'listener.db'}"
    async with inside.opened(url, tmp_path, SOURCES) as opened:
        yield opened


async def form(door, *scopes):
    """Sign in with `scopes`; the field every form of the session bears."""
    door.client.cookies.clear()
    entered = await door.client.get(f"/ui/enter?code={code(scopes=scopes or SCOPES)}")
    assert entered.status_code == 303
    return {"form_token": form_token(door.client)}


async def void(door, source, given):
    return await door.client.post(f"/ui/sources/{source}/void", data=given)


async def test_all_tokens_of_a_source_are_void_at_once_and_those_of_others_are_not(door):
    given = await form(door)
    await door.taken(inside.state_change())
    assert "No token was ever voided here." in (await door.client.get("/ui/sources/local")).text
    leaked = {"Authorization": f"Bearer {serving.token(source='local', scopes=(inside.WRITE,))}"}
    answer = await void(door, "local", given)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/sources/local")
    body = inside.state_change()
    refused = await door.client.post(serving.PATH, json=body, headers=leaked)
    assert (refused.status_code, refused.json()["code"]) == (401, 41)
    told = (await door.client.get("/ui/sources/local")).text
    assert "are void." in told
    assert "No token was ever voided here." in (await door.client.get("/ui/sources/choosy")).text
    act = (await door.items("/admin/audit"))[0]
    expected = ("ui:ann", "source.void_tokens", "local")
    assert (act["principal"], act["action"], act["target"]) == expected


async def test_the_audit_trail_tells_what_an_act_was_about(door):
    given = {**await form(door), "type": "api_key", "once": "ab" * 8}
    assert (await door.client.post("/ui/sources/local/credentials", data=given)).status_code == 201
    told = (await door.client.get("/ui/audit")).text
    assert '<span class="dim">type:</span> <span class="lines">api_key</span>' in told


async def test_who_may_only_read_voids_no_token(door):
    given = await form(door, inside.READ)
    assert (await void(door, "local", given)).status_code == 403
    assert "Void all tokens" not in (await door.client.get("/ui/sources/local")).text
    await door.taken(inside.state_change())


async def test_a_source_that_we_ask_has_no_tokens_to_void(door):
    assert (await void(door, "guide", await form(door))).status_code == 409
    assert (await void(door, "nobody", await form(door))).status_code == 404

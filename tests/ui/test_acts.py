"""What is done on pages: credentials, feeds, commands, alerts; by clicks, in a browser."""

from __future__ import annotations

import pytest

from app.clock import SystemClock
from app.security import credentials, sessions, signing
from app.ui import visit
from tests import serving
from tests.ui import acting

READ = "notifications:read"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with acting.acting(tmp_path_factory.mktemp("acts")) as made:
        yield made


@pytest.fixture(scope="module")
def server(world):
    return world[0]


@pytest.fixture(scope="module")
def operators(world):
    return world[1]


@pytest.fixture
def at(page, server):
    """Opens a page of the listener."""

    def opened(path):
        assert page.goto(f"{server.url}{path}").status == 200
        return page

    return opened


def form_token(client):
    """That of the session, which a page shows to those who may act alone."""
    seal = sessions.Seal(signing.LocalIssuer(serving.SECRET.encode(), SystemClock()).pepper)
    return seal.form_token(seal.session(client.cookies[visit.COOKIE], SystemClock().now()))


def audited(server):
    acts = server.get("/admin/audit?limit=200").json()["items"]
    return {(act["principal"], act["action"], act["target"]) for act in acts}


# ── credentials ──────────────────────────────────────────────────────────────────────────────────


def test_a_credential_is_added_shown_once_and_revoked(at, server):
    page = at("/ui/sources/local")
    page.get_by_label("API key").check()
    page.get_by_label("A word to know it by").fill("for 2027")
    page.get_by_role("button", name="Add it").click()
    secret = page.locator("dt:has-text('X-API-Key') + dd code").inner_text()
    assert secret not in page.url
    assert server.post(BODY, headers={"Authorization": "", "X-API-Key": secret}).status_code == 201
    page.get_by_role("button", name="I have handed it over").click()
    page.get_by_text("for 2027").wait_for()
    assert secret not in page.content()
    page.on("dialog", lambda asked: asked.accept())
    id_ = secret.partition(".")[0]
    page.get_by_role("button", name=f"Revoke {id_}").click()
    page.get_by_text(f"{id_} is revoked.").wait_for()
    assert server.post(BODY, headers={"Authorization": "", "X-API-Key": secret}).status_code == 401
    assert {("ui:ann", f"credential.{act}", id_) for act in ("add", "revoke")} <= audited(server)
    assert secret not in server.log


@pytest.mark.parametrize(
    ("type_", "said"),
    [
        ("basic", "Password"),
        ("client", "client_secret"),
        ("callback_key", "It is refused as yet"),
    ],
)
def test_what_the_operator_is_handed_is_told_by_type_and_kept_nowhere(signed_in, type_, said):
    client = signed_in()
    answer = add(client, type_)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert said in answer.text
    assert "set-cookie" not in answer.headers


def test_the_same_form_again_makes_no_other_credential(signed_in, server):
    client = signed_in()
    first = add(client, "api_key", once="00112233445566aa")
    assert first.status_code == 201
    again = add(client, "api_key", once="00112233445566aa")
    assert again.status_code == 303
    told = client.get(again.headers["location"]).text
    assert "was made before" in told
    assert told.count(">00112233445566aa<") == 1


def test_a_third_of_a_type_is_refused_with_what_to_do(signed_in):
    client = signed_in()
    for once in ("0000000000000001", "0000000000000002"):
        assert add(client, "client", "seller", once=once).status_code == 201
    page = client.get("/ui/sources/seller").text
    assert "Two are active already: revoke one of them first." in page
    refused = add(client, "client", "seller", once="0000000000000003")
    assert "revoke one of them first" in client.get(refused.headers["location"]).text


def test_who_may_only_read_adds_no_credential(signed_in):
    client = signed_in(READ)
    assert "Add a credential" not in client.get("/ui/sources/local").text
    assert add(client, "basic").status_code == 403
    assert add(signed_in(), "basic", token="").status_code == 403


def add(client, type_, source="local", once=None, token=None):
    once = once or credentials.new_id()
    given = {"type": type_, "label": "", "expires": "90d", "once": once}
    given["form_token"] = form_token(client) if token is None else token
    return client.post(f"/ui/sources/{source}/credentials", data=given)


BODY = b"""{"eventId": "e-key", "eventDate": "2026-03-02T09:15:00Z",
    "eventType": "ServiceOrderStateChangeNotification",
    "event": {"id": "SO-key", "state": "COMPLETED"}}"""

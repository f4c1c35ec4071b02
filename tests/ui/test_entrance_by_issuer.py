"""Signing in on the real page with a token of a remote issuer, whose keys come over HTTP."""

import time

import pytest

from tests import serving
from tests.security import forging

CONFIG = f"""
[[issuer]]
name = "sso"
issuer = "{forging.ISSUER}"
audience = "{forging.AUDIENCE}"
jwks_url = "JWKS"

[[source]]
name = "local"

[[source]]
name = "ops"
auth = [
    {{ type = "jwt", issuer = "sso", client_id = "ops-team", scopes = ["notifications:read"] }},
    {{ type = "jwt", issuer = "sso", client_id = "orange-notifier" }},
]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with forging.serving() as keys:
        keys.answer = (200, {}, forging.jwks(forging.rsa_jwk("one")))
        config = CONFIG.replace("JWKS", keys.url)
        with serving.listener(tmp_path_factory.mktemp("sso"), config=config) as made:
            yield made


@pytest.fixture
def door(browser, server):
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{server.url}/ui/notifications")
    tab.wait_for_url("**/ui/sign-in?next=*")
    yield tab
    context.close()


def token(client="ops-team", *, lasts=300, **header):
    now = int(time.time())
    claims = forging.remote_claims(client_id=client, iat=now - 600, exp=now + lasts)
    return forging.remote(claims, **header)


def sign_in(tab, text):
    tab.get_by_label("A token of the listener").fill(text)
    tab.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("before", ["", "Bearer "])
def test_a_token_of_the_issuer_lets_in_who_its_client_is_to_where_it_was_asked_for(door, before):
    sign_in(door, before + token())
    door.wait_for_url("**/ui/notifications")
    door.get_by_text("jwt:ops-team", exact=True).wait_for()
    door.goto(door.url.replace("notifications", "sources/local"))
    assert door.get_by_role("button", name="Send it").count() == 0


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: token("orange-notifier"), "lack the scope notifications:read"),
        (lambda: token("a-stranger"), "lack the scope notifications:read"),
        (lambda: token(lasts=-300), "expired"),
        (lambda: token(sign=forging.rs256(forging.rsa_key("two"))), "not"),
        (lambda: token(kid="two"), "names no key"),
        (lambda: token()[:-4], "not"),
    ],
    ids=["another scope", "a stranger", "too old", "forged", "unknown key", "cut"],
)
def test_any_other_token_lets_nobody_in_and_says_why(door, made, said):
    sign_in(door, made())
    alert = door.get_by_role("alert")
    alert.wait_for()
    assert said in alert.inner_text()
    assert door.context.cookies() == []
    sign_in(door, token())
    door.wait_for_url("**/ui/notifications")


def test_the_cookie_is_out_of_reach_of_scripts_and_gone_after_signing_out(door):
    sign_in(door, token())
    door.wait_for_url("**/ui/notifications")
    (cookie,) = door.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert cookie["path"] == "/ui"
    door.get_by_role("button", name="Sign out").click()
    door.wait_for_url("**/ui/sign-in")
    assert [each["name"] for each in door.context.cookies()] in ([], ["listener_said"])

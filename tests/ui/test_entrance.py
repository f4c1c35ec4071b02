"""Who comes in, and how: the link, the token, the session, the form's token."""

from datetime import timedelta

import httpx
import pytest

from app.clock import SystemClock
from tests import serving


def test_a_link_lets_in_once_and_leads_to_a_clean_address(server, link):
    address = link()
    with httpx.Client(base_url=server.url) as first, httpx.Client(base_url=server.url) as second:
        answer = first.get(address)
        assert (answer.status_code, answer.headers["location"]) == (303, "/ui")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert first.get("/ui/notifications").status_code == 200
        assert second.get(address).status_code == 401
        assert second.get("/ui/notifications").headers["location"].startswith("/ui/sign-in")


def test_the_bare_address_leads_to_the_pages(server):
    answer = httpx.get(f"{server.url}/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui")


def test_a_newcomer_is_told_what_to_do_next(signed_in):
    told = signed_in().get("/ui").text
    assert "Nothing has come yet" in told
    assert ".venv/bin/listener send --sample" in told
    assert "curl -i " in told
    assert ".venv/bin/listener demo" in told


def test_a_link_older_than_a_minute_lets_nobody_in(link):
    answer = httpx.get(link(at=SystemClock().now() - timedelta(seconds=61)))
    assert answer.status_code == 401
    assert "too old" in answer.text


def test_a_token_lets_in_who_may_read(server):
    for scopes, status in ((("notifications:read",), 303), (("notifications:write",), 401)):
        token = serving.token(source=None, scopes=scopes)
        answer = httpx.post(f"{server.url}/ui/sign-in", data={"token": token, "next": "/ui/audit"})
        assert answer.status_code == status
        if status == 303:
            assert answer.headers["location"] == "/ui/audit"


@pytest.mark.parametrize(
    "next_", ["//evil.example", "https://evil.example", "/ui/../admin", "/uix"]
)
def test_nobody_is_led_elsewhere_after_signing_in(server, next_):
    token = serving.token(source=None, scopes=("notifications:read",))
    answer = httpx.post(f"{server.url}/ui/sign-in", data={"token": token, "next": next_})
    assert answer.headers["location"] == "/ui"


def test_a_cookie_that_was_changed_is_none(server, signed_in):
    kept = signed_in().cookies["listener_session"]
    for changed in (kept[:-2] + "AA", "x" + kept, "."):
        answer = httpx.get(
            f"{server.url}/ui/notifications", headers={"cookie": f"listener_session={changed}"}
        )
        assert answer.status_code == 303, changed


def test_every_page_has_the_strict_policy(signed_in):
    for path in ("/ui/notifications", "/ui/sign-in", "/ui/nowhere"):
        policy = signed_in().get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy

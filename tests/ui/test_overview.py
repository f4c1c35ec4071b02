"""The first page: what it tells of a log, and that it stays live."""

import re
import time

import httpx
import pytest
from playwright.sync_api import expect

from tests import serving

MARKUP = '<script>alert("x")</script>'
FEED = """
[[source]]
name = "local"

[[source]]
name = "stadsnat"
kind = "on_api"
feed = { url = "http://127.0.0.1:9/api/2.3.1/", username = "u", password = "p", every = "1h" }
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One whose feed nobody answers."""
    with serving.listener(tmp_path_factory.mktemp("overview"), config=FEED) as made:
        yield made


def notify(server, order_id, state="REJECTED"):
    body = {
        "eventId": f"e-{order_id}-{state}", "eventType": "ServiceOrderStateChangeNotification",
        "eventDate": "2026-11-21T06:00:00Z",
        "event": {"id": order_id, "href": f"/serviceOrder/{order_id}", "state": state,
                  "externalId": "OUR-1", "orderDate": "2026-11-20T06:00:00Z"},
    }  # fmt: skip
    return httpx.post(
        f"{server.url}{serving.PATH}",
        json=body,
        headers={"Authorization": f"Bearer {serving.token()}"},
    )


def refused(server):
    return httpx.post(
        f"{server.url}{serving.PATH}",
        json={"eventType": "ServiceOrderStateChangeNotification", "eventId": MARKUP},
        headers={"Authorization": f"Bearer {serving.token()}"},
    )


def words_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_who_may_not_read_sees_nothing(server, signed_in):
    for path in ("/ui", "/ui/overview/now", "/ui/overview/minutes"):
        assert httpx.get(f"{server.url}{path}").headers["location"].startswith("/ui/sign-in")
        assert signed_in("notifications:read").get(path).status_code == 200


def test_when_the_session_is_over_the_page_is_loaded_again(server):
    answer = httpx.get(f"{server.url}/ui/overview/now", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-refresh"], answer.text) == (200, "true", "")


def test_it_stays_live_and_tells_in_numbers_what_came(page, server):
    page.goto(f"{server.url}/ui")
    assert page.locator(".plot canvas").count() == 1
    assert notify(server, "SO-1").status_code == 201
    link = page.get_by_role("link", name="1 rejected")
    expect(link).to_be_visible(timeout=15_000)
    page.get_by_text("As a table").click()
    expect(page.locator("#minutes caption")).to_contain_text(
        re.compile("[1-9] accepted"), timeout=15_000
    )
    link.click()
    expect(page).to_have_url(re.compile("/ui/orders.state=rejected"))


def test_a_feed_in_trouble_and_a_refusal_each_lead_to_their_act(server, signed_in):
    assert refused(server).status_code == 400
    ends = time.monotonic() + 20
    while "failing" not in (told := signed_in().get("/ui").text) and time.monotonic() < ends:
        time.sleep(0.2)
    assert "feed is failing: stadsnat" in words_of(told)
    assert 'href="/ui/feeds/stadsnat"' in told
    assert "1 refused body" in words_of(told)
    assert 'href="/ui/quarantine"' in told


def test_what_an_operator_sends_is_shown_as_text(server, signed_in):
    assert notify(server, MARKUP, "COMPLETED").status_code == 201
    ends = time.monotonic() + 20
    while "&lt;script" not in (told := signed_in().get("/ui").text) and time.monotonic() < ends:
        time.sleep(0.2)
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in told
    assert MARKUP not in told

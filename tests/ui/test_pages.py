"""The pages in a browser: no error, no other host, no axe violation; live, and by clicks."""

import json
import re

import httpx
import pytest
from playwright.sync_api import expect

from app.ui import shell
from tests.web import asking

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
LOOKED_AT = "document.dispatchEvent(new Event('visibilitychange'))"
"""What a browser says when a tab is looked at, or no more."""

PAGES = (
    "/ui",
    "/ui/attention",
    "/ui/orders",
    "/ui/notifications",
    "/ui/quarantine",
    "/ui/feeds",
    "/ui/commands",
    "/ui/alerts",
    "/ui/sources",
    "/ui/sources/local",
    "/ui/audit",
    "/ui/orders/local/PO-1",
)


@pytest.fixture(scope="module")
def asked(server):
    """The server with an order and another whose every field is markup."""
    made = asking.Asking(server)
    made.told(order="PO-1", state="Acknowledged")
    body = asking.state_change(eventId=EVIL, order=EVIL, state="Held", externalId=EVIL)
    body["event"]["productOrder"]["note"] = [{"text": EVIL}]
    assert made.post(json.dumps(body).encode()).status_code == 201
    return made


@pytest.fixture(scope="module")
def refused(asked):
    """The id of a refused body that is markup."""
    return asked.refused(json.dumps({"eventId": EVIL, "eventType": EVIL}).encode())


@pytest.fixture(scope="module")
def details(asked, refused):
    """The pages of single things, whose every text is markup where that may be."""
    newest = asked.get("/admin/notifications", limit=2).json()["items"]
    return (
        *(f"/ui/notifications/{row['id']}" for row in newest),
        "/ui/orders/one" + shell.query(source="local", order_id=EVIL),
        f"/ui/quarantine/{refused}",
        "/ui/quarantine/all?what=release",
        "/ui/export?state=held",
        "/ui/orders/outstanding",
    )


def test_every_page_is_sound_and_accessible(page, asked, details, axe):
    for path in PAGES + details:
        assert page.goto(asked.server.url + path).status == 200, path
        for scheme, rules in (("light", ()), ("dark", ("color-contrast",))):  # only colours differ
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert axe(page, *rules) == [], f"{path} {scheme}"


def test_what_cannot_be_given_is_accessible_too(page, asked, axe):
    context = page.context.browser.new_context()
    tab = context.new_page()
    for path in ("/ui/sign-in", "/ui/enter?code=x"):
        tab.goto(asked.server.url + path)
        assert axe(tab) == [], path
    context.add_cookies(page.context.cookies())
    for path in ("/ui/orders/local/nothing", "/ui/orders?state=lost"):
        tab.goto(asked.server.url + path)
        assert axe(tab) == [], path
    context.close()


def test_no_page_is_wider_than_a_small_screen(page, asked, details):
    page.set_viewport_size({"width": 360, "height": 740})
    for path in PAGES + details:
        page.goto(asked.server.url + path)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0, path


def test_by_keyboard_the_way_past_the_header_comes_first_wherever_one_is(page, asked):
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 740})
        page.goto(f"{asked.server.url}/ui/audit")
        here = page.locator(".top nav a[aria-current]").bounding_box()
        assert 0 <= here["x"] <= width - here["width"]
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        expect(skip).to_be_focused()
        assert skip.bounding_box()["x"] >= 0
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()


def test_the_live_tail_shows_a_post_within_a_second_unless_paused(page, asked):
    page.goto(f"{asked.server.url}/ui/notifications")
    page.get_by_text("live", exact=True).wait_for()
    asked.told(order="PO-live")
    page.get_by_role("link", name="PO-live").wait_for(timeout=1000)
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("paused", exact=True).wait_for()
    asked.told(order="PO-paused")
    assert page.get_by_role("link", name="PO-paused").count() == 0
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("link", name="PO-paused").wait_for(timeout=2000)


@pytest.fixture
def alone(browser, server, link):
    """A tab that is signed in and may have trouble."""
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(link())
    yield tab
    context.close()


def test_the_live_tail_comes_back_after_an_answer_that_is_none(alone, asked):
    stream = re.compile("/ui/notifications/stream")
    alone.route(stream, lambda route: route.fulfill(status=503))
    alone.goto(f"{asked.server.url}/ui/notifications")
    alone.get_by_text("reconnecting", exact=True).wait_for()
    alone.unroute(stream)
    alone.get_by_text("live", exact=True).wait_for()
    asked.told(order="PO-back")
    alone.get_by_role("link", name="PO-back").wait_for()


def test_the_live_tail_leads_to_the_door_when_the_session_is_over(alone, asked):
    alone.goto(f"{asked.server.url}/ui/notifications?source=local")
    alone.get_by_text("live", exact=True).wait_for()
    alone.context.clear_cookies()
    alone.evaluate(LOOKED_AT)
    expect(alone).to_have_url(re.compile("/ui/sign-in"), timeout=15000)


def test_a_tab_nobody_looks_at_keeps_no_stream_and_catches_up(page, asked):
    page.add_init_script(
        "Object.defineProperty(document, 'hidden', { get: () => window.away === true })"
    )
    page.goto(f"{asked.server.url}/ui/notifications")
    page.get_by_text("live", exact=True).wait_for()
    page.evaluate(f"window.away = true; {LOOKED_AT}")
    asked.told(order="PO-away")
    assert page.get_by_role("link", name="PO-away").count() == 0
    with page.expect_request(re.compile("/ui/notifications/stream")):
        page.evaluate(f"window.away = false; {LOOKED_AT}")
    page.get_by_role("link", name="PO-away").wait_for()


def test_markup_that_comes_by_the_live_tail_is_text(page, asked):
    page.goto(f"{asked.server.url}/ui/notifications")
    page.get_by_text("live", exact=True).wait_for()
    before = page.locator("tbody tr").count()
    asked.told(order=EVIL, externalId=EVIL)
    row = page.locator("tbody tr").nth(before)
    row.wait_for()
    assert page.locator("tbody tr").first.get_by_role("link", name=EVIL, exact=True).count() == 1
    assert page.locator("img[src=x], main script").count() == 0


def test_a_filter_is_in_the_address(page, asked):
    page.goto(f"{asked.server.url}/ui/notifications")
    page.locator("select[name=state]").select_option("acknowledged")
    page.wait_for_url("**/ui/notifications?state=acknowledged")
    assert page.get_by_role("link", name="PO-1").count() == 1


def test_markup_in_every_field_is_shown_as_text(page, asked, refused):
    page.goto(f"{asked.server.url}/ui/notifications?state=held")
    page.locator("tbody a").first.click()
    page.wait_for_load_state()
    assert page.get_by_text(EVIL).count() > 0
    page.goto(f"{asked.server.url}/ui/quarantine")
    page.locator(f"tbody a[href$='{refused}']").first.click()
    page.wait_for_load_state()
    assert page.get_by_text("onerror").count() > 0
    assert page.locator("img[src=x]").count() == 0


def test_a_refused_body_is_taken_in_by_a_click(page, asked):
    id_ = asked.refused(b'{"eventId": "e-click"}')
    page.goto(f"{asked.server.url}/ui/quarantine/{id_}")
    page.get_by_role("button", name="Take it as it is").click()
    page.get_by_text("1 released.").wait_for()
    assert asked.get(f"/admin/quarantine/{id_}").json()["state"] == "released"
    acts = asked.get("/admin/audit").json()["items"]
    assert ("ui:ann", "quarantine.release", id_) in [
        (act["principal"], act["action"], act["target"]) for act in acts
    ]


def test_two_clicks_from_the_link_to_the_story_of_an_order(page, asked):
    page.goto(f"{asked.server.url}/ui")
    page.get_by_role("link", name="PO-1").first.click()
    page.get_by_role("heading", name="The story").wait_for()
    assert page.get_by_role("img", name="The course of order").count() == 1


def test_a_browser_comes_to_the_order_called_dot_dot_by_its_link(page, asked):
    for order_id in ("..", "a/../b%2F"):
        asked.told(order=order_id)
        page.goto(f"{asked.server.url}/ui/notifications")
        page.get_by_role("link", name=order_id, exact=True).first.click()
        page.get_by_role("heading", name="The story").wait_for()
        assert page.locator("h1 .id").inner_text() == order_id


def form_token(client):
    (found, *_) = re.findall(
        r'name="form_token" value="([0-9a-f]+)"', client.get("/ui/quarantine").text
    )
    return found


def test_a_form_without_its_token_or_of_another_site_is_refused(signed_in, asked):
    client, id_ = signed_in(), asked.refused(b'{"eventId": "e-forged"}')
    wanted = {"id": id_, "what": "discard"}
    good = {**wanted, "form_token": form_token(client)}
    evil = {"origin": "https://evil.example"}
    assert client.post("/ui/quarantine/act", data=wanted).status_code == 403
    assert client.post("/ui/quarantine/act", data=good, headers=evil).status_code == 403
    assert asked.get(f"/admin/quarantine/{id_}").json()["state"] == "open"
    assert client.post("/ui/quarantine/act", data=good).status_code == 303
    assert asked.get(f"/admin/quarantine/{id_}").json()["state"] == "discarded"


def test_who_may_only_read_cannot_act(signed_in, asked):
    client, id_ = signed_in("notifications:read"), asked.refused(b'{"eventId": "e-read"}')
    given = {"id": id_, "what": "discard", "form_token": form_token(client)}
    assert client.post("/ui/quarantine/act", data=given).status_code == 403
    assert "Discard" not in client.get(f"/ui/quarantine/{id_}").text


def test_reading_works_without_a_script(browser, server, link, asked):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(link())
    tab.get_by_role("link", name="Notifications", exact=True).click()
    tab.get_by_role("link", name="PO-1").first.click()
    assert tab.get_by_role("heading", name="The story").count() == 1
    context.close()


def test_a_stranger_is_asked_to_sign_in(server):
    for path in PAGES:
        answer = httpx.get(server.url + path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/ui/sign-in")

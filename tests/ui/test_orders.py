"""The pages of the orders: found by filters in the address, told whole, nothing of it markup."""

import html
import re
import uuid
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import pytest

from app.store import engine, personal
from tests import serving
from tests.ui import telling

MARKUP = "<img src=x onerror=alert(1)>'\""


def put(server, order_id, **placed):
    bearer = serving.token(source=None, scopes=("admin",))
    answer = httpx.put(
        f"{server.url}/admin/orders/local/{order_id}",
        json=placed,
        headers={"Authorization": f"Bearer {bearer}"},
    )
    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def told(server):
    """The ids of orders that were told of: one of each sort."""
    ids = {name: f"{name}-{uuid.uuid4().hex[:8]}" for name in ("done", "held", "asked", "spoken")}
    telling.tell(server, ids["done"], "completed", externalId="fibre-1")
    telling.tell(server, ids["done"], "held")
    telling.tell(server, ids["held"], "held")
    telling.tell(server, ids["asked"])
    telling.ask(server, ids["asked"])
    telling.tell(server, ids["spoken"])
    put(server, ids["held"], own_ref="our-77", access_id="ACC-1")
    put(server, ids["spoken"], own_ref="our-77")
    for name, news in (("done", 2), ("held", 1), ("asked", 2), ("spoken", 1)):
        telling.row(server, ids[name], news=news)
    return ids


def listed(client, told, **asked):
    answer = client.get("/ui/orders", params=asked)
    assert answer.status_code == 200, answer.text
    return {name for name, id_ in told.items() if f'">{id_}</a>' in answer.text}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, {"done", "held", "asked", "spoken"}),
        ({"state": "held"}, {"held"}),
        ({"final": "true"}, {"done"}),
        ({"flag": "changed_after_final"}, {"done"}),
        ({"attention": "any"}, {"done", "asked"}),
        ({"attention": "buyer_action"}, {"asked"}),
        ({"external_id": "fibre-1"}, {"done"}),
        ({"own_ref": "our-77"}, {"held", "spoken"}),
        ({"source": "local", "no_news_for": "1d"}, set()),
        ({"silent": "true"}, set()),
        ({"q": "held-"}, {"held"}),
    ],
)
def test_filters_in_the_address_choose_the_orders(signed_in, told, asked, found):
    assert listed(signed_in(), told, **asked) == found


def test_a_field_left_empty_asks_for_nothing(signed_in, told):
    answer = signed_in().get("/ui/orders?state=&q=&own_ref=our-77")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/orders?own_ref=our-77")


def test_a_list_goes_on_where_it_ended(signed_in, told):
    client, after, pages = signed_in(), "/ui/orders?limit=2", []
    while after:
        pages.append(client.get(after).text)
        after = html.unescape("".join(re.findall('rel="next" href="([^"]+)"', pages[-1])))
    assert len(pages) > 1
    shown = [id_ for page in pages for id_ in told.values() if f'">{id_}</a>' in page]
    assert sorted(shown) == sorted(told.values())


def test_an_order_is_told_whole(signed_in, told):
    text = signed_in().get(f"/ui/orders/local/{told['done']}").text
    assert text.count("<svg") == 2
    assert f"The course of order {told['done']} at local" in text
    assert "changed after final" in text
    assert "fibre-1" in text
    assert text.count('data-name="happened"') == 2


def test_orders_of_one_reference_lead_to_one_another(signed_in, told):
    text = signed_in().get(f"/ui/orders/local/{told['held']}").text
    assert "The same story elsewhere" in text
    assert f"/ui/orders/local/{told['spoken']}?resource_type=productOrder" in text
    assert "our-77" in text


def test_a_placed_order_that_nobody_told_of_is_outstanding(server, signed_in, told):
    unheard = f"unheard-{uuid.uuid4().hex[:8]}"
    put(server, unheard, own_ref="our-78", answer="RECEIVED", placed_at="2026-01-01T00:00:00Z")
    client = signed_in()
    page = client.get("/ui/orders/outstanding?told=false").text
    assert f"/ui/orders/local/{unheard}" in page
    assert told["held"] not in page
    assert "never told of" in client.get(f"/ui/orders/local/{unheard}").text


def test_an_unknown_order_is_a_page_that_says_so(signed_in):
    answer = signed_in().get("/ui/orders/local/nothing")
    assert answer.status_code == 404
    assert "has told of no order nothing" in answer.text


@pytest.mark.parametrize("path", ["/ui/orders", "/ui/orders/outstanding", "/ui/orders/local/x"])
def test_who_is_not_signed_in_sees_no_order(server, path):
    answer = httpx.get(f"{server.url}{path}")
    assert (answer.status_code, answer.headers["location"][:11]) == (303, "/ui/sign-in")


def test_markup_in_every_field_is_text_on_every_page(server, signed_in):
    order_id = f"{MARKUP}{uuid.uuid4().hex[:8]}"
    items = [{"id": MARKUP, "action": MARKUP, "state": MARKUP}]
    telling.tell(server, order_id, MARKUP, externalId=MARKUP, orderItem=items)
    telling.ask(server, order_id, MARKUP)
    telling.row(server, order_id, news=2)
    client = signed_in()
    pages = ("/ui/orders", "/ui/attention", "/ui/notifications", "/ui")
    answers = [client.get(path).text for path in pages]
    answers.append(client.get(f"/ui/orders/local/{quote(order_id, safe='')}").text)
    assert "&lt;img" in answers[-1]
    for text in answers:
        assert "<img src=x" not in text
        assert "onerror=alert(1)&gt;" in text


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_story_is_drawn_in_a_browser(page, server, told, axe, width, scheme):
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{server.url}/ui/orders")
    page.get_by_role("link", name=told["done"]).click()
    picture = page.get_by_role("img", name="The course of order")
    assert picture.count() == 1
    assert picture.bounding_box()["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []


@pytest.mark.parametrize("width", [1280, 700])
def test_on_paper_a_story_is_without_what_is_to_be_clicked_and_never_dark(
    page, server, told, width
):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(f"{server.url}/ui/orders/local/{told['asked']}")
    for hidden in ("header.top nav", "footer", "button", "form", "a[role=button]", "svg.narrow"):
        assert page.locator(hidden).count() > 0, hidden
        assert not any(one.is_visible() for one in page.locator(hidden).all()), hidden
    picture, story = page.locator("svg.wide"), page.get_by_role("region", name="The story")
    assert picture.is_visible()
    assert picture.bounding_box()["width"] <= width
    assert story.get_by_role("row").count() == 3
    assert story.get_by_role("columnheader").first.is_visible()
    assert page.get_by_text("printed").inner_text().endswith("Times: UTC")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    ink = "getComputedStyle(document.querySelector('.course text')).fill"
    assert page.evaluate(ink) == "rgb(90, 102, 117)"


def test_the_person_behind_an_order_is_shown_with_the_scope_personal_only(signed_in, server, told):
    made = engine.create(f"sqlite:///{server.folder / 'data' / 'listener.db'}")
    person = personal.Person("local", told["held"], datetime.now(UTC), {"name": "Astrid Ek"})
    with made.begin() as connection:
        personal.put(connection, person)
    made.dispose()
    page = f"/ui/orders/local/{told['held']}"
    assert "Astrid Ek" in signed_in("notifications:read", "personal").get(page).text
    hidden = signed_in("notifications:read").get(page).text
    assert "Astrid Ek" not in hidden
    assert "scope <code>personal</code>" in hidden

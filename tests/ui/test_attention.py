"""The work list as a page: what is open, who sees to it, what was noted, what is closed."""

import html
import re
import uuid

import pytest

from tests.ui import telling

TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


@pytest.fixture
def opening(server):
    """What an order needs somebody for: (the order, the notification that opened it)."""
    order_id = f"asked-{uuid.uuid4().hex[:8]}"
    telling.tell(server, order_id)
    telling.ask(server, order_id)
    row = telling.row(server, order_id, news=2)
    return order_id, row["attention"][0]["notification_id"]


def send(client, opening, act, **fields):
    order_id, id_ = opening
    page = client.get(f"/ui/orders/local/{order_id}").text
    token = TOKEN.search(page)
    given = {"form_token": token[1] if token else "", **fields}
    return client.post(f"/ui/attention/{id_}/{act}", data=given)


def standing(server, opening):
    return server.get(f"/admin/attention/{opening[1]}").json()


def test_what_is_open_is_listed_with_its_age(signed_in, opening):
    text = signed_in().get("/ui/attention", params={"order_id": opening[0]}).text
    assert "buyer action" in text
    assert f"/ui/orders/local/{opening[0]}" in text
    assert re.search(r"<strong>(now|\d+ s ago)</strong>", text)


def test_somebody_takes_it_gives_it_and_gives_it_back(server, signed_in, opening):
    client = signed_in()
    for fields, name in (
        ({}, "ui:ann"),
        ({"assignee": "greta"}, "greta"),
        ({"nobody": "true"}, None),
    ):
        assert send(client, opening, "assign", **fields).status_code == 303
        assert standing(server, opening)["assignee"] == name


def test_a_note_keeps_its_lines(server, signed_in, opening):
    client = signed_in()
    assert send(client, opening, "note", text="called\r\n<b>them</b>").status_code == 303
    assert standing(server, opening)["notes"][0]["text"] == "called\n<b>them</b>"
    text = client.get("/ui/attention", params={"order_id": opening[0]}).text
    assert html.escape("<b>them</b>") in text


@pytest.mark.parametrize("text", ["", "a" * 2001, "a\x07b"])
def test_a_note_that_makes_no_sense_is_refused(server, signed_in, opening, text):
    assert send(signed_in(), opening, "note", text=text).status_code == 400
    assert standing(server, opening)["notes"] == []


def test_what_is_closed_is_gone_from_the_list_and_audited(server, signed_in, opening):
    client = signed_in()
    answer = send(client, opening, "close", back=f"/ui/orders/local/{opening[0]}")
    assert answer.headers["location"] == f"/ui/orders/local/{opening[0]}"
    assert opening[0] not in client.get("/ui/attention").text
    assert "closed by ui:ann" in client.get(f"/ui/orders/local/{opening[0]}").text
    newest = server.get("/admin/audit?limit=1").json()["items"][0]
    assert (newest["principal"], newest["action"], newest["target"]) == (
        "ui:ann", "attention.close", opening[1],
    )  # fmt: skip
    assert send(client, opening, "close").status_code == 409


@pytest.mark.parametrize("act", ["assign", "note", "close"])
def test_acting_needs_the_scope_and_the_token_of_the_form(server, signed_in, opening, act):
    reader = signed_in("notifications:read")
    assert '<form class="act"' not in reader.get(f"/ui/orders/local/{opening[0]}").text
    assert send(reader, opening, act, text="x").status_code == 403
    assert send(signed_in(), opening, act, text="x", form_token="0" * 64).status_code == 403
    elsewhere = signed_in()
    elsewhere.headers["origin"] = "https://evil.example"
    assert send(elsewhere, opening, act, text="x").status_code == 403
    found = standing(server, opening)
    assert (found["state"], found["assignee"], found["notes"]) == ("open", None, [])


def test_nobody_is_led_out_of_the_pages_after_acting(signed_in, opening):
    answer = send(signed_in(), opening, "note", text="x", back="https://evil.example/")
    assert answer.headers["location"] == "/ui"


def test_it_is_taken_noted_and_closed_in_a_browser(page, server, opening, axe):
    page.goto(f"{server.url}/ui/attention?order_id={opening[0]}")
    page.get_by_role("button", name="Act").click()
    page.get_by_label("A note").fill("asked the seller")
    assert axe(page) == []
    page.get_by_role("button", name="Note").click()
    page.get_by_text("asked the seller").wait_for()
    page.get_by_role("button", name="Act").click()
    page.get_by_role("button", name="Give", exact=True).click()
    page.get_by_text("It is with ui:ann now.").wait_for()
    page.get_by_role("button", name="Act").click()
    page.get_by_role("button", name="Close").click()
    page.get_by_text("It is closed.").wait_for()
    assert standing(server, opening)["state"] == "closed"

"""Many refused bodies at once, by the pages: a plan, progress with reasons, a stop."""

import json
import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from app import clearing
from app.store import engine, leases
from tests.store import making
from tests.ui.acting import form_token
from tests.web import asking, inside


@pytest.fixture
def asked(server):
    return asking.Asking(server)


@pytest.fixture
def database(server):
    """The log of the server, beside it."""
    made = engine.create(f"sqlite:///{server.folder / 'data' / 'listener.db'}")
    yield made
    made.dispose()


def held(database, *bodies, **fields):
    """Rows of the quarantine: what was refused once, whatever it would be now."""
    told = {"source": "local", "flavour": None, "event_name": None, **fields}
    return making.hold(database, *(making.refused(b, **told) for b in bodies))


def good():
    return json.dumps(inside.state_change(id=asking.unique("PO"))).encode()


def state(asked, id_):
    return asked.get(f"/admin/quarantine/{id_}").json()["state"]


def junk():
    return asking.unique("{").encode()


def test_what_is_ticked_is_released_with_progress_and_the_reasons_of_the_others(
    page, asked, database, axe
):
    first, bad, second = held(database, good(), junk(), good())
    page.goto(f"{asked.server.url}/ui/quarantine")
    for id_ in (first, bad, second):
        page.get_by_label(f"Pick {id_}").check()
    page.get_by_role("button", name="Release what is picked").click()
    page.wait_for_url("**/ui/quarantine/jobs/*")
    expect(page.locator("#clearing ul.numbers")).to_have_text(
        re.compile(r"2 released\s+1 still refused"), timeout=10_000
    )
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "3")
    assert axe(page) == []
    reason = page.get_by_role("row", name=re.compile("still refused, 22"))
    reason.get_by_role("link", name="1").click()
    page.wait_for_url(f"**/ui/quarantine/{bad}")
    assert [state(asked, id_) for id_ in (first, bad, second)] == ["released", "open", "released"]


def test_all_of_a_source_are_put_away_after_a_plan_that_does_nothing(page, asked, database, axe):
    before = held(database, junk(), junk())
    page.goto(f"{asked.server.url}/ui/quarantine?source=local")
    page.get_by_role("link", name="discard").click()
    page.get_by_role("heading", name="Discard: all refused bodies of local").wait_for()
    assert axe(page) == []
    (later,) = held(database, junk())
    assert {state(asked, id_) for id_ in before} == {"open"}
    page.get_by_role("button", name=re.compile("Discard")).click()
    page.get_by_role("link", name="What is open now").wait_for()
    assert {state(asked, id_) for id_ in before} == {"discarded"}
    assert state(asked, later) == "open"


@pytest.fixture
def nobody_clears(database):
    """As if another process had begun, and said nothing yet."""
    with database.begin() as connection:
        leases.beat(connection, "act:else", timedelta(minutes=1))
        leases.declare(connection, [clearing.NAME])
        assert leases.take(connection, "act:else", [clearing.NAME], 1)
    yield
    with database.begin() as connection:
        leases.leave(connection, "act:else")


def test_without_a_script_its_page_comes_again_by_itself_and_it_can_be_stopped(
    browser, server, link, database, nobody_clears
):
    ids = held(database, junk(), junk())
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(link())
    tab.goto(f"{server.url}/ui/quarantine")
    for id_ in ids:
        tab.get_by_label(f"Pick {id_}").check()
    tab.get_by_role("button", name="Discard it").click()
    tab.wait_for_url("**/ui/quarantine/jobs/*")
    assert tab.locator('meta[http-equiv="refresh"]').get_attribute("content") == "2"
    expect(tab.locator("#clearing ul.numbers")).to_have_text(re.compile(r"0 discarded\s.*\s2 left"))
    tab.goto(f"{server.url}/ui/quarantine")
    tab.get_by_role("link", name="2 refused bodies").click()
    tab.get_by_role("button", name="Stop here").click()
    told = tab.locator("#clearing")
    expect(told).to_contain_text("It was ended: stopped by ui:ann.")
    expect(told).to_contain_text("2 not begun")
    assert tab.locator('meta[http-equiv="refresh"]').count() == 0
    context.close()


def test_those_refused_for_one_reason_are_listed_and_planned_for(signed_in, database):
    (other,) = held(database, junk())
    (mine,) = held(database, junk(), code=24)
    client = signed_in()
    listed = client.get("/ui/quarantine?code=24").text
    assert mine in listed
    assert other not in listed
    assert "/ui/quarantine/all?what=release&amp;code=24" in listed
    planned = client.get("/ui/quarantine/all?what=discard&code=24").text
    assert "all refused bodies: Invalid body field</h1>" in planned
    assert "Discard 1</button>" in planned
    gone = {"what": "discard", "upto": mine, "code": 100, "form_token": form_token(client)}
    answer = client.post("/ui/quarantine/all", data=gone)
    assert "None of them is open any more." in client.get(answer.headers["location"]).text


def test_who_may_only_read_is_shown_no_way_to_act(signed_in, server):
    client = signed_in("notifications:read")
    assert "/ui/quarantine/all" not in client.get("/ui/quarantine").text
    planned = client.get("/ui/quarantine/all?what=discard").text
    assert '<form class="act"' not in planned


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/ui/quarantine/all", {"what": "burn", "upto": "0"}),
        ("/ui/quarantine/all", {"what": "discard", "upto": "0\0"}),
        ("/ui/quarantine/all", {"what": "discard", "upto": "0", "source": "No body"}),
        ("/ui/quarantine/all", {"what": "discard", "upto": "0", "code": "many"}),
        ("/ui/quarantine/act", {"what": "burn", "id": "0"}),
        ("/ui/quarantine/act", {"what": "discard", "id": ["x", "\0"]}),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(signed_in, path, given):
    client = signed_in()
    answer = client.post(path, data={**given, "form_token": form_token(client)})
    assert answer.status_code == 400
    assert "nothing" in answer.text or "no row" in answer.text

"""What is done on pages: credentials, feeds, commands, alerts; by clicks, in a browser."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from app import errors
from app.clock import SystemClock
from app.security import credentials
from app.sources import base
from app.ui import rewinds
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


def audited(server):
    acts = server.get("/admin/audit?limit=200").json()["items"]
    return {(act["principal"], act["action"], act["target"]) for act in acts}


# ── credentials ──────────────────────────────────────────────────────────────────────────────────


def test_a_credential_is_added_shown_once_and_revoked(at, server, axe):
    page = at("/ui/sources/local")
    page.get_by_label("API key").check()
    page.get_by_label("A word to know it by").fill("for 2027")
    page.get_by_role("button", name="Add it").click()
    secret = page.locator("dt:has-text('X-API-Key') + dd code").inner_text()
    assert secret not in page.url
    assert axe(page) == []
    assert server.post(BODY, headers={"Authorization": "", "X-API-Key": secret}).status_code == 201
    page.get_by_role("link", name="I have handed it over").click()
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


def test_a_sample_is_sent_and_sent_again(at, server):
    name = "ServiceOrderStateChangeNotification"
    for said in ("Taken in.", "It came before: counted as a sighting."):
        page = at("/ui/sources/local")
        chosen = page.get_by_label("Sample").get_by_role("option").filter(has_text=name).first
        page.get_by_label("Sample").select_option(chosen.inner_text())
        page.get_by_role("button", name="Send it").click()
        page.get_by_text(said).wait_for()
    id_ = page.url.rpartition("/ui/notifications/")[2].partition("?")[0]
    told = server.get(f"/admin/notifications/{id_}").json()
    assert (told["source"], told["event_type"], told["principal"]) == ("local", name, "ui:ann")


def test_who_may_only_read_adds_no_credential(signed_in):
    client = signed_in(READ)
    assert "Add a credential" not in client.get("/ui/sources/local").text
    assert add(client, "basic").status_code == 403
    assert add(signed_in(), "basic", token="").status_code == 403


def add(client, type_, source="local", once=None, token=None):
    once = once or credentials.new_id()
    given = {"type": type_, "label": "", "expires": "90d", "once": once}
    given["form_token"] = acting.form_token(client) if token is None else token
    return client.post(f"/ui/sources/{source}/credentials", data=given)


BODY = b"""{"eventId": "e-key", "eventDate": "2026-03-02T09:15:00Z",
    "eventType": "ServiceOrderStateChangeNotification",
    "event": {"id": "SO-key", "state": "COMPLETED"}}"""


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def order(server):
    """Gives the id of the newest order of a source, once there is one."""

    def first(source):
        def look():
            return server.get(f"/admin/orders?source={source}&resource_type=order&limit=1").json()[
                "items"
            ]

        return acting.until(look)[0]["order_id"]

    return first


def test_a_command_is_sent_from_an_order_and_another_is_cancelled(at, server, order, operators):
    id_ = order("covage")
    page = at(f"/ui/orders/covage/{id_}")
    page.get_by_role("link", name="Send a command").click()
    page.get_by_text("at most once").wait_for()
    page.get_by_label("Message").fill("Ring <twice>")
    page.get_by_role("button", name="Send a message").click()
    page.locator("h1 .chip", has_text="done").wait_for()
    first = page.url.rpartition("/")[2]
    assert "Ring <twice>" in operators.covage(f"/api/events/?object_uuid={id_}").text
    page.goto(f"{server.url}/ui/commands/new?source=covage&order_id={id_}")
    page.get_by_label("Message").fill("Ring again")
    page.get_by_role("button", name="Send a message").click()
    page.get_by_text("Not before").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.locator("h1 .chip", has_text="cancelled").wait_for()
    second = page.url.rpartition("/")[2]
    page.get_by_role("button", name="Try again").click()
    page.locator("h1 .chip", has_text="queued").wait_for()
    done = {("command.ask", first), ("command.ask", second), ("command.cancel", second)}
    done |= {("command.retry", second)}
    assert {("ui:ann", *one) for one in done} <= audited(server)
    page.goto(f"{server.url}/ui/commands?source=covage")
    page.locator("select[name=state]").select_option("queued")
    page.wait_for_url("**/ui/commands?state=queued&source=covage")
    assert page.locator("tbody tr").count() == 1
    assert page.get_by_text("Ring again").count() == 1


def test_the_list_of_commands_goes_on_where_it_ended(signed_in, order):
    client = signed_in()
    id_ = order("tjansteguiden")
    for n in range(3):
        command(client, "order_log", id_, key=f"log-{n}")
    told = client.get(f"/ui/commands?order_id={id_}&limit=2").text
    assert told.count("order log</a>") == 2
    further = re.search(r'rel="next" href="([^"]+)"', told)[1].replace("&amp;", "&")
    assert client.get(further).text.count("order log</a>") == 1


def test_the_same_form_again_is_the_same_command_and_a_bad_one_keeps_what_was_typed(
    signed_in, order
):
    client = signed_in()
    id_ = order("tjansteguiden")
    sent = [command(client, "order_info", id_, key="twice") for _ in range(2)]
    assert sent[0].headers["location"] == sent[1].headers["location"]
    bad = command(client, "add_message", id_, key="bad", type="shout", message="Keep me")
    assert bad.status_code == 400
    assert "type must be one of error, alert, system, log" in bad.text
    assert ">Keep me</textarea>" in bad.text


def test_who_lacks_the_scope_sends_and_cancels_nothing(signed_in, order):
    client = signed_in(READ, "admin")
    id_ = order("tjansteguiden")
    assert "Send a command" not in client.get(f"/ui/orders/tjansteguiden/{id_}").text
    told = client.get(f"/ui/commands/new?source=tjansteguiden&order_id={id_}").text
    assert "needs the scope" in told
    assert "<textarea" not in told
    assert command(client, "order_info", id_, key="no").status_code == 403
    for act in ("retry", "cancel"):
        given = {"form_token": acting.form_token(client)}
        assert client.post(f"/ui/commands/x/{act}", data=given).status_code == 403


def command(client, name, id_, *, key, **arguments):
    given = {"source": "tjansteguiden", "order_id": id_, "command": name, "key": key, **arguments}
    return client.post("/ui/commands", data={**given, "form_token": acting.form_token(client)})


# ── feeds ────────────────────────────────────────────────────────────────────────────────────────


def test_a_feed_is_paused_resumed_and_polled(at, server):
    page = at("/ui/feeds/stadsnat")
    for button, said in (
        ("Pause", "It waits until it is resumed."),
        ("Resume", "It goes on from where it was."),
        ("Poll now", re.compile(r"read, \d+ new")),
    ):
        page.get_by_role("button", name=button).click()
        page.get_by_text(said).wait_for()
        page.get_by_role("navigation").get_by_role("link", name="Feeds").click()
        page.get_by_role("main").get_by_role("link", name="stadsnat").click()
    page.locator("h1 .chip", has_text="ok").wait_for()
    done = {("feed.pause", "stadsnat"), ("feed.resume", "stadsnat"), ("feed.poll", "stadsnat")}
    assert {("ui:ann", *one) for one in done} <= audited(server)


def test_a_rewind_to_a_day_shows_its_plan_and_waits_for_a_yes(at, server, order):
    order("covage")
    page = at("/ui/feeds/covage")
    today = SystemClock().now().date()
    before = server.get("/admin/feeds/covage").json()
    page.get_by_label("Day, in UTC").fill(str(today - timedelta(days=2)))
    page.get_by_role("button", name="Plan it from a day on").click()
    page.get_by_text(f"all since {today - timedelta(days=2)} 00:00 UTC").wait_for()
    page.get_by_text("not stored twice").wait_for()
    told = server.get("/admin/feeds/covage").json()
    assert (told["cursor"], told["reread"]) == (before["cursor"], before["reread"])
    page.get_by_role("button", name="Rewind it").click()
    page.get_by_text("It reads again from there.").wait_for()
    acting.until(lambda: server.get("/admin/feeds/covage").json()["reread"] > before["reread"])
    after = server.get("/admin/feeds/covage").json()
    assert after["cursor"]["from"] == f"{today - timedelta(days=3)}T23:00:00.000000Z"
    assert ("ui:ann", "feed.rewind", "covage") in audited(server)


def test_the_history_of_an_order_is_planned_and_read(at, server, order):
    id_ = order("covage")
    page = at("/ui/feeds/covage")
    page.get_by_label("Its id").fill(id_)
    page.get_by_role("button", name="Plan it of one").click()
    page.get_by_text("they are not stored twice").wait_for()
    page.get_by_role("button", name="Backfill it").click()
    page.get_by_text(re.compile(r"read, \d+ new")).wait_for()
    assert ("ui:ann", "feed.backfill", "covage") in audited(server)


def test_an_order_never_told_of_leads_to_asking_for_it(at, server):
    bearer = serving.token(source=None, scopes=(READ, "admin"))
    placed = httpx.put(
        f"{server.url}/admin/orders/stadsnat/O-unheard",
        json={"placed_at": "2026-03-02T10:00:00Z"},
        headers={"Authorization": f"Bearer {bearer}"},
    )
    assert placed.status_code < 300, placed.text
    page = at("/ui/orders/stadsnat/O-unheard")
    page.get_by_role("link", name="Ask for it now").click()
    page.get_by_text("The log has nothing of it yet.").wait_for()
    page.get_by_role("button", name="Backfill it").click()
    page.locator(".said.bad").wait_for()


def test_what_a_feed_cannot_read_again_is_not_offered(signed_in):
    client = signed_in()
    told = client.get("/ui/feeds/stadsnat").text
    assert "From the beginning" in told
    assert "From a day on" not in told
    assert '<option value="service">' not in told
    refused = client.get("/ui/feeds/stadsnat/rewind?to=2026-01-31")
    assert (refused.status_code, "expected beginning" in refused.text) == (400, True)
    future = client.get("/ui/feeds/covage/rewind?to=2999-01-01")
    assert (future.status_code, "yet to come" in future.text) == (400, True)


def test_who_may_only_read_sees_how_a_feed_stands_and_asks_nothing(signed_in, server):
    client = signed_in(READ)
    told = client.get("/ui/feeds/covage").text
    assert "Last turns" in told
    assert "Plan it" not in told
    plan = client.get("/ui/feeds/covage/rewind?to=beginning").text
    assert "It needs the scope" in plan
    given = {"form_token": acting.form_token(client), "to": "beginning", "action": "poll"}
    for act in ("rewind", "backfill", "act"):
        assert client.post(f"/ui/feeds/covage/{act}", data=given).status_code == 403


def test_a_rewind_leaves_nothing_of_the_utc_day_out():
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    east, west = (
        base.SourceConfig(name="a", kind="covage", zone=zone)
        for zone in ("Europe/Paris", "America/New_York")
    )
    assert rewinds.place(east, date(2026, 3, 1), now) == date(2026, 3, 1)
    assert rewinds.place(west, date(2026, 3, 1), now) == date(2026, 2, 28)
    assert rewinds.place(west, "beginning", now) == "beginning"
    with pytest.raises(errors.InvalidParameter, match="yet to come"):
        rewinds.place(east, date(2026, 3, 3), now)


# ── alerts ───────────────────────────────────────────────────────────────────────────────────────


def test_a_test_of_a_channel_says_whether_it_arrived(at, server):
    page = at("/ui/alerts")
    page.get_by_role("button", name="Test chat").click()
    page.locator("dd", has_text="arrived").wait_for()
    assert page.get_by_text("not arrived").count() == 0
    page.get_by_role("link", name="To the alerts").click()
    page.get_by_role("button", name="Test nobody").click()
    page.get_by_text("not arrived").wait_for()
    page.get_by_text("Then test it again.").wait_for()
    page.get_by_role("link", name="To the alerts").click()
    tests = page.get_by_role("region", name="What was told").locator(
        "tr", has=page.get_by_text("test", exact=True)
    )
    assert tests.filter(has_text="chat").get_by_text("arrived", exact=True).count()
    assert tests.filter(has_text="nobody").get_by_text("not arrived").count()
    assert {("ui:ann", "alert.test", one) for one in ("chat", "nobody")} <= audited(server)


def test_no_page_shows_where_a_channel_posts_or_what_signs(signed_in):
    told = signed_in().get("/ui/alerts").text
    assert "127.0.0.1" in told
    assert acting.KEY not in told
    assert acting.SECRET not in told


def test_who_may_only_read_sees_the_channels_and_tests_none(signed_in):
    client = signed_in(READ)
    told = client.get("/ui/alerts").text
    assert "chat" in told
    assert '<form class="act"' not in told
    form = {"form_token": acting.form_token(client)}
    assert client.post("/ui/alerts/test", data=form).status_code == 403


# ── how they look ────────────────────────────────────────────────────────────────────────────────


def looked_at(client, order):
    """The pages, once something was done on some."""
    id_ = order("covage")
    sent = command(client, "order_info", "O-1", key="looked-at").headers["location"]
    asked = client.post(
        "/ui/feeds/covage/act", data={"form_token": acting.form_token(client), "action": "audit"}
    ).headers["location"]
    test = client.post("/ui/alerts/test", data={"form_token": acting.form_token(client)})
    return (
        "/ui/alerts",
        test.headers["location"],
        "/ui/sources/local",
        "/ui/sources/covage",
        "/ui/commands?limit=5",
        sent,
        asked,
        "/ui/feeds/covage",
        "/ui/feeds/covage/rewind?to=2026-01-31",
        f"/ui/feeds/covage/backfill?object_type=order&object_id={id_}",
        f"/ui/commands/new?source=covage&order_id={id_}",
        "/ui/commands/new?source=tjansteguiden&order_id=O-1",
        f"/ui/orders/covage/{id_}",
    )


def test_each_page_is_accessible_light_and_dark_and_narrow(at, signed_in, order, axe):
    for path in looked_at(signed_in(), order):
        page = at(path)
        for scheme, rules in (("light", ()), ("dark", ("color-contrast",))):  # only colours differ
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert axe(page, *rules) == [], f"{path} {scheme}"
        page.set_viewport_size({"width": 360, "height": 740})
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0, path
        page.set_viewport_size({"width": 1280, "height": 800})

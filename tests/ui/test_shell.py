"""What goes wrong under /ui is a page with a next step; orders of any id have an address."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from app.store import epochs
from app.ui import entrance, shell
from tests.ui import telling
from tests.ui.conftest import code
from tests.web import inside


@pytest.fixture
async def door(tmp_path):
    async with inside.opened(f"sqlite:///{tmp_path / 'listener.db'}", tmp_path) as opened:
        await signed_in(opened)
        yield opened


async def signed_in(door):
    assert (await door.client.get(f"/ui/enter?code={code()}")).status_code == 303


def assert_page(answer, status, *told):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for words in told:
        assert words in answer.text


async def test_a_fault_of_ours_is_a_page_with_a_reference_and_nothing_of_our_insides(door, capsys):
    with door.runtime.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE orders")
    answer = await door.client.get("/ui/orders")
    assert_page(answer, 500, "Internal error", "Try again.", "Reference: <code>", "Sign out")
    assert answer.headers["retry-after"] == "30"
    assert "no such table" not in answer.text
    reference = answer.text.partition("Reference: <code>")[2].partition("<")[0]
    log = capsys.readouterr()
    assert reference in log.out + log.err


async def test_a_database_that_is_away_is_a_page_that_says_when_to_come_back(
    postgres_cluster, postgres_url, tmp_path
):
    async with inside.opened(postgres_url, tmp_path) as door:
        await signed_in(door)
        postgres_cluster.drop(postgres_url.rpartition("/")[2])
        answer = await door.client.get("/ui/orders")
        assert_page(answer, 503, "temporarily unavailable", "nothing was lost", "Sign out")
        assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "/ui/no/such/page", 404, "There is no page"),
        ("GET", "/ui/notifications/nothing", 404, "there is no notification nothing"),
        ("POST", "/ui/no/such/page", 405, "act from there"),
        ("GET", "/ui/orders?state=lost", 400, "Take the filter away"),
        ("GET", "/ui/orders?state=held&state=failed", 400, "given twice"),
    ],
)
async def test_what_cannot_be_given_is_a_page_with_a_next_step(door, method, path, status, told):
    assert_page(await door.client.request(method, path), status, told, "To the overview")


async def test_a_filter_that_cannot_be_leads_to_the_same_page_without_it(door):
    answer = await door.client.get("/ui/quarantine?state=lost&source=local")
    assert_page(answer, 400, '<a href="/ui/quarantine">The same page without what was asked</a>')
    told = (await door.client.get("/ui/orders?state=lost")).text
    assert "state: expected one of acknowledged, " in told


async def test_who_may_not_is_told_which_link_to_ask_for(door):
    door.client.cookies.clear()
    await door.client.get(f"/ui/enter?code={code(scopes=('notifications:write',))}")
    assert_page(await door.client.get("/ui/orders"), 403, "listener token --ui --scope")


async def test_a_part_of_a_page_that_fails_leaves_the_page_as_it_is(door):
    with door.runtime.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE orders")
    answer = await door.client.get("/ui/overview/now", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-reswap"], answer.text) == (500, "none", "")


async def test_orders_of_no_state_are_counted_and_lead_nowhere(door):
    body = inside.state_change(id="PO-quiet") | {"eventType": "orderValueChangeNotification"}
    del body["event"]["productOrder"]["state"]
    await door.taken(body, inside.state_change())

    async def states():
        page = (await door.client.get("/ui")).text
        return re.findall(r"<li>(.*?)</li>", page.partition('class="states"')[2], re.DOTALL)[:2]

    told = await telling.until(states, lambda found: len(found) == 2)
    by_word = {"no state told" in one: one for one in told}
    assert 'href="/ui/orders?state=inProgress"' in by_word[False]
    assert "href" not in by_word[True]


async def test_who_is_far_behind_is_told_to_load_the_list_again(door):
    await door.taken(inside.state_change())
    with door.runtime.engine.begin() as connection:
        epochs.begin(connection, "a restore", door.runtime.clock.now())
    await door.taken(inside.state_change())
    answer = await door.client.get("/ui/notifications/stream?from=1")
    assert [line for line in answer.text.split("\n\n") if not line.startswith(":")] == [
        "event: far\ndata: load the list again", ""
    ]  # fmt: skip


async def test_a_quarantine_of_which_nothing_fits_says_so(door):
    assert "Nothing is here" in (await door.client.get("/ui/quarantine")).text
    assert "Nothing fits" in (await door.client.get("/ui/quarantine?source=local")).text


async def test_the_other_doors_still_answer_in_json(door):
    assert (await door.client.get("/uix")).json()["code"] == 60
    assert (await door.client.get("/nowhere")).json()["code"] == 60


IDS = (".", "..", "a/b", "/", "../..", "100%", "%2e%2e", "å ö", "a?b#c", "a\\b", "x'\"<y>", "順")


@pytest.mark.parametrize("order_id", IDS)
async def test_an_order_of_any_id_has_a_page_that_its_links_lead_to(door, order_id):
    await door.taken(inside.state_change(id=order_id))
    listed = await door.client.get("/ui/notifications")
    address = shell.order_address("local", order_id)
    assert f'href="{address.replace("&", "&amp;")}"' in listed.text
    parts = urlsplit(address)
    assert parts.path == "/ui/orders/one"
    assert parse_qs(parts.query) == {"source": ["local"], "order_id": [order_id]}
    answer = await door.client.get(address)
    assert_page(answer, 200, "The story", 'data-name="happened"')
    assert entrance.inside(address) == address


def test_a_plain_id_stands_in_the_path():
    assert shell.order_address("local", "PO-1.2_~") == "/ui/orders/local/PO-1.2_~"
    typed = shell.order_address("local", "7", "service")
    assert typed == "/ui/orders/local/7?resource_type=service"


@pytest.mark.parametrize(
    "address", ["/ui/%2e%2e/admin", "/ui\\admin", "/ui/%5c/x", "/ui/a\r\nb: c", "//evil", ""]
)
def test_an_address_that_might_lead_out_of_the_pages_does_not(address):
    assert entrance.inside(address) == "/ui"

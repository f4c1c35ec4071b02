"""The file of a filter, by a page: told beforehand, streamed, personal by scope and audited."""

import csv
import json
import re

import pytest

from tests.ui import acting
from tests.ui.acting import form_token
from tests.web import asking, inside


@pytest.fixture(scope="module")
def asked(server):
    made = asking.Asking(server)
    for n in range(3):
        assert made.post(json.dumps(inside.state_change(id=f"EX-{n}", note="Astrid Ek")).encode())
    assert made.post(json.dumps(inside.state_change(id="EX-0", state="Held")).encode())
    return made


@pytest.fixture(scope="module")
def folded(asked):
    """The same, once the lists of orders tell of it."""
    acting.until(lambda: asked.get("/admin/orders", state="held").json()["items"])
    acting.until(lambda: asked.get("/admin/orders", q="EX-1").json()["items"])
    return asked


def test_the_page_of_a_filter_leads_to_its_file(page, asked, axe):
    page.goto(f"{asked.server.url}/ui/notifications?state=inProgress&limit=1&order=asc")
    page.get_by_role("button", name="Export").click()
    page.get_by_text("3, the oldest first").wait_for()
    assert axe(page) == []
    page.get_by_label("Form").select_option("csv")
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download", exact=True).click()
    assert coming.value.suggested_filename == "notifications.csv"
    with coming.value.path().open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["order_id"] for row in rows] == ["EX-0", "EX-1", "EX-2"]


@pytest.mark.parametrize(
    ("form", "type_"),
    [("ndjson", "application/x-ndjson"), ("cloudevents", "application/cloudevents")],
)
def test_it_comes_in_the_form_that_is_asked_as_an_attachment(signed_in, asked, form, type_):
    answer = signed_in("notifications:read").get(f"/ui/export/file?order_id=EX-0&format={form}")
    assert answer.headers["content-type"].startswith(type_)
    assert "attachment" in answer.headers["content-disposition"]
    text = answer.text if form == "cloudevents" else f"[{','.join(answer.text.splitlines())}]"
    assert len(json.loads(text)) == 2
    assert "Astrid" not in answer.text


@pytest.mark.parametrize(
    ("asks", "told"),
    [
        ("", "all of the log"),
        ("?state=held", "<strong>1</strong>"),
        ("?q=EX-", "<strong>4</strong>"),
        ("?state=failed", "Nothing fits"),
    ],
)
def test_what_it_will_hold_is_told_beforehand(signed_in, asked, asks, told):
    text = signed_in().get(f"/ui/export{asks}").text
    assert told in text


def test_what_is_personal_needs_its_scope_and_is_audited_first(signed_in, asked):
    reader = signed_in("notifications:read")
    assert "Download with bodies" not in reader.get("/ui/export").text
    given = {"order_id": "EX-1", "format": "ndjson"}
    token = {"form_token": form_token(reader)}
    assert reader.post("/ui/export/file", data=given | token).status_code == 403
    assert reader.get("/ui/export/file?personal=true").status_code == 400
    sees = signed_in("notifications:read", "personal")
    assert "Download with bodies" in sees.get("/ui/export").text
    assert sees.post("/ui/export/file", data=given).status_code == 403
    answer = sees.post("/ui/export/file", data=given | {"form_token": form_token(sees)})
    (row,) = (json.loads(line) for line in answer.text.splitlines())
    assert "Astrid Ek" in row["raw"]
    newest = asked.get("/admin/audit", scopes=asking.ADMIN, limit=1).json()["items"][0]
    assert (newest["action"], newest["detail"]["order_id"]) == ("export.personal", "EX-1")


def test_a_file_that_nobody_can_write_is_refused(signed_in, asked):
    client = signed_in("notifications:read", "personal")
    given = {"format": "pdf", "form_token": form_token(client)}
    assert client.post("/ui/export/file", data=given).status_code == 400
    assert client.get("/ui/export/file?format=pdf").status_code == 400


def test_the_story_of_an_order_is_exported_by_its_page(signed_in, asked):
    client = signed_in()
    text = client.get("/ui/orders/local/EX-2").text
    assert "/ui/export?source=local&amp;order_id=EX-2" in text


@pytest.mark.parametrize(
    ("asks", "leads"),
    [
        ("", "/ui/export"),
        ("?source=local", "/ui/export?source=local"),
        ("?source=local&state=held", None),
    ],
)
def test_orders_lead_to_their_notifications_where_an_export_knows_the_filter(
    signed_in, asked, asks, leads
):
    text = signed_in().get(f"/ui/orders{asks}").text
    assert re.findall(r'href="(/ui/export(?:\?[^"]*)?)"', text) == (
        [] if leads is None else [leads]
    )


def test_the_orders_that_fit_are_a_table_by_a_button_of_their_list(page, folded):
    page.goto(f"{folded.server.url}/ui/orders?state=held&order=asc&limit=1")
    with page.expect_download() as coming:
        page.get_by_role("button", name="Export as CSV").click()
    assert coming.value.suggested_filename == "orders.csv"
    with coming.value.path().open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["order_id"], row["state"]) for row in rows] == [("EX-0", "held")]


def test_the_rows_of_orders_come_in_the_form_that_is_asked(signed_in, folded):
    client = signed_in("notifications:read")
    answer = client.get("/ui/export/orders?q=EX-1&format=ndjson")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["order_id"] for line in answer.text.splitlines()] == ["EX-1"]
    for wrong in ("format=cloudevents", "limit=5", "state=lost"):
        assert client.get(f"/ui/export/orders?{wrong}").status_code == 400

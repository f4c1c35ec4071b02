"""`/admin/export`: all notifications of a filter as a file."""

import csv
import io
import json

import pytest

from tests.web import inside

TYPES = {
    "ndjson": ("application/x-ndjson", "notifications.ndjson"),
    "csv": ("text/csv;charset=utf-8", "notifications.csv"),
    "cloudevents": ("application/cloudevents-batch+json", "notifications.json"),
}
READERS = {
    "ndjson": lambda text: [json.loads(line) for line in text.splitlines()],
    "csv": lambda text: list(csv.DictReader(io.StringIO(text, newline=""))),
    "cloudevents": lambda text: [event["data"] for event in json.loads(text)],
}


@pytest.mark.parametrize("form", TYPES)
async def test_each_form_is_a_file_of_what_is_asked_for(door, form):
    await door.taken(*(inside.state_change(f"e{n}", id=f"PO-{n % 2}") for n in range(4)))
    answer = await door.get(f"/admin/export?format={form}&order_id=PO-1")
    media_type, name = TYPES[form]
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    told = READERS[form](answer.text)
    assert [one["event_id"] for one in told] == ["e1", "e3"]
    assert all("raw" not in one for one in told)


async def test_bytes_leave_with_the_scope_personal_only_and_that_is_told(door):
    await door.taken(inside.state_change("e1", note=[{"text": "Greta"}]))
    plain = await door.get("/admin/export")
    assert "Greta" not in plain.text
    refused = await door.get("/admin/export?personal=true")
    assert (refused.status_code, refused.json()["code"]) == (403, 50)
    assert await door.items("/admin/audit") == []
    scopes = (inside.READ, "personal")
    (told,) = READERS["ndjson"](
        (await door.get("/admin/export?personal=true&source=local", scopes=scopes)).text
    )
    assert "Greta" in told["raw"]
    (act,) = await door.items("/admin/audit")
    assert act["action"] == "export.personal"
    assert act["detail"] == {"source": "local", "format": "ndjson", "personal": "true"}


@pytest.mark.parametrize(
    "asked", ["format=xml", "personal=yes", "limit=5", "after=x", "source=A%20B", "state=gone"]
)
async def test_what_is_not_known_is_refused(shared, asked):
    answer = await shared.get(f"/admin/export?{asked}")
    assert (answer.status_code, answer.json()["code"]) == (400, 28)

"""`/admin/attention`: listed, taken, noted, closed by hand, each act in the audit trail."""

import asyncio
import uuid

import pytest

from app.store import attention
from tests.store.making import story
from tests.web import inside


async def opened(door, *ids, order_id="O-1", source="local"):
    told = story(order_id, *ids, source=source)
    await asyncio.wrap_future(door.runtime.writer.run(lambda c: attention.follow(c, [told])))


async def test_the_list_is_filtered_and_paged_oldest_first(door):
    ids = [f"00000000-0000-7000-8000-00000000000{n}" for n in range(5)]
    await opened(door, *ids[:3])
    await opened(door, *ids[3:], order_id="O-2", source="choosy")
    pages = [page async for page in door.pages("/admin/attention", 2)]
    assert [row["notification_id"] for page in pages for row in page] == ids
    found = await door.items("/admin/attention?source=choosy&attention=alarm&order_id=O-2")
    assert [row["notification_id"] for row in found] == ids[3:]
    assert await door.items("/admin/attention?state=closed") == []
    answer = await door.get("/admin/attention?state=somehow")
    assert (answer.status_code, answer.json()["code"]) == (400, 28)


async def test_what_somebody_does_with_it_is_told_and_audited(door):
    id_ = str(uuid.uuid4())
    await opened(door, id_)
    path = f"/admin/attention/{id_}"
    taken = await door.act(f"{path}/assign", {"assignee": "greta"})
    assert (taken.status_code, taken.json()["assignee"]) == (200, "greta")
    assert await door.items("/admin/attention?unassigned=true") == []
    noted = await door.act(f"{path}/note", {"text": "called\nthem"})
    assert [note["text"] for note in noted.json()["notes"]] == ["called\nthem"]
    closed = await door.act(f"{path}/close")
    assert (closed.json()["state"], closed.json()["closed_by"]) == ("closed", "jwt:tests")
    assert await door.items("/admin/attention") == []
    assert (await door.get(path)).json() == closed.json()
    acts = [(one["action"], one["target"]) for one in await door.items("/admin/audit")]
    assert acts == [
        ("attention.close", id_), ("attention.note", id_), ("attention.assign", id_),
    ]  # fmt: skip


async def test_what_is_closed_is_not_closed_or_taken_again(door):
    id_ = str(uuid.uuid4())
    await opened(door, id_)
    await door.act(f"/admin/attention/{id_}/close")
    for action, body in (("close", None), ("assign", {"assignee": "greta"})):
        answer = await door.act(f"/admin/attention/{id_}/{action}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, 69)
        assert "closed" in answer.json()["message"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("nothing", None, 404, 60),
        ("nothing/close", {}, 404, 60),
        ("nothing/assign", {}, 400, 23),
        ("nothing/note", {"text": ""}, 400, 24),
        ("nothing/note", {"text": "a\0"}, 400, 24),
    ],
)
async def test_what_makes_no_sense_is_refused(shared, path, body, status, code):
    where = f"/admin/attention/{path}"
    answer = await (shared.get(where) if body is None else shared.act(where, body))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_acting_needs_the_scope(shared):
    for action, body in (("close", None), ("assign", {"assignee": None}), ("note", {"text": "x"})):
        answer = await shared.act(f"/admin/attention/x/{action}", body, scopes=(inside.READ,))
        assert (answer.status_code, answer.json()["code"]) == (403, 50)

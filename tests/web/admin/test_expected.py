"""`PUT /admin/orders/{source}/{order_id}`: what was placed is kept, and who said so."""

import pytest

from app.store import engine, expected
from tests.web import inside

PLACED = {
    "own_ref": "S-7", "access_id": "STTA0001", "placed_at": "2026-11-20T13:00:00+01:00",
    "answer": "RECEIVED",
}  # fmt: skip


async def put(door, path, body, scopes=(inside.ADMIN,)):
    return await door.client.put(f"/admin/orders/{path}", json=body, headers=inside.shown(scopes))


async def test_what_was_placed_is_kept_with_who_said_so(door):
    answer = await put(door, "local/O/1", PLACED)
    told = answer.json()
    assert answer.status_code == 200
    assert (told["order_id"], told["placed_at"]) == ("O/1", "2026-11-20T12:00:00.000000Z")
    with engine.read(door.runtime.engine) as connection:
        kept = expected.one(connection, "local", "O/1")
    assert (kept.own_ref, kept.access_id, kept.answer) == ("S-7", "STTA0001", "RECEIVED")
    assert kept.put_by == "jwt:tests"
    (act,) = await door.items("/admin/audit")
    assert (act["action"], act["target"]) == ("order.expect", "local/O/1")


async def test_without_a_time_it_was_placed_now(door):
    told = (await put(door, "local/O-2", {})).json()
    assert told["placed_at"] == told["put_at"]
    assert (told["own_ref"], told["access_id"], told["answer"]) == (None, None, None)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("nobody/O-1", {}, 404, 60),
        ("local/O-1", {"placed_at": "2026-11-20"}, 400, 24),
        ("local/O-1", {"placed_at": "2026-11-20T12:00:00"}, 400, 24),
        ("local/O-1", {"placed_at": 12}, 400, 24),
        ("local/O-1", {"own_ref": "a\0b"}, 400, 24),
        ("local/O-1", {"more": 1}, 400, 24),
        ("local/%20", {}, 400, 20),
        ("local/O%00", {}, 400, 20),
    ],
)
async def test_what_makes_no_sense_is_refused(shared, path, body, status, code):
    answer = await put(shared, path, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_it_needs_the_scope(shared):
    answer = await put(shared, "local/O-1", {}, scopes=(inside.READ,))
    assert (answer.status_code, answer.json()["code"]) == (403, 50)


# --- outstanding, silent, linked ----------------------------------------------------------------

PATIENT = """
[[source]]
name = "local"
stuck_after = { inProgress = "1s", acknowledged = "1h" }
"""


@pytest.fixture
async def patient(database_url, tmp_path):
    """The application, with a source that should not be silent for long."""
    async with inside.opened(database_url, tmp_path, PATIENT) as opened:
        yield opened


async def test_what_is_outstanding_is_listed_with_who_is_silent(patient):
    long_ago = {"placed_at": "2026-01-01T00:00:00Z", "answer": "RECEIVED", "own_ref": "S-7"}
    await put(patient, "local/PO-1", {"own_ref": "S-7"})
    await put(patient, "local/PO-2", long_ago)
    await put(patient, "local/PO-3", {"answer": "RECEIVED"})
    rows = await patient.items("/admin/expected")
    assert [(row["order_id"], row["silent"]) for row in rows] == [
        ("PO-2", True), ("PO-1", False), ("PO-3", False),
    ]  # fmt: skip
    assert [page async for page in patient.pages("/admin/expected", 2)] == [rows[:2], rows[2:]]
    await patient.taken(inside.state_change())

    async def silent():
        return await patient.items("/admin/orders?silent=true")

    assert [row["order_id"] for row in await inside.until(silent)] == ["PO-1"]
    (row,) = await patient.items("/admin/expected?told=true")
    assert (row["order_id"], row["order"]["state"], row["silent"]) == ("PO-1", "inProgress", True)
    assert len(await patient.items("/admin/expected?told=false")) == 2


async def test_the_end_of_an_order_takes_it_off_the_list(patient):
    await put(patient, "local/PO-1", {})
    await patient.taken(inside.state_change(state="Completed"))

    async def over():
        return not await patient.items("/admin/expected")

    await inside.until(over)
    assert await patient.items("/admin/orders?silent=true") == []


async def test_an_order_is_told_with_what_was_placed_and_those_of_its_story(patient):
    await put(patient, "local/PO-1", PLACED)
    await put(patient, "local/PO-9", {"own_ref": "S-7"})
    await patient.taken(inside.state_change(), inside.state_change(id="PO-9"))

    async def whole():
        answer = await patient.get("/admin/orders/local/PO-1")
        return answer.json() if answer.status_code == 200 and answer.json()["linked"] else None

    told = await inside.until(whole)
    assert (told["expected"]["own_ref"], told["expected"]["answer"]) == ("S-7", "RECEIVED")
    ((other),) = told["linked"]
    assert (other["order_id"], other["by"], other["state"]) == ("PO-9", "own_ref", "inProgress")

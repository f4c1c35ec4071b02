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

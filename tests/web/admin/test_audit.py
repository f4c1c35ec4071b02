"""`/admin/audit`: every act of an administrator, who did it, and no secret."""

import re

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def test_the_trail_says_who_did_what_to_what_newest_first(door):
    released, discarded = await door.refused(b"[1]"), await door.refused(b"[2]")
    done = await door.act(f"/admin/quarantine/{released}/release", {"force": True})
    await door.act(f"/admin/quarantine/{discarded}/discard")
    trail = await door.items("/admin/audit")
    for act in trail:
        assert UUID.fullmatch(act.pop("id"))
        assert MOMENT.fullmatch(act.pop("at"))
    assert trail == [
        {
            "principal": "jwt:tests",
            "action": "quarantine.discard",
            "target": discarded,
            "detail": {},
        },
        {
            "principal": "jwt:tests",
            "action": "quarantine.release",
            "target": released,
            "detail": {"notification_id": done.json()["notification_id"]},
        },
    ]


async def test_what_was_not_done_leaves_no_trace(door):
    row = await door.refused(b"[]")
    assert (await door.act(f"/admin/quarantine/{row}/release")).status_code == 409
    assert (await door.act("/admin/quarantine/0190/discard")).status_code == 404
    assert (await door.act(f"/admin/quarantine/{row}/discard")).status_code == 200
    assert (await door.act(f"/admin/quarantine/{row}/discard")).status_code == 409
    assert [act["action"] for act in await door.items("/admin/audit")] == ["quarantine.discard"]

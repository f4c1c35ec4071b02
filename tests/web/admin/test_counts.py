"""`/admin/sources` and `/admin/stats`: who is configured, and how much came of it."""

import json

from tests.web import inside

SHARED = "/externalapi/listener/v1/listener"
KEYED = "/externalapi/listener/v1/{key}/listener"


async def test_the_stats_count_the_log_and_the_open_rows(door):
    nothing = {"notifications": 0, "by_source": {}, "by_kind": {}, "quarantine": 0}
    assert (await door.get("/admin/stats")).json() == nothing
    created = {
        "eventId": "1",
        "eventDate": "2026-03-02T09:15:00Z",
        "eventType": "ServiceOrderCreationNotification",
        "event": {},
    }
    await door.taken(inside.state_change("1"), inside.state_change("1"), inside.state_change("2"))
    await door.taken(created, source="choosy")
    row = await door.refused(b"[1]")
    await door.refused(b"[2]")
    await door.act(f"/admin/quarantine/{row}/discard")
    assert (await door.get("/admin/stats")).json() == {
        "notifications": 3,
        "by_source": {"local": 2, "choosy": 1},
        "by_kind": {"state_changed": 2, "created": 1},
        "quarantine": 1,
    }


async def test_every_source_is_told_with_where_it_posts_and_what_came_and_no_secret(door):
    await door.taken(inside.state_change())
    local, choosy, keyed = await door.items("/admin/sources")
    paths = local.pop("paths")
    assert local == {
        "name": "local",
        "kind": "tmf",
        "title": "TM Forum (TMF622, TMF641) and Orange/ONAP notifications",
        "channel": "push",
        "enabled": True,
        "auth": [],
        "accept": None,
        "strict": False,
        "unknown_event_types": "refuse",
        "success_status": None,
        "notifications": 1,
    }
    assert paths[0] == SHARED
    assert "/tmf-api/productOrderingManagement/v4/listener/productOrderCreateEvent" in paths
    assert "/tmf-api/serviceOrdering/v3/listener/serviceOrderCreateNotification" in paths
    assert len(paths) == 1 + 8 + 11 + 4 + 10
    assert (choosy["name"], choosy["accept"]) == ("choosy", ["created"])
    told = {name: keyed[name] for name in keyed if name not in {"paths", "title", "kind"}}
    assert told == {
        "name": "keyed",
        "channel": "push",
        "enabled": False,
        "auth": ["api_key", "basic", "callback_key"],
        "accept": None,
        "strict": True,
        "unknown_event_types": "store",
        "success_status": 200,
        "notifications": 0,
    }
    assert KEYED in keyed["paths"]
    assert KEYED not in json.dumps(local | {"paths": paths}) + json.dumps(choosy)


async def test_the_configuration_in_force_is_what_is_told(door, tmp_path):
    (tmp_path / "listener.toml").write_text('[[source]]\nname = "another"\n')
    door.runtime.reload()
    assert [one["name"] for one in await door.items("/admin/sources")] == ["another"]

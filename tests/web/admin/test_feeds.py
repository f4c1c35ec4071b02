"""`/admin/feeds`, `jobs`, `commands`, `personal` and `files`, over the operators of a sandbox."""

import asyncio
import uuid

import pytest

from app.store import personal
from tests.feeds.conftest import table
from tests.sandbox import serving as sandboxes
from tests.web import inside

COMMANDS, PERSONAL = "commands", "personal"


@pytest.fixture(scope="module")
def sandbox():
    with sandboxes.sandbox() as served:
        yield served


@pytest.fixture
async def door(sandbox, sqlite_url, tmp_path):
    """The application, whose feeds turn once and then not before long."""
    tables = [table(name, sandbox.url, every="1h") for name in ("stadsnat", "covage")]
    config = "\n".join([*tables, '[[source]]\nname = "local"\n'])
    async with inside.opened(sqlite_url, tmp_path, config) as opened:
        yield opened


async def feed(door, name="stadsnat"):
    (found,) = [one for one in await door.items("/admin/feeds") if one["name"] == name]
    return found


async def test_feeds_are_listed_with_how_they_stand(door):
    async def ok():
        found = await feed(door)
        return found if found["status"] == "ok" else None

    found = await inside.until(ok)
    assert [one["name"] for one in await door.items("/admin/feeds")] == ["stadsnat", "covage"]
    assert (found["kind"], found["last_error"]) == ("on_api", None)
    assert found["events"] > 0
    assert found["lag_seconds"] < inside.DEADLINE
    assert set(found["cursor"]) == {"since", "first"}
    whole = (await door.get("/admin/feeds/stadsnat")).json()
    assert whole["turns"][0]["appended"] == found["events"]


async def test_what_is_asked_of_a_feed_is_a_job(door):
    for action in ("poll", "pause", "resume", "audit"):
        job = await inside.over(door, await door.act(f"/admin/feeds/stadsnat/{action}"))
        assert (job["action"], job["state"]) == (action, "done"), job
    plan = await inside.over(
        door, await door.act("/admin/feeds/stadsnat/rewind", {"dry_run": True})
    )
    assert plan["result"]["done"] is False
    acts = [one["action"] for one in await door.items("/admin/audit")]
    assert acts == ["feed.rewind", "feed.audit", "feed.resume", "feed.pause", "feed.poll"]


@pytest.mark.parametrize("path", ["/admin/feeds/nothing", "/admin/feeds/local", "/admin/jobs/x"])
async def test_what_is_not_there_is_not_found(door, path):
    answer = await door.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, 60)


@pytest.mark.parametrize(
    ("body", "code"),
    [({"to": "yesterday"}, 24), ({"more": 1}, 24), ({"dry_run": "yes"}, 24)],
)
async def test_a_rewind_that_makes_no_sense_is_refused(door, body, code):
    answer = await door.act("/admin/feeds/stadsnat/rewind", body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_acting_needs_the_scope(door):
    answer = await door.act("/admin/feeds/stadsnat/poll", scopes=(inside.READ,))
    assert (answer.status_code, answer.json()["code"]) == (403, 50)


# --- commands -----------------------------------------------------------------------------------


def message(order, text="Hello there", key=None):
    return {
        "source": "covage", "order_id": order, "command": "events/info",
        "arguments": {"message": text}, "idempotency_key": key or uuid.uuid4().hex,
    }  # fmt: skip


def an_order(sandbox, n=0):
    published = sandbox.control("covage/events")
    orders = [one["object_uuid"] for one in published if one["object_type"] == "order"]
    return list(dict.fromkeys(orders))[n]


async def test_a_command_is_done_once_whatever_is_asked_again(door, sandbox):
    asked = message(an_order(sandbox))
    first = await door.act("/admin/commands", asked, scopes=(COMMANDS,))
    again = await door.act("/admin/commands", asked, scopes=(COMMANDS,))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    other = {**asked, "arguments": {"message": "other"}}
    answer = await door.act("/admin/commands", other, scopes=(COMMANDS,))
    assert (answer.status_code, answer.json()["code"]) == (409, 69)

    async def done():
        found = (await door.get(f"/admin/commands/{first.json()['id']}")).json()
        return found if found["finished_at"] else None

    assert (await inside.until(done))["state"] == "done"
    executed = [
        one for one in sandbox.control("covage/executions") if one["about"] == asked["order_id"]
    ]
    assert [one["count"] for one in executed] == [1]
    (listed,) = await door.items("/admin/commands?state=done")
    assert listed["id"] == first.json()["id"]
    answer = await door.act(f"/admin/commands/{listed['id']}/cancel", scopes=(COMMANDS,))
    assert (answer.status_code, answer.json()["code"]) == (409, 69)


@pytest.mark.parametrize(
    ("change", "status", "code", "told"),
    [
        ({"command": "dance"}, 400, 24, "events/info"),
        ({"arguments": {}}, 400, 24, "message"),
        ({"source": "nobody"}, 404, 60, "nobody"),
        ({"source": "local"}, 404, 60, "local"),
        ({"order_id": ""}, 400, 24, "order_id"),
    ],
)
async def test_a_command_that_cannot_be_is_refused_with_what_would_be_right(
    door, change, status, code, told
):
    answer = await door.act("/admin/commands", {**message("O-1"), **change}, scopes=(COMMANDS,))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert told in answer.json()["message"]


async def test_a_command_needs_the_scope(door):
    answer = await door.act("/admin/commands", message("O-1"), scopes=(inside.ADMIN,))
    assert (answer.status_code, answer.json()["code"]) == (403, 50)


# --- personal data ------------------------------------------------------------------------------


async def test_a_person_is_shown_only_with_the_scope(door):
    now = door.runtime.clock.now()
    person = personal.Person("covage", "O/1", now, {"name": "Greta"})
    await asyncio.wrap_future(door.runtime.writer.run(lambda c: personal.put(c, person)))
    path = "/admin/personal/covage/O/1"
    assert (await door.get(path, scopes=(PERSONAL,))).json()["told"] == {"name": "Greta"}
    refused = await door.get(path, scopes=(inside.READ, inside.ADMIN))
    assert (refused.status_code, refused.json()["code"]) == (403, 50)
    missing = await door.get("/admin/personal/covage/O-2", scopes=(PERSONAL,))
    assert missing.status_code == 404


async def test_the_files_of_a_report_are_given_out_as_bytes(door, sandbox):
    async def stored():
        rows = await door.items("/admin/notifications?source=covage&limit=500")
        for row in rows:
            if row["event_type"] == "CRI":
                path = f"/admin/notifications/{row['id']}/files"
                files = (await door.get(path, scopes=(PERSONAL,))).json()["items"]
                if files and all(file["state"] == "stored" for file in files):
                    return files
        return None

    (file, *_) = await inside.until(stored)
    answer = await door.get(f"/admin/files/{file['id']}", scopes=(PERSONAL,))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert len(answer.content) == file["length"]

"""`/admin/quarantine`: what is told of refused bodies, and what may be done with them."""

import asyncio
import base64
import hashlib
import re

import pytest

from app import settings
from tests.web import inside

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
BODY = b'{"eventId": "1", "eventTime": "soon", "eventType": "orderRemoveNotification"}'
ROW = {
    "source": "local",
    "raw_digest": hashlib.sha256(BODY).hexdigest(),
    "code": 23,
    "reason": "Missing body field",
    "status": 400,
    "state": "open",
    "count": 1,
    "channel": "push",
    "flavour": None,
    "event_name": None,
    "content_type": "application/json;charset=utf-8",
    "principal": "jwt:local",
    "remote_addr": "127.0.0.1",
    "length": len(BODY),
    "truncated": False,
    "resolved_at": None,
    "resolved_by": None,
    "notification_id": None,
    "kept": True,
}


async def show(door, row):
    answer = await door.get(f"/admin/quarantine/{row}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


async def listed(door, asked):
    return [one["id"] for one in await door.items(f"/admin/quarantine{asked}")]


async def test_a_row_says_who_was_refused_with_what_and_why(door):
    row = await door.refused(BODY)
    (told,) = await door.items("/admin/quarantine")
    assert told["id"] == row
    message = told.pop("message")
    assert "eventTime" in message
    assert "event" in message
    assert MOMENT.fullmatch(told.pop("received_at"))
    assert MOMENT.fullmatch(told.pop("last_received_at"))
    assert told == ROW | {"id": row}


async def test_one_adds_its_faults_and_its_bytes(door):
    row = await door.refused(BODY)
    (told,) = await door.items("/admin/quarantine")
    whole = await show(door, row)
    faults = whole.pop("faults")
    assert (whole.pop("body"), whole.pop("body_encoding")) == (BODY.decode(), "utf-8")
    assert whole == told
    assert [sorted(fault) for fault in faults] == [["expected", "path", "problem"]] * len(faults)
    assert {fault["path"] for fault in faults} == {"eventTime", "event"}


async def test_bytes_that_are_no_text_are_told_as_base64(door):
    whole = await show(door, await door.refused(b"\xff\xfe{}"))
    assert whole["body_encoding"] == "base64"
    assert base64.b64decode(whole["body"]) == b"\xff\xfe{}"


async def test_the_same_body_again_is_the_same_row_with_a_counter(door):
    rows = {await door.refused(b"[]") for _ in range(3)}
    (told,) = await door.items("/admin/quarantine")
    assert rows == {told["id"]}
    assert told["count"] == 3
    assert told["last_received_at"] > told["received_at"]


async def test_rows_are_listed_by_state_and_by_source(door):
    first = await door.refused(b"[1]")
    put_away = await door.refused(b"[2]")
    other = await door.refused(b"[3]", source="choosy")
    taken = await door.refused(inside.state_change("9"), source="choosy")
    assert (await door.act(f"/admin/quarantine/{put_away}/discard")).is_success
    assert (await door.act(f"/admin/quarantine/{taken}/release", {"force": True})).is_success
    for asked, expected in [
        ("", [other, first]),
        ("?state=open", [other, first]),
        ("?state=discarded", [put_away]),
        ("?state=released", [taken]),
        ("?state=all", [taken, other, put_away, first]),
        ("?source=choosy", [other]),
        ("?state=all&source=choosy", [taken, other]),
        ("?source=nobody", []),
    ]:
        assert await listed(door, asked) == expected, asked


async def test_what_is_admitted_since_is_released_into_the_log(door, tmp_path):
    body = inside.state_change("1")
    row = await door.refused(body, source="choosy")
    assert (await show(door, row))["status"] == 422
    still = await door.act(f"/admin/quarantine/{row}/release")
    assert (still.status_code, still.json()["code"]) == (409, 69)
    assert "still refused, 100" in still.json()["message"]

    config = inside.SOURCES.replace('accept = ["created"]', 'accept = ["state_changed"]')
    (tmp_path / "listener.toml").write_text(config)
    door.runtime.reload()
    done = await door.act(f"/admin/quarantine/{row}/release")
    assert done.status_code == 200
    told = done.json()
    (notification,) = await door.items("/admin/notifications")
    assert told == {
        "outcome": "appended",
        "seq": notification["seq"],
        "notification_id": notification["id"],
    }
    assert (notification["source"], notification["state"]) == ("choosy", "inProgress")
    whole = await show(door, row)
    assert (whole["state"], whole["resolved_by"], whole["notification_id"]) == (
        "released",
        "jwt:tests",
        notification["id"],
    )
    assert MOMENT.fullmatch(whole["resolved_at"])


async def test_what_is_in_the_log_already_is_released_as_a_repeat(door, tmp_path):
    config = inside.SOURCES.replace('accept = ["created"]', 'accept = ["state_changed"]')
    body = inside.state_change("1")
    row = await door.refused(body, source="choosy")
    (tmp_path / "listener.toml").write_text(config)
    door.runtime.reload()
    await door.taken(body, source="choosy")
    (there,) = await door.items("/admin/notifications")
    told = (await door.act(f"/admin/quarantine/{row}/release")).json()
    assert (told["outcome"], told["notification_id"]) == ("repeated", there["id"])
    assert len(await door.items("/admin/notifications")) == 1


async def test_a_row_that_two_release_at_once_is_released_by_one(door):
    row = await door.refused(b"no JSON at all")
    path, force = f"/admin/quarantine/{row}/release", {"force": True}
    answers = await asyncio.gather(*(door.act(path, force) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert len(await door.items("/admin/notifications")) == 1
    assert len(await door.items("/admin/audit")) == 1


async def test_force_appends_the_bytes_as_they_are_as_kind_other(door):
    row = await door.refused(b"no JSON at all")
    for body in (None, {}, {"force": False}):
        assert (await door.act(f"/admin/quarantine/{row}/release", body)).status_code == 409
    done = await door.act(f"/admin/quarantine/{row}/release", {"force": True})
    assert done.json()["outcome"] == "appended"
    told = (await door.get(f"/admin/notifications/{done.json()['notification_id']}")).json()
    assert (told["kind"], told["raw"], told["warnings"]) == ("other", "no JSON at all", ["forced"])


async def test_what_was_not_kept_whole_cannot_be_released(door):
    row = await door.refused(b" " * (settings.Settings().max_body + 1))
    whole = await show(door, row)
    assert (whole["truncated"], whole["length"]) == (True, 1048577)
    assert len(whole["body"]) == 65536
    answer = await door.act(f"/admin/quarantine/{row}/release", {"force": True})
    assert (answer.status_code, answer.json()["code"]) == (409, 69)
    assert "ask the sender" in answer.json()["message"]


async def test_what_is_discarded_lets_its_bytes_go_and_comes_back_when_it_comes_again(door):
    row = await door.refused(b"[]")
    done = await door.act(f"/admin/quarantine/{row}/discard")
    assert done.status_code == 200
    assert done.json()["id"] == row
    whole = await show(door, row)
    assert (whole["state"], whole["kept"], whole["body"]) == ("discarded", False, None)
    for act in ("discard", "release"):
        again = await door.act(f"/admin/quarantine/{row}/{act}")
        assert (again.status_code, again.json()["code"]) == (409, 69)
    assert await door.refused(b"[]") == row
    assert (await show(door, row))["state"] == "open"


async def test_a_row_of_a_source_that_is_gone_is_told_of_and_stays(door, tmp_path):
    row = await door.refused(b"[]", source="choosy")
    (tmp_path / "listener.toml").write_text('[[source]]\nname = "local"\n')
    door.runtime.reload()
    answer = await door.act(f"/admin/quarantine/{row}/release", {"force": True})
    assert (answer.status_code, answer.json()["code"]) == (409, 69)
    assert "choosy is not configured" in answer.json()["message"]
    assert (await show(door, row))["state"] == "open"


@pytest.mark.parametrize("act", ["release", "discard"])
async def test_a_row_there_is_not_is_60(door, act):
    answer = await door.act(f"/admin/quarantine/0190/{act}")
    assert (answer.status_code, answer.json()["code"]) == (404, 60)


UNREADABLE = (
    (b"{", "application/json", 22),
    (b"[]", "application/json", 24),
    (b'{"force": "yes"}', "application/json", 24),
    (b'{"force": 1}', "application/json", 24),
    (b'{"force": null}', "application/json", 24),
    (b'{"forced": true}', "application/json", 24),
    (b"null", "application/json", 24),
    (b"force=true", "application/x-www-form-urlencoded", 26),
    (b'{"force": true}', "text/plain", 26),
    (b'{"force": true}', "", 25),
    (b'{"force": NaN}', "application/json", 22),
    ('{"force": true}'.encode("utf-16"), "application/json", 22),
    (b'{"force": ' + b"[" * 100_000, "application/json", 22),
)


async def test_a_release_that_cannot_be_read_releases_nothing(door):
    row = await door.refused(b"[]")
    path = f"/admin/quarantine/{row}/release"
    for content, content_type, code in UNREADABLE:
        headers = inside.shown((inside.ADMIN,)) | {"Content-Type": content_type}
        answer = await door.client.post(path, content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, code), content[:40]
        assert (await show(door, row))["state"] == "open"

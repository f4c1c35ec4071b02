"""Pages of the admin lists: no gap and no repeat while rows arrive, and cursors that are ours."""

import base64
import json

import pytest

from tests.web import inside

LISTS = ["/admin/notifications", "/admin/notifications?order=asc", "/admin/search?q=PO-"]


async def test_pages_downwards_show_what_was_there_once_each_while_more_arrives(door):
    await door.taken(*(inside.state_change() for _ in range(11)))
    there = [one["id"] for one in await door.items("/admin/notifications")]
    shown = []
    async for page in door.pages("/admin/notifications", 3):
        shown += [one["id"] for one in page]
        await door.taken(inside.state_change())
    assert shown == there


async def test_pages_upwards_show_everything_once_the_late_ones_too(door):
    await door.taken(*(inside.state_change() for _ in range(5)))
    shown, late = [], 3
    async for page in door.pages("/admin/notifications?order=asc", 2):
        shown += [one["id"] for one in page]
        if late:
            late -= 1
            await door.taken(inside.state_change())
    there = [one["id"] for one in await door.items("/admin/notifications?order=asc")]
    assert len(there) == 8
    assert shown == there


async def test_a_filter_holds_on_every_page(door):
    for n in range(9):
        await door.taken(inside.state_change(id=f"PO-{n % 2}"))
    shown = [one async for one in door.pages("/admin/notifications?order_id=PO-0", 2)]
    assert [len(page) for page in shown] == [2, 2, 1]
    assert {one["order_id"] for page in shown for one in page} == {"PO-0"}


async def test_a_search_is_paged_too(door):
    await door.taken(*(inside.state_change() for _ in range(5)))
    shown = [one["seq"] async for page in door.pages("/admin/search?q=PO-", 2) for one in page]
    assert shown == [one["seq"] for one in await door.items("/admin/notifications")]


async def test_the_quarantine_and_the_trail_are_paged_downwards(door):
    rows = [await door.refused(b"{" * n) for n in range(1, 6)]
    shown = [one["id"] async for page in door.pages("/admin/quarantine", 2) for one in page]
    assert shown == rows[::-1]
    for row in rows:
        assert (await door.act(f"/admin/quarantine/{row}/discard")).is_success
    pages = [page async for page in door.pages("/admin/audit", 2)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [one["target"] for page in pages for one in page] == rows[::-1]


@pytest.mark.parametrize("limit", [1, 500])
async def test_a_page_is_as_long_as_is_asked(door, limit):
    await door.taken(inside.state_change(), inside.state_change())
    page = (await door.get(f"/admin/notifications?limit={limit}")).json()
    assert len(page["items"]) == min(limit, 2)
    assert (page["next"] is None) == (limit == 500)


async def test_an_empty_log_is_one_empty_page(door):
    for path in [*LISTS, "/admin/quarantine", "/admin/audit"]:
        assert (await door.get(path)).json() == {"items": [], "next": None}


def made(*place):
    """What looks like a cursor of ours."""
    text = json.dumps(place, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@pytest.mark.parametrize("path", [*LISTS, "/admin/quarantine?state=all", "/admin/audit"])
async def test_a_cursor_of_another_epoch_is_70(shared, path):
    glue = "&" if "?" in path else "?"
    place = 7 if path in LISTS else "0190"
    answer = await shared.get(f"{path}{glue}after={made('another epoch', place)}")
    assert (answer.status_code, answer.json()["code"]) == (410, 70)
    assert "another epoch" in answer.json()["message"]


async def test_the_head_told_with_a_70_is_where_the_log_goes_on(door):
    await door.taken(inside.state_change())
    gone = await door.get(f"/admin/notifications?after={made('another', 1)}")
    head = gone.json()["message"].rpartition(" ")[2]
    assert await door.items(f"/admin/notifications?order=asc&after={head}") == []
    await door.taken(inside.state_change("later"))
    (later,) = await door.items(f"/admin/notifications?order=asc&after={head}")
    assert later["event_id"] == "later"


@pytest.mark.parametrize("path", [*LISTS, "/admin/quarantine", "/admin/audit"])
@pytest.mark.parametrize(
    "after",
    ["x", "", "A" * 257, "%00", made("epoch"), made(1, 1), made("epoch", 1) + "==",
     base64.urlsafe_b64encode(b"[" * 150).decode().rstrip("=")],
)  # fmt: skip
async def test_what_is_no_cursor_is_28(shared, path, after):
    glue = "&" if "?" in path else "?"
    answer = await shared.get(f"{path}{glue}after={after}")
    assert (answer.status_code, answer.json()["code"]) == (400, 28)


async def test_a_cursor_of_one_list_is_none_of_another(door):
    await door.taken(inside.state_change(), inside.state_change())
    of_the_log = (await door.get("/admin/notifications?limit=1")).json()["next"]
    for path in ("/admin/quarantine", "/admin/audit"):
        answer = await door.get(f"{path}?after={of_the_log}")
        assert (answer.status_code, answer.json()["code"]) == (400, 28)
    for n in (1, 2):
        await door.refused(b"{" * n)
    of_the_quarantine = (await door.get("/admin/quarantine?limit=1")).json()["next"]
    answer = await door.get(f"/admin/notifications?after={of_the_quarantine}")
    assert (answer.status_code, answer.json()["code"]) == (400, 28)

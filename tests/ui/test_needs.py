"""What needs somebody: every sort of it, each with its age and where to act, on both pages."""

import re
from datetime import timedelta

import pytest

from app.store import commands, feeds, quota
from tests.ui import telling
from tests.ui.conftest import code
from tests.web import inside

FEEDS = """
[[source]]
name = "local"
stuck_after = { inProgress = "1s" }

[[source]]
name = "away"
kind = "on_api"
feed = { url = "http://127.0.0.1:9/api/2.3.1/", username = "u", password = "p", every = "1h" }

[[source]]
name = "resting"
kind = "on_api"
feed = { url = "http://127.0.0.1:9/api/2.3.1/", username = "u", password = "p", every = "1h" }
"""
ASKED = {"resourcePath": "/productOrder/PO-1", "fieldPath": "missing=VlanId"}
EVERYTHING = {
    "failing": ("feed is failing: away", "/ui/feeds/away", "See why"),
    "paused": ("feed is paused: resting", "/ui/feeds/resting", "Resume it"),
    "buyer action": ("1 order waits for us", "/ui/attention?attention=buyer_action", "Take one"),
    "alarm": ("1 alarm", "/ui/attention?attention=alarm", "Take one"),
    "silent": (
        "1 order is silent: local",
        "/ui/orders?silent=true&source=local&order=asc",
        "Ask after them",
    ),
    "unheard": (
        "1 placed order was never told of: local",
        "/ui/orders/outstanding?told=false&source=local",
        "Ask after them",
    ),
    "failed": ("1 command failed: away", "/ui/commands?source=away&state=failed", "See why"),
    "quarantine": ("1 refused body", "/ui/quarantine", "See why"),
    "full": ("quarantine is full: local", "/ui/quarantine?source=local", "Make room"),
}
ON_THE_LIST = {"buyer action", "alarm"}


def rows(html):
    """What the page tells, by its sort: (what, address, act), each with an age."""
    table = html.partition('class="stack needs"')[2].partition("</table>")[0]
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], re.DOTALL):
        sort, what, age, _ = (
            re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", cell)).strip()
            for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)
        )
        assert re.fullmatch(r"now|\d+ (s|min|h|d) ago", age), sort
        to, act = re.search(r'href="([^"]+)">([^<]+)<', row).groups()
        found[sort] = (what, to.replace("&amp;", "&"), act)
    return found


@pytest.fixture
async def door(tmp_path, monkeypatch):
    monkeypatch.setattr(quota, "FULL_ROWS", 1)
    url = f"sqlite:///{tmp_path / 'listener.db'}"
    async with inside.opened(url, tmp_path, FEEDS) as opened:
        assert (await opened.client.get(f"/ui/enter?code={code()}")).status_code == 303
        yield opened


async def test_every_sort_is_told_with_its_age_and_its_act_on_both_pages(door):
    assert rows((await door.client.get("/ui/attention")).text).keys() <= {"failing"}
    now = door.runtime.clock.now()
    failed = commands.Command(
        id=door.runtime.new_id(), source="away", order_id="O-1", command="add_message",
        arguments={}, idempotency_key="k", harmful=False, asked_by="jwt:ops", asked_at=now,
        due_at=now + timedelta(days=1),
    )  # fmt: skip
    with door.runtime.engine.begin() as connection:
        feeds.connect(connection, "resting", now)
        feeds.pause(connection, "resting", "jwt:ops", now)
        commands.ask(connection, failed)
        commands.finish(connection, failed.id, "failed", now, error="refused")
    informed = inside.state_change() | ASKED | {"eventType": "orderInformationRequiredNotification"}
    await door.taken(
        inside.state_change(),
        informed,
        inside.state_change(id="PO-2", state="Completed"),
        inside.state_change(id="PO-2", state="Held"),
    )
    await door.refused(b"{")
    await door.client.put(
        "/admin/orders/local/unheard", json={}, headers=inside.shown((inside.ADMIN,))
    )

    async def told(path):
        return rows((await door.client.get(path)).text)

    found = await telling.until(lambda: told("/ui"), lambda found: found == EVERYTHING)
    assert found == EVERYTHING
    beside = {sort: row for sort, row in EVERYTHING.items() if sort not in ON_THE_LIST}
    assert await told("/ui/attention") == beside
    assert await told("/ui/attention?attention=alarm") == {}

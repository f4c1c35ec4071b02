"""An application in which every text that comes from outside is markup: for walks over all pages.

    ids = await filled.fill(door)

Also what the walks ask of a page: the addresses of every route, and what its HTML is made of.
"""

from __future__ import annotations

import html.parser
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import quote, urlencode

from app.doors import acts, problems
from app.notifications import notification as canonical
from app.store import (
    alerted,
    attention,
    audit,
    commands,
    credentials,
    expected,
    feeds,
    files,
    jobs,
    personal,
)
from tests.store import filling, making
from tests.ui import telling
from tests.web import inside

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>'\"&amp;"
PERSON = "Astrid Ek"
CONFIG = """
[[source]]
name = "local"

[[source]]
name = "guide"
kind = "tjansteguiden"
feed = { url = "http://127.0.0.1:9/", api_user = "u", api_key = "p", every = "1h" }

[[alert]]
name = "nobody"
sources = ["guide"]
severities = ["silent"]
webhook = { url = "http://127.0.0.1:9/" }
"""


def everything(**fields: object) -> dict[str, object]:
    """A notification whose every text is markup, as a kind may have read it."""
    return {
        "channel": canonical.Channel.PUSH,
        "event_id": EVIL, "event_type": EVIL, "order_id": EVIL, "about_order_id": EVIL + "2",
        "href": EVIL, "external_id": EVIL, "service_id": EVIL, "access_id": EVIL,
        "raw_state": EVIL, "occurred_at_raw": EVIL, "principal": EVIL, "remote_addr": EVIL,
        "content_type": EVIL, "refs": {EVIL: EVIL}, "warnings": (EVIL,),
        "items": (
            canonical.Item(id=EVIL, action=EVIL, raw_state=EVIL),
            canonical.Item(action=EVIL, state="held", raw_state=EVIL),
        ),
        "summary": {EVIL: EVIL, "message": EVIL, "changed": [EVIL], "item_id": EVIL, "field": EVIL},
        "raw": json.dumps({EVIL: EVIL}).encode(),
        "kind": canonical.Kind.INFORMATION_REQUIRED, "state": None,
        "attention": canonical.Attention.BUYER_ACTION,
        **fields,
    }  # fmt: skip


async def fill(door: inside.Door) -> dict[str, str]:
    """Fill it; gives the ids that addresses are made of."""
    database, now, new_id = door.runtime.engine, door.runtime.clock.now(), door.runtime.new_id
    ids = dict(zip(("opening", "state", "guide"), filling.put(
        database,
        everything(),
        everything(event_id=EVIL + "b", kind="state_changed", state="held", attention="alarm"),
        everything(source="guide", channel="pull", flavour="tjansteguiden", resource_type="order"),
    ), strict=True))  # fmt: skip
    fault = {"path": EVIL, "problem": EVIL, "expected": EVIL}
    bad = making.refused(
        json.dumps({EVIL: EVIL}).encode(), source="local", message=EVIL, faults=(fault,),
        event_name=EVIL, content_type=EVIL, principal=EVIL, remote_addr=EVIL,
    )  # fmt: skip
    (ids["quarantine"],) = making.hold(database, bad)
    many = {"source": None, "code": None, "upto": "0", "ids": [], "total": 3}
    reasons = [{"reason": EVIL, "count": 1, "ids": [EVIL]}]
    told = {"done": 1, "refused": 1, "at": "0", "reasons": reasons}
    clearing = jobs.Job(new_id(), jobs.QUARANTINE, "quarantine.release", many, EVIL, now)
    polled = jobs.Job(new_id(), "guide", "poll", {}, EVIL, now)
    test = jobs.Job(new_id(), "guide", acts.ALERT_TEST, {"channel": EVIL}, EVIL, now)
    ids |= {"clearing": clearing.id, "test": test.id, "job": polled.id, "command": new_id()}
    asked = commands.Command(
        ids["command"], "guide", EVIL, "add_message", {"message": EVIL, "type": "log"}, EVIL,
        harmful=True, asked_by=EVIL, asked_at=now, due_at=now + timedelta(days=1),
    )  # fmt: skip
    with database.begin() as connection:
        feeds.connect(connection, "guide", now)
        feeds.failed(connection, "guide", feeds.Trouble("refused", EVIL, EVIL), now, now)
        feeds.pause(connection, "guide", EVIL, now)
        feeds.warn(connection, "guide", [EVIL])
        feeds.rewind(connection, "guide", {EVIL: EVIL}, now)
        feeds.remember(
            connection, feeds.Turn(new_id(), "guide", now, 0.1, 1, 1, 1, 0, "refused", EVIL)
        )
        jobs.ask(
            connection, replace(clearing, state="failed", result=told, error=EVIL, finished_at=now)
        )
        jobs.ask(
            connection,
            replace(polled, state="failed", result={EVIL: EVIL}, error=EVIL, finished_at=now),
        )
        over = {"state": "done", "result": {"told": {EVIL: EVIL}}, "finished_at": now}
        jobs.ask(connection, replace(test, **over))
        alerted.note(
            connection, alerted.Attempt(EVIL, EVIL, "opened", EVIL, "alarm", EVIL, now, EVIL)
        )
        commands.ask(connection, asked)
        commands.finish(connection, asked.id, "failed", now, result={EVIL: EVIL}, error=EVIL)
        audit.record(
            connection,
            id_=new_id(),
            at=now,
            principal=EVIL,
            action=EVIL,
            target=EVIL,
            detail={EVIL: EVIL},
        )
        credentials.add(connection, making.stored(source="local", label=EVIL))
        for order_id in (EVIL, EVIL + "unheard"):
            expected.put(
                connection, [expected.Expected("local", order_id, EVIL, EVIL, now, EVIL, now, EVIL)]
            )
        for source in ("local", "guide"):
            personal.put(
                connection, personal.Person(source, EVIL, now, {EVIL: EVIL, "name": PERSON})
            )
        files.want(
            connection,
            files.File(
                new_id(), "guide", EVIL, ids["guide"], EVIL, EVIL + PERSON, EVIL, now, asked.due_at
            ),
        )

    async def openings() -> list[str]:
        answer = await door.get("/admin/attention")
        return [row["notification_id"] for row in answer.json()["items"]]

    assert len(await telling.until(openings, lambda found: len(found) >= 3)) >= 3
    with database.begin() as connection:
        attention.assign(connection, ids["opening"], EVIL)
        attention.note(connection, ids["opening"], now, EVIL, EVIL)
        attention.close(connection, ids["guide"], now, EVIL)
    return ids


@dataclass
class Made(html.parser.HTMLParser):
    """What a page is made of: its words, and what in it could only come of somebody's markup."""

    words: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            self.words.append(value or "")
            if name.startswith("on") or (value or "").startswith("javascript:"):
                self.foreign.append(f"{tag} {name}={value}")
        own = (dict(attrs).get("src") or "").startswith("/ui/static/")
        if tag in {"img", "script", "iframe", "object", "embed", "base"} and not own:
            self.foreign.append(f"{tag} {attrs}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def made(text: str) -> Made:
    """What the page `text` is made of."""
    found = Made()
    found.feed(text)
    found.close()
    return found


def routes(door: inside.Door, method: str) -> Iterator[str]:
    """The paths of all routes under /ui that take `method`."""
    for route in problems._routes(door.app.routes):
        path = getattr(route, "path", "")
        if path.startswith("/ui") and method in (getattr(route, "methods", None) or ()):
            yield path


def addresses(ids: dict[str, str]) -> dict[str, list[str]]:
    """By its route, where every page is that can be read, asked for with markup where it may be."""
    evil = quote(EVIL, safe="")
    order = f"source=local&order_id={evil}"
    asked = urlencode(dict.fromkeys(("order_id", "event_id", "external_id", "q"), EVIL))
    placed = urlencode(dict.fromkeys(("own_ref", "external_id", "access_id", "service_id"), EVIL))
    return {
        "/ui": ["/ui"],
        "/ui/overview/now": ["/ui/overview/now"],
        "/ui/overview/minutes": ["/ui/overview/minutes"],
        "/ui/sign-in": [f"/ui/sign-in?next={evil}"],
        "/ui/enter": [f"/ui/enter?code={evil}"],
        "/ui/notifications": ["/ui/notifications", f"/ui/notifications?{asked}"],
        "/ui/notifications/{identifier}": [
            f"/ui/notifications/{ids[name]}" for name in ("opening", "state", "guide")
        ],
        "/ui/export": [f"/ui/export?{asked}", f"/ui/export?order_id={evil}"],
        "/ui/orders": ["/ui/orders", f"/ui/orders?q={evil}&{placed}"],
        "/ui/orders/outstanding": ["/ui/orders/outstanding"],
        "/ui/orders/one": [
            f"/ui/orders/one?{order}", f"/ui/orders/one?{order}unheard",
            f"/ui/orders/one?source=guide&order_id={evil}", f"/ui/orders/one?{order}nobody",
        ],
        "/ui/orders/{source}/{order_id:path}": [f"/ui/orders/local/{evil}"],
        "/ui/attention": [
            "/ui/attention", "/ui/attention?state=all", f"/ui/attention?assignee={evil}",
        ],
        "/ui/quarantine": ["/ui/quarantine"],
        "/ui/quarantine/all": ["/ui/quarantine/all?what=discard"],
        "/ui/quarantine/jobs/{identifier}": [f"/ui/quarantine/jobs/{ids['clearing']}"],
        "/ui/quarantine/{identifier}": [f"/ui/quarantine/{ids['quarantine']}"],
        "/ui/feeds": ["/ui/feeds"],
        "/ui/feeds/jobs/{identifier}": [f"/ui/feeds/jobs/{ids['job']}"],
        "/ui/feeds/{name}": ["/ui/feeds/guide"],
        "/ui/feeds/{name}/rewind": [
            f"/ui/feeds/guide/rewind?to={evil}", "/ui/feeds/guide/rewind?to=beginning",
        ],
        "/ui/feeds/{name}/backfill": [
            f"/ui/feeds/guide/backfill?object_type=order&object_id={evil}",
        ],
        "/ui/alerts": ["/ui/alerts"],
        "/ui/alerts/tests/{identifier}": [f"/ui/alerts/tests/{ids['test']}"],
        "/ui/commands": ["/ui/commands", f"/ui/commands?order_id={evil}"],
        "/ui/commands/new": [f"/ui/commands/new?source=guide&order_id={evil}"],
        "/ui/commands/{identifier}": [f"/ui/commands/{ids['command']}"],
        "/ui/sources": ["/ui/sources"],
        "/ui/sources/{name}": ["/ui/sources/local", "/ui/sources/guide"],
        "/ui/audit": ["/ui/audit"],
        "/ui/{rest:path}": [f"/ui/{evil}"],
    }  # fmt: skip

"""What is asked of a listener whose database is full: every list, its deep end, search, each page.

Not here: asking and measuring (`pages`).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib import parse

from app.store import cursors
from bench import beside, filling

Ask = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True)
class Known:
    """What is in the database: how much of what, since when, and the ids of some of it."""

    count: int
    orders: int
    epoch: str
    began: datetime
    ended: datetime
    notifications: list[str]
    refused: list[str]
    commands: list[str]

    def early(self) -> str:
        """A place near the deep end of a list of what has ids, the newest first."""
        return self._place(self.began + timedelta(days=1))

    def late(self) -> str:
        """A place near the deep end of such a list, the oldest first."""
        return self._place(self.ended - timedelta(days=1))

    def _place(self, moment: datetime) -> str:
        return f"after={cursors.encode(self.epoch, beside.uuid7(moment, 0, 0))}"


def pages(known: Known) -> dict[str, Ask]:
    """What is asked for, by name; each time a little other."""
    count, orders, epoch = known.count, known.orders, known.epoch
    words = filling.Words(random.Random(7)).all
    log = "/admin/notifications"

    def after(chance: random.Random, place: float) -> str:
        seq = int(count * place) + chance.randint(0, max(count // 100, 1))
        return f"after={cursors.encode(epoch, seq)}"

    def order(chance: random.Random) -> str:
        return f"{chance.randrange(0, orders, 3):07}"  # every third has references

    def search(say: Ask) -> Ask:
        return lambda chance: f"/admin/search?q={parse.quote(say(chance))}"

    def listed(query: str) -> Ask:
        return lambda _: f"{log}?{query}"

    found: dict[str, Ask] = {
        "notifications": lambda _: log,
        "notifications, 500 rows": lambda _: f"{log}?limit=500",
        "notifications, half-way": lambda c: f"{log}?{after(c, 0.5)}",
        "notifications, deep end": lambda c: f"{log}?{after(c, 0.001)}",
        "notifications, oldest first": lambda _: f"{log}?order=asc",
        "notifications of a source": lambda c: f"{log}?source={c.choice(filling.SOURCES)}",
        "notifications of a rare source": listed("source=rare"),
        "notifications of no source": listed("source=nobody"),
        "notifications of a kind nobody sent": listed("kind=cancel_created"),
        "notifications of a state": listed("state=completed"),
        "notifications of a rare state": listed("state=failed"),
        "notifications of a state 40 have": listed("state=partial"),
        "notifications of two things no one is": listed("kind=created&state=completed"),
        "notifications of a state nobody has": listed("state=draft"),
        "notifications of a flavour nobody sent": listed("flavour=covage"),
        "notifications with attention": listed("attention=alarm"),
        "notifications with attention nobody asked": listed("attention=follow_up"),
        "notifications in conflict": listed("conflict=true"),
        "notifications of an order": lambda c: f"{log}?order_id=PO-{order(c)}",
        "notifications of a state with words": lambda c: f"{log}?state=failed&q={c.choice(words)}",
        "notifications of a rare source with a word": listed("source=rare&q=oldsystem"),
        "notifications of no source with beginnings": listed("source=nobody&q=old-"),
        "notifications of a source with beginnings": listed("source=operator-3&q=old-"),
        "notifications of a state with beginnings": listed("state=failed&q=old-"),
        "notifications with attention with words": lambda c: (
            f"{log}?attention=alarm&q={c.choice(words)}"
        ),
        "search, order id": search(lambda c: f"PO-{order(c)}"),
        "search, beginning of an order id": search(lambda c: f"PO-{order(c)[:5]}"),
        "search, beginning of thousands of old order ids": search(lambda _: "PO-000"),
        "search, beginning of half of the order ids": search(lambda _: "PO-00"),
        "search, beginning of all order ids": search(lambda _: "PO-"),
        "search, beginning of most ids, none of them new": search(lambda _: "old-"),
        "search, beginning no id has": search(lambda _: "\U0010ffff" * 3),
        "search, one letter": search(lambda _: "P"),
        "search, wildcards": search(lambda _: "%_*%"),
        "search, access id": search(lambda c: f"ACC{c.randrange(orders // 2):07}"),
        "search, reference": search(lambda c: f"CRM-{order(c)}"),
        "search, reference in small letters": search(lambda c: f"crm-{order(c)}"),
        "search, beginning of all references": search(lambda _: "crm-000"),
        "search, frequent word": search(lambda c: c.choice(words[:20])),
        "search, word": search(lambda c: c.choice(words[20:500])),
        "search, rare word": search(lambda c: c.choice(words[-500:])),
        "search, beginning of a word": search(lambda c: c.choice(words)[:3]),
        "search, two words": search(lambda c: " ".join(c.choices(words[:200], k=2))),
        "search, a sentence": search(lambda c: " ".join(c.choices(words[:200], k=10))),
        "search, beginnings of sixty words": search(
            lambda _: " ".join(word[:3] for word in words[:60])
        ),
        "search, frequent word, none of it new": search(lambda _: "oldsystem"),
        "search, two frequent words, none of them new": search(lambda _: "oldsystem crm"),
        "search, frequent words nowhere side by side": search(lambda _: "crm-oldsystem"),
        "search, no such word": search(lambda c: f"nosuchword{c.random()}"),
        "search, no such word, near the start": lambda c: (
            f"/admin/search?q=nosuchword{c.random()}&{after(c, 0.95)}"
        ),
        "search, no such word, oldest first": lambda c: (
            f"{log}?order=asc&q=nosuchword{c.random()}&{after(c, 0.05)}"
        ),
        "search, frequent word, deep end": lambda c: (
            f"/admin/search?q={c.choice(words[:20])}&{after(c, 0.001)}"
        ),
        "a notification": lambda c: f"{log}/{c.choice(known.notifications)}",
        "the bytes of a notification": lambda c: f"{log}/{c.choice(known.notifications)}/raw",
        "a refused body": lambda c: f"/admin/quarantine/{c.choice(known.refused)}",
        **orders_pages(known),
        "attention": lambda _: "/admin/attention",
        "attention, deep end": lambda _: f"/admin/attention?{known.late()}",
        "attention of all states": lambda _: "/admin/attention?state=all",
        "attention of a source": lambda _: "/admin/attention?source=rare",
        "attention nobody has": lambda _: "/admin/attention?attention=follow_up",
        "attention nobody took": lambda _: "/admin/attention?unassigned=true",
        "attention closed by hand": lambda _: "/admin/attention?state=closed",
        "stats": lambda _: "/admin/stats",
        "sources": lambda _: "/admin/sources",
        "feeds": lambda _: "/admin/feeds",
        "quarantine": lambda _: "/admin/quarantine",
        "quarantine, deep end": lambda _: f"/admin/quarantine?{known.early()}",
        "quarantine of all states": lambda _: "/admin/quarantine?state=all",
        "quarantine of a source": lambda c: f"/admin/quarantine?source={c.choice(filling.SOURCES)}",
        "quarantine of no source": lambda _: "/admin/quarantine?source=nobody",
        "commands": lambda _: "/admin/commands",
        "commands that failed": lambda _: "/admin/commands?state=failed",
        "commands of a state nobody has": lambda _: "/admin/commands?state=cancelled",
        "commands of an order": lambda c: f"/admin/commands?order_id=PO-{order(c)}",
        "audit": lambda _: "/admin/audit",
        "audit, deep end": lambda _: f"/admin/audit?{known.early()}",
    }
    return found


def orders_pages(known: Known) -> dict[str, Ask]:
    """What is asked of the orders, by name."""
    count, orders, epoch = known.count, known.orders, known.epoch

    def listed(query: str) -> Ask:
        return lambda _: f"/admin/orders?{query}"

    def number(chance: random.Random) -> str:
        return f"{chance.randrange(orders):07}"

    def name(chance: random.Random) -> str:
        order = chance.randrange(orders)
        return f"{filling.era(order, orders)}-{order:07}"

    def story(chance: random.Random) -> str:
        order = chance.randrange(orders)
        return f"/admin/orders/{filling.source_of(order)}/PO-{order:07}"

    deep = f"after={cursors.encode(epoch, count // 50)}"
    return {
        "orders": listed(""),
        "orders, 500 rows": listed("limit=500"),
        "orders, half-way": listed(f"after={cursors.encode(epoch, count)}"),
        "orders, deep end": listed(deep),
        "orders, oldest news first": listed("order=asc"),
        "orders of a source": lambda c: f"/admin/orders?source={c.choice(filling.SOURCES)}",
        "orders of a rare source": listed("source=rare"),
        "orders of a state": listed("state=inProgress"),
        "orders of a state, deep end": listed(f"state=completed&{deep}"),
        "orders of a rare state": listed("state=partial"),
        "orders of a state nobody has": listed("state=draft"),
        "orders of a source and a state": listed("source=operator-3&state=held"),
        "orders of a rare source and state": listed("source=rare&state=failed"),
        "orders that are not final": listed("final=false"),
        "orders with attention": listed("attention=any"),
        "orders with an alarm": listed("attention=alarm"),
        "orders without attention": listed("attention=none"),
        "orders that changed after their end": listed("flag=changed_after_final"),
        "orders in conflict": listed("flag=conflicting"),
        "orders not final and silent": listed("final=false&no_news_for=30d&order=asc"),
        "orders that are silent": listed("silent=true"),
        "orders that are silent, oldest first": listed("silent=true&order=asc"),
        "orders of a source that are silent": listed("silent=true&source=operator-3"),
        "outstanding orders": lambda _: "/admin/expected",
        "outstanding orders, deep end": lambda _: f"/admin/expected?{known.late()}",
        "outstanding orders never told of": lambda _: "/admin/expected?told=false",
        "outstanding orders told of": lambda _: "/admin/expected?told=true",
        "outstanding orders of a source": lambda _: "/admin/expected?source=rare",
        "orders with news of today": listed("news_within=1d"),
        "orders by external id": lambda c: f"/admin/orders?external_id={name(c)}",
        "orders by access id": lambda c: f"/admin/orders?access_id=ACC{number(c)}",
        "search of orders": lambda c: f"/admin/orders?q=PO-{number(c)}",
        "search of orders, beginning of some": lambda c: f"/admin/orders?q=PO-{number(c)[:5]}",
        "search of orders, beginning of half": listed("q=PO-00"),
        "search of orders, beginning of all": listed("q=PO-"),
        "search of orders of a rare source": listed("source=rare&q=PO-"),
        "search of orders of a flag nobody has": listed("flag=removed&q=ACC"),
        "the story of an order": story,
    }


def ui_pages(known: Known) -> dict[str, Ask]:
    """What people look at, by name; what is not there is left out."""
    words = filling.Words(random.Random(7)).all

    def story(chance: random.Random) -> str:
        order = chance.randrange(known.orders)
        return f"{orders}/{filling.source_of(order)}/PO-{order:07}"

    def some(where: str, ids: list[str]) -> Ask:
        return lambda chance: f"/ui/{where}/{chance.choice(ids)}"

    orders, log = "/ui/orders", "/ui/notifications"
    deep = f"after={cursors.encode(known.epoch, known.count // 1000)}"
    early = known.early()
    return {
        "page: overview": lambda _: "/ui",
        "page: overview, how things stand": lambda _: "/ui/overview/now",
        "page: overview, the last hour": lambda _: "/ui/overview/minutes",
        "page: notifications": lambda _: log,
        "page: notifications, deep end": lambda _: f"{log}?{deep}",
        "page: notifications with a word": lambda c: f"{log}?q={c.choice(words)}",
        "page: notifications of a rare state": lambda _: f"{log}?state=partial",
        "page: notifications of a rare source": lambda _: f"{log}?source=rare",
        "page: a notification": some("notifications", known.notifications),
        "page: orders": lambda _: orders,
        "page: orders, deep end": lambda _: f"{orders}?{deep}",
        "page: orders that are silent": lambda _: f"{orders}?silent=true",
        "page: orders that are silent, oldest first": lambda _: f"{orders}?silent=true&order=asc",
        "page: orders with attention": lambda _: f"{orders}?attention=any",
        "page: outstanding orders": lambda _: f"{orders}/outstanding",
        "page: outstanding orders, deep end": lambda _: f"{orders}/outstanding?{known.late()}",
        "page: outstanding orders never told of": lambda _: f"{orders}/outstanding?told=false",
        "page: the story of an order": story,
        "page: work list": lambda _: "/ui/attention",
        "page: work list, deep end": lambda _: f"/ui/attention?{known.late()}",
        "page: work list of all states": lambda _: "/ui/attention?state=all",
        "page: quarantine": lambda _: "/ui/quarantine",
        "page: quarantine, deep end": lambda _: f"/ui/quarantine?{early}",
        "page: all that is refused, to be released": lambda _: "/ui/quarantine/all?what=release",
        "page: a refused body": some("quarantine", known.refused),
        "page: feeds": lambda _: "/ui/feeds",
        "page: a feed": lambda _: f"/ui/feeds/{beside.ASKED}",
        "page: a feed to be rewound": lambda _: f"/ui/feeds/{beside.ASKED}/rewind?to=beginning",
        "page: sources": lambda _: "/ui/sources",
        "page: a source": some("sources", ["local", *filling.SOURCES]),
        "page: commands": lambda _: "/ui/commands",
        "page: commands, deep end": lambda _: f"/ui/commands?{early}",
        "page: commands that failed": lambda _: "/ui/commands?state=failed",
        "page: a command": some("commands", known.commands),
        "page: a command to be asked for": lambda _: "/ui/commands/new?source=operator-1",
        "page: alerts": lambda _: "/ui/alerts",
        "page: what an export will hold": lambda _: "/ui/export",
        "page: what an export will hold, of a source": lambda _: "/ui/export?source=operator-1",
        "page: what an export will hold, of a state": lambda _: "/ui/export?state=completed",
        "page: what an export will hold, of a rare state": lambda _: "/ui/export?state=partial",
        "page: what an export will hold, of a word": lambda c: f"/ui/export?q={c.choice(words)}",
        "page: audit trail": lambda _: "/ui/audit",
        "page: audit trail, deep end": lambda _: f"/ui/audit?{early}",
    }

"""How long a page takes with a million notifications: p50 and p95 at the server (`make bench`).

Every list of the admin interface, its deep end beside its start, search, counts: on SQLite and on
PostgreSQL, over HTTP on one connection, one request after the other, each of its own wording.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.store import cursors, engine, epochs, schema
from bench import beside, filling
from tests import postgres, serving

WARM = 3
PAGE_MOST, SEARCH_MOST = 150.0, 100.0
"""What the p95 of a page and of a search may be, in ms."""

Ask = Callable[[random.Random], str]

FEED = f"""
[[source]]
name = "{beside.ASKED}"
kind = "on_api"
feed = {{ url = "http://127.0.0.1:9/api/2.3.1/", username = "u", password = "p", every = "1h" }}
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """How one page fared: on which engine, ms, the bytes of an answer."""

    engine: str
    page: str
    p50: float
    p95: float
    size: int

    @property
    def most(self) -> float:
        """What its p95 may be."""
        return SEARCH_MOST if self.page.startswith("search") else PAGE_MOST


def pages(count: int, orders: int, epoch: str) -> dict[str, Ask]:
    """What is asked for, by name; each time a little other."""
    words = filling.Words(random.Random(7)).all
    log = "/admin/notifications"

    def after(chance: random.Random, place: float) -> str:
        seq = int(count * place) + chance.randint(0, max(count // 100, 1))
        return f"after={cursors.encode(epoch, seq)}"

    def at(id_: str) -> str:
        return cursors.encode(epoch, id_)

    def order(chance: random.Random) -> str:
        return f"{chance.randrange(0, orders, 3):07}"  # every third has references

    def search(say: Ask) -> Ask:
        return lambda chance: f"/admin/search?q={say(chance).replace(' ', '%20')}"

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
        "search, order id": search(lambda c: f"PO-{order(c)}"),
        "search, beginning of an order id": search(lambda c: f"PO-{order(c)[:5]}"),
        "search, beginning of all order ids": search(lambda _: "PO-"),
        "search, access id": search(lambda c: f"ACC{c.randrange(orders // 2):07}"),
        "search, reference": search(lambda c: f"CRM-{order(c)}"),
        "search, reference in small letters": search(lambda c: f"crm-{order(c)}"),
        "search, beginning of all references": search(lambda _: "crm-000"),
        "search, frequent word": search(lambda c: c.choice(words[:20])),
        "search, word": search(lambda c: c.choice(words[20:500])),
        "search, rare word": search(lambda c: c.choice(words[-500:])),
        "search, beginning of a word": search(lambda c: c.choice(words)[:3]),
        "search, two words": search(lambda c: " ".join(c.choices(words[:200], k=2))),
        "search, no such word": search(lambda c: f"nosuchword{c.random()}"),
        "search, frequent word, deep end": lambda c: (
            f"/admin/search?q={c.choice(words[:20])}&{after(c, 0.001)}"
        ),
        **orders_pages(orders, count, epoch),
        "attention": lambda _: "/admin/attention",
        "attention of all states": lambda _: "/admin/attention?state=all",
        "attention of a source": lambda _: "/admin/attention?source=rare",
        "attention nobody has": lambda _: "/admin/attention?attention=follow_up",
        "attention nobody took": lambda _: "/admin/attention?unassigned=true",
        "attention closed by hand": lambda _: "/admin/attention?state=closed",
        "stats": lambda _: "/admin/stats",
        "sources": lambda _: "/admin/sources",
        "feeds": lambda _: "/admin/feeds",
        "quarantine": lambda _: "/admin/quarantine",
        "quarantine, deep end": lambda _: f"/admin/quarantine?after={at('quarantine-000000100')}",
        "quarantine of all states": lambda _: "/admin/quarantine?state=all",
        "quarantine of no source": lambda _: "/admin/quarantine?source=nobody",
        "commands": lambda _: "/admin/commands",
        "commands of a state nobody has": lambda _: "/admin/commands?state=failed",
        "commands of an order": lambda c: f"/admin/commands?order_id=PO-{order(c)}",
        "audit": lambda _: "/admin/audit",
        "audit, deep end": lambda _: f"/admin/audit?after={at('act-000000100')}",
    }
    return found


def orders_pages(orders: int, count: int, epoch: str) -> dict[str, Ask]:
    """What is asked of the orders, by name."""

    def listed(query: str) -> Ask:
        return lambda _: f"/admin/orders?{query}"

    def number(chance: random.Random) -> str:
        return f"{chance.randrange(orders):07}"

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
        "outstanding orders of a source": lambda _: "/admin/expected?source=rare",
        "orders with news of today": listed("news_within=1d"),
        "orders by external id": lambda c: f"/admin/orders?external_id=ext-{number(c)}",
        "orders by access id": lambda c: f"/admin/orders?access_id=ACC{number(c)}",
        "search of orders": lambda c: f"/admin/orders?q=PO-{number(c)}",
        "search of orders, beginning of some": lambda c: f"/admin/orders?q=PO-{number(c)[:5]}",
        "search of orders, beginning of all": listed("q=PO-"),
        "the story of an order": story,
    }


def ui_pages(count: int, orders: int, epoch: str) -> dict[str, Ask]:
    """What people look at, by name; what is not there is left out."""
    words = filling.Words(random.Random(7)).all

    def story(chance: random.Random) -> str:
        order = chance.randrange(orders)
        return f"/ui/orders/{filling.source_of(order)}/PO-{order:07}"

    log = "/ui/notifications"
    deep = f"after={cursors.encode(epoch, count // 1000)}"
    return {
        "page: overview": lambda _: "/ui",
        "page: notifications": lambda _: log,
        "page: notifications, deep end": lambda _: f"{log}?{deep}",
        "page: notifications with a word": lambda c: f"{log}?q={c.choice(words)}",
        "page: notifications of a rare state": lambda _: f"{log}?state=partial",
        "page: orders": lambda _: "/ui/orders",
        "page: orders, deep end": lambda _: f"/ui/orders?{deep}",
        "page: the story of an order": story,
        "page: work list": lambda _: "/ui/attention",
        "page: quarantine": lambda _: "/ui/quarantine",
        "page: feeds": lambda _: "/ui/feeds",
        "page: sources": lambda _: "/ui/sources",
        "page: one source": lambda _: "/ui/sources/local",
        "page: audit trail": lambda _: "/ui/audit",
    }


class Asker:
    """One connection to a listener, with a token that may read all."""

    def __init__(self, server: serving.Listener) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        bearer = serving.token(source=None, scopes=("notifications:read", "admin", "personal"))
        self._headers = {"Authorization": f"Bearer {bearer}"}
        self._sign_in(bearer)

    def _sign_in(self, bearer: str) -> None:
        """Open a session for the pages, where there are any."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/ui/sign-in", f"token={bearer}", form)
        answer = self._connection.getresponse()
        answer.read()
        if cookie := answer.getheader("Set-Cookie"):
            self._headers["Cookie"] = cookie.partition(";")[0]

    def knows(self, path: str) -> bool:
        """Whether there is such a page."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status != http.client.NOT_FOUND

    def get(self, path: str) -> tuple[float, bytes]:
        """The milliseconds an answer took, and its body."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != http.client.OK:
            msg = f"{path}: {answer.status} {body[:300]!r}"
            raise RuntimeError(msg)
        return took, body


def measured(asker: Asker, ask: Ask, rounds: int) -> tuple[list[float], int]:
    """The milliseconds of `rounds` answers, and the bytes of the last one."""
    chance = random.Random(11)  # the same questions every time
    for _ in range(WARM):
        asker.get(ask(chance))
    found = [asker.get(ask(chance)) for _ in range(rounds)]
    return [took for took, _ in found], len(found[-1][1])


@contextlib.contextmanager
def kept(name: str, folder: Path, count: int, orders: int) -> Iterator[tuple[str, str]]:
    """A filled database of engine `name` in `folder`: its URL and its epoch.

    What an earlier run left there is brought to the schema of this program, and used again.
    """
    mark = folder / f"{name}.json"
    told = json.dumps({"notifications": count, "orders": orders})
    with _server(name, folder) as (url, anew):
        if not mark.exists() or mark.read_text() != told:
            mark.unlink(missing_ok=True)
            anew()
            database = engine.create(url)
            schema.upgrade(database)
            began = time.perf_counter()
            filling.fill(database, count, orders)
            print(f"{name}: filled in {time.perf_counter() - began:.0f} s", flush=True)
            mark.write_text(told)
        else:
            database = engine.create(url)
            schema.upgrade(database)
        with engine.read(database) as connection:
            epoch = epochs.current(connection)
        database.dispose()
        yield url, epoch


@contextlib.contextmanager
def _server(name: str, folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """The URL of a database of engine `name` in `folder`, and what makes it anew, empty."""
    if name == "sqlite":
        file = folder / "pages.db"

        def without() -> None:
            for end in ("", "-wal", "-shm"):
                file.with_name(file.name + end).unlink(missing_ok=True)

        yield f"sqlite:///{file}", without
        return
    base = folder / "postgresql"
    base.mkdir(mode=0o711, exist_ok=True)
    server = postgres.attach(base)

    def again() -> None:
        server.drop("pages")
        server.database("pages")

    try:
        yield server.url("pages"), again
    finally:
        server.stop()


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Where the databases are: a folder that stays, or one that goes."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="listener-bench-") as made:
        Path(made).chmod(0o711)  # PostgreSQL does not run as root
        yield Path(made)


def run(name: str, given: argparse.Namespace) -> list[Figure]:
    """The figures of one engine."""
    figures = []
    count, orders = given.notifications, given.orders
    with _folder(given.keep) as folder, tempfile.TemporaryDirectory() as work:
        made = kept(name, folder, count, orders)
        with made as (url, epoch), _listener(Path(work), url) as server:
            asker = Asker(server)
            asked = pages(count, orders, epoch) | ui_pages(count, orders, epoch)
            for page, ask in asked.items():
                if given.only not in page:
                    continue
                if page.startswith("page:") and not asker.knows(ask(random.Random(3))):
                    print(f"  {page}: there is none", flush=True)
                    continue
                times, size = measured(asker, ask, given.rounds)
                p95 = statistics.quantiles(times, n=20, method="inclusive")[-1]
                figures.append(Figure(name, page, statistics.median(times), p95, size))
                print(f"  {page}: {figures[-1].p50:.1f} {p95:.1f} ms {size}", flush=True)
            server.terminate()
    return figures


def _listener(folder: Path, url: str) -> AbstractContextManager[serving.Listener]:
    """A server of the sources there are, which asks nobody."""
    named = "".join(
        f'[[source]]\nname = "{name}"\n' for name in ("local", "rare", *filling.SOURCES)
    )
    return serving.listener(
        folder, database_url=url, config=named + FEED, arguments=("--no-feeds",)
    )


def table(figures: list[Figure]) -> Table:
    """A line a page, the engines side by side; what took too long is marked."""
    shown = Table("page", *(f"{name} {q} ms" for name in ENGINES for q in ("p50", "p95")))
    for page in dict.fromkeys(figure.page for figure in figures):
        cells = []
        for name in ENGINES:
            of = [one for one in figures if (one.engine, one.page) == (name, page)]
            cells += [f"{of[0].p50:.1f}", _marked(of[0])] if of else ["", ""]
        shown.add_row(page, *cells)
    return shown


def _marked(figure: Figure) -> str:
    return f"{figure.p95:.1f}{' !' if figure.p95 > figure.most else ''}"


ENGINES = ("sqlite", "postgresql")


def main() -> None:
    """Fill, measure, print, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notifications", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--only", default="", help="pages whose name has this in it")
    parser.add_argument("--keep", type=Path, help="keep the databases here, and use them again")
    parser.add_argument("--json", type=Path, default=Path("bench/results/pages.json"))
    given = parser.parse_args()
    figures = [figure for name in given.engine or ENGINES for figure in run(name, given)]
    given.json.parent.mkdir(parents=True, exist_ok=True)
    document = {"notifications": given.notifications, "orders": given.orders}
    rows = [asdict(figure) for figure in figures]
    given.json.write_text(json.dumps({**document, "pages": rows}, indent=1) + "\n")
    Console(width=120).print(table(figures))


if __name__ == "__main__":
    main()

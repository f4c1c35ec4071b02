"""How long a page takes with a million notifications: p50 and p95 at the server (`make bench`).

Every list of the admin interface, its deep end beside its start, search, counts: on SQLite and on
PostgreSQL, over HTTP on one connection, one request after the other, each of its own wording.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.store import cursors, engine, epochs, schema
from bench import asked, beside, filling
from tests import postgres, serving

WARM = 3
PAGE_MOST, SEARCH_MOST = 150.0, 100.0
"""What the p95 of a page and of a search may be, in ms."""

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


def known(asker: Asker, count: int, orders: int, epoch: str) -> asked.Known:
    """What a listener says is in its database."""

    def items(path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(asker.get(path)[1])["items"]
        return found

    log = "/admin/notifications"
    ((first,), (last,)) = (items(f"{log}?order={end}&limit=1") for end in ("asc", "desc"))
    middle = f"after={cursors.encode(epoch, count // 2)}"
    return asked.Known(
        count=count,
        orders=orders,
        epoch=epoch,
        began=datetime.fromisoformat(first["received_at"]),
        ended=datetime.fromisoformat(last["received_at"]),
        notifications=[one["id"] for one in items(log) + items(f"{log}?{middle}")],
        refused=[one["id"] for one in items("/admin/quarantine")],
        commands=[one["id"] for one in items("/admin/commands")],
    )


def measured(asker: Asker, ask: asked.Ask, rounds: int) -> tuple[list[float], int]:
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
            there = known(asker, count, orders, epoch)
            questions = asked.pages(there) | asked.ui_pages(there)
            for page, ask in questions.items():
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
    print(f"{name}: load {', '.join(f'{one:.1f}' for one in os.getloadavg())}", flush=True)
    return figures


def _listener(folder: Path, url: str) -> AbstractContextManager[serving.Listener]:
    """A server of the sources there are, which asks nobody."""
    named = "".join(
        f'[[source]]\nname = "{name}"\n' for name in ("local", "rare", *filling.SOURCES[:-1])
    )
    return serving.listener(
        folder, database_url=url, config=named + FEED, arguments=("--no-feeds",)
    )


def rows(figures: list[Figure]) -> Iterator[list[str]]:
    """A line a page, the engines side by side: p50 and p95; what took too long is marked."""
    for page in dict.fromkeys(figure.page for figure in figures):
        cells = []
        for name in ENGINES:
            of = [one for one in figures if (one.engine, one.page) == (name, page)]
            cells += [f"{of[0].p50:.1f}", _marked(of[0])] if of else ["", ""]
        yield [page, *cells]


def markdown(figures: list[Figure]) -> str:
    """The table as the documentation has it (docs/scaling.md)."""
    head = [
        "page",
        *(f"{name} {q} ms" for name in ("SQLite", "PostgreSQL") for q in ("p50", "p95")),
    ]
    lines = [head, ["---"] * len(head), *rows(figures)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("| --- ", "|---")


def _marked(figure: Figure) -> str:
    return f"{figure.p95:.1f}{' !' if figure.p95 > figure.most else ''}"


ENGINES = ("sqlite", "postgresql")


def main() -> None:
    """Fill, measure, print, and write the JSON and the table."""
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
    told = [asdict(figure) for figure in figures]
    given.json.write_text(json.dumps({**document, "pages": told}, indent=1) + "\n")
    given.json.with_suffix(".md").write_text(markdown(figures))
    shown = Table("page", *(f"{name} {q} ms" for name in ENGINES for q in ("p50", "p95")))
    for row in rows(figures):
        shown.add_row(*row)
    Console(width=120).print(shown)


if __name__ == "__main__":
    main()

"""`listener demo` as somebody starts it who has just come: one command, nothing configured."""

from __future__ import annotations

import html
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cli import demo as demos
from tests import serving

AT_MOST = 30.0
"""Seconds from the first line until all four operators are in the log."""

HOUSE = Path(__file__).parent.parent.parent


@dataclass
class Demo:
    """A demo in a process (group) of its own; `out` is what it has printed."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def token(self) -> str:
        (found,) = re.findall(r"^token  (\S+)$", self.out, re.MULTILINE)
        return found

    def wait(self, what: str, condition, deadline: float = AT_MOST) -> Any:
        """What `condition` gives once it is true."""
        ends = time.monotonic() + deadline
        while time.monotonic() < ends:
            assert self.process.poll() is None, self.out
            found = condition()
            if found:
                return found
            time.sleep(0.1)
        pytest.fail(f"{what}: not within {deadline} s\n{self.out}")

    def get(self, path: str):
        url = f"http://127.0.0.1:{self.port}{path}"
        answer = httpx.get(url, headers={"Authorization": f"Bearer {self.token}"}, timeout=10)
        return answer.raise_for_status().json()

    def end(self, sig: int = signal.SIGTERM) -> int:
        self.process.send_signal(sig)
        return self.process.wait(AT_MOST)


def started(folder: Path, **environment: str) -> Demo:
    """The demo in `folder`, as it prints its first line."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LISTENER_")}
    port = serving.free_port()
    command = [sys.executable, "-m", "app", "demo", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=folder,
            env={**kept, "PYTHONPATH": str(HOUSE), "PYTHONUNBUFFERED": "1", **environment},
            start_new_session=True,
        )
    made = Demo(folder, port, process)
    made.wait("the curl line", lambda: "\ncurl -i" in made.out)
    return made


OPERATORS = {"stadsnat": "pull", "covage": "pull", "tjansteguiden": "pull", "seller": "push"}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Demo]]:
    """Starts a demo in the test's folder; what still runs afterwards is killed."""
    made: list[Demo] = []

    def begin() -> Demo:
        made.append(started(tmp_path))
        return made[-1]

    yield begin
    for each in made:
        if each.process.poll() is None:
            os.killpg(each.process.pid, signal.SIGKILL)
            each.process.wait()


def in_the_log(demo: Demo) -> dict[str, int]:
    """How much of each operator, once there is something of all four."""

    def all_four() -> dict[str, int]:
        counts = demo.get("/admin/stats")["by_source"]
        return counts if OPERATORS.keys() <= counts.keys() else {}

    return demo.wait("all four operators", all_four)


def channels(demo: Demo) -> dict[str, str]:
    """How the newest notification of each operator came."""
    return {
        source: demo.get(f"/admin/notifications?source={source}&limit=1")["items"][0]["channel"]
        for source in OPERATORS
    }


def post_as_printed(out: str) -> httpx.Response:
    """What the curl line does."""
    (line,) = [line for line in out.splitlines() if line.startswith("curl -i ")]
    words = shlex.split(line)
    headers = dict(words[n + 1].split(": ", 1) for n, word in enumerate(words) if word == "-H")
    return httpx.post(words[2], content=words[words.index("-d") + 1], headers=headers, timeout=10)


def test_within_30_seconds_all_four_operators_are_in_the_log_by_push_and_pull(start, tmp_path):
    demo = start()
    in_the_log(demo)
    assert channels(demo) == OPERATORS
    assert demo.get("/admin/stats")["quarantine"] == 0
    assert post_as_printed(demo.out).status_code == 201
    demo.wait("the progress", lambda: "in the log, lag" in demo.out)
    for source, channel in OPERATORS.items():
        assert f"{source}: notifications in the log, by {channel}" in demo.out
    assert "export LISTENER_CONFIG=data/demo.toml" in demo.out
    assert demo.end() == 0
    assert "Traceback" not in demo.out
    assert members(demo.process.pid) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]
    kept = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert kept == ["demo.toml", "listener.db", "listener.db-turn", "secret"]


LINK = re.compile(r"^  (http://\S+/ui/enter\?code=\S+)$", re.MULTILINE)


def test_the_last_it_tells_is_a_link_that_opens_the_pages_by_one_click(start):
    demo = start()
    told = demo.wait("the progress", lambda: ": notifications in the log" in demo.out and demo.out)
    (link,) = LINK.findall(told)
    places = [told.index(text) for text in ("\ncurl ", "\nOperators ", link, ": notifications in")]
    assert places == sorted(places)
    with httpx.Client(follow_redirects=True, timeout=10) as browser:
        page = browser.get(link)
    assert (page.status_code, page.url.path) == (200, "/ui")
    assert "What needs somebody" in page.text
    lapsed = httpx.get(link, timeout=10)
    assert lapsed.status_code == 401
    (command,) = re.findall(r'<code id="command">(.*?)</code>', lapsed.text)
    assert f"\n  {html.unescape(command)}\n" in told
    another = printed_elsewhere(html.unescape(command))
    assert httpx.get(another, timeout=10).headers["location"] == "/ui"


def printed_elsewhere(command: str) -> str:
    """What `command` prints in a terminal that knows nothing of the demo."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LISTENER_")}
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd="/", env=kept, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_started_again_it_goes_on_with_other_orders_until_ctrl_c(start):
    first = start()
    in_the_log(first)
    assert first.end(signal.SIGINT) == 0
    again = start()
    before = again.get("/admin/stats")["by_source"]

    def more() -> bool:
        now = again.get("/admin/stats")["by_source"]
        return all(now[name] > before[name] for name in OPERATORS)

    again.wait("news of all four", more)
    assert again.end(signal.SIGINT) == 0
    assert members(again.process.pid) == []


def members(group: int) -> list[int]:
    """The processes of a process group."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group:
            found.append(int(entry.parent.name))
    return found


def test_a_taken_port_ends_with_2_and_names_the_option(command):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        outcome = command("demo", "--port", str(taken.getsockname()[1]))
    assert outcome.code == 2
    assert outcome.out == ""
    assert "--port" in outcome.err


def test_a_listener_that_is_configured_is_left_alone(home, monkeypatch):
    (home / "listener.toml").write_text("")
    monkeypatch.setenv("LISTENER_DATABASE_URL", "postgresql://a:b@db/listener")
    monkeypatch.setenv("LISTENER_SECRET", "of another listener: 0123456789abcdef")
    given = demos.settings.load()
    found = demos.alone(given, "127.0.0.1", 9000)
    assert found.is_sqlite()
    assert found.data_dir == Path("data/demo")
    assert demos.needed_elsewhere(given, found) == {
        "LISTENER_CONFIG": Path("data/demo/demo.toml"),
        "LISTENER_DATA_DIR": Path("data/demo"),
        "LISTENER_DATABASE_URL": "",
        "LISTENER_SECRET": "",
        "LISTENER_PORT": 9000,
    }
    assert found.secret is None
    told = shlex.split(demos.another_link(found))
    assert told[:5] == [
        f"LISTENER_CONFIG={home / 'data/demo/demo.toml'}",
        f"LISTENER_DATA_DIR={home / 'data/demo'}",
        "LISTENER_PORT=9000",
        "LISTENER_DATABASE_URL=",
        "LISTENER_SECRET=",
    ]
    assert told[-2:] == ["token", "--ui"]


@pytest.mark.parametrize(
    ("looks", "lag"),
    [
        ([(0, 5, 10.0)], 0.0),
        ([(3, 5, 10.0)], 0.0),
        ([(3, 5, 10.0), (3, 5, 14.0)], 4.0),
        ([(3, 5, 10.0), (4, 5, 14.0)], 4.0),
        ([(3, 5, 10.0), (3, 8, 12.0), (3, 8, 20.0)], 0.0),
        ([(3, 5, 10.0), (3, 8, 12.0), (4, 8, 20.0), (4, 8, 21.0)], 1.0),
    ],
    ids=["nothing yet", "just published", "not come", "two not come", "come", "the next"],
)  # fmt: skip
def test_the_lag_is_how_long_what_was_published_has_waited(looks, lag):
    seen = demos.Seen(before=5)
    for published, stored, now in looks:
        seen.look(published, stored, now)
    assert seen.lag == lag

"""The pages say what is so: their commands run, their tables are the program's, links resolve."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.dom import minidom

import httpx
import pytest
import typer
import yaml

from app import settings, sources
from app.cli import commands
from app.doors import problems
from app.notifications import event_types
from app.notifications.notification import Flavour, Notification
from app.sources import base
from tests import serving
from tests.docs import pages
from tests.sources import arrivals

DOCS = pages.HOUSE / "docs"
README = pages.HOUSE / "README.md"
OPERATING = DOCS / "operating.md"
CONTRACT = DOCS / "contract.md"
EXAMPLE_URL = "postgresql://listener@db.example/listener"
SHELL_DEADLINE = 60


def named(page: Path) -> str:
    return str(page.relative_to(pages.HOUSE))


every_page = pytest.mark.parametrize("page", pages.PAGES, ids=named)


# --- what can be run -----------------------------------------------------------------------------


def runnable(page: Path) -> list[pages.Block]:
    return [block for block in pages.blocks(page, "sh") if "run" in block.marks]


RUN = [page for page in pages.PAGES if runnable(page)]


@pytest.fixture
def database_at_hand(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Gives the URL of an empty PostgreSQL database, made only when it is asked for."""
    return lambda: request.getfixturevalue("empty_postgres_url").replace("+psycopg", "")


def configured(page: Path) -> str | None:
    """The block of the page its commands are run with."""
    return next(
        (block.text for block in pages.blocks(page, "toml") if "listener.toml" in block.marks),
        None,
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages use curl")
@pytest.mark.parametrize("page", RUN, ids=named)
def test_what_a_page_tells_to_run_works(page, tmp_path, database_at_hand):
    (tmp_path / ".venv").symlink_to(sys.prefix)
    with serving.listener(tmp_path, config=configured(page)) as server:
        for block in runnable(page):
            text = block.text.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
            if "postgresql" in block.marks:
                assert EXAMPLE_URL in text, f"{block}: no {EXAMPLE_URL} to replace"
                text = text.replace(EXAMPLE_URL, database_at_hand())
            ended = shell(text, server)
            failed = ended.returncode != 0
            assert failed is ("fails" in block.marks), f"{block}\n{ended.stdout}\n{ended.stderr}"
            assert "Traceback" not in ended.stdout + ended.stderr, str(block)


def shell(text: str, server: serving.Listener) -> subprocess.CompletedProcess[str]:
    """Run `text` as one at the keyboard would, in the server's folder."""
    here = str(Path(sys.prefix) / "bin")
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=server.folder,
        env={
            **server.environment,
            "LISTENER_PORT": str(server.port),
            "PATH": os.pathsep.join([here, os.environ["PATH"]]),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SHELL_DEADLINE,
        check=False,
    )


def test_the_readme_needs_no_command_but_make_run_and_make_test():
    plain = [block.text.strip() for block in pages.blocks(README, "sh") if not block.marks]
    assert plain == ["make run", "make test"]


# --- commands that cannot be run here are ones there are -----------------------------------------


def told(page: Path) -> Iterator[list[str]]:
    """The words of every `listener …` on the page."""
    lines = [line for block in pages.blocks(page, "sh") for line in block.text.splitlines()]
    for text in [*lines, *pages.spans(page)]:
        for call in re.findall(r"(?:^|[ (])(?:\.venv/bin/)?listener ((?:[a-z-]|[A-Z]+\b).*)", text):
            yield shlex.split(re.split(r"[)|>;&…]", call)[0].replace('"', ""))


@every_page
def test_every_command_and_option_a_page_names_is_there(page):
    top: Any = typer.main.get_command(commands.build())
    for words in told(page):
        command = top
        rest = list(words)
        while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
            if rest[0].isupper():
                break
            if rest[0] == "listener":  # the service of that name, in which it is run
                del rest[0]
                continue
            assert rest[0] in command.commands, f"listener {' '.join(words)}"
            command = command.commands[rest.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        given = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert given <= known | {"--help", "-h"}, f"listener {' '.join(words)}"


# --- configuration -------------------------------------------------------------------------------

TOML = [block for page in pages.PAGES for block in pages.blocks(page, "toml")]


@pytest.mark.parametrize("block", TOML, ids=str)
def test_every_configuration_shown_is_sound(block, tmp_path):
    path = tmp_path / "listener.toml"
    path.write_text(block.text)
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)\}", block.text), "a-secret")
    found = settings.read_configuration(
        settings.Settings(config=path), environ, kinds=sources.discover()
    )
    assert found.sources or found.issuers


def example_environment() -> dict[str, str]:
    lines = (pages.HOUSE / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_table_of_settings_is_that_of_the_program():
    shown = {name: default for name, default, _ in pages.table(OPERATING, "Variable")}
    assert shown == example_environment()
    assert set(shown) == {f"LISTENER_{name.upper()}" for name in settings.Settings.model_fields}


def test_every_key_of_a_source_is_explained():
    keys = {row[0] for row in pages.table(DOCS / "adding-a-source.md", "Key")}
    assert keys <= set(base.SourceConfig.model_fields)
    feeds = DOCS / "feeds.md"
    elsewhere = set(pages.spans(feeds)) if feeds.exists() else {"feed"}
    assert set(base.SourceConfig.model_fields) <= keys | elsewhere


def test_the_kind_shown_reads_a_sample():
    (block,) = pages.blocks(DOCS / "adding-a-source.md", "python")
    module: dict[str, Any] = {}
    exec(block.text, module)
    kind = module["KIND"]
    sample = next(s for s in sources.samples("tmf") if s.flavour is Flavour.ONAP)
    assert isinstance(kind.parse(arrivals.arrival(sample.body)), Notification)


# --- the contract --------------------------------------------------------------------------------


def test_the_table_of_errors_is_that_of_the_program():
    rows = pages.table(CONTRACT, "Code")
    shown = {int(code): (int(status), reason) for code, status, reason, _, _ in rows}
    assert shown == {code: (row.status, row.reason) for code, row in problems.TABLE.items()}
    assert all(when and remedy for *_, when, remedy in rows)


def test_every_error_has_an_example():
    examples = [json.loads(block.text) for block in pages.blocks(CONTRACT, "json")]
    assert sorted(one["code"] for one in examples) == sorted(problems.TABLE)
    for one in examples:
        reference = one.get("referenceError")
        again = json.loads(problems.body(one["code"], one["message"], reference=reference))
        assert one == again


def test_the_headers_an_error_brings_are_told():
    text = pages.prose(CONTRACT)
    waits = sorted(code for code, row in problems.TABLE.items() if row.retry_after is not None)
    assert waits == [1, 5, 6, 53]
    assert "`Retry-After` comes with 1, 5, 6 and 53." in text
    challenged = sorted(code for code, row in problems.TABLE.items() if row.challenge)
    assert challenged == [40, 41, 42]
    assert "`WWW-Authenticate` comes with 40, 41 and 42" in text


def test_every_listener_path_and_event_is_told():
    shown = {path.replace("/{event}", "") for path, _, _ in pages.table(CONTRACT, "Path")}
    mounted = {mount.prefix for mount in event_types.MOUNTS.values()}
    assert shown - {"/externalapi/listener/v1/{key}/listener"} == {
        event_types.SHARED_PATH,
        *mounted,
    }
    spans = set(pages.spans(CONTRACT))
    for mount in event_types.MOUNTS.values():
        assert set(mount.events) <= spans


def test_every_path_to_read_is_in_the_contract():
    contract = yaml.load(
        (pages.HOUSE / "openapi/listener.yaml").read_text(), Loader=yaml.CSafeLoader
    )
    there = {
        f"{method.upper()} {path}"
        for path, item in contract["paths"].items()
        for method in item
        if path.startswith("/admin")
    }
    shown = {
        span.partition("?")[0] for span in pages.spans(CONTRACT) if re.match("[A-Z]+ /admin", span)
    }
    assert shown <= there


# --- what the process tells of itself ------------------------------------------------------------


def test_every_metric_is_told(tmp_path):
    with serving.listener(tmp_path) as server:
        assert server.post(b"{}").status_code == httpx.codes.BAD_REQUEST
        text = httpx.get(f"{server.url}/metrics").text
    served = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    served = {name for name in served if not name.endswith("_created")}
    shown = {row[0] for row in pages.table(OPERATING, "Metric")}
    once_there_are = ("listener_feed_", "listener_follower_")
    assert {name for name in shown if not name.startswith(once_there_are)} <= served
    anywhere = {span for page in pages.PAGES for span in pages.spans(page)}
    assert served <= anywhere


def test_every_log_line_told_is_written():
    code = "\n".join(module.read_text() for module in (pages.HOUSE / "app").rglob("*.py"))
    for events, *_ in pages.table(OPERATING, "Event"):
        for event in re.findall(r"\w+", events):
            assert f'"{event}"' in code, event


# --- the pages themselves ------------------------------------------------------------------------


@every_page
def test_links_resolve(page):
    for link in pages.links(page):
        if re.match(r"[a-z]+://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in pages.anchors(target), link


@every_page
def test_no_page_names_a_place_of_one_machine(page):
    places = "work|root|tmp|home"
    assert not re.findall(rf"(?<![\w.}}])/(?:{places})\b[^\s`]*", page.read_text())


def test_every_decision_is_listed_and_has_a_status():
    index = (DOCS / "adr/README.md").read_text()
    decisions = sorted((DOCS / "adr").glob("[0-9]*.md"))
    assert [page.name[:4] for page in decisions] == [f"{n + 1:04}" for n in range(len(decisions))]
    for page in decisions:
        assert f"]({page.name})" in index
        assert "**Status**: " in page.read_text()


@pytest.mark.parametrize("figure", sorted(DOCS.glob("*.svg")), ids=named)
def test_a_figure_can_be_read_aloud_and_in_the_dark(figure):
    svg = minidom.parse(str(figure)).documentElement
    assert svg.getAttribute("role") == "img"
    labels = svg.getAttribute("aria-labelledby").split()
    for tag in ("title", "desc"):
        (one,) = [e for e in svg.getElementsByTagName(tag) if e.parentNode is svg]
        assert one.getAttribute("id") in labels
        assert one.firstChild.data.strip()
    assert "prefers-color-scheme: dark" in figure.read_text()

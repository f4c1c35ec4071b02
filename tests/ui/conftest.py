"""A browser and a `listener serve` for the module, and somebody signed in."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import httpx
import pytest
from playwright import sync_api

from app import runtime
from app.clock import SystemClock
from app.security import sessions, signing
from tests import serving

SCOPES = ("notifications:read", "commands", "admin")
APT = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]


def chromium() -> str:
    """Where Chromium is; installed where that may be done. Skips with the reason elsewhere."""
    lock = Path(tempfile.gettempdir()) / "tmf-listener-chromium.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        found = shutil.which("chromium") or shutil.which("chromium-browser")
        if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            for command in (["apt-get", "update"], APT):
                subprocess.run(command, env=environment, capture_output=True, check=False)
            found = shutil.which("chromium")
    if found is None:
        pytest.skip("no Chromium: install it (apt-get install chromium), or run as root with apt")
    return found


@pytest.fixture(scope="module")
def browser():
    """Of a module, not of the run: while it lives no asynchronous test can run in the process."""
    path = chromium()
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving.listener(tmp_path_factory.mktemp("ui")) as made:
        yield made


def code(scopes=SCOPES, subject="ann", at=None):
    seal = sessions.Seal(signing.LocalIssuer(serving.SECRET.encode(), SystemClock()).pepper)
    return seal.code(runtime.new_id(), subject, scopes, at or SystemClock().now())


@pytest.fixture
def link(server):
    """Makes a sign-in link."""

    def made(**asked):
        return f"{server.url}/ui/enter?code={code(**asked)}"

    return made


@pytest.fixture
def signed_in(server, link):
    """Makes an HTTP client with a session of some scopes."""
    made = []

    def let_in(*scopes):
        client = httpx.Client(base_url=server.url, timeout=30)
        made.append(client)
        assert client.get(link(scopes=scopes or SCOPES)).status_code == 303
        return client

    yield let_in
    for client in made:
        client.close()


class Trouble(list):
    """What a page must not do: write errors to the console, ask another host."""

    def watch(self, page, own):
        page.on("console", lambda line: line.type == "error" and self.append(line.text))
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on(
            "request",
            lambda asked: asked.url.startswith((own, "data:")) or self.append(asked.url),
        )


@pytest.fixture
def page(browser, server, link):
    """A tab that is signed in; fails the test that leaves trouble in it."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    trouble = Trouble()
    trouble.watch(tab, server.url)
    tab.goto(link())
    yield tab
    context.close()
    assert trouble == []


@pytest.fixture(scope="session")
def axe():
    """Gives what axe finds wrong with a page, by all its rules or these alone: a line a rule."""
    source = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()

    def run(tab, *rules):
        if tab.evaluate("typeof axe") == "undefined":
            tab.evaluate(source)
        found = tab.evaluate("asked => axe.run(asked)", {"runOnly": rules} if rules else {})
        found = found["violations"]
        return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found]

    return run

"""`make screenshots`: every page of a demo of its own, light, dark and small; two for the README.

The demo is on a free port, with its data in a folder that goes afterwards.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright import sync_api

from tests import serving

HOUSE = Path(__file__).parent.parent.parent
TO = HOUSE / "build/screenshots"
README = {"overview": "docs/overview.png", "story": "docs/story.png"}
PAGES = (
    "",
    "/attention",
    "/orders",
    "/notifications",
    "/quarantine",
    "/feeds",
    "/feeds/covage",
    "/feeds/covage/rewind?to=beginning",
    "/commands",
    "/commands?state=failed",
    "/alerts",
    "/sources",
    "/sources/local",
    "/audit",
)
LOOKS = (("light", 1280, 800), ("dark", 1280, 800), ("small", 360, 740))
STORY = "/orders?source=tjansteguiden&state=completed"
MOST_NEWS = """rows => {
  const news = (row) => Number(row.querySelector("[data-name=news]").textContent);
  return rows.sort((one, other) => news(other) - news(one))[0].querySelector("a.id").href;
}"""
"""Of the orders in the list the address of the one with the most to tell."""

HEAD_START = 100.0
"""Seconds the demo runs before, so that the plot and the feeds have something to show."""

DEADLINE = 60.0
PAUSE = 0.5
"""Seconds until the plot is drawn."""


@contextmanager
def demo(folder: Path) -> Iterator[Callable[[], str]]:
    """A demo in a process of its own; gives what makes a sign-in link to it."""
    port = serving.free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LISTENER_")},
        "LISTENER_DATA_DIR": str(folder),
        "LISTENER_PORT": str(port),
        "PYTHONPATH": str(HOUSE),
    }
    command = [sys.executable, "-m", "app"]
    out = folder / "out"
    with out.open("wb") as told:
        process = subprocess.Popen([*command, "demo"], cwd=folder, env=environment, stdout=told)

    def link() -> str:
        config = {**environment, "LISTENER_CONFIG": str(folder / "demo.toml")}
        asked = [*command, "token", "--ui"]
        made = subprocess.run(
            asked, cwd=folder, env=config, capture_output=True, text=True, check=True
        )
        return made.stdout.strip()

    try:
        ends = time.monotonic() + DEADLINE
        while "/ui/enter?code=" not in out.read_text():
            if process.poll() is not None or time.monotonic() > ends:
                sys.exit(f"the demo does not begin:\n{out.read_text()}")
            time.sleep(PAUSE)
        yield link
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)


def take(tab: sync_api.Page, base: str, look: str, story: str) -> None:
    """Take every page as it looks in `tab`."""
    for page in (*PAGES, story):
        tab.goto(base + page)
        tab.wait_for_timeout(PAUSE * 1000)
        name = "story" if page == story else re.sub(r"\W+", "-", page).strip("-") or "overview"
        file = TO / f"{name}-{look}.png"
        tab.screenshot(path=file, full_page=True)
        if look == "light" and name in README:
            shutil.copyfile(file, HOUSE / README[name])


def main() -> None:
    """Write `build/screenshots/*.png`, and the README's two under `docs/`."""
    shutil.rmtree(TO, ignore_errors=True)
    TO.mkdir(parents=True)
    path = shutil.which("chromium") or sys.exit("no chromium; apt-get install chromium")
    with (
        tempfile.TemporaryDirectory() as folder,
        demo(Path(folder)) as link,
        sync_api.sync_playwright() as playwright,
    ):
        time.sleep(HEAD_START)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        first = browser.new_context().new_page()
        first.goto(link())
        base = first.url
        first.goto(base + STORY)
        first.goto(first.locator("tbody tr").evaluate_all(MOST_NEWS))
        story = first.url.removeprefix(base)
        kept = first.context.storage_state()
        for look, width, height in LOOKS:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if look == "dark" else "light",
                storage_state=kept,
            )
            take(context.new_page(), base, look, story)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()

"""`make screenshots`: every page of a running demo, light, dark and small; two for the README.

.venv/bin/listener demo          # in another terminal
make screenshots
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright import sync_api

HOUSE = Path(__file__).parent.parent.parent
PAGES = (
    "",
    "/attention",
    "/orders",
    "/notifications",
    "/quarantine",
    "/feeds",
    "/sources",
    "/audit",
)
LOOKS = (("light", 1280, 800), ("dark", 1280, 800), ("small", 360, 740))
STORY = "/orders?source=tjansteguiden&state=completed"


def link() -> str:
    """A sign-in link to the listener these settings mean."""
    command = [sys.executable, "-m", "app", "token", "--ui"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Write `build/screenshots/*.png`, and the README's two under `docs/`."""
    to = HOUSE / "build/screenshots"
    to.mkdir(parents=True, exist_ok=True)
    path = shutil.which("chromium") or sys.exit("no chromium; apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        first = browser.new_context().new_page()
        first.goto(link())
        base = first.url
        first.goto(base + STORY)
        first.locator("tbody a.id").first.click()
        first.wait_for_load_state()
        story = first.url.removeprefix(base)
        kept = first.context.storage_state()
        for look, width, height in LOOKS:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if look == "dark" else "light",
                storage_state=kept,
            )
            tab = context.new_page()
            for page in (*PAGES, story):
                tab.goto(base + page)
                name = "story" if page == story else re.sub(r"\W", "", page) or "overview"
                file = to / f"{name}-{look}.png"
                tab.screenshot(path=file, full_page=look == "small")
                if look == "light" and name in {"overview", "story"}:
                    shutil.copyfile(file, HOUSE / f"docs/{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main()

"""The page of each kind that is asked: its tables are those the program reads by."""

from __future__ import annotations

import pytest

from app.sources import covage, feed_config, on_api, tjansteguiden
from app.sources.covage import words as covage_words
from app.sources.on_api import words as on_api_words
from app.sources.tjansteguiden import words as guide_words
from tests.docs import pages

DOCS = pages.HOUSE / "docs"
COVAGE, ON_API, GUIDE = DOCS / "covage.md", DOCS / "on-api.md", DOCS / "tjansteguiden.md"
KINDS = [(COVAGE, covage.KIND), (ON_API, on_api.KIND), (GUIDE, tjansteguiden.KIND)]
NOTHING = "–"


@pytest.mark.parametrize(("page", "kind"), KINDS, ids=lambda one: getattr(one, "name", ""))
def test_every_key_of_a_feed_is_explained(page, kind):
    shown = {key.strip("` ") for row in pages.table(page, "Key") for key in row[0].split(",")}
    own = set(kind.feed_config.model_fields) - set(feed_config.FeedConfig.model_fields)
    shared = {row[0] for row in pages.table(DOCS / "feeds.md", "Name")}
    assert own <= shown <= set(kind.feed_config.model_fields)
    assert set(feed_config.FeedConfig.model_fields) <= shared


def test_every_type_of_covage_is_told():
    shown = {row[0]: tuple(row[1:4]) for row in pages.table(COVAGE, "Type")}
    assert shown == {
        name: (row.kind, row.state or NOTHING, row.attention or NOTHING)
        for name, row in covage_words.TYPES.items()
    }
    effects = {row[0]: row[4] for row in pages.table(COVAGE, "Type")}
    for name, row in covage_words.TYPES.items():
        assert ("voids the appointment" in effects[name]) is row.voids
        assert ("clears the attention" in effects[name]) is row.clears


def test_every_state_of_on_api_is_told():
    shown = {row[0]: (row[1], row[2]) for row in pages.table(ON_API, "State")}
    assert shown == {
        state: (ours, on_api_words.ATTENTION.get(state, NOTHING))
        for state, ours in on_api_words.STATES.items()
    }


def test_every_status_and_log_line_of_tjansteguiden_is_told():
    shown = {row[0]: (row[1], row[2]) for row in pages.table(GUIDE, "Status")}
    assert shown == {
        name: (status.state or NOTHING, status.attention or NOTHING)
        for name, status in guide_words.STATUSES.items()
    }
    lines = {row[0]: (row[1], row[2]) for row in pages.table(GUIDE, "Log line")}
    assert lines == {
        name: (line.kind, line.attention or NOTHING) for name, line in guide_words.LOG_TYPES.items()
    }


@pytest.mark.parametrize("page", [page for page, _ in KINDS], ids=lambda page: page.stem)
def test_what_is_assumed_is_marked(page):
    assert "marked `~`" in pages.prose(page)
    assert len(pages.table(page, "Assumed ~")) > 3

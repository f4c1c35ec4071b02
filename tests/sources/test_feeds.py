"""The contract of every kind that is asked: the same tests for every kind and every sample."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from app import errors, sources
from app.notifications.notification import Channel
from app.sources import base, covage, on_api, tjansteguiden
from tests.sources import feeding

SAMPLES = {
    kind: [(sample.name, json.loads(sample.body)) for sample in sources.samples(kind)]
    for kind in ("on_api", "covage", "tjansteguiden")
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "sample" in metafunc.fixturenames:
        found = SAMPLES[metafunc.cls.kind.name]
        metafunc.parametrize("sample", [body for _, body in found], ids=[name for name, _ in found])


class FeedContract:
    """What holds for every kind. A subclass says how its operator speaks."""

    kind: ClassVar[Any]
    feed: ClassVar[Any]
    unreadable: ClassVar[Any]

    def operator(self, *entries: Any) -> Any:
        """An operator that tells those entries."""
        raise NotImplementedError

    def add(self, operator: Any, entry: Any) -> None:
        """One thing more happens at the operator."""
        raise NotImplementedError

    def another(self) -> Any:
        """An entry that is like none of the samples, later than they are."""
        raise NotImplementedError

    def test_a_page_then_a_page_then_dry(self, sample):
        operator, inbox = self.operator(sample), feeding.Inbox(self.kind)
        cursor = feeding.turn(operator, inbox, self.feed, {})
        first = len(inbox.told)
        assert first >= 1
        self.add(operator, self.another())
        cursor = feeding.turn(operator, inbox, self.feed, cursor)
        assert len(inbox.told) > first
        both = list(inbox.told)
        again = feeding.turn(operator, inbox, self.feed, cursor)
        assert (inbox.told, inbox.held) == (both, [])
        assert feeding.turn(operator, inbox, self.feed, again) == again == cursor

    def test_replaying_everything_appends_nothing(self, sample):
        operator, inbox = self.operator(sample, self.another()), feeding.Inbox(self.kind)
        feeding.turn(operator, inbox, self.feed, {})
        once = list(inbox.told)
        feeding.turn(operator, inbox, self.feed, self.kind.rewound(self.feed, "beginning"))
        feeding.turn(operator, inbox, self.feed, {})
        assert inbox.told == once
        assert inbox.reread >= 2

    def test_parsing_twice_gives_the_same_identity(self, sample):
        request = self.kind.next_request(self.feed, {}, feeding.NOW, feeding.GRANT)
        answer = self.operator(sample).answer(request)
        views = []
        for _ in range(2):
            entries, _ = feeding.page(self.kind, self.feed, answer, {})
            read = [self.kind.parse(feeding.arrival(entry.body)) for entry in entries]
            views.append(
                [
                    (told.event_id, self.kind.snapshot_key(told), self.kind.content(entry.body))
                    for told, entry in zip(read, entries, strict=True)
                ]
            )
        assert views[0] == views[1]
        assert views[0]

    def test_an_entry_that_cannot_be_read_does_not_stop_the_page(self, sample):
        operator = self.operator(sample, self.unreadable, self.another())
        inbox = feeding.Inbox(self.kind)
        feeding.turn(operator, inbox, self.feed, {})
        assert len(inbox.held) >= 1
        assert len(inbox.told) >= 2

    def test_every_sample_is_a_notification(self, sample):
        inbox = feeding.Inbox(self.kind)
        feeding.turn(self.operator(sample), inbox, self.feed, {})
        for told in inbox.told:
            assert told.flavour == self.kind.name
            assert (told.channel, told.conflict_of) == (Channel.PULL, None)
            assert b"se=2025" not in json.dumps(told.summary).encode()

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"  ",
            b"<html><body>We are down for maintenance</body></html>",
            b"<!DOCTYPE html><html></html>",
            b"null",
            b"42",
            b"Service unavailable",
            b'{"cause": "Internal error"}',
            b'{"status": "error"}',
            b"\xff\xfe\x00\x00",
        ],
    )
    def test_what_is_no_page_is_a_fault_of_the_sender(self, answer):
        with pytest.raises(errors.SenderFault) as fault:
            list(self.kind.read_page(self.feed, iter([answer]), {}, feeding.NOW))
        assert len(str(fault.value)) > 15
        assert "maintenance" not in str(fault.value)

    def test_a_page_that_is_cut_is_no_page_but_what_was_whole_is_kept(self, sample):
        request = self.kind.next_request(self.feed, {}, feeding.NOW, feeding.GRANT)
        answer = self.operator(sample, self.another()).answer(request)
        parts = self.kind.read_page(self.feed, iter([answer[:-20]]), {}, feeding.NOW)
        with pytest.raises(errors.SenderFault):
            assert all(isinstance(part, base.Entry) for part in parts)

    def test_no_secret_is_shown(self):
        request = self.kind.next_request(self.feed, {}, feeding.NOW, feeding.GRANT)
        login = self.kind.login(self.feed, feeding.NOW)
        assert "hush" not in repr((self.feed, request, login, feeding.GRANT))
        assert "secret" not in repr((request, feeding.GRANT))

    def test_a_command_that_is_none_is_told_what_would_be_right(self):
        with pytest.raises(errors.InvalidParameter, match="no command 'explode'"):
            self.kind.command(self.feed, "1", "explode", {}, feeding.GRANT)

    def test_a_feed_that_starts_now_takes_nothing_of_what_is_there(self, sample):
        feed = self.feed.model_copy(update={"start": "now"})
        operator, inbox = self.operator(sample), feeding.Inbox(self.kind)
        cursor = feeding.turn(operator, inbox, feed, {})
        assert inbox.told == []
        self.add(operator, self.another())
        feeding.turn(operator, inbox, feed, cursor)
        assert {told.order_id for told in inbox.told} == {"another"}
        assert not any(told.backfill for told in inbox.told)

    def test_what_was_there_before_we_came_is_marked(self, sample):
        operator, inbox = self.operator(sample), feeding.Inbox(self.kind)
        cursor = feeding.turn(operator, inbox, self.feed, {})
        before = len(inbox.told)
        assert any(told.backfill for told in inbox.told)
        self.add(operator, self.another())
        feeding.turn(operator, inbox, self.feed, cursor)
        assert not any(told.backfill for told in inbox.told[before:])


class TestOnApi(FeedContract):
    kind = on_api.KIND
    feed = on_api.OnApiFeed(url="http://localhost/api/2.3.1/", username="u", password="hush")
    unreadable: ClassVar[Any] = 42

    def operator(self, *entries):
        return feeding.OnApiOperator(entries)

    def add(self, operator, entry):
        operator.events.append(entry)

    def another(self):
        path = "/api/2.3.1/orders/another"
        return {"event": "another", "order": {"path": path, "state": "DONE_SUCCESS"}}


class TestCovage(FeedContract):
    kind = covage.KIND
    feed = covage.CovageFeed(url="http://localhost/", email="e", password="hush", every="1s")
    unreadable: ClassVar[Any] = "no event"

    def operator(self, *entries):
        return feeding.CovageOperator(entries)

    def add(self, operator, entry):
        operator.events.append(entry)

    def another(self):
        at = feeding.NOW - timedelta(minutes=5)
        return feeding.event(1, at, object_uuid="another")


class TestTjansteguiden(FeedContract):
    kind = tjansteguiden.KIND
    feed = kind.feed_config(
        url="http://localhost/log", api_user="u", api_key="hush", every="1s", recheck="1s"
    )
    unreadable: ClassVar[Any] = {"method": "orders", "entry": {"date": "2025-03-04 11:00:00"}}

    def operator(self, *entries):
        operator = GuideOperator()
        for entry in entries:
            self.add(operator, entry)
        return operator

    def add(self, operator, entry):
        told = dict(entry["entry"])
        order = told.get("id", "none") if entry["method"] != "order_log" else entry["order"]
        row = {"id": order, "status": "active", "date": "2025-03-04 11:48:00"}
        match entry["method"]:
            case "orders":
                operator.rows[order] = told
            case "order_info":
                operator.rows[order] = row
                operator.infos[order] = told
            case _:
                operator.rows[order] = row
                operator.logs.setdefault(order, []).append(told)

    def another(self):
        row = {"id": "another", "status": "delivered", "date": "2025-03-04 17:30:00"}
        return {"method": "orders", "order": "another", "entry": row}

    def test_every_row_of_a_turn_is_asked_for_once(self):
        operator, inbox = self.operator(SAMPLES["tjansteguiden"][0][1]), feeding.Inbox(self.kind)
        feeding.turn(operator, inbox, self.feed, {})
        assert operator.calls == [("orders", "2024-12-04")]


class GuideOperator(feeding.GuideOperator):
    """A row without an id is told as well."""


def test_every_kind_that_is_asked_is_held_to_the_contract():
    asked = {name for name, kind in sources.discover().items() if kind.channel is Channel.PULL}
    held = {kind.kind.name for kind in FeedContract.__subclasses__()}
    assert asked == held == set(SAMPLES)


def test_an_entry_s_sample_is_posted_nowhere():
    for kind in SAMPLES:
        for sample in sources.samples(kind):
            assert (sample.path, sample.event_name, sample.flavour) == ("", None, kind)

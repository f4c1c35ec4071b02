"""Whatever an operator answers: entries, or a fault of the sender, never another exception."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from app import errors
from app.notifications.notification import Notification, Refusal
from app.sources import base
from tests.sources import feeding, test_feeds

CONTRACTS = [test_feeds.TestOnApi(), test_feeds.TestCovage(), test_feeds.TestTjansteguiden()]
CURSORS = {
    "on_api": [{}, {"since": "a", "first": "a"}],
    "covage": [{}, {"after": ["2025-03-04T00:00:00.000000Z", "a"], "top": "2025", "page": "x"}],
    "tjansteguiden": [{}, {"ask": ["order_info", "1"]}, {"ask": ["order_log", "1"], "open": {}}],
}


def outcome(contract: test_feeds.FeedContract, body: bytes, size: int) -> None:
    kind = contract.kind
    for cursor in CURSORS[kind.name]:
        with contextlib.suppress(errors.SenderFault):
            pieces = feeding.chunked(body, size)
            *entries, end = kind.read_page(contract.feed, pieces, dict(cursor), feeding.NOW)
            assert isinstance(end, base.PageEnd)
            for entry in entries:
                assert isinstance(entry, base.Entry)
                look_at(kind, entry)


def look_at(kind: base.PullKind, entry: base.Entry) -> None:
    read = kind.parse(feeding.arrival(entry.body))
    assert isinstance(read, Notification | Refusal)
    if isinstance(read, Notification):
        assert "\\u0000" not in read.model_dump_json(exclude={"raw"})
        assert isinstance(kind.content(entry.body), bytes)
        assert isinstance(kind.later(read), Notification)


def commanded(contract: test_feeds.FeedContract, body: bytes) -> None:
    """The other answers a kind reads."""
    kind, feed = contract.kind, contract.feed
    calls = [
        lambda: kind.grant(feed, body, feeding.NOW),
        lambda: kind.personal(body),
        lambda: kind.read_entry(feed, body, "order", "1"),
        lambda: kind.was_done("set_status", {"status": "x"}, body, feeding.NOW),
        *(
            lambda name=name: kind.command_result(name, 200, body, "1")
            for name in ("set_status", "order_info", "order_log", "customer_info", "events/info")
        ),
    ]
    for call in calls:
        with contextlib.suppress(errors.SenderFault):
            call()


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda one: one.kind.name)
@given(body=st.binary(), size=st.integers(1, 9))
def test_any_bytes(contract, body, size):
    outcome(contract, body, size)
    commanded(contract, body)
    assert isinstance(contract.kind.content(body), bytes)
    assert isinstance(contract.kind.files(body), tuple)
    assert isinstance(contract.kind.parse(feeding.arrival(body)), Notification | Refusal)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda one: one.kind.name)
@given(data=st.data())
def test_any_answer_with_something_broken(contract, data):
    _, sample = data.draw(st.sampled_from(test_feeds.SAMPLES[contract.kind.name]))
    request = contract.kind.next_request(contract.feed, {}, feeding.NOW, feeding.GRANT)
    body = bytearray(contract.operator(sample, contract.another()).answer(request))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    outcome(contract, bytes(body), 11)
    commanded(contract, bytes(body))


HOSTILE = {
    "a number of 5000 digits": b"[" + b"1" * 5000 + b"]",
    "a number in two pieces": b"[1" + b"2" * 3990 + b"x" * 20 + b"]",
    "lists in lists": b"[" * 100_000,
    "objects in objects": b'[{"a":' * 100_000,
    "closed again": b"[" * 3000 + b"]" * 3000,
    "a huge exponent": b"[1e99999999999999999999]",
    "a tiny exponent": b'[{"event":"a","x":1e-999999999}]',
    "a surrogate": b'[{"event":"\\ud800"}]',
    "latin-1": '[{"event":"å"}]'.encode("latin-1"),
    "a line end in a text": b'[{"event":"a\nb"}]',
    "one long text": b'["' + b"a" * 5_000_000 + b'"]',
    "many nulls": b"[[" + b"null," * 200_000 + b"null]]",
    "entities": b'<!DOCTYPE a [<!ENTITY b "c">]><orders>&b;</orders>',
    "an outer entity": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "elements in elements": b"<a>" * 20_000,
    "an unknown encoding": b'<?xml version="1.0" encoding="x-none"?><orders/>',
    "a wide encoding": '<?xml version="1.0" encoding="utf-16"?><orders/>'.encode("utf-16"),
}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda one: one.kind.name)
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_what_would_crash_or_fill_a_parser(contract, body):
    outcome(contract, body, 65536)
    commanded(contract, body)

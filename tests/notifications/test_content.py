"""Digests: what counts as the same content."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, strategies as st

from app.notifications import body as bodies, content

NUMBER_LIKE = st.sampled_from(['":1', ", 5", "[1", "1", ",", "\\", '"'])
SCALARS = st.none() | st.booleans() | st.integers() | st.text() | NUMBER_LIKE
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def reordered(value):
    match value:
        case dict():
            return {key: reordered(value[key]) for key in reversed(list(value))}
        case list():
            return [reordered(one) for one in value]
        case _:
            return value


@given(JSON)
def test_the_order_of_keys_and_white_space_do_not_count(value):
    compact = json.dumps(value, separators=(",", ":")).encode()
    wide = json.dumps(reordered(value), indent=3, ensure_ascii=False).encode()
    assert content.canonical_digest(compact) == content.canonical_digest(wide)


@given(JSON, JSON)
def test_other_content_has_another_digest(one, other):
    first, second = json.dumps(one, sort_keys=True), json.dumps(other, sort_keys=True)
    same = content.canonical_digest(first.encode()) == content.canonical_digest(second.encode())
    assert same is (first == second)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.sampled_from([None, 0, 3]))
def test_what_the_reader_holds_has_the_digest_of_the_bytes(value, indent):
    raw = json.dumps(value, indent=indent).encode()
    read = bodies.read(raw, max_depth=100)
    said = read.content if read.plain else None
    assert content.canonical_digest(raw, said) == content.canonical_digest(raw)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1}', b'{"a":1.0}'),
        (b'{"a":1.0}', b'{"a":1.00}'),
        (b'{"a":1e2}', b'{"a":100}'),
        (b'{"a":1}', b'{"a":"1"}'),
        (b'{"a":1}', b'{"a":[0,"1"]}'),
        (b'{"a":[1,2]}', b'{"a":[2,1]}'),
        (b'{"a":null}', b"{}"),
        (b'{"a":"x"}', b'{"a":"x "}'),
        (b'{"a":1e400}', b'{"a":1e401}'),
    ],
)
def test_these_are_not_the_same(one, other):
    assert content.canonical_digest(one) != content.canonical_digest(other)


def test_an_escape_is_the_character_it_stands_for_and_of_a_double_key_the_last_counts():
    assert content.canonical_digest(b'{"a":"\\u00e5"}') == content.canonical_digest(
        '{"a":"å"}'.encode()
    )
    assert content.canonical_digest(b'{"a":1,"a":2}') == content.canonical_digest(b'{"a":2}')


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'{"a":NaN}', "{}".encode("utf-16"), b"\xef\xbb\xbf{}", b"[" * 10_000],
)
def test_what_cannot_be_parsed_has_its_raw_digest(body):
    assert content.canonical_digest(body) == content.raw_digest(body)
    assert content.raw_digest(body) == hashlib.sha256(body).digest()


@given(st.binary())
def test_no_bytes_make_it_raise(body):
    assert len(content.canonical_digest(body)) == 32

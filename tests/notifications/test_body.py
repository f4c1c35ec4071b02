"""Bytes to a JSON object, or a clear reason why not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from app.notifications import body
from app.notifications.notification import Refusal

TEXT = st.characters(codec="utf-8", exclude_characters="\0")
DEEP = b'{"a":' * 100 + b"1" + b"}" * 100


def refusal(raw, max_depth=100):
    read = body.read(raw, max_depth=max_depth)
    assert isinstance(read, Refusal), raw[:80]
    return read


@pytest.mark.parametrize(
    ("raw", "code", "part"),
    [
        (b"", 21, "empty"),
        (b" \r\n\t", 21, "empty"),
        (b"x", 22, "line 1, column 1"),
        (b"1", 22, "a number"),
        (b"null", 22, "null"),
        (b"true", 22, "true"),
        (b'"x"', 22, "text"),
        (b"[]", 22, "a list"),
        (b'{"a": 1,}', 22, "trailing comma"),
        (b'{"a": 1', 22, "ends early"),
        (b'{"a": "x', 22, "ends early"),
        (b'{"a": 1} x', 22, "trailing characters"),
        (b'{\n "a": tru }', 22, "line 2"),
        (b'{"a": NaN}', 22, "NaN is no JSON number"),
        (b'{"a": Infinity}', 22, "Infinity is no JSON number"),
        (b'{"a": -Infinity}', 22, "-Infinity is no JSON number"),
        (b"\xef\xbb\xbf{}", 22, "byte order mark"),
        ("{}".encode("utf-16"), 22, "UTF-16"),
        ("{}".encode("utf-16-be"), 22, "UTF-16"),
        ("{}".encode("utf-32"), 22, "UTF-16 or UTF-32"),
        (b'{"a": "\xe5"}', 22, "byte 7"),
        (b'{"\xff": 1}', 22, "not UTF-8"),
        (b'{"a": "\\ud800"}', 22, "surrogate"),
        (b'{"a": "\\udc00\\ud800"}', 22, "surrogate"),
        (b'{\xc2\xa0"a": 1}', 22, "U+00A0"),
        (b'{"a": "\x00"}', 22, "control character"),
        (b'{"a": ' + b"1" * 5000 + b"}", 22, "out of range"),
        (b"[" * 10_000, 22, "too deeply at byte 100"),
        (b'{"a":' * 10_000, 22, "too deeply at byte 500"),
        (b'{"a":' + DEEP + b"}", 22, "at most 100"),
    ],
)
def test_what_is_no_object_is_refused_with_what_is_wrong(raw, code, part):
    refused = refusal(raw)
    assert refused.code == code
    assert part in refused.message
    assert len(refused.message) < 200


def test_the_deepest_allowed_body_is_read_and_brackets_in_text_do_not_count():
    assert isinstance(body.read(DEEP, max_depth=100), body.Read)
    assert isinstance(body.read(b'{"a":"' + b"[{" * 300 + b'"}', max_depth=1), body.Read)
    many = b'{"a":[' + b"[]," * 300 + b"[]]}"
    assert isinstance(body.read(many, max_depth=3), body.Read)
    assert "at byte 6" in refusal(many, max_depth=2).message


def test_deeper_than_the_parser_goes_is_refused_whatever_is_configured():
    assert "at most 200" in refusal(b"[" * 300 + b"]" * 300, max_depth=1000).message


@pytest.mark.parametrize(
    "lexeme", ["1e400", "-1E+400", "1" + "0" * 400, "9" * 309, "1" * 400 + ".5", "0.1e999"]
)
def test_a_number_no_double_holds_keeps_its_lexeme(lexeme):
    read = body.read(b'{"a": [%s], "b": 1e2, "c": 7}' % lexeme.encode(), max_depth=9)
    assert isinstance(read, body.Read)
    assert read.content == {"a": [body.OutOfRange(lexeme)], "b": 100.0, "c": 7}
    assert read.out_of_range == lexeme


@pytest.mark.parametrize(
    "text", ["0e999", "1e-999", '"1e400"', '"0e400 "', '" 1e999,"', "1e307", '"' + "7" * 400 + '"']
)
def test_what_only_looks_out_of_range_is_left_alone(text):
    read = body.read(b'{"a": %s}' % text.encode(), max_depth=9)
    assert isinstance(read, body.Read)
    assert read.out_of_range is None
    assert read.content == {"a": json.loads(text)}


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        (b"{}", True),
        (b'{"eventTime": "2026-11-20T16:42:25.123+01:00", "n": [true, null, "12"]}', True),
        (b'{"text": "1.5 or -2"}', True),
        (b'{"text": "5, 6"}', False),  # looks like a number and is treated like one
        (b'{"n" :\r\n\t 5}', False),
        (b'{"n":-5}', False),
        (b'{"n":[ 5]}', False),
        (b'{"n":[[], 5]}', False),
        (b'{"n":[null,\n-0.0]}', False),
        (b'{"text": "\\u0000"}', False),
    ],
)
def test_a_body_is_plain_when_nothing_in_it_is_a_number_or_a_nul(raw, plain):
    assert body.read(raw, max_depth=100).plain is plain


def test_a_nul_is_replaced_in_text_and_told_of_in_identifiers():
    read = body.read(
        b'{"note": ["a\\u0000b"], "event": {"id": "\\u0000", "o": [{"externalId": "\\u0000"}]},'
        b' "k\\u0000": 1, "back": "\\\\u0000"}',
        max_depth=9,
    )
    assert isinstance(read, body.Read)
    assert read.nul_at == ("event.id", "event.o.0.externalId")
    assert read.nul_replaced == "note.0"
    assert read.content["note"] == ["a\ufffdb"]
    assert read.content["k\ufffd"] == 1
    assert read.content["back"] == "\\u0000"


@given(st.binary() | st.text().map(str.encode))
def test_no_bytes_make_it_raise(raw):
    assert isinstance(body.read(raw, max_depth=100), body.Read | Refusal)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(TEXT),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(TEXT), inner),
        max_leaves=30,
    )
)
def test_every_json_object_is_read_as_it_is(value):
    read = body.read(json.dumps({"v": value}, ensure_ascii=False).encode(), max_depth=200)
    assert isinstance(read, body.Read)
    assert read.content == {"v": value}

"""Cursors: opaque, of one epoch, and nothing but what was given out is taken back."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, strategies as st

from app import errors
from app.store import cursors

EPOCH = "6f1f6d0e-6b0f-4a53-9a8e-2f8f7a0b8d11"
OTHER = "00000000-6b0f-4a53-9a8e-2f8f7a0b8d11"


def made(value: object) -> str:
    return (
        base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode())
        .decode()
        .rstrip("=")
    )


@given(st.integers(0, 2**63 - 1))
def test_a_seq_comes_back(seq):
    assert cursors.decode(cursors.encode(EPOCH, seq), EPOCH) == seq


def test_an_id_comes_back():
    id_ = "0199f2a4-7f2a-7000-8000-0123456789ab"
    assert cursors.decode_id(cursors.encode(EPOCH, id_), EPOCH) == id_


def test_a_cursor_needs_no_quoting_in_a_url():
    assert all(
        character.isalnum() or character in "-_"
        for seq in range(300)
        for character in cursors.encode(EPOCH, seq)
    )


def test_one_of_another_epoch_is_gone_and_the_head_is_told():
    with pytest.raises(errors.Gone) as gone:
        cursors.decode(cursors.encode(OTHER, 7), EPOCH, head=2_000_012)
    assert gone.value.code == 70
    assert "2000012" in gone.value.message
    assert cursors.encode(EPOCH, 2_000_012) in gone.value.message
    assert EPOCH in gone.value.message


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "12", "=", "....", "å", "\0", "a" * 10_000, made({}), made([]), made(1),
        made([EPOCH]), made([EPOCH, None]), made([EPOCH, -1]), made([EPOCH, 2**63]),
        made([EPOCH, 1.5]), made([EPOCH, True]), made([EPOCH, "7"]), made([EPOCH, [1]]),
        made([1, 1]), made([EPOCH, 1, 2]), made([EPOCH, 1]) + "=", made([EPOCH, 1]) + "\n",
        made([EPOCH, 1])[:-1], base64.b64encode(f'["{EPOCH}", 1]'.encode()).decode(),
        base64.b64encode(b"[" * 50_000).decode(),
    ],
)  # fmt: skip
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(errors.InvalidParameter) as refused:
        cursors.decode(text, EPOCH)
    assert refused.value.code == 28


@pytest.mark.parametrize("place", [7, "", "a\0b", "é", "x" * 65, None])
def test_what_is_no_id_is_refused(place):
    with pytest.raises(errors.InvalidParameter):
        cursors.decode_id(made([EPOCH, place]), EPOCH)


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text):
    with pytest.raises(errors.InvalidParameter):
        cursors.decode(text, EPOCH)

"""How a long-lived credential is made and kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app import errors
from app.security import credentials
from tests.security import forging as f

PEPPER = credentials.pepper(f.SECRET)


def make(type_="api_key", source="orange", **more):
    return credentials.make(source, type_, pepper=PEPPER, now=f.NOW, **more)


@pytest.mark.parametrize("type_", credentials.TYPES)
def test_what_is_kept_does_not_contain_what_is_shown(type_):
    shown, row = make(type_, label="2027", expires_at=f.NOW + timedelta(days=1))
    key_id, _, secret = shown.partition(".")
    assert (row.id, row.source, row.type, row.label) == (key_id, "orange", type_, "2027")
    assert (row.created_at, row.expires_at) == (f.NOW, f.NOW + timedelta(days=1))
    assert row.revoked_at is None
    assert len(row.secret_hash) == 32
    assert secret not in repr(row)
    assert len(secret) == 43


def test_no_two_are_alike():
    assert len({make()[0] for _ in range(100)}) == 100


def test_what_is_kept_depends_on_the_signing_secret():
    shown, row = make()
    other = credentials.pepper(b"another secret of thirty-two letters")
    with pytest.raises(errors.InvalidCredentials):
        credentials.check(shown.encode(), row, pepper=other, now=f.NOW)


def test_the_pepper_is_not_the_signing_secret():
    assert PEPPER != f.SECRET
    assert len(PEPPER) == 32


def test_a_revoked_credential_does_not_check():
    shown, row = make()
    credentials.check(shown.encode(), row, pepper=PEPPER, now=f.NOW)
    revoked = replace(row, revoked_at=f.NOW)
    with pytest.raises(errors.InvalidCredentials):
        credentials.check(shown.encode(), revoked, pepper=PEPPER, now=f.NOW)


def test_an_unknown_type_is_refused():
    with pytest.raises(errors.InvalidParameter, match="api_key, basic, callback_key, client"):
        make("password")


def test_a_third_active_credential_of_a_type_is_refused():
    rows = [make()[1] for _ in range(2)]
    with pytest.raises(errors.Conflict, match=f"{rows[0].id}, {rows[1].id}"):
        credentials.check_room(rows, "orange", "api_key", f.NOW)


@pytest.mark.parametrize(
    "row",
    [
        make()[1],
        replace(make()[1], revoked_at=f.NOW),
        make(expires_at=f.NOW)[1],
        make("basic")[1],
        make(source="telia")[1],
    ],
    ids=["only one", "revoked", "expired", "another type", "another source"],
)
def test_there_is_room_beside_what_does_not_count(row):
    first = [make()[1]] if row.revoked_at or row.expires_at or row.type == "basic" else []
    credentials.check_room([*first, row], "orange", "api_key", f.NOW)

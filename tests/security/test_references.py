"""Secrets by reference: from the environment and from files."""

from __future__ import annotations

import pytest

from app.security import references


def resolve(value, folder, **environ):
    found = references.References(environ, folder)
    return found.resolve(value), found.faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "one"),
        ("x${A}y${B}z", "xoneytwoz"),
        ("${A}${A}", "oneone"),
        ("$A", "$A"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("a$b", "a$b"),
        ("", ""),
    ],
)
def test_a_variable_is_replaced_anywhere_in_a_text(tmp_path, text, expected):
    assert resolve(text, tmp_path, A="one", B="two") == (expected, {})


def test_what_a_variable_holds_is_not_read_again(tmp_path):
    assert resolve("${A}", tmp_path, A="${B}", B="x") == ("${B}", {})


def test_it_is_replaced_however_deep(tmp_path):
    value = {"auth": [{"password": "${A}", "n": 1}], "flag": True, "when": None}
    expected = {"auth": [{"password": "one", "n": 1}], "flag": True, "when": None}
    assert resolve(value, tmp_path, A="one") == (expected, {})


def test_every_missing_variable_is_named_with_its_place(tmp_path):
    value = {"name": "${X}", "auth": [{"type": "basic"}, {"password": "a${Y}"}], "z": "${E}"}
    _, faults = resolve(value, tmp_path, E="")
    assert faults == {
        "name": "the environment variable X is not set",
        "auth[1].password": "the environment variable Y is not set",
        "z": "the environment variable E is not set",
    }


@pytest.mark.parametrize("text", ["${}", "${A", "${A B}"])
def test_a_broken_reference_is_a_fault(tmp_path, text):
    assert "k" in resolve({"k": text}, tmp_path)[1]


def test_a_file_holds_the_secret_without_its_last_line_s_end(tmp_path):
    (tmp_path / "password").write_text("pass word\r\n", encoding="utf-8")
    value = {"password": {"file": "password"}}
    assert resolve(value, tmp_path) == ({"password": "pass word"}, {})
    absolute = {"password": {"file": "${DIR}/password"}}
    assert resolve(absolute, tmp_path / "x", DIR=str(tmp_path)) == ({"password": "pass word"}, {})


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff")
    value = {"a": {"file": "missing"}, "b": {"file": "binary"}, "c": {"file": "."}}
    _, faults = resolve(value, tmp_path)
    assert faults == {
        "a": "the file missing cannot be read: No such file or directory",
        "b": "the file binary is not UTF-8 text",
        "c": "the file . cannot be read: Is a directory",
    }


def test_a_table_with_more_than_a_file_is_left_alone(tmp_path):
    value = {"a": {"file": "x", "more": 1}, "b": {"file": 1}}
    assert resolve(value, tmp_path) == (value, {})

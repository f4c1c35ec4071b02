"""The form of a JSON value, its keys and types: what an answer and a seed have in common."""

from __future__ import annotations

NAMES = {str: "text", int: "number", float: "number", bool: "bool", type(None): "null"}


def form(value: object) -> object:
    """Keys and types of `value`; a list's elements must be of one form."""
    if isinstance(value, dict):
        return {key: form(each) for key, each in value.items()}
    if isinstance(value, list):
        forms = [form(each) for each in value]
        assert all(each == forms[0] for each in forms), forms
        return forms[:1]
    return NAMES[type(value)]

"""`/docs`: one page that stands by itself and runs nothing."""

import base64
import hashlib
import html
import re

import pytest

from app.web import contract


def test_its_style_is_the_one_thing_its_policy_lets_it_have():
    (style,) = re.findall(r"<style>(.*?)</style>", contract.page(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert contract.policy() == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    page = contract.page()
    assert not re.search(r"<(script|link|img|iframe|form|object|base)\b", page)
    assert not re.search(r"<[^>]*\s(on\w+|style|src)=", page)


def test_every_link_leads_to_a_place_on_it_and_every_place_has_one_name():
    names = re.findall(r'\sid="([^"]+)"', contract.page())
    assert len(names) == len(set(names))
    assert set(re.findall(r'href="#([^"]+)"', contract.page())) <= set(names)


def test_every_example_and_every_schema_is_shown_as_it_is():
    page = html.unescape(contract.page())
    components = contract.document()["components"]
    for name, schema in components["schemas"].items():
        assert f'id="schema-{name}"' in page
        assert contract.pretty(schema) in page
    for example in components["examples"].values():
        assert contract.pretty(example["value"]) in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("one\nparagraph", "<p>one\nparagraph</p>"),
        ("two\n\nparagraphs", "<p>two</p><p>paragraphs</p>"),
        ("`a < b` and **c**", "<p><code>a &lt; b</code> and <strong>c</strong></p>"),
        ("<script>", "<p>&lt;script&gt;</p>"),
        ("`<b>`", "<p><code>&lt;b&gt;</code></p>"),
    ],
)
def test_a_description_is_marked_up_and_nothing_in_it_runs(text, shown):
    assert contract.marked(text) == shown


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "string"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"type": "string", "enum": ["asc", "desc"], "default": "desc"},
         '"asc", "desc"; desc where none is given'),
        ({"type": "integer", "minimum": 1, "maximum": 500}, "integer; at least 1; at most 500"),
        ({}, "anything"),
    ],
)  # fmt: skip
def test_a_small_schema_is_told_in_words(schema, words):
    assert contract.worded(schema) == words

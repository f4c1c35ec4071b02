"""The words a notification is found by."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from app.notifications import findable
from app.notifications.findable import Phrase


@pytest.mark.parametrize(
    ("told", "folded"),
    [
        ("Kanaltätning, ref. A-12", "kanaltatning ref a 12"),
        ("STRASSE straße", "strasse strasse"),
        ("12,5 dB/km", "12 5 db km"),
        ("under_score", "under score"),
        ("İzmir ﬁber", "izmir fiber"),
        ("光ケーブル断", "光ケーフル断"),
        ("a\0b", "a b"),
        ("<b>markup</b>", "b markup b"),
        ("...", ""),
    ],
)
def test_case_accents_and_punctuation_do_not_count(told, folded):
    assert " ".join(findable.fold(told)) == folded


@given(st.text())
def test_what_was_folded_folds_to_itself(told):
    folded = findable.fold(told)
    assert findable.fold(" ".join(folded)) == folded


def test_words_are_those_of_refs_and_of_messages_wherever_a_list_holds_them():
    refs = {"crmRef": "CRM-77", "siteId": "s 9"}
    summary = {
        "message": "Trench blocked",
        "milestone": {"name": "Dig", "milestoneDate": "2026-11-20"},
        "orderMessage": [{"messageInformation": "pole missing", "severity": "high"}, {}],
    }
    assert findable.words(refs, summary) == "crm 77 s 9 trench blocked dig pole missing"


@pytest.mark.parametrize(
    "summary",
    [
        {"changed": [{"path": "note.text", "value": "Greta"}]},
        {"data": {"message": "Greta"}},
        {"item_id": "Greta", "files": [{"label": "Greta"}]},
        {"message": {"message": "Greta"}},
        {"milestone": "Greta"},
        {"message": 7, "reason": None},
    ],
)
def test_what_is_no_message_is_not_found(summary):
    assert findable.words({}, summary) == ""


def test_a_message_without_an_end_is_cut():
    told = findable.words({}, {"message": "word " * 5000 + "x" * 500, "reason": "y" * 100})
    assert len(told.split()) == 1000
    assert findable.fold("y" * 100) == ["y" * 64]


def test_parts_between_blanks_are_phrases_and_long_ends_may_go_on():
    assert findable.phrases("A-12  kanal a-123") == [
        Phrase(("a", "12"), open=False),
        Phrase(("kanal",), open=True),
        Phrase(("a", "123"), open=True),
    ]
    assert findable.phrases(" - ") == []


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_text_is_folded_like_any_other(told):
    assert findable.fold(told) == findable.fold(f"{told} å")[:-1]

"""Every named warning is explained."""

from __future__ import annotations

from app.notifications import warnings

LEGAL = {
    "no_order_id",
    "nul_replaced",
    "number_out_of_range",
    "object_type_disagrees",
    "unknown_event_type",
    "unknown_item_state",
    "unknown_state",
    "unknown_type",
}


def test_every_name_has_a_row_with_a_sentence_and_a_remedy():
    names = {value for name, value in vars(warnings).items() if name.isupper() and name != "TABLE"}
    assert names == set(warnings.TABLE)
    for row in warnings.TABLE.values():
        assert row.sentence.endswith(".")
        assert len(row.remedy) > 10


def test_only_what_no_contract_forbids_is_let_pass_by_strict():
    assert {name for name, row in warnings.TABLE.items() if not row.tolerance} == LEGAL

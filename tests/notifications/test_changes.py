"""What was changed is told by path and value; of personal data the path alone."""

from __future__ import annotations

import pytest

from app.notifications import body, changes


def test_identity_is_no_change_and_list_elements_are_named():
    order = {
        "id": "42",
        "href": "https://operator.example/42",
        "externalID": "mine",
        "priority": "1",
        "orderItem": [
            {
                "id": "1",
                "product": {"productCharacteristic": [{"name": "Colour", "value": "Black"}]},
            },
            {"action": "add", "tags": ["a", "b"]},
        ],
        "none": None,
        "nothing": [],
    }
    assert changes.told(order) == [
        {"path": "priority", "value": "1"},
        {
            "path": "orderItem[1].product.productCharacteristic[Colour].value",
            "value": "Black",
        },
        {"path": "orderItem[1].action", "value": "add"},
        {"path": "orderItem[1].tags[0]", "value": "a"},
        {"path": "orderItem[1].tags[1]", "value": "b"},
        {"path": "none", "value": None},
        {"path": "nothing", "value": []},
    ]


@pytest.mark.parametrize(
    ("order", "path"),
    [
        ({"notificationContact": "me@provider.example"}, "notificationContact"),
        ({"note": [{"text": "secret"}]}, "note"),
        ({"relatedParty": [{"name": "secret"}]}, "relatedParty"),
        ({"description": "secret"}, "description"),
        (
            {"orderItem": [{"id": "7", "product": {"place": {"x": "secret"}}}]},
            "orderItem[7].product.place",
        ),
        (
            {"productCharacteristic": [{"name": "CustomerName", "value": "secret"}]},
            "productCharacteristic[CustomerName].value",
        ),
    ],
)
def test_of_personal_data_only_the_path_is_told(order, path):
    assert changes.told(order) == [{"path": path, "value": None, "personal": True}]


@pytest.mark.parametrize(
    ("name", "personal"),
    [
        ("PSTNNumber", True),
        ("MSISDN", True),
        ("contactPhone", True),
        ("relatedParty", True),
        ("Colour", False),
        ("capacity", False),
        ("downstreamMbps", False),
    ],
)
def test_a_name_is_personal_by_its_words(name, personal):
    assert changes.is_personal(name) is personal


def test_a_summary_stays_small():
    many = changes.told(
        {f"f{n}": "x" * 9999 for n in range(500)} | {"big": body.OutOfRange("1e400")}
    )
    assert len(many) == 100
    assert all(len(change["value"]) == 501 for change in many)
    assert changes.told({"big": body.OutOfRange("1e400")}) == [{"path": "big", "value": "1e400"}]

"""The samples we ship: every event of every contract, every tolerance, each of them right."""

from __future__ import annotations

import json

import pytest

from app import sources
from app.notifications import event_types, warnings
from app.notifications.notification import Channel, Flavour, Notification
from tests.sources import arrivals

SAMPLES = {sample.name: sample for sample in sources.samples("tmf")}
OWN_EVENTS = {
    Flavour.TMF622_2015: {
        "orderCreationNotification",
        "orderRemoveNotification",
        "orderStateChangeNotification",
        "orderValueChangeNotification",
        "orderInformationRequiredNotification",
    },
    Flavour.ONAP: {
        "ServiceOrderCreationNotification",
        "ServiceOrderStateChangeNotification",
        "ServiceOrderItemStateChangeNotification",
        "ServiceCreationNotification",
        "ServiceAttributeValueChangeNotification",
        "ServiceRemoveNotification",
        "SdcDistributionNotification",
    },
}
# Every sample that shows a deviation or a rarer sender: kind, order id, state, warnings.
DEVIATIONS = {
    "onap.OrderStatusChangedNotification.tmf2013": (
        ("state_changed", "PO-70013", "completed"),
        ("order_flat", "field_alias"),
    ),
    "onap.ProductOrderStateChangeNotification.virtutel": (
        ("state_changed", "VTORD-70013", None),
        ("order_flat", "field_alias"),
    ),
    "onap.ServiceOrderItemStateChangeNotification.leaked_internal_state": (
        ("item_state_changed", "65e2f0c4aa11", "inProgress"),
        (),
    ),
    "onap.ServiceOrderItemStateChangeNotification.unknown_item_state": (
        ("item_state_changed", "65e2f0c4aa11", "inProgress"),
        ("unknown_item_state",),
    ),
    "onap.ServiceOrderStateChangeNotification.correction_required": (
        ("state_changed", "65e2f0c4aa11", "failed"),
        (),
    ),
    "onap.ServiceOrderStateChangeNotification.event_time": (
        ("state_changed", "65e2f0c4aa11", "completed"),
        ("field_alias",),
    ),
    "onap.ServiceOrderStateChangeNotification.no_order_id": (
        ("state_changed", None, None),
        ("no_order_id",),
    ),
    "tmf622_2015.ProductOrderStateChangeNotification.event_uuid": (
        ("state_changed", "PO-70013", "inProgress"),
        ("field_alias",),
    ),
    "tmf622_2015.orderRemoveNotification.order_empty": (
        ("removed", None, None),
        ("no_order_id",),
    ),
    "tmf622_2015.orderValueChangeNotification.number_out_of_range": (
        ("value_changed", "PO-70013", None),
        ("number_out_of_range",),
    ),
    "tmf622_v4.productOrderCreateEvent.event_type_disagrees": (
        ("state_changed", "PO-70013", "inProgress"),
        ("event_type_disagrees",),
    ),
    "tmf622_v4.productOrderItemStateChangeEvent.order_flat": (
        ("item_state_changed", "PO-70013", None),
        ("order_flat",),
    ),
    "tmf622_v4.productOrderStateChangeEvent.event_type_from_path": (
        ("state_changed", "PO-70013", "inProgress"),
        (),
    ),
    "tmf622_v4.productOrderStateChangeEvent.external_id_shape": (
        ("state_changed", "PO-70013", "inProgress"),
        ("external_id_shape",),
    ),
    "tmf622_v4.productOrderStateChangeEvent.no_order_id": (
        ("state_changed", None, None),
        ("no_order_id",),
    ),
    "tmf622_v4.productOrderStateChangeEvent.offset_without_colon": (
        ("state_changed", "PO-70013", "inProgress"),
        (),
    ),
    "tmf622_v4.productOrderStateChangeEvent.time_occurred": (
        ("state_changed", "PO-70013", "inProgress"),
        ("field_alias",),
    ),
    "tmf622_v4.productOrderStateChangeEvent.time_ocurred": (
        ("state_changed", "PO-70013", "inProgress"),
        ("field_alias",),
    ),
    "tmf622_v5.cancelProductOrderStateChangeEvent.schema_spelling": (
        ("cancel_state_changed", "CAN-31", None),
        (),
    ),
    "tmf622_v5.productOrderStateChangeEvent.type_missing": (
        ("state_changed", "PO-70013", "completed"),
        ("type_missing",),
    ),
    "tmf641_v4.serviceOrderStateChangeEvent.number_as_text": (
        ("state_changed", "4100", "inProgress"),
        ("number_as_text",),
    ),
} | {
    f"tmf622_2015.orderStateChangeNotification.{variant}": (
        ("state_changed", "70013" if variant == "number_as_text" else "PO-70013", state),
        (warning,),
    )
    for variant, state, warning in (
        ("blank_trimmed", "inProgress", "blank_trimmed"),
        ("date", "inProgress", "field_alias"),
        ("event_date", "inProgress", "field_alias"),
        ("external_id_spelling", "inProgress", "field_alias"),
        ("impossible_offset", "inProgress", "impossible_offset"),
        ("nul_replaced", "inProgress", "nul_replaced"),
        ("null_as_absent", "inProgress", "null_as_absent"),
        ("number_as_text", "inProgress", "number_as_text"),
        ("order_array", "inProgress", "order_array"),
        ("unknown_state", None, "unknown_state"),
        ("zone_missing", "inProgress", "zone_missing"),
    )
}
# Warnings that no sample of a push shows: they need a configuration, or a feed.
NOT_SHOWN = {
    "field_unreadable",
    "meridiem_ignored",
    "object_type_disagrees",
    "state_outside_contract",
    "time_unreadable",
    "unknown_event_type",
    "unknown_type",
    "zone_assumed",
}


def sent(sample):
    flavour = sample.flavour if sample.event_name is not None else None
    return arrivals.arrival(sample.body, flavour=flavour, event_name=sample.event_name)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_a_notification_of_its_flavour_and_event(name):
    sample = SAMPLES[name]
    fields = arrivals.told(sent(sample))
    assert fields["flavour"] == sample.flavour
    row = event_types.find(sample.event)
    assert row is not None
    if sample.variant != "event_type_disagrees":
        assert (fields["kind"], fields["resource_type"]) == (row.kind, row.resource_type)
    if sample.variant is None:
        assert fields["warnings"] == ()


@pytest.mark.parametrize(("name", "expected"), DEVIATIONS.items())
def test_a_deviation_is_let_pass_and_told_of(name, expected):
    fields = arrivals.told(sent(SAMPLES[name]))
    assert (fields["kind"], fields["order_id"], fields["state"]) == expected[0]
    assert fields["warnings"] == expected[1]


def test_every_deviation_every_warning_and_every_event_has_a_sample():
    assert set(DEVIATIONS) == {sample.name for sample in SAMPLES.values() if sample.variant}
    shown = {name for _, names in DEVIATIONS.values() for name in names}
    assert shown | NOT_SHOWN == set(warnings.TABLE)
    for flavour, mount in event_types.MOUNTS.items():
        assert {f"{flavour}.{event}" for event in mount.events} <= set(SAMPLES)
    for flavour, events in OWN_EVENTS.items():
        assert {f"{flavour}.{event}" for event in events} <= set(SAMPLES)


def test_a_sample_says_where_it_is_posted_to():
    assert SAMPLES["onap.ServiceCreationNotification"].path == "/externalapi/listener/v1/listener"
    v5 = SAMPLES["tmf622_v5.productOrderCreateEvent"]
    assert v5.path == "/tmf-api/productOrderingManagement/v5/listener/productOrderCreateEvent"
    assert v5.event_name == "productOrderCreateEvent"
    mef = SAMPLES["tmf622_v4.productOrderItemStateChangeEvent.order_flat"]
    assert (mef.path, mef.event_name) == ("/externalapi/listener/v1/listener", None)


def test_samples_are_our_own_and_have_event_ids_of_their_own():
    ids = [json.loads(sample.body).get("eventId") for sample in SAMPLES.values()]
    given = [event_id for event_id in ids if event_id is not None]
    assert len(given) == len(set(given)) == len(SAMPLES) - 4  # {}, eventUuid twice, id once
    text = b"".join(sample.body for sample in SAMPLES.values())
    assert b"NiceNameForTheConsumer" not in text
    assert b"serverlocation" not in text


def test_the_kind_is_found_by_its_folder():
    kinds = sources.discover()
    assert list(kinds) == ["covage", "on_api", "tjansteguiden", "tmf"]
    assert kinds["tmf"].channel is Channel.PUSH
    assert kinds["tmf"].title
    for sample in SAMPLES.values():
        assert isinstance(kinds["tmf"].parse(sent(sample)), Notification)


def test_nothing_personal_is_in_a_summary():
    for sample in SAMPLES.values():
        text = json.dumps(arrivals.told(sent(sample))["summary"])
        for personal in ("Testsson", "Order desk", "Call before", "orders@provider"):
            assert personal not in text

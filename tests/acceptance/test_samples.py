"""The main job on real input: what operators send is answered as its path asks, and kept whole.

What each body means is held field by field in `tests/sources`; here it is held that the server,
over a socket, keeps exactly that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from app import sources
from app.notifications import event_types
from app.notifications.notification import Arrival, Channel, Flavour, Notification, rfc3339
from app.sources import tmf
from tests import serving
from tests.acceptance import seeing, wire
from tests.sources import arrivals, filler, test_official_contracts, test_tmf622_v5

SEED_003 = (
    "orderCreationNotification",
    "orderRemoveNotification",
    "orderStateChangeNotification",
    "orderValueChangeNotification",
    "orderInformationRequiredNotification",
)
ONAP = (
    "ServiceOrderCreationNotification",
    "ServiceOrderItemStateChangeNotification",
    "ServiceOrderItemStateChangeNotification.leaked-internal-state",
    "ServiceOrderStateChangeNotification.completed",
)
OURS = {"seq", "id", "received_at", "conflict_of", "raw"}
"""What the log gives; the rest of a notification is what its body says."""


@dataclass(frozen=True)
class Letter:
    """A body, the path it is posted to, and what that path says of it."""

    path: str
    body: bytes
    flavour: Flavour | None = None
    event_name: str | None = None


def on(flavour: Flavour, event_name: str, body: Any) -> Letter:
    path = f"{event_types.MOUNTS[flavour].prefix}/{event_name}"
    return Letter(path, json.dumps(body).encode(), flavour, event_name)


def filled(flavour: Flavour, event_name: str) -> Letter:
    """A body filled from the official schema, with its event type and an id of its own."""
    body = filler.body_of(test_official_contracts.CONTRACTS[flavour], event_name)
    body |= {"eventType": event_name, "eventId": f"{flavour} {event_name}"}
    return on(flavour, event_name, body)


SHIPPED = {
    one.name: Letter(one.path, one.body, one.flavour if one.event_name else None, one.event_name)
    for one in sources.samples("tmf")
}
OFFICIAL = {
    f"{flavour} {event_name}": filled(flavour, event_name)
    for flavour in test_official_contracts.CONTRACTS
    for event_name in event_types.MOUNTS[flavour].events
} | {
    f"tmf622_v5 {event_name}": on(Flavour.TMF622_V5, event_name, test_tmf622_v5.example(event_name))
    for event_name in event_types.MOUNTS[Flavour.TMF622_V5].events
}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A listener whose log holds nothing but what these tests send, each as a source of its own."""
    config = "".join(
        f'[[source]]\nname = "{name}"\n' for name in ("shipped", "seed", "onap", "official")
    )
    with serving.listener(
        tmp_path_factory.mktemp("samples"), config=config, arguments=serving.DOOR
    ) as server:
        yield server
        assert server.terminate() == 0


def meant(letter: Letter, source: str, shown: dict[str, Any]) -> dict[str, Any]:
    """What the parser alone makes of it, as the admin would show it."""
    read = tmf.KIND.parse(
        Arrival(
            id=shown["id"],
            source=source,
            channel=Channel.PUSH,
            body=letter.body,
            content_type=wire.JSON,
            received_at=datetime.fromisoformat(shown["received_at"]),
            principal=f"jwt:{source}",
            remote_addr="127.0.0.1",
            event_name=letter.event_name,
            flavour=letter.flavour,
        )
    )
    assert isinstance(read, Notification)
    fields = read.model_dump(mode="json", exclude=OURS)
    if read.occurred_at is not None:
        fields["occurred_at"] = rfc3339(read.occurred_at)
    return fields


def assert_taken(server: serving.Listener, source: str, letter: Letter) -> None:
    """It is answered as its path asks, and what is shown of it is what it says."""
    bearer = serving.token(source=source)
    sent = wire.post(letter.body, path=letter.path, bearer=bearer)
    answer = wire.exchange(server.port, sent)
    if "/v5/" in letter.path:
        assert (answer.status, answer.body) == (204, b"")
        assert answer.header("content-type") is None
    else:
        assert (answer.status, answer.body) == (201, letter.body), answer.body
        assert answer.header("content-type") == wire.JSON
    listed = seeing.get(server, f"/admin/notifications?source={source}&limit=1").json()["items"][0]
    whole = seeing.get(server, f"/admin/notifications/{listed['id']}").json()
    expected = meant(letter, source, listed)
    assert {name: whole[name] for name in expected} == expected
    summary = expected.pop("summary")
    assert {name: listed[name] for name in expected} == expected
    assert "summary" not in listed
    assert "raw" not in listed
    assert whole["summary"] == summary
    assert whole["raw"].encode() == seeing.raw(server, listed["id"]) == letter.body


@pytest.mark.parametrize("name", SHIPPED)
def test_every_sample_we_ship_is_taken(fresh, name):
    assert_taken(fresh, "shipped", SHIPPED[name])


@pytest.mark.parametrize("name", SEED_003)
def test_every_notification_of_seed_003_is_taken(fresh, name):
    body = arrivals.shared(f"examples/tmf622-2015/{name}.json")
    assert_taken(fresh, "seed", Letter(serving.PATH, body))


@pytest.mark.parametrize("name", ONAP)
def test_every_notification_of_onap_is_taken(fresh, name):
    body = arrivals.shared(f"examples/onap-nbi/{name}.json")
    assert_taken(fresh, "onap", Letter(serving.PATH, body))


@pytest.mark.parametrize("name", OFFICIAL)
def test_every_event_of_every_official_contract_is_taken_on_its_path(fresh, name):
    assert_taken(fresh, "official", OFFICIAL[name])


def test_of_the_official_examples_there_are_11_of_v5_and_22_of_the_others():
    kinds = [name.split(" ")[0] for name in OFFICIAL]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "tmf622_v4": 8, "tmf622_v5": 11, "tmf641_v3": 4, "tmf641_v4": 10,
    }  # fmt: skip

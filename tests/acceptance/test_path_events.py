"""What only the path tells is content: the same body on another event's path is another event."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import serving

V4 = "/tmf-api/productOrderingManagement/v4/listener"
EVENTS = ("productOrderCreateEvent", "productOrderStateChangeEvent", "productOrderDeleteEvent")
ORDER = {"event": {"productOrder": {"id": "PO-1", "state": "inProgress"}}}


@pytest.mark.parametrize(
    "envelope", [{}, {"eventId": "e-1", "eventTime": "2026-11-20T12:00:00Z"}], ids=["bare", "dated"]
)
def test_one_body_on_three_paths_is_three_notifications_and_each_repeats(
    tmp_path: Path, envelope: dict[str, str]
) -> None:
    body = json.dumps({**envelope, **ORDER}).encode()
    with serving.listener(tmp_path / "server", arguments=serving.DOOR) as server:
        for event in EVENTS:
            for _ in range(2):
                assert server.post(body, path=f"{V4}/{event}").status_code == 201
        items = server.get("/admin/notifications?order=asc").json()["items"]
    assert [item["kind"] for item in items] == ["created", "state_changed", "removed"]
    assert [item["sightings"] for item in items] == [1, 1, 1]

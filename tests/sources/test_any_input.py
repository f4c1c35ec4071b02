"""Whatever is posted: a notification or a refusal, never an exception."""

from __future__ import annotations

import copy
import json
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st

from app import sources
from app.notifications import event_types
from app.notifications.notification import Flavour, Notification, Reading, Refusal, rfc3339
from app.sources import tmf
from tests.sources import arrivals

BODIES = [json.loads(sample.body) for sample in sources.samples("tmf")]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["", " 42 ", "\0", "2026-03-02T09:15:00", "0999-01-01T00:00:00Z", "1e400"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "state", "event", "productOrder", "orderItem", "externalId", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
READINGS = st.builds(
    Reading,
    zone=st.sampled_from([None, ZoneInfo("Europe/Stockholm"), ZoneInfo("Pacific/Kiritimati")]),
    strict=st.booleans(),
    unknown_event_types=st.sampled_from(["refuse", "store"]),
)
PATHS = st.sampled_from(
    [(None, None)]
    + [(flavour, name) for flavour, mount in event_types.MOUNTS.items() for name in mount.events]
    + [(Flavour.TMF622_V4, "noSuchEvent")]
)


def outcome(body, path, reading):
    flavour, event_name = path
    it = arrivals.arrival(body, flavour=flavour, event_name=event_name, reading=reading)
    read = tmf.KIND.parse(it)
    if isinstance(read, Refusal):
        assert read.code in {21, 22, 23, 24}
        assert read.message
        assert len(read.faults) <= 50
    else:
        assert isinstance(read, Notification)
        assert read.raw == it.body
        text = read.model_dump_json(exclude={"raw"})
        assert "\\u0000" not in text
        json.loads(text, parse_constant=int)
        assert read.occurred_at is None or rfc3339(read.occurred_at)[4] == "-"


def places(value, path=()):
    yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, one in inner:
        yield from places(one, (*path, key))


@st.composite
def mutated(draw):
    body = copy.deepcopy(draw(st.sampled_from(BODIES)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(body))))
        if not path:
            continue
        holder = body
        for key in path[:-1]:
            holder = holder[key]
        if draw(st.booleans()):
            holder[path[-1]] = draw(JSON)
        else:
            del holder[path[-1]]
    return body


@given(st.binary(), PATHS, READINGS)
def test_any_bytes(body, path, reading):
    outcome(body, path, reading)


@given(
    st.dictionaries(
        st.sampled_from(
            ["eventId", "eventTime", "eventType", "event", "@type", "fieldPath", "date"]
        ),
        JSON | st.sampled_from([row.name for row in event_types.TABLE]),
    ),
    PATHS,
    READINGS,
)
def test_any_envelope(body, path, reading):
    outcome(json.dumps(body).encode(), path, reading)


@given(mutated(), PATHS, READINGS)
def test_any_sample_with_something_broken(body, path, reading):
    outcome(json.dumps(body).encode(), path, reading)

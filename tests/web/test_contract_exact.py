"""The contract takes exactly what the listener takes: each sample, with each part of it changed.

What the contract says in words, and no schema does, is left out: how an eventType may be written
otherwise (case, `_`, `-`, blanks), that one of another event beats a TM Forum path, NULs in
identifiers, depth, the digits of an id.
"""

import copy
import itertools
import json
from datetime import UTC, datetime

import jsonschema_rs
import pytest

from app import sources
from app.notifications import event_types, flavours, notification as canonical
from app.web import contract

SAMPLES = {sample.name: sample for sample in sources.samples("tmf")}
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG, LONGER = "x" * 256, "x" * 2001
PUT = (
    None, True, 7, -1, 1.5, 10**254, "", " ", "x", LONG[1:], LONG, LONGER[1:], LONGER, "\x1c",
    [], {}, ["x"], [7], [None], [{}], [{}, {}], {"id": "x"}, {"id": None}, {"id": {}}, [{"id": []}],
    {"op": "add", "path": "/a"}, {"op": "add"}, ["x"] * 5001,
    "2026-03-02T09:15:00Z", "2026-03-02T09:15:00.123456789+0100", "2026-03-02T09:15:00",
    "2026-03-02T09:15:00-30:00", "2024-02-29T00:00:00Z", "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z", "2000-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "9999-01-01T00:00:00Z",
    "9998-12-31T23:59:59Z", "1000-01-01T00:00:00Z", "0999-12-31T23:59:59Z", "2026-01-01T24:00:00Z",
    "2026-01-01T23:60:00Z", "2026-01-01T23:59:60Z", "2026-03-02 09:15:00", "2026-03-02",
    "2026-03-02T09:15Z", "2026-03-02t09:15:00z", "2026-03-02T09:15:00Z\n", "20260302T091500Z",
    "2026-03-02T09:15:00+01", "2026-03-02T16:1:04 AM.637766", "1772442900", " 2026-03-02T09:15:00Z",
    "2026-03-02T09:15:00." + "1" * 60 + "Z", "2026-03-02T09:15:00." + "1" * 61 + "Z",
)  # fmt: skip
ALIASES = {
    "eventId": ("eventUuid", "id"),
    "eventTime": ("eventDate", "date", "timeOcurred", "timeOccurred"),
    "eventDate": ("eventTime", "date", "timeOcurred", "timeOccurred"),
    "externalId": ("externalID",),
    "orderItem": ("orderItems", "productOrderItem", "serviceOrderItem"),
    "productOrderItem": ("orderItem",),
    "serviceOrderItem": ("orderItem",),
    "state": ("status",),
    "productOrder": ("serviceOrder", "cancelProductOrder"),
    "serviceOrder": ("productOrder", "cancelServiceOrder"),
    "cancelProductOrder": ("canccelProductOrder", "productOrder"),
    "canccelProductOrder": ("cancelProductOrder",),
    "cancelServiceOrder": ("serviceOrder",),
    "eventType": ("@type",),
    "event": ("@type", "correlationId", "resourcePath", "fieldPath"),
}
OF_AN_ORDER = (
    "id", "href", "externalId", "externalID", "state", "status", "orderItem", "orderItems",
    "productOrderItem", "serviceOrderItem", "itemStateChange", "requestedStartDate",
    "requestedCompletionDate", "expectedCompletionDate", "completionDate", "completionDateTime",
    "productOrderMilestone", "productOrderJeopardyAlert", "productOrderErrorMessage", "milestone",
    "jeopardyAlert", "errorMessage", "externalReference", "orderItemId", "milestoneName",
    "orderMessage", "notificationType", "reason", "cancellationReason", "completionMessage",
    "requestedCancellationDate", "effectiveCancellationDate", "informationRequired", "note",
    "productOrder", "serviceOrder",
)  # fmt: skip
GARBAGE = (None, 7, 1.5, "x", LONG, {}, [], [{}], [7])


def validator(path):
    """What the contract says of a body POSTed to `path`."""
    body = contract.resolve(contract.document()["paths"][path]["post"]["requestBody"])
    schema = body["content"]["application/json"]["schema"]
    whole = {**schema, "components": contract.document()["components"]}
    return jsonschema_rs.Draft202012Validator(whole)


VALIDATORS = {
    path: validator(path)
    for path in contract.document()["paths"]
    if path.startswith("/tmf-api/") or path == event_types.SHARED_PATH
}


def is_taken(path, body):
    """Whether the listener takes `body` at `path`, as far as its content goes."""
    mount, _, event_name = path.rpartition("/")
    flavour = next((f for f, one in event_types.MOUNTS.items() if one.prefix == mount), None)
    arrival = canonical.Arrival(
        id="01890000-0000-7000-8000-000000000000",
        source="local",
        channel=canonical.Channel.PUSH,
        body=json.dumps(body).encode(),
        content_type="application/json",
        received_at=AT,
        event_name=event_name if flavour else None,
        flavour=flavour,
    )
    return isinstance(flavours.read(arrival), canonical.Notification)


def places(value, path=()):
    """The path of every part of a body, the body itself left out."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in steps:
        yield (*path, step)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, step))


def changed(body, path, change):
    """`body` after `change` was done to what holds `path`; shares with it what stays the same."""
    made = holder = copy.copy(body)
    for step in path[:-1]:
        holder[step] = copy.copy(holder[step])
        holder = holder[step]
    change(holder, path[-1])
    return made


def variants(body):
    """Every body that differs from `body` in one part, and those that bear two names for one."""
    yield (), body
    for path in places(body):
        yield path, changed(body, path, lambda holder, step: holder.pop(step))
        for value in PUT:
            put = changed(body, path, lambda holder, step, v=value: holder.__setitem__(step, v))
            yield path, put
        yield path, changed(body, path, _in_a_list)
        for alias, value in itertools.product(ALIASES.get(path[-1], ()), GARBAGE):
            told = changed(body, path, lambda holder, _, a=alias, v=value: holder.update({a: v}))
            yield (*path, alias), told
        for alias in ALIASES.get(path[-1], ()):
            yield (*path, alias), changed(body, path, lambda h, s, a=alias: h.update({a: h.pop(s)}))


def _in_a_list(holder, step):
    holder[step] = [holder[step]]


def additions(body):
    """Every body with one more field in the event or in what it wraps."""
    event = body.get("event")
    if not isinstance(event, dict):
        return
    inner = [("event", name) for name, value in event.items() if isinstance(value, dict)]
    for holder, name, value in itertools.product([("event",), *inner], OF_AN_ORDER, GARBAGE):
        place = (*holder, name)
        yield place, changed(body, place, lambda holder, step, v=value: holder.__setitem__(step, v))


def disagreements(path, bodies):
    """Where the contract and the listener are not of one mind."""
    for place, body in bodies:
        told, does = VALIDATORS[path].is_valid(body), is_taken(path, body)
        if told != does:
            said = "refuses" if told else "takes"
            yield f"the listener {said} {json.dumps(body)[:600]} (changed: {place})"


@pytest.mark.parametrize("name", SAMPLES)
def test_where_it_is_posted_to(name):
    body = json.loads(SAMPLES[name].body.replace(b"1e400", b"1"))
    bodies = itertools.chain(variants(body), additions(body))
    assert list(itertools.islice(disagreements(SAMPLES[name].path, bodies), 5)) == []


SPELLINGS = [spelling for row in event_types.TABLE for spelling in row.spellings]
SPELT = {name: json.loads(one.body.replace(b"1e400", b"1")) for name, one in SAMPLES.items()}
SPELT = {name: body for name, body in SPELT.items() if body.get("eventType") in SPELLINGS}


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in SPELT
        if name.count(".") == 1 and SAMPLES[name].path != event_types.SHARED_PATH
    ],
)
def test_on_the_shared_path_too(name):
    bodies = itertools.chain(variants(SPELT[name]), additions(SPELT[name]))
    assert list(itertools.islice(disagreements(event_types.SHARED_PATH, bodies), 5)) == []


CANCEL = canonical.ResourceType.CANCEL_ORDER
SHAPES = (
    "productOrder", "serviceOrder", "cancelProductOrder", "cancelServiceOrder",
)  # fmt: skip
ENVELOPES = (
    {},
    {"eventId": "1", "eventTime": "2026-03-02T09:15:00Z"},
    {"eventId": "1", "eventDate": "2026-03-02T09:15:00Z", "@type": "x"},
    {"eventId": "1", "date": "2026-03-02T09:15:00Z", "resourcePath": "/a", "fieldPath": "b"},
    {"id": "1", "timeOcurred": "2026-03-02T09:15:00Z", "@type": None},
)
RESOURCES = (None, {}, {"id": "1"}, {"state": "held"}, {"id": "1", "state": "held"}, [{"id": "1"}])
EVENTS = (
    None, {}, {"id": "1"}, {"id": None}, {"id": "1", "state": "held"}, [], "x",
    *({name: resource} for name in SHAPES for resource in RESOURCES),
    {"productOrder": None, "id": "1"}, {"serviceOrder": None, "id": "1"},
    {"productOrder": {"id": "1"}, "serviceOrder": {"id": []}},
    {"serviceOrder": {"id": "1"}, "productOrder": None},
    {"cancelProductOrder": {"id": "1", "productOrder": {"id": "2"}}},
    {"productOrder": {"id": "1", "state": "held"}, "informationRequired": {"op": "add"}},
)  # fmt: skip


def spellings_for(path):
    """Every spelling on the shared path; on a path of TM Forum those of its kind of event."""
    of_path = event_types.find(path.rpartition("/")[2])
    if of_path is None:
        return SPELLINGS
    asks = {canonical.Kind.INFORMATION_REQUIRED, canonical.Kind.CANCEL_INFORMATION_REQUIRED}
    return [
        spelling
        for row in event_types.TABLE
        for spelling in row.spellings
        if row.services == of_path.services
        and (row.resource_type == CANCEL) == (of_path.resource_type == CANCEL)
        and (row.kind in asks) == (of_path.kind in asks)
    ]


@pytest.mark.parametrize("path", VALIDATORS)
def test_every_event_type_in_every_shape(path):
    bodies = [
        (spelling, {**envelope, "eventType": spelling, "event": event})
        for spelling in [*spellings_for(path), "unheardOf", None, "", " "]
        for envelope in ENVELOPES
        for event in EVENTS
    ]
    assert list(itertools.islice(disagreements(path, bodies), 5)) == []


@pytest.mark.parametrize(
    ("number", "taken"),
    [(10**255 - 1, True), (10**255, False), (1 - 10**255, True), (-(10**255), False)],
)
def test_an_id_has_at_most_255_digits(number, taken):
    body = SPELT["tmf622_2015.orderStateChangeNotification"]
    assert is_taken(event_types.SHARED_PATH, body | {"eventId": number}) is taken

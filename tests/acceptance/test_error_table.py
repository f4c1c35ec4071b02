"""Every row of the error table (DESIGN §6), over a socket, with the quarantine law beside it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from app.doors import problems
from tests import serving
from tests.acceptance import bodies, seeing, wire
from tests.security import forging

V4 = "/tmf-api/productOrderingManagement/v4/listener/"
V5 = "/tmf-api/productOrderingManagement/v5/listener/"
ONAP = {"eventId": "1", "eventDate": "2026-11-20T16:42:25Z", "event": {}}
# By hand from the document, not from the code: code -> HTTP status.
STATUS = {
    1: 500, 5: 503, 6: 503, 20: 400, 21: 400, 22: 400, 23: 400, 24: 400, 25: 400, 26: 400,
    27: 400, 28: 400, 40: 401, 41: 401, 42: 401, 50: 403, 51: 403, 52: 403, 53: 403, 60: 404,
    61: 405, 63: 408, 69: 409, 70: 410, 100: 422,
}  # fmt: skip
KEPT = {20, 21, 22, 23, 24, 25, 26, 100}
"""What is quarantined when an authenticated source is told so on a listener path (law 2); and 1."""


@dataclass(frozen=True)
class Case:
    """A request, the code it is answered, and words of the message; `why` names the case."""

    code: int
    why: str
    request: Callable[[], bytes]
    told: tuple[str, ...] = ()


def lacking(*names: str, **changed: Any) -> bytes:
    """A state change without these fields of the envelope, and with others `changed`."""
    whole = bodies.state_change() | changed
    return json.dumps({n: value for n, value in whole.items() if n not in names}).encode()


def posted(body: bytes, **options: Any) -> Callable[[], bytes]:
    return lambda: wire.post(body, **options)


def of(source: str, *scopes: str) -> str:
    return serving.token(source=source, scopes=scopes or serving.WRITE_AND_READ)


def asked(path: str, *scopes: str, method: str = "GET") -> Callable[[], bytes]:
    """An admin request with these scopes."""
    bearer = serving.token(source=None, scopes=scopes or ("notifications:read",))
    return lambda: wire.request(method, path, bearer=bearer)


def acted(body: bytes, action: str) -> Callable[[], bytes]:
    """An act of an admin on a row there is not, with `body`."""
    path = f"/admin/quarantine/x/{action}"
    return posted(body, path=path, bearer=serving.token(source=None, scopes=("admin",)))


def authorized(value: str | None) -> Callable[[], bytes]:
    return posted(bodies.body(), headers={"Authorization": value})


def expired() -> str:
    now = int(time.time())
    claims = forging.local_claims(iat=now - 60, exp=now - 1)
    return forging.local(claims, sign=forging.hs256(serving.SECRET.encode()))


def nested(depth: int) -> bytes:
    """A state change in which `depth` objects and lists are nested."""
    text = bodies.body(note="DEEP").decode()
    lists = depth - 3
    return text.replace('"DEEP"', "[" * lists + "]" * lists).encode()


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


LONG = bodies.body(note="x" * 1048576)
ON_THE_LISTENER = [
    # ── 20: the URL ──
    Case(20, "no such event", posted(b"{}", path=V4 + "noSuchEvent"), ("productOrderCreateEvent",)),
    Case(20, "an event of another version", posted(b"{}", path=V4 + "productOrderMilestoneEvent")),
    Case(20, "an event of services", posted(b"{}", path=V5 + "serviceOrderCreateEvent")),
    # ── 21, 22: the body ──
    Case(21, "no byte", posted(b""), ("empty",)),
    Case(21, "only blanks", posted(b" \r\n\t "), ("empty",)),
    Case(22, "not JSON", posted(b"eventId=1"), ("not JSON", "line 1, column 1")),
    Case(22, "cut off", posted(bodies.body()[:-9]), ("ends early",)),
    Case(22, "a comma too many", posted(b'{"eventId": "1",}'), ("line 1, column 17",)),
    Case(22, "no-break spaces", posted(b'{\n\xc2\xa0"eventId": "1"}'), ("U+00A0",)),
    Case(22, "not UTF-8", posted(b'{"eventId": "\xe5"}'), ("not UTF-8", "byte 13")),
    Case(22, "a list", posted(b"[" + bodies.body() + b"]"), ("a list", "a JSON object")),
    Case(22, "a text", posted(b'"eventId"'), ("text", "a JSON object")),
    Case(22, "a number", posted(b"42"), ("a number", "a JSON object")),
    Case(22, "null", posted(b"null"), ("null", "a JSON object")),
    Case(22, "NaN", posted(lacking(note=float("nan"))), ("NaN",)),
    Case(22, "Infinity", posted(lacking(note=float("inf"))), ("Infinity",)),
    Case(22, "-Infinity", posted(lacking(note=-float("inf"))), ("-Infinity",)),
    Case(22, "too deep", posted(nested(101)), ("nested too deeply", "at most 100")),
    Case(22, "too large", posted(LONG), ("1048576", str(len(LONG)))),
    # ── 23, 24: its fields ──
    Case(23, "no event type", posted(lacking("eventType")), ("eventType: is missing; expected",)),
    Case(23, "2015, no id", posted(lacking("eventId")), ("eventId: is missing; expected",)),
    Case(23, "2015, no time", posted(lacking("eventTime")), ("eventTime: is missing",)),
    Case(
        23, "2015, no event", posted(lacking("event")), ("event: is missing; expected an object",)
    ),
    Case(
        23,
        "all that is missing is told",
        posted(lacking("eventId", "eventTime", event={"productOrder": {}})),
        ("eventId", "eventTime", "event.productOrder.id", "event.productOrder.state"),
    ),
    Case(
        23,
        "2015, no resourcePath, no fieldPath",
        posted(lacking(eventType="orderInformationRequiredNotification")),
        ("resourcePath: is missing", "fieldPath: is missing"),
    ),
    Case(
        23,
        "ONAP, nothing but its type",
        posted(b'{"eventType": "ServiceOrderStateChangeNotification"}'),
        ("eventId: is missing", "eventDate: is missing", "event: is missing"),
    ),
    Case(23, "v5, no order", posted(b"{}", path=V5 + "productOrderCreateEvent"), ("event",)),
    Case(24, "an id that is a list", posted(lacking(eventId=["1"])), ("eventId: is a list",)),
    Case(24, "an id too long", posted(bodies.body("x" * 256)), ("eventId", "255")),
    Case(24, "an order that is a text", posted(lacking(event={"productOrder": "42"}))),
    Case(24, "two orders", posted(lacking(event={"productOrder": [{}, {}]})), ("list of 2",)),
    Case(24, "no time at all", posted(lacking(eventTime="yesterday")), ("eventTime", "2026-03-")),
    Case(24, "an hour 25", posted(lacking(eventTime="2026-11-20T25:42:25Z")), ("eventTime",)),
    Case(24, "a state that is a number", posted(bodies.body(state=1)), ("state: is a number",)),
    Case(24, "a NUL in an id", posted(bodies.body("a\0b")), ("eventId", "NUL")),
    Case(
        24,
        "all that is wrong is told",
        posted(lacking(eventId={}, eventTime=7)),
        ("eventId: is an object", "eventTime: is a number"),
    ),
    Case(
        24,
        "an unknown event type, with what was meant",
        posted(lacking(eventType="orderStateChangedNotification")),
        ('"orderStateChangedNotification" is unknown', "orderStateChangeNotification"),
    ),
    Case(
        24,
        "an unknown event type like nothing we know",
        posted(json.dumps(ONAP | {"eventType": "weather"}).encode()),
        ('"weather" is unknown', "orderStateChangeNotification"),
    ),
    Case(
        24,
        "what is a tolerance elsewhere, to a strict source",
        posted(bodies.body(id=" 42"), bearer=of("strict")),
        ("blank_trimmed",),
    ),
    # ── 25, 26: the headers ──
    Case(25, "no content type", posted(bodies.body(), headers={"Content-Type": None})),
    Case(25, "an empty content type", posted(bodies.body(), headers={"Content-Type": ""})),
    Case(26, "a text", posted(bodies.body(), headers={"Content-Type": "text/plain"}), ("json",)),
    Case(26, "a form", posted(bodies.body(), headers={"Content-Type": "multipart/form-data"})),
    Case(
        26,
        "another charset",
        posted(bodies.body(), headers={"Content-Type": "application/json; charset=iso-8859-1"}),
        ("iso-8859-1", "utf-8"),
    ),
    Case(26, "zipped", posted(bodies.body(), headers={"Content-Encoding": "gzip"}), ("gzip",)),
    # ── 100: what is not enabled ──
    Case(
        100,
        "a kind that is not accepted of this source",
        posted(bodies.body(), bearer=of("choosy")),
        ("state_changed", "choosy", "created, removed"),
    ),
]
AT_THE_DOOR = [
    Case(40, "no credentials", authorized(None)),
    Case(40, "an empty header", authorized("")),
    Case(41, "no token at all", authorized("Bearer nothing")),
    Case(41, "a scheme we do not know", authorized("Digest username=orange")),
    Case(41, "Basic that is none", authorized("Basic %%%")),
    Case(41, "a wrong password", authorized(basic("operator:wrong"))),
    Case(41, "a user nobody knows", authorized(basic("nobody:wrong"))),
    Case(
        41,
        "an unknown API key",
        posted(bodies.body(), headers={"Authorization": None, "X-API-Key": "unknown"}),
    ),
    Case(
        41,
        "an unknown callback key",
        posted(bodies.body(), path="/externalapi/listener/v1/unknown/listener"),
    ),
    Case(41, "signed by another", authorized("Bearer " + forging.local())),
    Case(41, "void since a moment", posted(bodies.body(), bearer=of("voided"))),
    Case(42, "expired", authorized("Bearer " + expired())),
    Case(50, "may only read", posted(bodies.body(), bearer=of("local", "notifications:read"))),
    Case(51, "a source nobody declared", posted(bodies.body(), bearer=of("unheard-of"))),
    Case(52, "disabled", posted(bodies.body(), bearer=of("disabled")), ("disabled is disabled",)),
    Case(52, "from elsewhere", posted(bodies.body(), bearer=of("walled")), ("address",)),
    Case(60, "no such path", posted(bodies.body(), path="/externalapi/listener/v1")),
    Case(60, "an event of an event", posted(bodies.body(), path=V4 + "a/b")),
    Case(61, "GET", asked(serving.PATH), ("GET is not possible here; use POST",)),
    Case(61, "PUT", asked(V4 + "productOrderCreateEvent", method="PUT")),
]
OF_THE_ADMIN = [
    Case(22, "not JSON", acted(b"{", "release"), ("JSON",)),
    Case(24, "a field nobody knows", acted(b'{"colour": "red"}', "release"), ("colour",)),
    Case(24, "a word for a truth", acted(b'{"force": "yes"}', "release"), ("force",)),
    Case(27, "a search for nothing", asked("/admin/search"), ("q: is missing",)),
    Case(28, "an unknown parameter", asked("/admin/notifications?colour=red"), ("colour",)),
    Case(28, "a limit of 0", asked("/admin/notifications?limit=0"), ("limit",)),
    Case(28, "a limit that is none", asked("/admin/quarantine?limit=many"), ("limit",)),
    Case(28, "an unknown kind", asked("/admin/notifications?kind=noise"), ("kind", "created")),
    Case(28, "given twice", asked("/admin/notifications?limit=1&limit=2"), ("twice",)),
    Case(28, "no cursor of ours", asked("/admin/notifications?after=abc"), ("no cursor",)),
    Case(40, "no credentials", lambda: wire.request("GET", "/admin/stats")),
    Case(41, "no token", lambda: wire.request("GET", "/admin/stats", bearer="nothing")),
    Case(42, "expired", lambda: wire.request("GET", "/admin/stats", bearer=expired())),
    Case(50, "may only write", asked("/admin/stats", "notifications:write")),
    Case(50, "may only read", asked("/admin/quarantine/x/discard", method="POST")),
    Case(60, "no such notification", asked("/admin/notifications/x"), ("no notification x",)),
    Case(60, "no such bytes", asked("/admin/notifications/x/raw"), ("no notification x",)),
    Case(60, "no such row", asked("/admin/quarantine/x"), ("no quarantine row x",)),
    Case(60, "no such path", asked("/admin/weather"), ("no such path",)),
    Case(61, "DELETE", asked("/admin/stats", method="DELETE"), ("use GET",)),
]


def names(cases: list[Case]) -> list[str]:
    return [f"{case.code}: {case.why}" for case in cases]


def assert_error(answer: wire.Answer, code: int, told: tuple[str, ...] = ()) -> dict[str, Any]:
    """The answer is the ErrorRepresentation of `code` and its message has the words `told`."""
    assert answer.status == STATUS[code], answer.body
    assert answer.header("content-type") == "application/json;charset=utf-8"
    said = answer.json()
    assert set(said) - {"referenceError"} == {"code", "reason", "message", "status", "@type"}
    assert (said["code"], said["status"]) == (code, STATUS[code]), said
    assert said["@type"] == "ErrorRepresentation"
    assert isinstance(said["reason"], str)
    assert said["message"]
    for words in told:
        assert words in said["message"]
    assert ("retry-after" in dict(answer.headers)) is (code in {1, 5, 6, 53})
    assert ("www-authenticate" in dict(answer.headers)) is (code in {40, 41, 42})
    assert ("allow" in dict(answer.headers)) is (code == 61)
    return dict(said)


def test_the_table_has_these_rows_and_no_other():
    """1, 5 and 6 are shown in `test_trouble`, the others here."""
    assert {row.code: row.status for row in problems.TABLE.values()} == STATUS
    cases = (*ON_THE_LISTENER, *AT_THE_DOOR, *OF_THE_ADMIN)
    assert {case.code for case in cases} | {1, 5, 6, 53, 63, 69, 70} == set(STATUS)
    assert {case.code for case in ON_THE_LISTENER} == KEPT


@pytest.mark.parametrize("case", ON_THE_LISTENER, ids=names(ON_THE_LISTENER))
def test_what_a_source_sends_wrongly_is_told_and_kept(case, server, send):
    request = case.request()
    said = assert_error(send(request), case.code, case.told)
    row = seeing.held(server, said["referenceError"])
    assert (row["code"], row["status"], row["state"]) == (case.code, STATUS[case.code], "open")
    body = request.partition(b"\r\n\r\n")[2]
    assert row["length"] == len(body)
    assert row["truncated"] is (len(body) > 1048576)
    kept = body[:65536] if row["truncated"] else body
    text = base64.b64decode(row["body"]) if row["body_encoding"] == "base64" else row["body"]
    assert kept == (text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize("case", AT_THE_DOOR, ids=names(AT_THE_DOOR))
def test_who_may_not_send_is_told_and_nothing_is_kept(case, server, send):
    before = seeing.quarantined(server)
    said = assert_error(send(case.request()), case.code, case.told)
    assert "referenceError" not in said
    assert seeing.quarantined(server) == before


@pytest.mark.parametrize("case", OF_THE_ADMIN, ids=names(OF_THE_ADMIN))
def test_what_is_asked_wrongly_of_the_admin_is_told_and_nothing_is_kept(case, server, send):
    before = seeing.quarantined(server)
    said = assert_error(send(case.request()), case.code, case.told)
    assert "referenceError" not in said
    assert seeing.quarantined(server) == before


@pytest.mark.parametrize("code", [40, 41])
def test_a_401_says_how_to_show_credentials(code, send):
    sent = authorized(None if code == 40 else "Bearer nothing")()
    bearer = 'Bearer realm="tmf-listener"' + (', error="invalid_token"' if code == 41 else "")
    offered = [value for name, value in send(sent).headers if name == "www-authenticate"]
    assert offered == [bearer, 'Basic realm="tmf-listener", charset="UTF-8"']


def test_what_is_beyond_the_rate_is_53_with_the_seconds_to_wait(server, send):
    answers = [send(wire.post(bodies.body(), bearer=of("slowed"))) for _ in range(3)]
    refused = answers[-1]
    said = assert_error(refused, 53, ("More than 2 requests in a minute",))
    assert "referenceError" not in said
    assert 1 <= int(refused.header("retry-after") or 0) <= 60


@pytest.mark.parametrize(
    ("headers", "begun"),
    [
        ({"Content-Length": "100"}, b""),
        ({"Content-Length": "100"}, b'{"eventId": "1"'),
        ({"Content-Length": None, "Transfer-Encoding": "chunked"}, b"5\r\n{    \r\n"),
    ],
    ids=["nothing came", "the rest did not come", "no last chunk came"],
)
def test_a_body_that_does_not_come_is_63_and_ends_the_connection(headers, begun, server):
    before = seeing.quarantined(server)
    with wire.Connection(server.port) as line:
        line.send(wire.post(b"", headers=headers) + begun)
        answer = line.answer()
        said = assert_error(answer, 63, ("within 1 s",))
        assert answer.header("connection") == "close"
        assert line.is_closed()
    assert "referenceError" not in said
    assert seeing.quarantined(server) == before


def test_a_body_that_drips_has_one_deadline_for_all_of_it(server):
    with wire.Connection(server.port) as line:
        line.send(wire.post(b"", headers={"Content-Length": "1000000"}))
        began = time.monotonic()
        while not line.is_answered(within=0.05):
            line.send(b" ")
            assert time.monotonic() - began < 10
        assert_error(line.answer(), 63)


def test_a_row_that_is_not_open_any_more_is_69(server):
    refused = server.post(b"{").json()["referenceError"]
    path = f"/admin/quarantine/{refused}/"
    still = seeing.act(server, path + "release")
    assert_error(still, 69, ("still refused, 22", "The body is not JSON"))
    assert seeing.act(server, path + "discard").status == 200
    assert_error(seeing.act(server, path + "discard"), 69, ("not open",))
    assert_error(seeing.act(server, path + "release"), 69, ("discarded already",))


def test_a_cursor_of_another_epoch_is_70_with_the_head_to_go_on_from(server, send):
    for _ in range(2):
        assert server.post(bodies.body()).status_code == 201
    page = "/admin/notifications?order=asc&limit=1"
    given = server.get(page).json()["next"]
    assert server.get(f"{page}&after={given}").status_code == 200
    seeing.command(server, "db", "promoted", "--yes")
    gone = asked(f"{page}&after={given}")()
    said = assert_error(send(gone), 70, ("epoch", "its head is seq"))
    head = said["message"].rpartition(" ")[2]
    assert server.get(f"{page}&after={head}").json() == {"items": [], "next": None}
    assert server.post(bodies.body()).status_code == 201
    assert len(server.get(f"{page}&after={head}").json()["items"]) == 1

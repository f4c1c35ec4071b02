"""Bodies and requests no polite client sends: a clear 4xx, or 201 with a named warning."""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from pathlib import Path

import pytest

from tests import serving
from tests.acceptance import bodies, seeing, wire

FINE = bodies.body("fine")
TEN_MB = 10 * 1024 * 1024
DEEP = 10_000
MARK = b'"MARK"'


def with_note(note: bytes) -> bytes:
    """A state change whose order has `note`, as it is, in a field no contract knows."""
    return bodies.body(note="MARK").replace(MARK, note)


def with_id(written: bytes) -> bytes:
    """A state change whose event id is `written`, as it is."""
    return bodies.body("MARK").replace(MARK, written)


REFUSED = {
    "one byte": (b"{", 22),
    "one digit": (b"1", 22),
    "one NUL": (b"\0", 22),
    "one byte of UTF-8 begun": (b"\xc3", 22),
    "ten megabytes": (with_note(b'"' + b"x" * TEN_MB + b'"'), 22),
    "ten megabytes of nothing": (b" " * TEN_MB, 22),
    "lists, 10 000 deep": (with_note(b"[" * DEEP + b"]" * DEEP), 22),
    "lists, 10 000 deep, never closed": (b"[" * DEEP, 22),
    "objects, 10 000 deep": (with_note(b'{"a":' * DEEP + b"1" + b"}" * DEEP), 22),
    "UTF-16": (FINE.decode().encode("utf-16"), 22),
    "UTF-16 without its mark": (FINE.decode().encode("utf-16-le"), 22),
    "UTF-32": (FINE.decode().encode("utf-32"), 22),
    "a byte order mark": (b"\xef\xbb\xbf" + FINE, 22),
    "Latin-1": (bodies.body(note="MARK").replace(b"MARK", "Malmö".encode("latin-1")), 22),
    "NaN": (with_note(b"NaN"), 22),
    "-Infinity": (with_note(b"-Infinity"), 22),
    "a NUL in an event id": (with_id(b'"a\\u0000b"'), 24),
    "a NUL in an order id": (bodies.body(id="PO\0"), 24),
    "a NUL as it is in an id": (with_id(b'"a\0b"'), 22),
    "half of a surrogate pair": (with_note(b'"\\ud83d"'), 22),
    "its other half": (with_note(b'"\\ude00"'), 22),
    "both, the wrong way round": (with_note(b'"\\ude00\\ud83d"'), 22),
    "a surrogate in bytes": (with_note(b'"\xed\xa0\xbd"'), 22),
    "an overlong slash": (with_note(b'"\xc0\xaf"'), 22),
    "two objects": (FINE + FINE, 22),
    "a comment": (b"/* */" + FINE, 22),
    "a number of 5001 digits": (with_note(b"1" + b"0" * 5000), 22),
    "an event id of 10^400": (with_id(b"1" + b"0" * 400), 24),
    "an event id of 1e400": (with_id(b"1e400"), 24),
} | {f"cut off after {n} bytes": (FINE[:n], 22) for n in (2, 12, 30, len(FINE) - 1)}
CHARSETS = ["iso-8859-1", "UTF-16", "windows-1252", "utf-7", "", "utf-8\u0131"]
TAKEN = {
    "a NUL in a free text": (with_note(b'"a\\u0000b"'), "nul_replaced"),
    "a NUL in a free name": (with_note(b'{"a\\u0000": 1}'), "nul_replaced"),
    "10^400": (with_note(b"1" + b"0" * 400), "number_out_of_range"),
    "-10^400": (with_note(b"-1" + b"0" * 400), "number_out_of_range"),
    "1e400": (with_note(b"1e400"), "number_out_of_range"),
    "-1E+400 in a list": (with_note(b"[-1E+400, 2]"), "number_out_of_range"),
    "1e-400": (with_note(b"1e-400"), None),
    "a number with many places": (with_note(b"0." + b"3" * 5000), None),
    "both halves of a surrogate pair": (with_note(b'"\\ud83d\\ude00"'), None),
    "as deep as may be": (with_note(b"[" * 97 + b"]" * 97), None),
    "blanks around it": (b"\r\n\t " + bodies.body() + b"\n", None),
    "a name twice": (with_note(b'1, "note": 2'), None),
    "as large as may be": (b" " * (1048576 - len(bodies.body())) + bodies.body(), None),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_read_is_a_clear_4xx(why, send):
    body, code = REFUSED[why]
    answer = send(wire.post(body))
    assert (answer.status, answer.code) == (400, code), answer.body
    assert re.search("expected|must", answer.json()["message"])
    assert answer.json()["referenceError"]


@pytest.mark.parametrize("charset", CHARSETS)
def test_another_charset_is_26_whatever_the_body(charset, send):
    headers = {"Content-Type": f"application/json; charset={charset.encode().decode('latin-1')}"}
    assert send(wire.post(FINE, headers=headers)).code == 26


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "us-ascii"])
@pytest.mark.parametrize("media", ["application/json", "Application/JSON", "application/ld+json"])
def test_every_spelling_of_utf_8_json_is_fine(charset, media, send):
    headers = {"Content-Type": f"{media} ;charset={charset}"}
    assert send(wire.post(bodies.body(), headers=headers)).status == 201


@pytest.mark.parametrize("why", TAKEN)
def test_what_is_odd_but_readable_is_taken_with_a_warning_and_its_bytes_are_kept(why, server, send):
    body, warning = TAKEN[why]
    event_id = uuid.uuid4().hex
    body = re.sub(rb'"eventId": "[0-9a-f]{32}"', b'"eventId": "%s"' % event_id.encode(), body)
    answer = send(wire.post(body))
    assert (answer.status, answer.body) == (201, body)
    (told,) = seeing.listed(server, event_id)
    assert told["warnings"] == ([warning] if warning else [])
    assert seeing.raw(server, told["id"]) == body
    whole = seeing.get(server, f"/admin/notifications/{told['id']}").json()
    assert (whole["raw"], whole["raw_encoding"]) == (body.decode(), "utf-8")


def test_a_number_no_double_can_hold_keeps_its_digits_in_the_summary(server, send):
    number = "1" + "0" * 400
    body = json.dumps(
        bodies.state_change("huge-price")
        | {
            "eventType": "orderValueChangeNotification",
            "event": {"productOrder": {"id": "PO-1", "price": "MARK"}},
        }
    )
    assert send(wire.post(body.replace('"MARK"', number).encode())).status == 201
    (told,) = seeing.listed(server, "huge-price")
    summary = seeing.get(server, f"/admin/notifications/{told['id']}").json()["summary"]
    assert number in json.dumps(summary)


# ── memory ───────────────────────────────────────────────────────────────────────────────────────


def memory(pid: int, name: str) -> int:
    """`VmRSS` (now) or `VmHWM` (at most) of a process, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) // 1024


def test_memory_stays_flat_while_bodies_of_10_mb_come(server, send):
    body = b'{"note": "' + b"x" * TEN_MB + b'"}'
    request = wire.post(body)
    send(request)
    before = memory(server.pid, "VmRSS")
    for _ in range(50):
        assert send(request).code == 22
    assert memory(server.pid, "VmRSS") - before < 16
    assert memory(server.pid, "VmHWM") - before < 32


def test_an_endless_body_is_answered_and_cut_off(server):
    chunk = b"%x\r\n%s\r\n" % (1 << 20, b"x" * (1 << 20))
    before = memory(server.pid, "VmRSS")
    with wire.Connection(server.port) as line:
        line.send(wire.post(b"", headers={"Content-Length": None, "Transfer-Encoding": "chunked"}))
        with contextlib.suppress(ConnectionError):  # it hangs up while we still send
            for _ in range(200):
                line.send(chunk)
        answer = line.answer()
    assert answer.code == 22
    assert answer.header("connection") == "close"
    assert memory(server.pid, "VmRSS") - before < 16


# ── how a request may be cut ─────────────────────────────────────────────────────────────────────

CHUNKED = {"Content-Length": None, "Transfer-Encoding": "chunked"}


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_body_in_chunks_is_put_together(size, server, send):
    event_id = uuid.uuid4().hex
    body = bodies.body(event_id, note="é" * 200)
    pieces = [body[n : n + size] for n in range(0, len(body), size)]
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    request = wire.post(b"", headers=CHUNKED) + chunks + b"0\r\nTrailer: x\r\n\r\n"
    answer = send(request)
    assert (answer.status, answer.body) == (201, body)
    (told,) = seeing.listed(server, event_id)
    assert seeing.raw(server, told["id"]) == body


def test_a_request_in_packets_of_a_byte_is_put_together(server):
    body = bodies.body()
    with wire.Connection(server.port) as line:
        for byte in wire.post(body):
            line.send(bytes([byte]))
        assert line.answer().body == body


def test_who_expects_100_is_told_to_go_on(server):
    body = bodies.body()
    request = wire.post(body, headers={"Expect": "100-continue"})
    with wire.Connection(server.port) as line:
        line.send(request.removesuffix(body))
        assert line.answer(informational=True).status == 100
        line.send(body)
        answer = line.answer()
    assert (answer.status, answer.body) == (201, body)


def test_who_expects_100_and_may_not_send_is_told_so_instead(server):
    body = bodies.body()
    request = wire.post(body, headers={"Expect": "100-continue"}, bearer="no.token.")
    with wire.Connection(server.port) as line:
        line.send(request.removesuffix(body))
        assert line.answer(informational=True).status == 401


def test_who_says_that_it_has_said_all_is_answered(server):
    body = bodies.body()
    with wire.Connection(server.port) as line:
        line.send(wire.post(body))
        line.finish()
        answer = line.answer()
        assert (answer.status, answer.body) == (201, body)
        assert line.is_closed()


@pytest.mark.parametrize("keep", [None, "keep-alive"])
def test_http_1_0_is_answered_and_ends(keep, server):
    body = bodies.body()
    with wire.Connection(server.port) as line:
        line.send(wire.post(body, version="1.0", headers={"Connection": keep}))
        answer = line.answer()
        assert (answer.status, answer.body) == (201, body)
        assert line.is_closed()


def test_requests_sent_at_once_are_answered_in_their_order(server):
    sent = [bodies.body() for _ in range(20)]
    sent[3::5] = [b"{", b"[]", b"", b"1"]
    with wire.Connection(server.port) as line:
        line.send(b"".join(wire.post(body) for body in sent))
        answers = [line.answer() for _ in sent]
    for body, answer in zip(sent, answers, strict=True):
        if body in {b"{", b"[]", b"", b"1"}:
            assert (answer.status, answer.code) == (400, 21 if body == b"" else 22)
        else:
            assert (answer.status, answer.body) == (201, body)


SMUGGLED = wire.request("GET", "/healthz")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("path", "bearer", "expected"),
    [
        (serving.PATH, "no.token.", 401),
        (serving.PATH, serving.token(source="disabled"), 403),
        ("/nowhere", None, 404),
        ("/admin/stats", None, 405),
        (serving.PATH, None, 400),
    ],
)
def test_what_is_left_of_a_refused_body_is_no_request(path, bearer, expected, chunked, server):
    """The next request on the connection is answered, and only that."""
    smuggled = SMUGGLED + b"x" * 200_000
    headers = CHUNKED if chunked else {}
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(smuggled), smuggled) if chunked else b""
    request = wire.post(b"" if chunked else smuggled, path=path, bearer=bearer, headers=headers)
    body = bodies.body()
    with wire.Connection(server.port) as line:
        line.send(request + sent)
        assert line.answer().status == expected
        line.send(wire.post(body, headers={"Connection": "close"}))
        answer = line.answer()
        assert (answer.status, answer.body) == (201, body)
        assert line.is_closed()


def test_a_sender_that_hangs_up_in_the_middle_leaves_nothing_behind(server):
    before = seeing.quarantined(server)
    event_id = uuid.uuid4().hex
    with wire.Connection(server.port) as line:
        line.send(wire.post(bodies.body(event_id))[:-1])
    assert server.post(bodies.body()).status_code == 201
    assert seeing.listed(server, event_id) == []
    assert seeing.quarantined(server) == before


# ── what Java sends ──

H2C: dict[str, str | None] = {
    "Connection": "Upgrade, HTTP2-Settings",
    "Upgrade": "h2c",
    "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
}
OFFERED = [H2C, {"Connection": "Upgrade", "Upgrade": "websocket"}, {"Upgrade": "h2c"}]


@pytest.mark.parametrize("offer", OFFERED)
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("packet", [1, 100, 1_000_000])
def test_who_offers_an_upgrade_is_heard_as_if_not(offer, chunked, packet, server):
    """RFC 9110 §7.8. Three such requests and a plain one, on one connection, sent at once."""
    sent = [bodies.body() for _ in range(4)]
    requests = b""
    for body, headers in zip(sent, (offer, offer, {}, offer), strict=True):
        if chunked:
            requests += wire.post(b"", headers=CHUNKED | headers)
            requests += b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        else:
            requests += wire.post(body, headers=headers)
    with wire.Connection(server.port) as line:
        for n in range(0, len(requests), packet):
            line.send(requests[n : n + packet])
        answers = [line.answer() for _ in sent]
    assert [(one.status, one.body) for one in answers] == [(201, body) for body in sent]


def test_an_offer_is_no_way_around_a_check(server):
    request = wire.post(bodies.body(), bearer="no.token.", headers=H2C)
    with wire.Connection(server.port) as line:
        line.send(request + wire.request("GET", "/healthz", headers=H2C))
        assert line.answer().code == 41
        assert line.answer().json()["status"] == "alive"


# ── what is not HTTP ──


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\0\r\n\r\n",
        wire.post(b"", headers=CHUNKED) + b"zz\r\n{}\r\n",
    ],
    ids=["TLS", "HTTP/2", "a blank in a name", "a folded NUL", "no chunk"],
)
def test_what_is_not_http_is_told_so_as_everything_else(data, server):
    with wire.Connection(server.port) as line:
        line.send(data)
        answer = line.answer()
        assert (answer.status, answer.code) == (400, 22)
        assert answer.header("content-type") == wire.JSON
        assert line.is_closed()


# ── headers given twice ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("twice", "code"),
    [
        ("Content-Type: application/json", 26),
        ("Content-Type: text/plain", 26),
        (f"Authorization: Bearer {serving.token()}", 41),
        ("Content-Encoding: identity", None),
        ("Host: another", None),
    ],
)
def test_a_header_given_twice_is_no_way_around_a_check(twice, code, send):
    line = twice.encode() + b"\r\n"
    request = wire.post(bodies.body())
    end = request.index(b"\r\n") + 2
    assert send(request[:end] + line + request[end:]).code == code


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 1e3\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
    ],
)
def test_a_length_that_could_be_read_in_two_ways_is_400_and_ends_the_connection(headers, server):
    request = wire.post(b"", headers={"Content-Length": None})
    with wire.Connection(server.port) as line:
        line.send(request.removesuffix(b"\r\n") + headers + b"\r\n" + FINE)
        assert line.answer().code == 22
        assert line.is_closed()

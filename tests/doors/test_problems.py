"""The error table on the wire: every code, its status, its headers; the last net."""

import json
from typing import Annotated

import fastapi
import httpx
import pytest

from app import errors
from app.doors import problems
from app.notifications import notification

# from DESIGN §6 and seed 004, by hand
TABLE = {
    1: (500, "Internal error"),
    5: (503, "The service is temporarily unavailable"),
    6: (503, "The service is over capacity, retry later"),
    20: (400, "Invalid URL parameter value"),
    21: (400, "Missing body"),
    22: (400, "Invalid body"),
    23: (400, "Missing body field"),
    24: (400, "Invalid body field"),
    25: (400, "Missing header"),
    26: (400, "Invalid header value"),
    27: (400, "Missing query-string parameter"),
    28: (400, "Invalid query-string parameter value"),
    40: (401, "Missing credentials"),
    41: (401, "Invalid credentials"),
    42: (401, "Expired credentials"),
    50: (403, "Access denied"),
    51: (403, "Forbidden requester"),
    52: (403, "Forbidden user"),
    53: (403, "Too many requests"),
    60: (404, "Not found"),
    61: (405, "Method not allowed"),
    63: (408, "The body came too slowly"),
    69: (409, "Conflict"),
    70: (410, "Gone"),
    100: (422, "Functional error"),
}


def sent(answer):
    return dict(answer.headers), json.loads(answer.body)


def test_the_table_has_every_row_of_the_contract_and_no_other():
    assert {code: (row.status, row.reason) for code, row in problems.TABLE.items()} == TABLE


@pytest.mark.parametrize("code", TABLE)
def test_every_code_becomes_an_error_representation(code):
    answer = problems.answer(code, "what went wrong")
    headers, body = sent(answer)
    assert answer.status == TABLE[code][0]
    assert body == {
        "code": code,
        "reason": TABLE[code][1],
        "message": "what went wrong",
        "status": TABLE[code][0],
        "@type": "ErrorRepresentation",
    }
    assert headers[b"content-type"] == b"application/json;charset=utf-8"
    assert headers[b"content-length"] == str(len(answer.body)).encode()
    assert (b"www-authenticate" in headers) == (TABLE[code][0] == 401)
    assert (b"retry-after" in headers) == (code in {1, 5, 6, 53})


def every_error(root=errors.ListenerError):
    for child in root.__subclasses__():
        yield child
        yield from every_error(child)


@pytest.mark.parametrize(
    "error", [e for e in every_error() if issubclass(e, errors.Refused | errors.Unavailable)]
)
def test_every_exception_of_ours_has_a_row(error):
    answer = problems.of_error(error())
    assert json.loads(answer.body)["message"] == error.__doc__.strip()


def test_too_many_requests_says_when_to_come_back():
    headers, _ = sent(problems.of_error(errors.TooManyRequests(retry_after=17)))
    assert headers[b"retry-after"] == b"17"


def test_a_refusal_tells_every_fault_with_its_path_and_its_remedy():
    faults = (
        notification.Fault("eventId", "missing", "a string of 1 to 255 characters"),
        notification.Fault("event.productOrder.state", "'Nearly'", "a state of the contract"),
    )
    refusal = notification.Refusal(23, "two faults", faults)
    _, body = sent(problems.of_refusal(refusal, reference="0190"))
    assert body["message"] == (
        "two faults; eventId: missing; expected a string of 1 to 255 characters; "
        "event.productOrder.state: 'Nearly'; expected a state of the contract"
    )
    assert body["referenceError"] == "0190"


def test_a_message_is_cut_and_never_breaks_the_encoding():
    _, body = sent(problems.answer(24, "\ud800" + "x" * 10_000))
    assert len(body["message"]) == 4096
    assert body["message"].startswith("?x")


def test_a_password_client_is_challenged_in_a_line_of_its_own():
    lines = [v for k, v in problems.answer(40, "none").headers if k == b"www-authenticate"]
    assert lines == [
        b'Bearer realm="tmf-listener"',
        b'Basic realm="tmf-listener", charset="UTF-8"',
    ]


@pytest.fixture
async def client():
    app = fastapi.FastAPI(openapi_url=None, redirect_slashes=False)
    problems.install(app)

    @app.get("/search")
    def search(q: str, limit: int = 10):
        return {}

    @app.get("/gone")
    def gone():
        raise errors.Gone

    @app.get("/away")
    def away():
        raise errors.OverCapacity

    @app.get("/bug")
    def bug():
        raise ValueError("the customer's name is Astrid")

    @app.post("/form")
    def form(name: Annotated[str, fastapi.Body(embed=True)]):
        return {}

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as found:
        yield found


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nowhere", 60),
        ("POST", "/search", 61),
        ("HEAD", "/search", 61),
        ("OPTIONS", "/search", 61),
        ("GET", "/search", 27),
        ("GET", "/search?q=x&limit=much", 28),
        ("GET", "/gone", 70),
        ("GET", "/away", 6),
        ("POST", "/form", 23),
    ],
)
async def test_the_framework_answers_in_our_words(client, method, path, code):
    answer = await client.request(method, path)
    assert answer.status_code == TABLE[code][0]
    if method != "HEAD":
        assert answer.json()["code"] == code
    if code == 61:
        assert answer.headers["allow"] == "GET"


async def test_a_fault_of_ours_is_a_reference_and_never_a_trace(client, capsys):
    answer = await client.get("/bug")
    assert answer.status_code == 500
    assert answer.json()["code"] == 1
    assert answer.headers["retry-after"]
    log = capsys.readouterr()
    assert answer.json()["referenceError"] in log.out + log.err
    assert "Astrid" not in answer.text + log.out + log.err
    assert "ValueError" not in answer.text

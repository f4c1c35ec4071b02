"""Every admin endpoint: nobody without credentials, nobody without the scope, no unknown word."""

import re

import pytest
from fastapi.routing import APIRoute

from app.web import admin
from tests import serving
from tests.web import inside

ROW = "01890000-0000-7000-8000-000000000000"
ASKED = {"/admin/search": "?q=PO-1"}
ROUTES = [
    (method, route.path)
    for router in admin.routers
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods)
]
READING = [path for method, path in ROUTES if method == "GET"]
ACTING = [one for one in ROUTES if one[0] != "GET"]
OF_PERSONS = ("/admin/personal/", "/admin/files/", "/admin/notifications/{identifier}/files")
SCOPES = (inside.WRITE, inside.READ, inside.ADMIN, "commands", "personal")


def scope_of(method, path):
    """The one scope that is asked for; DESIGN §13 `Tokens`."""
    if path.startswith(OF_PERSONS):
        return "personal"
    if method == "GET":
        return inside.READ
    return "commands" if path.startswith("/admin/commands") else inside.ADMIN


async def asked(shared, method, path, bearer, query=None):
    url = re.sub(r"\{[^}]*\}", ROW, path)
    url += ASKED.get(path, "") if query is None else query
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    return await shared.client.request(method, url, headers=headers)


def of(*scopes, source=None, ttl=3600):
    return serving.token(source=source, scopes=scopes, ttl=ttl)


def assert_told(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/json;charset=utf-8"


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_nobody_asks_without_good_credentials(shared, method, path):
    assert_told(await asked(shared, method, path, None), 401, 40)
    assert_told(await asked(shared, method, path, "nothing"), 401, 41)
    assert_told(await asked(shared, method, path, of(inside.ADMIN, ttl=-60)), 401, 42)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_everything_needs_its_one_scope(shared, method, path):
    needed = scope_of(method, path)
    others = [scope for scope in SCOPES if scope != needed]
    assert_told(await asked(shared, method, path, of(*others)), 403, 50)
    assert_told(await asked(shared, method, path, of()), 403, 50)
    answer = await asked(shared, method, path, of(needed))
    assert answer.status_code in {200, 400, 404, 409}, answer.text


@pytest.mark.parametrize("path", READING)
async def test_a_parameter_nobody_knows_and_one_given_twice_are_28(shared, path):
    reader = of(scope_of("GET", path))
    unknown = await asked(shared, "GET", path, reader, ASKED.get(path, "?") + "&colour=red")
    assert_told(unknown, 400, 28)
    assert "colour: is not known here" in unknown.json()["message"]
    twice = await asked(shared, "GET", path, reader, "?q=PO-1&q=PO-1")
    assert_told(twice, 400, 28)


@pytest.mark.parametrize("path", READING)
async def test_a_method_that_is_not_possible_is_61_with_those_that_are(shared, path):
    answer = await asked(shared, "DELETE", path, of(inside.READ))
    assert_told(answer, 405, 61)
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(("bearer", "code"), [(None, 40), (of(inside.READ), 50)])
@pytest.mark.parametrize(("method", "path"), ACTING)
async def test_who_may_not_act_is_told_so_whatever_it_sends(shared, method, path, bearer, code):
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    url = re.sub(r"\{[^}]*\}", ROW, path)
    answer = await shared.client.request(method, url, headers=headers, content=b"{")
    assert answer.json()["code"] == code


@pytest.mark.parametrize("other", [f"Bearer {of(inside.READ)}", "Bearer nothing"])
async def test_of_two_credentials_none_counts(shared, other):
    good = ("Authorization", f"Bearer {of(inside.READ)}")
    for headers in ([good, ("Authorization", other)], [("Authorization", other), good]):
        answer = await shared.client.get("/admin/stats", headers=headers)
        assert_told(answer, 401, 41)


async def test_who_may_not_read_does_not_learn_whether_a_row_is_there(shared):
    await shared.taken(inside.state_change("there"))
    (there,) = await shared.items("/admin/notifications?event_id=there")
    writer = of(inside.WRITE, source="local")
    for id_ in (there["id"], ROW):
        answer = await asked(shared, "GET", f"/admin/notifications/{id_}", writer)
        assert_told(answer, 403, 50)


MALFORMED = [
    ("/admin/notifications", "limit=0"),
    ("/admin/notifications", "limit=501"),
    ("/admin/notifications", "limit=-1"),
    ("/admin/notifications", "limit=%2B5"),
    ("/admin/notifications", "limit=1.0"),
    ("/admin/notifications", "limit="),
    ("/admin/notifications", "limit=%D9%A3"),
    ("/admin/notifications", "order=up"),
    ("/admin/notifications", "order=ASC"),
    ("/admin/notifications", "kind=noise"),
    ("/admin/notifications", "state=InProgress"),
    ("/admin/notifications", "flavour=tmf"),
    ("/admin/notifications", "channel=both"),
    ("/admin/notifications", "attention=none"),
    ("/admin/notifications", "conflict=1"),
    ("/admin/notifications", "source=%00"),
    ("/admin/notifications", "source=LOCAL"),
    ("/admin/notifications", "order_id="),
    ("/admin/notifications", "event_id=a%00"),
    ("/admin/notifications", "external_id=a%0A"),
    ("/admin/notifications", "q=" + "x" * 256),
    ("/admin/notifications", "q=%FF%00"),
    ("/admin/quarantine", "status=shut"),
    ("/admin/quarantine", "source=a%20b"),
    ("/admin/quarantine", "limit=9999999999999999999999"),
    ("/admin/audit", "limit=x"),
    ("/admin/search", "q=PO-1&limit=x"),
]


@pytest.mark.parametrize(("path", "query"), MALFORMED)
async def test_a_malformed_value_is_28_and_told_by_its_name(shared, path, query):
    answer = await shared.get(f"{path}?{query}")
    assert_told(answer, 400, 28)
    name = query.rpartition("&")[2].partition("=")[0]
    assert f"{name}: " in answer.json()["message"]


@pytest.mark.parametrize(
    "path",
    ["/admin/notifications/{}", "/admin/notifications/{}/raw", "/admin/quarantine/{}"],
)
@pytest.mark.parametrize("id_", [ROW, "x", "%00", "%FF", "a%20b", "..", "x" * 3000])
async def test_an_id_of_nothing_is_60(shared, path, id_):
    assert_told(await shared.get(path.format(id_)), 404, 60)

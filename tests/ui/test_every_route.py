"""Walks over every route under /ui there is: nothing of it is markup, no form acts by itself."""

import contextlib
import re

import httpx
import pytest

from tests.ui import filled
from tests.ui.acting import form_token
from tests.ui.conftest import code
from tests.ui.filled import EVIL, PERSON
from tests.web import inside

READ = "notifications:read"
EVERYTHING = (READ, "admin", "commands", "personal")

NO_PAGE = {
    "/ui/sources/{name}/credentials",  # leads back to the source
    "/ui/static/{name}",  # our own files
    "/ui/notifications/stream",  # endless; the live tail is looked at in a browser
}
FILES = {"/ui/notifications/{identifier}/raw", "/ui/export/file", "/ui/export/orders"}
NO_WORD_OF_OTHERS = {
    "/ui/overview/minutes", "/ui/enter", "/ui/sources", "/ui/quarantine/all",
    "/ui/feeds/{name}/rewind",
}  # fmt: skip
ANN = "<b onclick=alert(3)>ann</b>"
OPEN_TO_ALL = {"/ui/sign-in", "/ui/sign-out"}
SOMEWHERE = {"identifier": "x", "name": "guide", "source": "local", "order_id": "x"}


@pytest.fixture(scope="module")
async def world(tmp_path_factory):
    """An application full of markup, and the ids of what is in it."""
    folder = tmp_path_factory.mktemp("every")
    url = f"sqlite:///{folder / 'listener.db'}"
    async with inside.opened(url, folder, filled.CONFIG) as door:
        yield door, await filled.fill(door)


@pytest.fixture
def door(world):
    return world[0]


@contextlib.asynccontextmanager
async def stranger(door):
    """Somebody who has not signed in."""
    transport = httpx.ASGITransport(door.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://listener.test") as client:
        yield client


@contextlib.asynccontextmanager
async def visitor(door, *scopes):
    """Somebody who has, under a name that is markup."""
    async with stranger(door) as client:
        entered = await client.get("/ui/enter", params={"code": code(scopes=scopes, subject=ANN)})
        assert entered.status_code == 303
        yield client


async def pages(door, ids, client):
    """Every page that can be read, as (address, answer)."""
    for route, addresses in filled.addresses(ids).items():
        for address in addresses:
            yield route, address, await client.get(address)


async def test_the_walk_knows_every_page(door, world):
    known = filled.addresses(world[1]).keys() | NO_PAGE | FILES
    assert known == set(filled.routes(door, "GET"))


async def test_markup_in_every_field_is_text_on_every_page(door, world):
    without = set(filled.addresses(world[1]))
    async with visitor(door, *EVERYTHING) as client:
        async for route, address, answer in pages(door, world[1], client):
            assert answer.status_code in {200, 400, 401, 404}, (address, answer.status_code)
            assert answer.headers["content-type"] == "text/html; charset=utf-8", address
            found = filled.made(answer.text)
            assert found.foreign == [], address
            if any(EVIL in words for words in found.words):
                without.discard(route)
    assert without == NO_WORD_OF_OTHERS


async def test_markup_that_was_typed_into_a_form_is_text_on_the_page_that_answers(door):
    async with visitor(door, *EVERYTHING) as client:
        typed = {
            "form_token": form_token(client),
            "label": EVIL[:60],
            "message": EVIL,
            "type": EVIL,
        }
        for address, given in (
            ("/ui/commands", {"source": "guide", "order_id": EVIL, "command": "add_message"}),
            ("/ui/commands", {"source": "guide", "order_id": EVIL, "command": EVIL}),
            (
                "/ui/sources/local/credentials",
                {"type": "basic", "expires": "90d", "once": "ab" * 8},
            ),
            ("/ui/sign-in", {"token": EVIL, "next": EVIL}),
            ("/ui/quarantine/act", {"what": EVIL, "id": EVIL}),
            ("/ui/feeds/guide/act", {"action": EVIL}),
            ("/ui/attention/x/assign", {"assignee": EVIL}),
        ):
            answer = await client.post(address, data=typed | given)
            assert answer.status_code in {201, 400, 401, 404}, (address, answer.status_code)
            assert filled.made(answer.text).foreign == [], address


async def test_what_is_downloaded_is_never_shown_as_a_page(door, world):
    async with visitor(door, *EVERYTHING) as client:
        for address in (
            f"/ui/notifications/{world[1]['opening']}/raw", "/ui/export/file?format=csv",
            "/ui/export/orders",
        ):  # fmt: skip
            answer = await client.get(address)
            assert answer.headers["content-disposition"].startswith("attachment")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "html" not in answer.headers["content-type"]
            assert b"onerror" in answer.content


async def test_who_lacks_the_scope_sees_nothing_of_the_person_on_any_page(door, world):
    async with visitor(door, READ, "admin", "commands") as client:
        async for _, address, answer in pages(door, world[1], client):
            assert PERSON not in answer.text, address
        assert PERSON not in (await client.get("/ui/export/file")).text
    async with visitor(door, READ, "personal") as client:
        seen = [
            address
            async for _, address, found in pages(door, world[1], client)
            if PERSON in found.text
        ]
    kept = [each for each in seen if "/ui/orders/" in each]
    assert len(kept) == 3
    assert [each for each in seen if each not in kept] == [f"/ui/notifications/{world[1]['guide']}"]


def posts(door):
    """Where every form under /ui goes, with something in the place of what names a row."""
    for path in filled.routes(door, "POST"):
        yield path, re.sub(r"{(\w+)(:path)?}", lambda name: SOMEWHERE[name[1]], path)


async def test_who_may_only_read_acts_by_no_form(door):
    async with visitor(door, READ) as client:
        given = {"form_token": form_token(client)}
        for path, address in posts(door):
            if path not in OPEN_TO_ALL:
                answer = await client.post(address, data=given)
                assert answer.status_code == 403, path
                assert "needs" in answer.text or "lack" in answer.text, path


async def test_no_form_acts_without_its_token_with_another_s_or_from_another_site(door):
    async with visitor(door, *EVERYTHING) as client, visitor(door, READ) as other:
        good, foreign = form_token(client), form_token(other)
        evil = {"origin": "https://evil.example"}
        fetched = {"sec-fetch-site": "cross-site"}
        for path, address in posts(door):
            forged = [({"form_token": good}, evil), ({"form_token": good}, fetched)]
            if path not in OPEN_TO_ALL:
                forged += [({}, {}), ({"form_token": foreign}, {}), ({"form_token": "é"}, {})]
            for given, headers in forged:
                answer = await client.post(address, data=given, headers=headers)
                assert answer.status_code == 403, (path, given, headers)
                assert "none of ours" in answer.text or "another site" in answer.text, path


async def test_who_is_not_signed_in_is_asked_to_on_every_route(door, world):
    asks = [("POST", address) for path, address in posts(door) if path not in OPEN_TO_ALL]
    free = {"/ui/sign-in", "/ui/enter", "/ui/{rest:path}"}
    for route, addresses in filled.addresses(world[1]).items():
        asks += [("GET", address) for address in addresses if route not in free]
    asks += [("GET", "/ui/notifications/stream")]
    asks += [("GET", f"/ui/export/{name}") for name in ("file", "orders")]
    async with stranger(door) as client:
        for method, address in asks:
            answer = await client.request(method, address)
            assert answer.status_code == 303, (method, address)
            assert answer.headers["location"].startswith("/ui/sign-in"), (method, address)

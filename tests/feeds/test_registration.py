"""Subscriptions at operators' hubs: made once, kept alive, ended, duplicates understood."""

from __future__ import annotations

import json

import pytest

from app.notifications import hub as forms
from app.store import credentials, engine, hubs
from tests import operators
from tests.feeds import running
from tests.operators import Reply
from tests.sandbox import serving as sandboxes

PATHS = {
    "onap": "/nbi/api/v4/hub",
    "tmf622_2015": "/hub",
    "tmf622_v4": "/tmf-api/productOrderingManagement/v4/hub",
    "tmf622_v5": "/tmf-api/productOrderingManagement/v5/hub",
}
CALLBACK = f"{running.PUBLIC_URL}/externalapi/listener/v1/listener"


def seller(sandbox, form, *, auth="", every="1h"):
    url = f"{sandbox.url}/seller{PATHS[form]}"
    return (
        f'[[source]]\nname = "seller"\nkind = "tmf"\n{auth}\n'
        f'hub = {{ url = "{url}", form = "{form}", every = "{every}", query = "eventType = A" }}\n'
    )


def row(live):
    with engine.read(live.runtime.engine) as connection:
        return hubs.one(connection, "seller")


async def register(live):
    source = live.runtime.source("seller")
    now = live.runtime.clock.now()
    wanted = hubs.Registration(
        "seller", source.hub.form, source.hub.url, source.hub.query, asked_at=now, due_at=now
    )
    await live.write(lambda connection: hubs.want(connection, wanted))


def at_hub(sandbox, form):
    return sandbox.client.get(f"/seller{PATHS[form]}").json()


@pytest.fixture
def sandbox():
    with sandboxes.sandbox(pace="manual") as served:
        yield served


@pytest.mark.parametrize("form", PATHS)
async def test_a_subscription_is_made_once_and_ended(sandbox, tmp_path, database_url, form):
    async with running.feeds_of(tmp_path, database_url, seller(sandbox, form)) as live:
        await register(live)
        await live.until(lambda: row(live) and row(live).state == "registered")
        (there,) = at_hub(sandbox, form)
        assert (there["id"], there["callback"]) == (row(live).remote_id, CALLBACK)
        assert there["query"] == "eventType = A"
        checked = row(live).checked_at
        await register(live)
        await live.until(lambda: row(live).checked_at > checked)
        assert len(at_hub(sandbox, form)) == 1
        await live.write(
            lambda connection: hubs.unwant(connection, "seller", live.runtime.clock.now())
        )
        await live.until(lambda: row(live) is None)
        assert at_hub(sandbox, form) == []


@pytest.mark.parametrize("form", PATHS)
async def test_one_that_is_there_already_is_taken_over(sandbox, tmp_path, sqlite_url, form):
    mine = json.loads(forms.body(form, CALLBACK, "eventType = A"))
    given = sandbox.client.post(f"/seller{PATHS[form]}", json=mine).raise_for_status().json()
    async with running.feeds_of(tmp_path, sqlite_url, seller(sandbox, form)) as live:
        await register(live)
        await live.until(lambda: row(live) and row(live).state == "registered")
        assert row(live).remote_id == given["id"]
        assert len(at_hub(sandbox, form)) == 1


async def test_a_hub_that_forgot_us_is_subscribed_to_again(sandbox, tmp_path, sqlite_url):
    async with running.feeds_of(tmp_path, sqlite_url, seller(sandbox, "onap")) as live:
        await register(live)
        await live.until(lambda: row(live) and row(live).state == "registered")
        first = row(live).remote_id
        sandbox.client.delete(f"/seller{PATHS['onap']}/{first}").raise_for_status()
        await register(live)
        await live.until(lambda: row(live).remote_id != first)
        (there,) = at_hub(sandbox, "onap")
        assert there["id"] == row(live).remote_id


@pytest.mark.parametrize("listed", [Reply(404), Reply(200, b"<html>"), Reply(405)])
async def test_a_hub_that_cannot_be_asked_is_not_told_again_and_again(tmp_path, sqlite_url, listed):
    def hub(asked):
        if asked.method == "POST":
            return Reply(201, b'{"id": "42"}')
        return Reply(404) if asked.path.endswith("/42") else listed

    async with operators.serving(hub) as served:
        source = (
            '[[source]]\nname = "seller"\nkind = "tmf"\n'
            f'hub = {{ url = "{served.url}/hub", every = "1h" }}\n'
        )
        async with running.feeds_of(tmp_path, sqlite_url, source) as live:
            await register(live)
            await live.until(lambda: row(live) and row(live).state == "registered")
            for _ in range(2):
                checked = row(live).checked_at
                await register(live)
                await live.until(lambda: row(live).checked_at > checked)  # noqa: B023
            assert [asked.method for asked in served.requests].count("POST") == 1
            assert row(live).error is None


async def test_an_operator_without_credentials_gets_a_key_of_its_own(sandbox, tmp_path, sqlite_url):
    auth = 'auth = [{ type = "callback_key" }]'
    source = seller(sandbox, "tmf622_v4", auth=auth)
    async with running.feeds_of(tmp_path, sqlite_url, source) as live:
        await register(live)
        await live.until(lambda: row(live) and row(live).state == "registered")
        (there,) = at_hub(sandbox, "tmf622_v4")
        key = there["callback"].split("/")[-2]
        assert key.startswith(row(live).credential_id)
        first = row(live).credential_id
        sandbox.client.delete(f"/seller{PATHS['tmf622_v4']}/{there['id']}").raise_for_status()
        await register(live)
        await live.until(lambda: row(live).credential_id != first)
        with engine.read(live.runtime.engine) as connection:
            assert [one.id for one in credentials.active(connection)] == [row(live).credential_id]


async def test_without_a_public_url_nothing_is_asked(sandbox, tmp_path, sqlite_url):
    source = seller(sandbox, "onap")
    async with running.feeds_of(tmp_path, sqlite_url, source, public_url=None) as live:
        await register(live)
        await live.until(lambda: row(live) and row(live).error)
        assert row(live).state == "failing"
        assert "LISTENER_PUBLIC_URL" in row(live).error
        assert at_hub(sandbox, "onap") == []


# --- the forms ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "query", "body"),
    [
        ("onap", None, {"callback": "u"}),
        ("onap", "eventType=A", {"callback": "u", "query": "eventType=A"}),
        ("tmf622_v4", None, {"callback": "u", "query": ""}),
        ("tmf622_v5", "q", {"callback": "u", "query": "q", "@type": "Hub"}),
    ],
)
def test_each_form_is_asked_as_it_wants(form, query, body):
    assert json.loads(forms.body(form, "u", query)) == body


@pytest.mark.parametrize(
    ("content", "has"),
    [
        (b'[{"id": 41}, {"id": 42}, 7]', True),
        (b'[{"id": "421"}]', False),
        (b"[]", False),
        (b'{"id": "42"}', None),
        (b"<html>", None),
    ],
)
def test_a_list_tells_whether_a_subscription_stands(content, has):
    assert forms.lists(content, "42") is has


@pytest.mark.parametrize(
    ("status", "headers", "content", "meaning"),
    [
        (201, {}, b'{"id": "42"}', forms.Subscribed("42")),
        (201, {}, b'{"id": 42}', forms.Subscribed("42")),
        (201, {"location": "https://x/hub/43"}, b"", forms.Subscribed("43")),
        (204, {}, b"", forms.Subscribed(None)),
        (400, {}, b"{}", forms.Known()),
        (409, {}, b"", forms.Known()),
        (403, {}, b'{"reason": "no"}', forms.Refused(403, "no")),
        (500, {}, b"<html>", forms.Refused(500, "no reason given")),
    ],
)
def test_what_a_hub_answers_is_understood(status, headers, content, meaning):
    assert forms.answered(status, headers, content) == meaning

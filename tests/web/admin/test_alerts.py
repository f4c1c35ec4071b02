"""`/admin/alerts`: the channels without their secrets, what is open, and the test button."""

import pytest

from tests import operators
from tests.operators import Reply
from tests.web import inside

NOWHERE = """
[[alert]]
name = "hook"
webhook = { url = "http://127.0.0.1:9/secret-path", secret = "whsec_a2V5" }
sources = ["local"]
severities = ["alarm", "trouble"]
after = "10m"

[[alert]]
name = "post"
mail = { host = "mail.example", username = "u", password = "hunter2", from = "a@b", to = ["c@d"] }
"""


async def test_the_channels_are_listed_without_their_secrets(sqlite_url, tmp_path):
    async with inside.opened(sqlite_url, tmp_path, inside.SOURCES + NOWHERE) as door:
        answer = await door.get("/admin/alerts")
    assert answer.json() == {
        "channels": [
            {
                "name": "hook", "type": "webhook", "host": "127.0.0.1", "sources": ["local"],
                "severities": ["alarm", "trouble"], "after_seconds": 600.0,
            },
            {
                "name": "post", "type": "mail", "host": "mail.example", "sources": None,
                "severities": ["alarm", "buyer_action", "follow_up", "silent", "trouble"],
                "after_seconds": 300.0,
            },
        ],
        "open": [],
        "told": [],
    }  # fmt: skip
    for secret in ("secret-path", "hunter2", "whsec"):
        assert secret not in answer.text


async def test_the_test_button_tells_what_came_of_it(database_url, tmp_path):
    async with operators.serving(lambda _: Reply()) as operator:
        good = f'[[alert]]\nname = "good"\nwebhook = {{ url = "{operator.url}/" }}\n'
        config = inside.SOURCES + NOWHERE.split('[[alert]]\nname = "post"', maxsplit=1)[0] + good
        async with inside.opened(database_url, tmp_path, config) as door:
            job = await inside.over(door, await door.act("/admin/alerts/test"))
            assert job["result"]["told"]["good"] is None
            assert "the webhook at 127.0.0.1" in job["result"]["told"]["hook"]
            job = await inside.over(door, await door.act("/admin/alerts/test", {"channel": "good"}))
            assert job["result"] == {"told": {"good": None}}
            acts = [(one["action"], one["target"]) for one in await door.items("/admin/audit")]
    assert [b'"alert.test"' in asked.body for asked in operator.requests] == [True, True]
    assert acts == [("alert.test", "good"), ("alert.test", "all")]


async def test_without_a_channel_there_is_nothing_to_test(shared):
    answer = await shared.act("/admin/alerts/test")
    assert (answer.status_code, answer.json()["code"]) == (409, 69)
    assert "[[alert]]" in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [({"channel": "other"}, 404, 60), ({"channel": ""}, 400, 24), ({"more": 1}, 400, 24)],
)
async def test_a_test_that_makes_no_sense_is_refused(sqlite_url, tmp_path, body, status, code):
    async with inside.opened(sqlite_url, tmp_path, inside.SOURCES + NOWHERE) as door:
        answer = await door.act("/admin/alerts/test", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_testing_needs_the_scope(shared):
    answer = await shared.act("/admin/alerts/test", scopes=(inside.READ,))
    assert (answer.status_code, answer.json()["code"]) == (403, 50)

"""A `listener serve` with every kind of source, for tests that ask only what documents promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests import serving
from tests.acceptance import wire
from tests.security import forging

PASSWORD = "p4ssword: with a colon"
API_KEY = "a-key-that-the-file-declares"
DEADLINE = 1.0
SOURCES = """
[[issuer]]
name = "sso"
issuer = "https://sso.example/realms/wholesale"
audience = "tmf-listener"
jwks_url = "JWKS"
algorithms = ["RS256"]

[[source]]
name = "local"

[[source]]
name = "disabled"
enabled = false

[[source]]
name = "walled"
allow = ["192.0.2.0/24", "2001:db8::/32"]

[[source]]
name = "slowed"
rate = 2

[[source]]
name = "choosy"
accept = ["created", "removed"]

[[source]]
name = "strict"
strict = true

[[source]]
name = "receives_200"
success_status = 200

[[source]]
name = "receives_204"
success_status = 204

[[source]]
name = "keyed"
auth = [{ type = "callback_key" }]

[[source]]
name = "rich"
auth = [{ type = "api_key" }, { type = "basic" }, { type = "client" }, { type = "callback_key" }]

[[source]]
name = "declared"
auth = [
    { type = "basic", username = "operator", password = "${DECLARED_PASSWORD}" },
    { type = "api_key", key = "${DECLARED_KEY}" },
]

[[source]]
name = "orange"
auth = [{ type = "jwt", issuer = "sso", client_id = "orange-notifier" }]

[[source]]
name = "voided"
tokens_not_before = 2100-01-01T00:00:00Z
"""


@pytest.fixture(scope="session")
def jwks() -> Iterator[forging.Server]:
    """The key server of the issuer `sso`: it has the key `one`."""
    with forging.serving() as server:
        server.answer = (200, {}, forging.jwks(forging.rsa_jwk("one")))
        yield server


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, jwks: forging.Server
) -> Iterator[serving.Listener]:
    """A listener on SQLite with the sources above; it ends with exit code 0."""
    with serving.listener(
        tmp_path_factory.mktemp("acceptance"),
        config=SOURCES.replace("JWKS", jwks.url),
        arguments=serving.DOOR,
        environment={
            "DECLARED_PASSWORD": PASSWORD,
            "DECLARED_KEY": API_KEY,
            "LISTENER_BODY_DEADLINE": str(DEADLINE),
            "LISTENER_TRUSTED_PROXIES": "127.0.0.0/8, 10.0.0.0/8",
        },
    ) as made:
        yield made
        assert made.terminate() == 0


@pytest.fixture
def send(server: serving.Listener) -> Callable[[bytes], wire.Answer]:
    """Send a request made by `wire` to the shared server, and give the answer."""

    def sent(request: bytes) -> wire.Answer:
        return wire.exchange(server.port, request)

    return sent

"""Who may write, over a socket: keys, passwords, tokens, addresses; and what is never told."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import serialization

from app import sources
from tests import serving
from tests.acceptance import bodies, conftest, seeing, wire
from tests.security import forging

KEYED = "/externalapi/listener/v1/{}/listener"
WITHIN = 5.0
"""Seconds within which a withdrawal takes effect (DESIGN §7)."""
V5 = next(s for s in sources.samples("tmf") if s.name == "tmf622_v5.productOrderDeleteEvent")
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Secrets:
    """The credentials of the source `rich`, as they were shown once."""

    api_key: str
    basic: str
    client: str
    callback_key: str


@pytest.fixture(scope="module")
def secrets(server) -> Secrets:
    """One credential of every type, made by `listener credential add` beside the server."""
    kinds = ("api_key", "basic", "client", "callback_key")
    told = seeing.commands(server, *(f"credential add rich --type {kind}" for kind in kinds))
    found = Secrets(*(secret.strip() for secret in told))
    until(lambda: post(server, NOTHING, KEYED.format(found.callback_key)) == (201, None))
    return found


def until(condition: Callable[[], bool], seconds: float = WITHIN) -> None:
    """Wait until `condition` holds."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


def post(
    server: serving.Listener, headers: dict[str, str | None], path: str = serving.PATH
) -> tuple[int, int | None]:
    """Send a fine body with these headers; gives status and code."""
    answer = wire.exchange(server.port, wire.post(bodies.body(), path=path, headers=headers))
    return answer.status, answer.code


def by_api_key(key: str) -> dict[str, str | None]:
    return {"Authorization": None, "X-API-Key": key}


def by_basic(user: str, password: str) -> dict[str, str | None]:
    word = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {word}"}


def by_token(token: str) -> dict[str, str | None]:
    return {"Authorization": f"Bearer {token}"}


NOTHING: dict[str, str | None] = {"Authorization": None}


def principal(server: serving.Listener) -> tuple[str, str, str]:
    """Who said the last notification: source, principal, address."""
    last = seeing.get(server, "/admin/notifications?limit=1").json()["items"][0]
    return last["source"], last["principal"], last["remote_addr"]


def key_id(secret: str) -> str:
    return secret.partition(".")[0]


# ── what each source is answered ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("source", "path", "status"),
    [
        ("local", serving.PATH, 201),
        ("receives_200", serving.PATH, 200),
        ("receives_204", serving.PATH, 204),
        ("local", V5.path, 204),
        ("receives_200", V5.path, 200),
    ],
)
def test_the_status_is_the_paths_unless_the_source_has_its_own(source, path, status, send):
    body = V5.body if path == V5.path else bodies.body()
    answer = send(wire.post(body, path=path, bearer=serving.token(source=source)))
    assert (answer.status, answer.body) == (status, b"" if status == 204 else body)
    assert answer.header("content-length") == (None if status == 204 else str(len(body)))


# ── credentials ──────────────────────────────────────────────────────────────────────────────────


def test_a_stored_credential_of_every_type_opens_the_door(server, secrets):
    for headers, path, kind in (
        (by_api_key(secrets.api_key), serving.PATH, "api_key"),
        (by_basic("rich", secrets.basic), serving.PATH, "basic"),
        (NOTHING, KEYED.format(secrets.callback_key), "callback_key"),
    ):
        assert post(server, headers, path) == (201, None)
        id_ = key_id(getattr(secrets, kind))
        assert principal(server) == ("rich", f"{kind}:{id_}", "127.0.0.1")


def test_a_declared_credential_opens_the_door(server):
    assert post(server, by_api_key(conftest.API_KEY)) == (201, None)
    assert principal(server)[:2] == ("declared", "api_key:declared")
    assert post(server, by_basic("operator", conftest.PASSWORD)) == (201, None)
    assert principal(server)[:2] == ("declared", "basic:operator")


def test_a_credential_opens_no_other_door(server, secrets):
    """Each of them is right, in the wrong place."""
    for headers, path in (
        (by_api_key(secrets.basic), serving.PATH),
        (by_api_key(secrets.client), serving.PATH),
        (by_api_key(secrets.callback_key), serving.PATH),
        (by_basic("rich", secrets.api_key), serving.PATH),
        (by_basic("declared", secrets.basic), serving.PATH),
        (by_token(secrets.api_key), serving.PATH),
        (NOTHING, KEYED.format(secrets.api_key)),
        (NOTHING, KEYED.format(key_id(secrets.callback_key))),
        (by_api_key(secrets.api_key[:-1]), serving.PATH),
        (by_api_key(secrets.api_key + "x"), serving.PATH),
        (by_basic("operator", secrets.basic), serving.PATH),
    ):
        assert post(server, headers, path) == (401, 41)


def test_a_wrong_callback_key_is_not_saved_by_a_good_token(server):
    assert post(server, {}, KEYED.format("wrong")) == (401, 41)


# ── tokens an operator fetches ───────────────────────────────────────────────────────────────────


def fetch(
    server: serving.Listener, form: dict[str, str], headers: dict[str, str | None] | None = None
) -> wire.Answer:
    body = urlencode(form).encode()
    usual = {"Content-Type": FORM, "Authorization": None}
    request = wire.post(body, path="/oauth2/token", headers=usual | (headers or {}))
    return wire.exchange(server.port, request)


GRANT = {"grant_type": "client_credentials"}


@pytest.mark.parametrize("how", ["in the form", "by Basic"])
def test_an_operator_fetches_its_token_and_sends_with_it(how, server, secrets):
    in_form = {"client_id": "rich", "client_secret": secrets.client}
    if how == "in the form":
        answer = fetch(server, GRANT | in_form)
    else:
        answer = fetch(server, GRANT, by_basic("rich", secrets.client))
    given = answer.json()
    assert answer.status == 200
    assert answer.header("cache-control") == "no-store"
    assert given["token_type"] == "Bearer"
    assert (given["expires_in"], given["scope"]) == (3600, "notifications:write")
    assert post(server, by_token(given["access_token"])) == (201, None)
    assert principal(server) == ("rich", "jwt:rich", "127.0.0.1")
    reading = wire.request("GET", "/admin/stats", bearer=given["access_token"])
    assert wire.exchange(server.port, reading).code == 50


@pytest.mark.parametrize(
    ("form", "status", "code", "error"),
    [
        (GRANT, 401, 40, "invalid_client"),
        (GRANT | {"client_id": "rich", "client_secret": "x"}, 401, 41, "invalid_client"),
        (GRANT | {"client_id": "rich"}, 401, 40, "invalid_client"),
        ({"grant_type": "password", "RICH": ""}, 400, 24, "unsupported_grant_type"),
        ({"RICH": ""}, 400, 23, "invalid_request"),
        (GRANT | {"scope": "admin", "RICH": ""}, 400, 24, "invalid_scope"),
        ({}, 400, 21, "invalid_request"),
    ],
)
def test_who_gets_no_token_is_told_why_in_both_languages(
    form, status, code, error, server, secrets
):
    before = seeing.quarantined(server)
    if "RICH" in form:
        form = {n: v for n, v in form.items() if n != "RICH"}
        form |= {"client_id": "rich", "client_secret": secrets.client}
    answer = fetch(server, form)
    said = answer.json()
    assert (answer.status, said["code"], said["error"]) == (status, code, error)
    assert said["error_description"] == said["message"]
    assert said["@type"] == "ErrorRepresentation"
    assert ("www-authenticate" in dict(answer.headers)) is (status == 401)
    assert seeing.quarantined(server) == before


# ── withdrawal ───────────────────────────────────────────────────────────────────────────────────


def test_a_revoked_credential_stops_within_5_seconds_and_so_do_its_tokens(server):
    secret = seeing.command(server, "credential", "add", "rich", "--type", "client").stdout.strip()
    form = GRANT | {"client_id": "rich", "client_secret": secret}
    until(lambda: fetch(server, form).status == 200)
    token = by_token(fetch(server, form).json()["access_token"])
    assert post(server, token) == (201, None)
    seeing.command(server, "credential", "revoke", key_id(secret))
    until(lambda: post(server, token) == (401, 41))
    assert fetch(server, form).json()["error"] == "invalid_client"


def test_voided_tokens_stop_within_5_seconds_and_new_ones_are_honoured(server):
    old = by_token(serving.token(source="receives_200"))
    assert post(server, old) == (200, None)
    seeing.command(server, "credential", "void", "receives_200")
    until(lambda: post(server, old) == (401, 41))
    until(lambda: post(server, by_token(serving.token(source="receives_200"))) == (200, None))
    assert post(server, old) == (401, 41)
    assert post(server, by_token(serving.token(source="local"))) == (201, None)


# ── addresses ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:51234", "192.0.2.7"),
        ("192.0.2.7, 10.1.2.3", "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:51234", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, 203.0.113.9", None),
        ("192.0.2.7, unknown", None),
        ("203.0.113.9", None),
        ("", None),
        (None, None),
    ],
)
def test_an_allow_list_sees_what_trusted_proxies_say(forwarded, seen, server):
    walled = by_token(serving.token(source="walled"))
    found = post(server, walled | {"X-Forwarded-For": forwarded, "Forwarded": "for=192.0.2.7"})
    if seen is None:
        assert found == (403, 52)
    else:
        assert found == (201, None)
        assert principal(server) == ("walled", "jwt:walled", seen)


@pytest.mark.parametrize(
    ("headers", "trailer", "code"),
    [
        ({"X-Forwarded-For": "203.0.113.9"}, "X-Forwarded-For: 192.0.2.7", 52),
        ({"Authorization": None}, f"Authorization: Bearer {serving.token(source='walled')}", 40),
    ],
)
def test_what_comes_after_the_body_is_no_header(headers, trailer, code, server):
    body = bodies.body()
    chunked = {"Content-Length": None, "Transfer-Encoding": "chunked"}
    bearer = serving.token(source="walled")
    request = wire.post(b"", bearer=bearer, headers=chunked | headers)
    chunks = b"%x\r\n%s\r\n0\r\n%s\r\n\r\n" % (len(body), body, trailer.encode())
    assert wire.exchange(server.port, request + chunks).code == code


def test_without_trusted_proxies_a_forwarded_address_is_not_believed(tmp_path):
    config = '[[source]]\nname = "walled"\nallow = ["192.0.2.0/24"]\n'
    with serving.listener(tmp_path / "plain", config=config, arguments=serving.DOOR) as plain:
        walled = by_token(serving.token(source="walled"))
        assert post(plain, walled | {"X-Forwarded-For": "192.0.2.7"}) == (403, 52)


# ── forged tokens ────────────────────────────────────────────────────────────────────────────────


def times(**changes: Any) -> dict[str, Any]:
    """Times of now, and these changes."""
    now = int(time.time())
    return {"iat": now - 1, "exp": now + 300} | changes


def remote(changes: dict[str, Any] | None = None, **header: Any) -> str:
    return forging.remote(forging.remote_claims(**times() | (changes or {})), **header)


def ours(changes: dict[str, Any] | None = None, **header: Any) -> str:
    claims = forging.local_claims(**times() | (changes or {}))
    return forging.local(claims, **{"sign": SIGNED} | header)


SIGNED = forging.hs256(serving.SECRET.encode())
PEM = (
    forging.rsa_key()
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)
FORGED = {
    "alg none": lambda: remote(alg="none", sign=lambda _: b""),
    "alg none, as ours": lambda: ours(alg="none", sign=lambda _: b""),
    "HS256 by the public key": lambda: remote(alg="HS256", sign=forging.hs256(PEM)),
    "HS256 by the public key, as ours": lambda: ours(sign=forging.hs256(PEM)),
    "RS256 as ours": lambda: forging.remote(forging.local_claims(**times()), kid="local"),
    "another key": lambda: remote(sign=forging.rs256(forging.rsa_key("two"))),
    "the key in its header": lambda: remote(
        kid="attacker",
        jwk=forging.rsa_jwk("attacker", forging.rsa_key("attacker")),
        sign=forging.rs256(forging.rsa_key("attacker")),
    ),
    "an unknown kid": lambda: remote(kid="nobody"),
    "no kid": lambda: remote(kid=None),
    "crit": lambda: remote(crit=["exp"]),
    "no exp": lambda: remote({"exp": None}),
    "no aud": lambda: remote({"aud": None}),
    "another aud": lambda: remote({"aud": "other"}),
    "another issuer": lambda: remote({"iss": "https://evil.example"}),
    "of the future": lambda: remote(times(iat=int(time.time()) + 3600)),
    "ours, of the future": lambda: ours(times(iat=int(time.time()) + 3600)),
    "ours, without exp": lambda: ours({"exp": None}),
    "too long": lambda: remote({"padding": "x" * 8192}),
    "its signature cut": lambda: remote()[:-8],
    "with a scope of its own": lambda: remote({"client_id": "nobody", "scope": "admin"}),
}
ANSWERS = {"with a scope of its own": (403, 51)}


@pytest.mark.parametrize("why", FORGED)
def test_a_forged_token_is_refused(why, server):
    token = by_token(FORGED[why]())
    assert post(server, token) == ANSWERS.get(why, (401, 41))
    assert post(server, token) == ANSWERS.get(why, (401, 41))


def test_a_good_token_of_a_remote_issuer_speaks_for_its_client(server, jwks):
    assert post(server, by_token(remote())) == (201, None)
    assert principal(server)[:2] == ("orange", "jwt:orange-notifier")
    old = int(time.time()) - 600
    assert post(server, by_token(remote(times(iat=old, exp=old + 300)))) == (401, 42)
    assert post(server, by_token(ours())) == (201, None)


def test_unknown_kids_do_not_make_us_ask_the_issuer_again_and_again(server, jwks):
    assert post(server, by_token(remote())) == (201, None)
    before = len(jwks.paths)
    for n in range(50):
        assert post(server, by_token(remote(kid=f"made-up-{n}"))) == (401, 41)
    assert len(jwks.paths) - before <= 1


# ── what is never told ───────────────────────────────────────────────────────────────────────────


def test_secrets_and_bodies_are_neither_logged_nor_shown_nor_stored(server, secrets):
    token = serving.token()
    fetched = fetch(server, GRANT | {"client_id": "rich", "client_secret": secrets.client})
    client_token = fetched.json()["access_token"]
    basic = by_basic("rich", secrets.basic)
    for headers, path in (
        (by_api_key(secrets.api_key), serving.PATH),
        (by_api_key(conftest.API_KEY), serving.PATH),
        (basic, serving.PATH),
        (by_basic("operator", conftest.PASSWORD), serving.PATH),
        (NOTHING, KEYED.format(secrets.callback_key)),
        (by_token(token), serving.PATH),
        (by_token(client_token), serving.PATH),
    ):
        assert post(server, headers, path) == (201, None)
    personal = "Testsson, Testgatan 1"
    for wrong in (b'{"name": "%s"' % personal.encode(), bodies.body(state=[personal])):
        answer = wire.exchange(
            server.port, wire.post(wrong, path=KEYED.format(secrets.callback_key))
        )
        assert answer.status == 400
    for path in (KEYED.format(secrets.callback_key + "x"), KEYED.format(secrets.api_key)):
        assert post(server, NOTHING, path) == (401, 41)
    get = wire.request("GET", KEYED.format(secrets.callback_key) + "?token=" + token)
    assert wire.exchange(server.port, get).code == 61
    told = [server.log, seeing.get(server, "/metrics").body.decode()]
    told += [seeing.get(server, f"/admin/{path}").body.decode() for path in ("sources", "audit")]
    data = Path(server.folder) / "data"
    stored = b"".join(file.read_bytes() for file in data.glob("listener.db*"))
    private = [
        secrets.api_key, secrets.basic, secrets.client, secrets.callback_key, token, client_token,
        conftest.API_KEY, conftest.PASSWORD, serving.SECRET, str(basic["Authorization"])[6:],
    ]  # fmt: skip
    for secret in private:
        assert not any(secret in text for text in told)
        assert not any(secret.rpartition(".")[2] in text for text in told)
        assert secret.encode() not in stored
    assert not any(personal in text for text in told)
    assert json.loads(server.log.splitlines()[-1])["event"] == "arrival"

"""Who may write and who may not: credentials, sources, revocation, addresses, rates."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from hypothesis import given, settings, strategies as st

from app import errors
from app.outbound import client
from app.security import access, credentials
from tests.security import forging as f

ORANGE = {
    "name": "orange",
    "auth": [
        {"type": "jwt", "issuer": "sso", "client_id": "orange-notifier"},
        {"type": "api_key"},
        {"type": "basic"},
        {"type": "callback_key"},
        {"type": "client"},
    ],
}


def bearer(token):
    return access.Presented(authorization=f"Bearer {token}")


def basic(user, password):
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    return access.Presented(authorization=f"Basic {text}")


class House:
    """An Access over some sources, with their credentials."""

    def __init__(self, *sources, issuers=()):
        self.clock = f.Clock()
        self.fetch = f.Keys(f.rsa_jwk("one"))
        self.configured = f.configuration(*sources, issuers=issuers)
        self.access, self.local = f.make_access(self.configured, self.clock, self.fetch)
        self.rows = []
        self.not_before = {}

    def credential(self, source, type_, **more):
        shown, row = credentials.make(
            source, type_, pepper=self.local.pepper, now=self.clock.now(), **more
        )
        self.rows = [*self.rows, row]
        self.access.refresh(self.rows, self.not_before)
        return shown

    def revoke_all(self):
        self.rows = []
        self.access.refresh(self.rows, self.not_before)

    def void_before(self, source, moment):
        self.not_before = {**self.not_before, source: moment}
        self.access.refresh(self.rows, self.not_before)

    def token(self, source="orange", scopes=("notifications:write",), ttl=3600):
        return self.local.issue(
            subject=source or "ops", scopes=scopes, ttl=timedelta(seconds=ttl), source=source
        )

    async def writer(self, presented, address="192.0.2.1"):
        principal = await self.access.authenticate(presented)
        return self.access.writer_source(principal, address).name

    async def refusal(self, presented, address="192.0.2.1"):
        with pytest.raises(errors.Refused) as refused:
            await self.writer(presented, address)
        return refused.value.code


@pytest.mark.parametrize(
    ("type_", "present", "subject"),
    [
        ("api_key", lambda key: access.Presented(api_key=key), "api_key:{id}"),
        ("basic", lambda key: basic("orange", key), "basic:{id}"),
        ("callback_key", lambda key: access.Presented(callback_key=key), "callback_key:{id}"),
    ],
)
async def test_a_credential_made_for_a_source_writes_for_it_at_once(type_, present, subject):
    house = House(ORANGE)
    presented = present(house.credential("orange", type_))
    expected = access.Principal(
        source="orange",
        subject=subject.format(id=house.rows[0].id),
        scopes=frozenset({"notifications:write"}),
    )
    assert house.access.authenticate_now(presented) == expected
    assert await house.access.authenticate(presented) == expected
    assert await house.writer(presented) == "orange"


async def test_a_remote_client_writes_for_the_source_that_names_it():
    house = House(ORANGE, issuers=[f.issuer()])
    presented = bearer(f.remote())
    assert house.access.authenticate_now(presented) is None
    principal = await house.access.authenticate(presented)
    assert principal == access.Principal(
        "orange", "jwt:orange-notifier", frozenset({"notifications:write"})
    )
    assert house.access.authenticate_now(presented) == principal


async def test_a_remote_client_has_the_scopes_of_its_entry_and_not_of_its_token():
    entry = {"type": "jwt", "issuer": "sso", "client_id": "orange-notifier"}
    source = {"name": "orange", "auth": [entry | {"scopes": ["notifications:read"]}]}
    house = House(source, issuers=[f.issuer()])
    presented = bearer(f.remote(f.remote_claims(scope="admin notifications:write")))
    principal = await house.access.authenticate(presented)
    assert principal.scopes == {"notifications:read"}
    assert await house.refusal(presented) == 50


async def test_a_local_token_writes_for_the_source_it_names():
    house = House(ORANGE)
    principal = await house.access.authenticate(bearer(house.token()))
    assert principal == access.Principal("orange", "jwt:orange", frozenset({"notifications:write"}))


async def test_a_local_token_of_nobody_administers_and_does_not_write():
    house = House(ORANGE)
    principal = await house.access.authenticate(bearer(house.token(None, ["admin"])))
    house.access.require(principal, "admin")
    assert principal.source is None
    with pytest.raises(errors.AccessDenied):
        house.access.writer_source(principal, "192.0.2.1")


DECLARED = {
    "name": "orange",
    "auth": [
        {"type": "api_key", "key": "a-key-of-the-file", "scopes": ["notifications:read"]},
        {"type": "basic", "username": "orange-user", "password": "pässword"},
    ],
}


async def test_an_api_key_in_the_file_is_known():
    principal = await House(DECLARED).access.authenticate(
        access.Presented(api_key="a-key-of-the-file")
    )
    assert principal == access.Principal(
        "orange", "api_key:orange", frozenset({"notifications:read"})
    )


async def test_a_password_in_the_file_is_known():
    principal = await House(DECLARED).access.authenticate(basic("orange-user", "pässword"))
    assert principal == access.Principal(
        "orange", "basic:orange-user", frozenset({"notifications:write"})
    )


UNKNOWN = {
    "api key unknown": access.Presented(api_key="0123456789abcdef.abc"),
    "api key without a dot": access.Presented(api_key="abc"),
    "api key not ASCII": access.Presented(api_key="\ud800é"),
    "callback key unknown": access.Presented(callback_key="abc.def"),
    "callback key empty": access.Presented(callback_key=""),
    "scheme unknown": access.Presented(authorization="Digest username=orange"),
    "no scheme": access.Presented(authorization="abc"),
    "Bearer alone": access.Presented(authorization="Bearer"),
    "Bearer and a word": bearer("abc"),
    "Bearer and two words": bearer(f"{f.local()} x"),
    "Basic alone": access.Presented(authorization="Basic"),
    "Basic no base64": access.Presented(authorization="Basic !!!"),
    "Basic without colon": access.Presented(authorization="Basic b3Jhbmdl"),
    "Basic not UTF-8": access.Presented(authorization="Basic /zp4"),
    "Basic not ASCII": access.Presented(authorization="Basic é\ud800"),
    "Basic unknown": basic("orange", "x"),
    "Basic with a wrong password of the file": basic("orange-user", "password"),
    "Basic without a password": basic("orange-user", ""),
}


@pytest.mark.parametrize("presented", UNKNOWN.values(), ids=UNKNOWN.keys())
async def test_credentials_that_are_not_known_are_refused_with_41(presented):
    house = House(DECLARED)
    assert house.access.authenticate_now(presented) is None
    assert await house.refusal(presented) == 41


@pytest.mark.parametrize("presented", [access.Presented(), access.Presented("", "")])
async def test_no_credentials_are_refused_with_40(presented):
    house = House(ORANGE)
    assert house.access.authenticate_now(presented) is None
    assert await house.refusal(presented) == 40


async def test_a_key_with_another_secret_is_refused():
    house = House(ORANGE)
    shown = house.credential("orange", "api_key")
    for forged in (shown[:-1], shown + "x", shown.partition(".")[0] + ".", shown.upper()):
        assert await house.refusal(access.Presented(api_key=forged)) == 41


async def test_a_credential_counts_only_where_its_type_is_presented():
    house = House(ORANGE)
    key = house.credential("orange", "api_key")
    assert await house.refusal(access.Presented(callback_key=key)) == 41
    assert await house.refusal(basic("orange", key)) == 41
    secret = house.credential("orange", "client")
    assert await house.refusal(basic("orange", secret)) == 41


async def test_a_password_counts_only_for_its_own_source():
    house = House(ORANGE, {"name": "telia", "auth": [{"type": "basic"}]})
    password = house.credential("orange", "basic")
    assert await house.refusal(basic("telia", password)) == 41


async def test_what_the_path_says_counts_before_the_headers():
    house = House(ORANGE)
    key = house.credential("orange", "callback_key")
    both = access.Presented(authorization="Bearer junk", callback_key=key)
    assert await house.writer(both) == "orange"


async def test_a_credential_that_has_expired_is_refused_with_42():
    house = House(ORANGE)
    key = house.credential("orange", "api_key", expires_at=f.NOW + timedelta(hours=1))
    presented = access.Presented(api_key=key)
    assert await house.writer(presented) == "orange"
    house.clock.turn(3600)
    assert await house.refusal(presented) == 42
    assert await house.refusal(access.Presented(api_key=key[:-1])) == 41


async def test_a_revoked_credential_stops_at_the_next_refresh():
    house = House(ORANGE)
    presented = access.Presented(api_key=house.credential("orange", "api_key"))
    assert await house.writer(presented) == "orange"
    house.revoke_all()
    assert await house.refusal(presented) == 41


def test_a_refresh_that_brings_nothing_new_costs_nothing():
    house = House(ORANGE)
    house.credential("orange", "api_key")
    before = house.access._directory
    house.access.refresh(list(house.rows), dict(house.not_before))
    assert house.access._directory is before


async def test_two_credentials_of_a_type_hold_while_one_is_rotated():
    house = House(ORANGE)
    old, new = (house.credential("orange", "api_key") for _ in "12")
    for key in (old, new):
        assert await house.writer(access.Presented(api_key=key)) == "orange"


@pytest.mark.parametrize(
    ("auth", "holding"),
    [
        ([], {"api_key", "basic"}),
        ([{"type": "api_key"}], {"api_key"}),
        ([{"type": "callback_key"}], {"callback_key"}),
        ([{"type": "client"}], set()),
    ],
)
async def test_a_source_is_reached_by_the_types_it_lists(auth, holding):
    house = House({"name": "orange", "auth": auth})
    ways = {
        "api_key": lambda key: access.Presented(api_key=key),
        "basic": lambda key: basic("orange", key),
        "callback_key": lambda key: access.Presented(callback_key=key),
    }
    found = {
        type_
        for type_, present in ways.items()
        if house.access.authenticate_now(present(house.credential("orange", type_)))
    }
    assert found == holding


async def test_verified_tokens_of_a_source_are_void_once_it_says_so():
    house = House(ORANGE, {"name": "telia"}, issuers=[f.issuer()])
    local, remote = bearer(house.token()), bearer(f.remote())
    other = bearer(house.token("telia"))
    for presented in (local, remote):
        assert await house.writer(presented) == "orange"
    house.void_before("orange", f.NOW + timedelta(seconds=1))
    for presented in (local, remote):
        assert house.access.authenticate_now(presented) is None
        assert await house.refusal(presented) == 41
    assert await house.writer(other) == "telia"
    house.clock.turn(1)
    assert await house.writer(bearer(house.token())) == "orange"


async def test_the_later_of_file_and_store_says_which_tokens_are_void():
    house = House(ORANGE | {"tokens_not_before": f.NOW + timedelta(hours=1)})
    token = bearer(house.token(ttl=86400))
    house.void_before("orange", f.NOW - timedelta(hours=1))
    assert await house.refusal(token) == 41


async def test_a_client_that_no_source_names_is_refused_with_51():
    house = House({"name": "orange"}, issuers=[f.issuer()])
    presented = bearer(f.remote())
    assert await house.refusal(presented) == 51
    with pytest.raises(errors.AccessDenied):
        house.access.require(await house.access.authenticate(presented), "notifications:read")


async def test_a_source_that_is_not_configured_is_refused_with_51():
    house = House(ORANGE)
    assert await house.refusal(bearer(house.token("gone"))) == 51
    key = house.credential("gone", "api_key")
    assert await house.refusal(access.Presented(api_key=key)) == 51
    admin = bearer(house.token(None, ["admin", "notifications:write"]))
    assert await house.refusal(admin) == 51


async def test_a_disabled_source_is_refused_with_52():
    house = House(ORANGE | {"enabled": False})
    assert await house.refusal(bearer(house.token())) == 52


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("192.0.2.7", None),
        ("::ffff:192.0.2.7", None),
        ("2001:db8::1", None),
        ("192.0.3.1", 52),
        ("2001:db9::1", 52),
        ("", 52),
        ("unix", 52),
    ],
)
async def test_a_source_sends_from_where_it_may(address, code):
    house = House(ORANGE | {"allow": ["192.0.2.0/24", "2001:db8::/32"]})
    presented = bearer(house.token())
    if code is None:
        assert await house.writer(presented, address) == "orange"
    else:
        assert await house.refusal(presented, address) == code


async def test_the_checks_come_in_their_order():
    house = House(ORANGE | {"enabled": False, "allow": ["192.0.2.0/24"], "rate": 1})
    reader = bearer(house.token(scopes=["notifications:read"]))
    assert await house.refusal(reader, "203.0.113.1") == 50
    assert await house.refusal(bearer(house.token("gone")), "203.0.113.1") == 51
    assert await house.refusal(bearer(house.token()), "203.0.113.1") == 52


async def test_a_source_sends_as_many_as_its_rate_in_any_minute():
    house = House(ORANGE | {"rate": 3}, {"name": "telia"})
    presented = bearer(house.token())
    for _ in range(3):
        assert await house.writer(presented) == "orange"
        house.clock.turn(10)
    with pytest.raises(errors.TooManyRequests) as refused:
        await house.writer(presented)
    assert (refused.value.code, refused.value.retry_after) == (53, 30)
    assert await house.writer(bearer(house.token("telia"))) == "telia"
    house.clock.turn(29.9)
    assert await house.refusal(presented) == 53
    house.clock.turn(0.1)
    assert await house.writer(presented) == "orange"
    assert await house.refusal(presented) == 53


async def test_what_is_refused_for_its_rate_does_not_count():
    house = House(ORANGE | {"rate": 1})
    presented = bearer(house.token())
    assert await house.writer(presented) == "orange"
    for _ in range(5):
        house.clock.turn(11)
        assert await house.refusal(presented) == 53
    house.clock.turn(5)
    assert await house.writer(presented) == "orange"


async def test_a_reload_withdraws_and_admits_at_once():
    house = House(ORANGE, issuers=[f.issuer()])
    local, remote = bearer(house.token()), bearer(f.remote())
    key = access.Presented(api_key=house.credential("orange", "api_key"))
    for presented in (local, remote, key):
        assert await house.writer(presented) == "orange"
    house.access.reload(f.configuration(ORANGE | {"enabled": False}, issuers=[f.issuer()]))
    for presented in (local, remote, key):
        assert await house.refusal(presented) == 52
    house.access.reload(f.configuration({"name": "telia"}))
    assert [await house.refusal(one) for one in (local, remote, key)] == [51, 41, 51]
    house.access.reload(f.configuration(ORANGE, issuers=[f.issuer()]))
    for presented in (local, remote, key):
        assert await house.writer(presented) == "orange"


async def test_a_reload_keeps_the_keys_of_an_issuer_that_stays():
    house = House(ORANGE, issuers=[f.issuer()])
    await house.writer(bearer(f.remote()))
    house.access.reload(house.configured)
    assert await house.writer(bearer(f.remote())) == "orange"
    assert house.fetch.asked == 1


async def test_a_reload_forgets_no_rate_that_stays_and_takes_a_new_one():
    house = House(ORANGE | {"rate": 1})
    presented = bearer(house.token())
    await house.writer(presented)
    house.access.reload(house.configured)
    assert await house.refusal(presented) == 53
    house.access.reload(f.configuration(ORANGE | {"rate": 2}))
    assert await house.writer(presented) == "orange"


async def test_when_nobody_can_tell_it_is_our_trouble():
    house = House(ORANGE, issuers=[f.issuer()])
    house.fetch.body = client.FetchFailed("away")
    with pytest.raises(errors.Unavailable):
        await house.access.authenticate(bearer(f.remote()))


HEADERS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=st.characters(codec="latin-1"), max_size=60).map("Bearer {}".format),
    st.text(max_size=60).map("Basic {}".format),
    st.binary(max_size=60).map(lambda b: "Basic " + base64.b64encode(b).decode()),
    st.from_regex(r"(?i)bearer [\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}"),
)


@given(
    presented=st.builds(
        access.Presented,
        authorization=st.none() | HEADERS,
        api_key=st.none() | st.text(max_size=60),
        callback_key=st.none() | st.text(max_size=60),
    )
)
@settings(max_examples=400, deadline=None)
async def test_whatever_is_presented_the_answer_is_40_41_or_42(presented):
    house = House(ORANGE, issuers=[f.issuer()])
    assert house.access.authenticate_now(presented) is None
    with pytest.raises(
        (errors.NoCredentials, errors.InvalidCredentials, errors.ExpiredCredentials)
    ):
        await house.access.authenticate(presented)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_the_scheme_is_read_in_any_case(scheme):
    house = House(ORANGE)
    presented = access.Presented(authorization=f"{scheme}  {house.token()} ")
    assert await house.writer(presented) == "orange"


# ── POST /oauth2/token ───────────────────────────────────────────────────────────────────────────


def form(**fields):
    return {"grant_type": "client_credentials", **fields}


async def test_a_client_gets_a_token_that_writes_for_its_source():
    house = House(ORANGE)
    secret = house.credential("orange", "client")
    for granted in (
        house.access.oauth_token(form(client_id="orange", client_secret=secret), None),
        house.access.oauth_token(form(), basic("orange", secret).authorization),
    ):
        assert (granted.expires_in, granted.scope) == (3600, "notifications:write")
        principal = await house.access.authenticate(bearer(granted.access_token))
        assert principal == access.Principal(
            "orange", "jwt:orange", frozenset({"notifications:write"})
        )


async def test_a_client_s_token_holds_for_an_hour():
    house = House(ORANGE)
    secret = house.credential("orange", "client")
    granted = house.access.oauth_token(form(client_id="orange", client_secret=secret), None)
    house.clock.turn(3599)
    assert await house.writer(bearer(granted.access_token)) == "orange"
    house.clock.turn(1)
    assert await house.refusal(bearer(granted.access_token)) == 42


async def test_a_token_ends_with_the_credential_it_was_made_for():
    house = House(ORANGE)
    secret = house.credential("orange", "client")
    granted = house.access.oauth_token(form(client_id="orange", client_secret=secret), None)
    presented = bearer(granted.access_token)
    assert await house.writer(presented) == "orange"
    house.revoke_all()
    assert await house.refusal(presented) == 41


async def test_a_client_may_ask_for_fewer_scopes_and_not_for_more():
    entry = {"type": "client", "scopes": ["notifications:write", "notifications:read"]}
    house = House({"name": "orange", "auth": [entry]})
    named = {"client_id": "orange", "client_secret": house.credential("orange", "client")}
    granted = house.access.oauth_token(form(scope="notifications:read", **named), None)
    principal = await house.access.authenticate(bearer(granted.access_token))
    assert (granted.scope, principal.scopes) == ("notifications:read", {"notifications:read"})
    every = house.access.oauth_token(form(**named), None)
    assert every.scope == "notifications:read notifications:write"
    denied = house.access.oauth_token(form(scope="notifications:read admin", **named), None)
    assert denied.error == "invalid_scope"


async def test_a_token_loses_the_scopes_its_entry_loses():
    entry = {"type": "client", "scopes": ["notifications:write", "notifications:read"]}
    house = House({"name": "orange", "auth": [entry]})
    secret = house.credential("orange", "client")
    granted = house.access.oauth_token(form(client_id="orange", client_secret=secret), None)
    house.access.reload(f.configuration({"name": "orange", "auth": [{"type": "client"}]}))
    principal = await house.access.authenticate(bearer(granted.access_token))
    assert principal.scopes == {"notifications:write"}


@pytest.mark.parametrize(
    ("fields", "authorization", "error"),
    [
        ({"client_id": "orange", "client_secret": "S"}, None, "invalid_request"),
        ({"grant_type": "password"}, "GOOD", "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, None, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "orange"}, None, "invalid_client"),
        ({"grant_type": "client_credentials", "client_secret": "S"}, None, "invalid_client"),
        (form(client_id="orange", client_secret="S"), "GOOD", "invalid_request"),
        (form(client_id="orange", client_secret="x.y"), None, "invalid_client"),
        (form(client_id="orange", client_secret="\ud800"), None, "invalid_client"),
        (form(client_id="telia", client_secret="S"), None, "invalid_client"),
        (form(client_id="off", client_secret="OFF"), None, "invalid_client"),
        (form(client_id="gone", client_secret="GONE"), None, "invalid_client"),
        (form(client_id="orange", client_secret="OLD"), None, "invalid_client"),
        (form(client_id="orange", client_secret="API"), None, "invalid_client"),
        (form(), "Bearer x", "invalid_client"),
        (form(), "Basic !", "invalid_client"),
        (form(scope="admin"), "GOOD", "invalid_scope"),
    ],
)
async def test_a_client_that_cannot_have_a_token_is_told_why(fields, authorization, error):
    house = House(ORANGE, {"name": "telia"}, {"name": "off", "enabled": False})
    secrets = {
        "S": house.credential("orange", "client"),
        "OFF": house.credential("off", "client"),
        "GONE": house.credential("gone", "client"),
        "OLD": house.credential("orange", "client", expires_at=f.NOW),
        "API": house.credential("orange", "api_key"),
    }
    fields = {name: secrets.get(value, value) for name, value in fields.items()}
    if authorization == "GOOD":
        authorization = basic("orange", secrets["S"]).authorization
    assert house.access.oauth_token(fields, authorization).error == error


async def test_a_local_token_that_pretends_to_a_remote_client_is_none():
    """The local issuer's subject is not looked up among the clients of remote issuers."""
    house = House(ORANGE, issuers=[f.issuer()])
    token = house.local.issue(
        subject="orange-notifier", scopes=["notifications:write"], ttl=timedelta(hours=1)
    )
    assert await house.refusal(bearer(token)) == 51
    assert (await house.access.authenticate(bearer(token))).source is None

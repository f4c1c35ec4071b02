"""The attack table: what each forged or malformed token is answered, and that good ones pass."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from hypothesis import given, settings, strategies as st
from jose import backends, jwe
from jose.backends import cryptography_backend

from app import errors
from app.security import jwks, jwt, signing
from tests.security import forging as f

ALL = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
ISSUED = int(f.NOW.timestamp())
PEM = (
    f.rsa_key()
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)
DER = (
    f.rsa_key()
    .public_key()
    .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
)
JWKS = (
    f.rsa_jwk("one"),
    f.rsa_jwk("encrypts", use="enc"),
    f.rsa_jwk("for-rs512", alg="RS512"),
    f.rsa_jwk("signs-only", key_ops=["sign"]),
    f.rsa_jwk("weak", f.rsa_key("weak", 1024)),
    f.rsa_jwk("private", d=f.number(f.rsa_key().private_numbers().d)),
    f.rsa_jwk("twice"),
    f.rsa_jwk("twice", f.rsa_key("two")),
    f.ec_jwk("curve"),
    f.ec_jwk("curve384", f.ec_key("big", ec.SECP384R1), "P-384"),
    f.ec_jwk("lying-curve", f.ec_key("big", ec.SECP384R1), "P-256"),
    {"kty": "oct", "kid": "shared", "k": f.b64(f.SECRET)},
    {"kty": "oct", "kid": "shared-too", "alg": "RS256", "k": f.b64(f.SECRET)},
    {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
    {"kty": "RSA", "kid": "cut", "n": "A" * 345, "e": "AQAB"},
    {"kty": "EC", "kid": "off-curve", "crv": "P-256", "x": f.b64(bytes(32)), "y": f.b64(bytes(32))},
    {"kty": "RSA", "kid": 7, "n": "AQAB", "e": "AQAB"},
    "no key at all",
)


def verifier(**changes: Any) -> jwt.Verifier:
    clock = f.Clock()
    issuer = f.issuer(**{"algorithms": ALL} | changes)
    return jwt.Verifier(signing.LocalIssuer(f.SECRET, clock), [issuer], f.Keys(*JWKS), clock)


def segments(token: str) -> list[str]:
    return token.split(".")


def nested(depth: int) -> bytes:
    return b'{"a":' + b"[" * depth + b"]" * depth + b"}"


GOOD = {
    "RS256": f.remote(),
    "RS384": f.remote(alg="RS384", sign=f.rs256(digest=hashes.SHA384)),
    "RS512 by a key bound to it": f.remote(
        alg="RS512", kid="for-rs512", sign=f.rs256(digest=hashes.SHA512)
    ),
    "ES256": f.remote(alg="ES256", kid="curve", sign=f.es256()),
    "ES384": f.remote(
        alg="ES384",
        kid="curve384",
        sign=f.es256(f.ec_key("big", ec.SECP384R1), hashes.SHA384),
    ),
    "without typ": f.remote(typ=None),
    "an access token by RFC 9068": f.remote(typ="at+JWT"),
    "several audiences": f.remote(f.remote_claims(aud=["other", "tmf-listener"])),
    "client in azp": f.remote(f.remote_claims(client_id=None, azp="orange-notifier")),
    "client in sub": f.remote(f.remote_claims(client_id=None, sub="orange-notifier")),
    "expired less than the leeway ago": f.remote(f.remote_claims(exp=ISSUED - 59)),
    "issued within the leeway": f.remote(f.remote_claims(iat=ISSUED + 60)),
    "valid within the leeway": f.remote(f.remote_claims(nbf=ISSUED + 60)),
    "times with a fraction": f.remote(f.remote_claims(iat=ISSUED - 0.5, exp=ISSUED + 9.5)),
    "keys in its header, which nobody asks": f.remote(
        jwk=f.rsa_jwk("one", f.rsa_key("attacker")), jku="https://attacker.example/", x5u="x"
    ),
}

INVALID = {
    "empty": "",
    "a word": "token",
    "two parts": "e30.e30",
    "four parts": f.remote() + ".e30",
    "a part is empty": "e30..e30",
    "padding": "=".join(segments(f.remote())),
    "blanks within": f.remote().replace(".", " . "),
    "a line's end": f.remote() + "\n",
    "a letter outside base64url": segments(f.remote())[0] + "+." + segments(f.remote())[1] + ".AA",
    "not ASCII": "é.é.é",
    "a lone surrogate": "\ud800.a.a",
    "too long": f.remote(f.remote_claims(padding="x" * 8192)),
    "header no JSON": f.compact(b"{", f.remote_claims(), f.rs256()),
    "header a list": f.compact([], f.remote_claims(), f.rs256()),
    "header not UTF-8": f.compact(b'{"alg":"\xff"}', f.remote_claims(), f.rs256()),
    "header says alg twice": f.compact(
        b'{"alg":"none","alg":"RS256","kid":"one"}', f.remote_claims(), f.rs256()
    ),
    "header too deep": f.compact(nested(2500), f.remote_claims(), f.rs256()),
    "claims no JSON": f.remote(b"x"),
    "claims a list": f.remote([]),
    "claims say iss twice": f.remote(
        json.dumps(f.remote_claims()).replace("{", '{"iss": "x", ', 1).encode()
    ),
    "claims too deep": f.remote(nested(2500)),
    "claims with NaN": f.remote(b'{"exp": NaN}'),
    "alg none, no signature": f.remote(alg="none", sign=lambda _: b""),
    "alg none": f.remote(alg="none", sign=lambda _: b"x"),
    "alg None": f.remote(alg="None", sign=lambda _: b"x"),
    "alg nOnE, local": f.local(alg="nOnE", sign=lambda _: b"x"),
    "no alg": f.remote(alg=None),
    "alg a list": f.remote(alg=["RS256"]),
    "alg null": f.compact({"alg": None, "kid": "one"}, f.remote_claims(), f.rs256()),
    "alg in small letters": f.remote(alg="rs256"),
    "alg unknown": f.remote(alg="EdDSA"),
    "alg PS256": f.remote(alg="PS256"),
    "HS256 by the public key as PEM": f.remote(alg="HS256", sign=f.hs256(PEM)),
    "HS256 by the public key as DER": f.remote(alg="HS256", sign=f.hs256(DER)),
    "HS256 by the modulus": f.remote(alg="HS256", sign=f.hs256(JWKS[0]["n"].encode())),
    "HS256 by our secret, from remote": f.remote(alg="HS256", sign=f.hs256()),
    "HS256 by a shared key in the JWKS": f.remote(alg="HS256", kid="shared", sign=f.hs256()),
    "a shared key that calls itself RS256": f.remote(kid="shared-too", sign=f.hs256()),
    "RS256 that claims to be ours": f.remote(f.local_claims()),
    "RS256 that claims to be ours, with our kid": f.remote(f.local_claims(), kid="local"),
    "HS512 that claims to be ours": f.local(alg="HS512"),
    "ours by another secret": f.local(sign=f.hs256(b"another")),
    "ours by no secret": f.local(sign=f.hs256(b"")),
    "ours without kid": f.local(kid=None),
    "ours with another kid": f.local(kid="one"),
    "remote without kid": f.remote(kid=None),
    "remote with an empty kid": f.remote(kid=""),
    "kid a number": f.remote(kid=7),
    "kid unknown": f.remote(kid="nobody"),
    "kid of several keys": f.remote(kid="twice"),
    "kid of another key": f.remote(sign=f.rs256(f.rsa_key("two"))),
    "kid that leaves the folder": f.remote(kid="../../dev/null"),
    "a key that encrypts": f.remote(kid="encrypts"),
    "a key that must not verify": f.remote(kid="signs-only"),
    "a key bound to another algorithm": f.remote(kid="for-rs512"),
    "a weak key": f.remote(kid="weak", sign=f.rs256(f.rsa_key("weak", 1024))),
    "a key that is public with its secret": f.remote(kid="private"),
    "a broken key": f.remote(kid="broken"),
    "a key cut short": f.remote(kid="cut"),
    "a point off its curve": f.remote(alg="ES256", kid="off-curve", sign=f.es256()),
    "RS256 by an EC key's kid": f.remote(kid="curve"),
    "ES256 by an RSA key's kid": f.remote(alg="ES256"),
    "ES256 on the wrong curve": f.remote(
        alg="ES256", kid="curve384", sign=f.es256(f.ec_key("big", ec.SECP384R1))
    ),
    "a curve that lies": f.remote(
        alg="ES256", kid="lying-curve", sign=f.es256(f.ec_key("big", ec.SECP384R1))
    ),
    "ES256 of zeros (psychic)": f.remote(alg="ES256", kid="curve", sign=lambda _: bytes(64)),
    "ES256 in DER": f.remote(
        alg="ES256", kid="curve", sign=lambda d: f.ec_key().sign(d, ec.ECDSA(hashes.SHA256()))
    ),
    "RS256 by PSS": f.remote(
        sign=lambda d: f.rsa_key().sign(
            d, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()
        )
    ),
    "signed by the key in its header": f.remote(
        kid="attacker",
        jwk=f.rsa_jwk("attacker", f.rsa_key("attacker")),
        sign=f.rs256(f.rsa_key("attacker")),
    ),
    "signature of another token": ".".join(
        [*segments(f.remote())[:2], segments(f.remote(f.remote_claims(sub="x")))[2]]
    ),
    "claims of another token": ".".join(
        [
            segments(f.remote())[0],
            segments(f.remote(f.remote_claims(client_id="admin")))[1],
            segments(f.remote())[2],
        ]
    ),
    "signature cut short": f.remote()[:-8],
    "crit": f.remote(crit=["exp"]),
    "crit, empty": f.remote(crit=[]),
    "b64 false": f.remote(b64=False),
    "zip": f.remote(zip="DEF"),
    "a type of something else": f.remote(typ="logout+jwt"),
    "type a number": f.remote(typ=1),
    "JWE": jwe.encrypt(b"{}", f.SECRET, encryption="A128CBC-HS256", algorithm="dir").decode(),
    "JWE's header in three parts": f.remote(alg="dir", enc="A256GCM"),
    "no iss": f.remote(f.remote_claims(iss=None)),
    "another iss": f.remote(f.remote_claims(iss="https://evil.example")),
    "iss with a slash more": f.remote(f.remote_claims(iss=f.ISSUER + "/")),
    "iss a list": f.remote(f.remote_claims(iss=[f.ISSUER])),
    "no aud": f.remote(f.remote_claims(aud=None)),
    "another aud": f.remote(f.remote_claims(aud="other")),
    "aud begins like ours": f.remote(f.remote_claims(aud="tmf-listener-2")),
    "aud an empty list": f.remote(f.remote_claims(aud=[])),
    "aud a list of numbers too": f.remote(f.remote_claims(aud=["tmf-listener", 1])),
    "aud an object": f.remote(f.remote_claims(aud={"tmf-listener": True})),
    "no exp": f.remote(f.remote_claims(exp=None)),
    "exp null": f.remote(json.dumps(f.remote_claims() | {"exp": None}).encode()),
    "exp text": f.remote(f.remote_claims(exp=str(ISSUED + 300))),
    "exp true": f.remote(f.remote_claims(exp=True)),
    "exp infinite": f.remote(
        json.dumps(f.remote_claims()).replace(str(ISSUED + 300), "1e400").encode()
    ),
    "exp negative": f.remote(f.remote_claims(exp=-1)),
    "exp beyond the year 9999": f.remote(f.remote_claims(exp=10**15)),
    "exp of 5000 digits": f.remote(
        json.dumps(f.remote_claims()).replace(str(ISSUED + 300), "9" * 5000).encode()
    ),
    "no iat": f.remote(f.remote_claims(iat=None)),
    "iat text": f.remote(f.remote_claims(iat="now")),
    "iat in the future": f.remote(f.remote_claims(iat=ISSUED + 61)),
    "nbf in the future": f.remote(f.remote_claims(nbf=ISSUED + 61)),
    "nbf text": f.remote(f.remote_claims(nbf="now")),
    "no client": f.remote(f.remote_claims(client_id=None, sub=None)),
    "client an object": f.remote(f.remote_claims(client_id={"id": "orange-notifier"})),
    "client empty": f.remote(f.remote_claims(client_id="")),
    "client good, sub a number": f.remote(f.remote_claims(sub=1)),
    "expired and for another": f.remote(f.remote_claims(exp=ISSUED - 600, aud="other")),
    "expired and forged": f.remote(
        f.remote_claims(exp=ISSUED - 600), sign=f.rs256(f.rsa_key("two"))
    ),
    "client with a NUL": f.remote(f.remote_claims(client_id="orange-notifier\0")),
    "client with a line's end": f.remote(f.remote_claims(client_id="orange\nnotifier")),
    "ours without sub": f.local(f.local_claims(sub=None)),
    "ours of half a character": f.local(f.local_claims(sub="\ud800")),
    "ours with a NUL in its source": f.local(f.local_claims(source="local\0")),
    "ours without exp": f.local(f.local_claims(exp=None)),
    "ours without iat": f.local(f.local_claims(iat=None)),
    "ours for another": f.local(f.local_claims(aud="other")),
    "ours of the next second": f.local(f.local_claims(iat=ISSUED + 1)),
    "ours of a source that is a list": f.local(f.local_claims(source=["local"])),
    "ours with a list of scopes": f.local(f.local_claims(scope=["admin"])),
    "ours with a credential that is a number": f.local(f.local_claims(credential=1)),
}

EXPIRED = {
    "remote, as long ago as the leeway": f.remote(f.remote_claims(exp=ISSUED - 60)),
    "remote, in 1970": f.remote(f.remote_claims(exp=0, iat=0)),
    "ours, this very second": f.local(f.local_claims(exp=ISSUED, iat=ISSUED - 60)),
    "ours, a second ago": f.local(f.local_claims(exp=ISSUED - 1, iat=ISSUED - 60)),
}


@pytest.mark.parametrize("token", GOOD.values(), ids=GOOD.keys())
async def test_a_good_remote_token_names_its_client_and_no_scopes(token):
    claims = await verifier().verify(token)
    assert (claims.issuer_name, claims.subject) == ("sso", "orange-notifier")
    assert (claims.scopes, claims.source, claims.credential) == (frozenset(), None, None)


@pytest.mark.parametrize("token", INVALID.values(), ids=INVALID.keys())
async def test_a_forged_or_malformed_token_is_refused_with_41(token):
    with pytest.raises(errors.InvalidCredentials) as refused:
        await verifier().verify(token)
    assert refused.value.code == 41


@pytest.mark.parametrize("token", EXPIRED.values(), ids=EXPIRED.keys())
async def test_a_token_that_is_only_too_old_is_refused_with_42(token):
    with pytest.raises(errors.ExpiredCredentials) as refused:
        await verifier().verify(token)
    assert refused.value.code == 42


async def test_an_algorithm_that_is_not_declared_for_the_issuer_is_refused():
    with pytest.raises(errors.InvalidCredentials):
        await verifier(algorithms=("RS256",)).verify(GOOD["ES256"])


async def test_a_remote_token_has_no_say_in_source_and_scopes():
    claims = await verifier().verify(
        f.remote(f.remote_claims(source="local", scope="admin", credential="x"))
    )
    assert (claims.source, claims.scopes, claims.credential) == (None, frozenset(), None)


async def test_our_own_token_says_what_was_put_into_it():
    clock = f.Clock()
    local = signing.LocalIssuer(f.SECRET, clock)
    token = local.issue(
        subject="orange",
        scopes=["notifications:write", "admin"],
        ttl=timedelta(minutes=5),
        source="orange",
        credential="c1",
    )
    assert await jwt.Verifier(local, [], f.no_keys, clock).verify(token) == signing.Claims(
        issuer_name="local",
        subject="orange",
        scopes=frozenset({"notifications:write", "admin"}),
        issued_at=f.NOW,
        expires_at=f.NOW + timedelta(minutes=5),
        source="orange",
        credential="c1",
    )


def test_a_secret_that_looks_like_a_key_pair_is_refused():
    with pytest.raises(errors.ConfigurationError, match="LISTENER_SECRET"):
        signing.LocalIssuer(PEM, f.Clock())


async def test_a_verified_token_is_known_for_a_minute_and_no_longer():
    clock = f.Clock()
    local = signing.LocalIssuer(f.SECRET, clock)
    verifying = jwt.Verifier(local, [], f.no_keys, clock)
    token = local.issue(subject="a", scopes=[], ttl=timedelta(hours=1))
    assert verifying.cached(token) is None
    claims = await verifying.verify(token)
    clock.turn(59.9)
    assert verifying.cached(token) is claims
    assert await verifying.verify(token) is claims
    clock.turn(0.1)
    assert verifying.cached(token) is None


async def test_a_verified_token_is_not_known_beyond_its_end():
    clock = f.Clock()
    local = signing.LocalIssuer(f.SECRET, clock)
    verifying = jwt.Verifier(local, [], f.no_keys, clock)
    token = local.issue(subject="a", scopes=[], ttl=timedelta(seconds=10))
    await verifying.verify(token)
    clock.turn(10)
    assert verifying.cached(token) is None
    with pytest.raises(errors.ExpiredCredentials):
        await verifying.verify(token)


async def test_the_cache_drops_what_was_not_used_for_longest(monkeypatch):
    monkeypatch.setattr(jwt, "CACHE_SIZE", 2)
    clock = f.Clock()
    local = signing.LocalIssuer(f.SECRET, clock)
    verifying = jwt.Verifier(local, [], f.no_keys, clock)
    first, second, third = (
        local.issue(subject=name, scopes=[], ttl=timedelta(hours=1)) for name in "abc"
    )
    await verifying.verify(first)
    await verifying.verify(second)
    assert verifying.cached(first)
    await verifying.verify(third)
    known = [verifying.cached(token) is not None for token in (first, second, third)]
    assert known == [True, False, True]


@pytest.mark.parametrize(
    "change",
    [
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"algorithms": []},
        {"name": "local"},
        {"issuer": "tmf-listener"},
        {"issuer": ""},
        {"audience": ""},
        {"jwks_url": "http://sso.example/certs"},
        {"jwks_url": "file:///etc/passwd"},
        {"jwks_url": "https://user:secret@sso.example/certs"},
        {"verify": False},
    ],
)
def test_an_issuer_that_would_be_unsafe_cannot_be_declared(change):
    with pytest.raises(ValueError, match="validation error"):
        f.issuer(**change)


def test_signatures_are_checked_by_cryptography_and_not_by_ecdsa():
    """ecdsa 0.19 is installed with python-jose and has CVE-2024-23342 (Minerva): it must sleep."""
    keys = jwks.read(f.jwks(f.rsa_jwk("r"), f.ec_jwk("e")), ["RS256", "ES256"]).keys
    assert type(keys["r", "RS256"]) is cryptography_backend.CryptographyRSAKey
    assert type(keys["e", "ES256"]) is cryptography_backend.CryptographyECKey
    assert type(signing.LocalIssuer(f.SECRET, f.Clock()).key) is backends.HMACKey
    assert backends.HMACKey is cryptography_backend.CryptographyHMACKey


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["iss", "aud", "sub", "exp", "iat", "nbf", "client_id", "azp", "scope"])


@given(changes=st.dictionaries(NAMES, JSON, min_size=1, max_size=4), ours=st.booleans())
@settings(max_examples=150, deadline=None)
async def test_whatever_a_signed_token_claims_it_is_read_or_refused(changes, ours):
    """Signed well, so that nothing but the claims decides."""
    claims = f.local_claims() if ours else f.remote_claims()
    token = f.local(claims | changes) if ours else f.remote(claims | changes)
    try:
        said = await verifier().verify(token)
    except (errors.InvalidCredentials, errors.ExpiredCredentials):
        return
    assert said.subject


@given(header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "x"]), JSON))
@settings(max_examples=150, deadline=None)
async def test_whatever_the_header_says_it_is_refused(header):
    token = f.compact({"alg": "RS256", **header}, f.remote_claims(), f.rs256())
    if header.get("kid") != "one":
        with pytest.raises(errors.InvalidCredentials):
            await verifier().verify(token)

"""What the security tests share: a clock to turn, keys, tokens built by hand, a JWKS server."""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import hmac
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from app.security import access, jwt, signing
from app.settings import Configuration
from app.sources import base

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2027, 1, 15, 12, 0, tzinfo=UTC)
ISSUER = "https://sso.example/realms/wholesale"
AUDIENCE = "tmf-listener"


class Clock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.moment = NOW
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def turn(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.seconds += seconds


@functools.cache
def rsa_key(name: str = "one", bits: int = 2048) -> rsa.RSAPrivateKey:
    """The RSA key called `name`: the same one in the whole run."""
    return rsa.generate_private_key(65537, bits)


@functools.cache
def ec_key(name: str = "one", curve: type[ec.EllipticCurve] = ec.SECP256R1) -> Any:
    """The EC key called `name`."""
    return ec.generate_private_key(curve())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def rsa_jwk(kid: str, key: rsa.RSAPrivateKey | None = None, **more: Any) -> dict[str, Any]:
    public = (key or rsa_key()).public_key().public_numbers()
    return {"kty": "RSA", "kid": kid, "n": number(public.n), "e": number(public.e), **more}


def ec_jwk(kid: str, key: Any = None, crv: str = "P-256", **more: Any) -> dict[str, Any]:
    public = (key or ec_key()).public_key().public_numbers()
    size = (public.curve.key_size + 7) // 8
    x, y = (b64(value.to_bytes(size, "big")) for value in (public.x, public.y))
    return {"kty": "EC", "kid": kid, "crv": crv, "x": x, "y": y, **more}


def jwks(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def remote_claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good remote token; a change to None leaves one out."""
    issued = int(NOW.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "f3b1",
        "client_id": "orange-notifier",
        "iat": issued,
        "exp": issued + 300,
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def local_claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token of ours; a change to None leaves one out."""
    issued = int(NOW.timestamp())
    claims = {
        "iss": "tmf-listener",
        "aud": "tmf-listener",
        "sub": "local",
        "source": "local",
        "scope": "notifications:write",
        "iat": issued,
        "exp": issued + 300,
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def compact(header: Any, claims: Any, sign: Callable[[bytes], bytes]) -> str:
    """A token of these parts; bytes are taken as they are."""
    parts = [
        one if isinstance(one, bytes) else json.dumps(one).encode() for one in (header, claims)
    ]
    signed = ".".join(b64(part) for part in parts)
    return f"{signed}.{b64(sign(signed.encode()))}"


def hs256(secret: bytes = SECRET) -> Callable[[bytes], bytes]:
    return lambda data: hmac.digest(secret, data, hashlib.sha256)


def rs256(key: rsa.RSAPrivateKey | None = None, digest: Any = hashes.SHA256) -> Any:
    return lambda data: (key or rsa_key()).sign(data, padding.PKCS1v15(), digest())


def es256(key: Any = None, digest: Any = hashes.SHA256) -> Callable[[bytes], bytes]:
    key = key or ec_key()
    size = (key.curve.key_size + 7) // 8

    def sign(data: bytes) -> bytes:
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(digest())))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    return sign


def remote(claims: Any = None, *, sign: Any = None, **header: Any) -> str:
    """A remote token, good unless told otherwise: RS256 by the key `one`, kid `one`."""
    full = {"typ": "JWT", "alg": "RS256", "kid": "one"} | header
    full = {name: value for name, value in full.items() if value is not None}
    return compact(full, remote_claims() if claims is None else claims, sign or rs256())


def local(claims: Any = None, *, sign: Any = None, **header: Any) -> str:
    """A token as ours are, good unless told otherwise."""
    full = {"typ": "JWT", "alg": "HS256", "kid": "local"} | header
    full = {name: value for name, value in full.items() if value is not None}
    return compact(full, local_claims() if claims is None else claims, sign or hs256())


def issuer(**changes: Any) -> signing.IssuerConfig:
    """The remote issuer the tokens above come from."""
    declared: dict[str, Any] = {
        "name": "sso",
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "jwks_url": "https://sso.example/certs",
    }
    return signing.IssuerConfig.model_validate(declared | changes)


class Keys:
    """A `fetch` that answers `body` (or raises it) and counts how often it is asked."""

    def __init__(self, *keys: Any) -> None:
        self.body: bytes | Exception = jwks(*keys)
        self.asked = 0

    async def __call__(self, _url: str) -> bytes:
        self.asked += 1
        if isinstance(self.body, Exception):
            raise self.body
        return self.body


async def no_keys(url: str) -> bytes:
    """A `fetch` for those who have no remote issuer."""
    raise AssertionError(url)


def configuration(*sources: dict[str, Any], issuers: Any = ()) -> Configuration:
    """A configuration of these sources, as listener.toml would declare them."""
    return Configuration(
        issuers=tuple(issuers),
        sources=tuple(base.SourceConfig.model_validate(one) for one in sources),
    )


def make_access(
    configured: Configuration, clock: Clock, fetch: Any = no_keys
) -> tuple[access.Access, signing.LocalIssuer]:
    """An Access over `configured`, and the local issuer it believes."""
    issuer_ = signing.LocalIssuer(SECRET, clock)
    verifier = jwt.Verifier(issuer_, configured.issuers, fetch, clock)
    return access.Access(configured, verifier, clock), issuer_


def certificate(folder: Path) -> Path:
    """A PEM file with a certificate of 127.0.0.1, signed by itself, and its key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    key, now = rsa_key("tls"), datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "loopback.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


class Server(ThreadingHTTPServer):
    """Answers every GET with `answer` (status, headers, body) on loopback, and notes the paths."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}/certs"


class _Answering(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # the client hangs up when it has read enough
            self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server on loopback for as long as the block runs."""
    with Server(tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

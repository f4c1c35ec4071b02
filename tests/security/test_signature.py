"""Signatures of what we send, held against the words of Standard Webhooks 1.0."""

import base64
import hashlib
import hmac

import pytest

from app.security import signature

BODY = '{"é": 1}'.encode()


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("whsec_" + base64.b64encode(b"k" * 24).decode(), b"k" * 24),
        ("plain words", b"plain words"),
        ("whsec_no base64", b"whsec_no base64"),
    ],
)
def test_what_is_signed_is_id_time_and_body_by_the_secret(secret, key):
    signed = hmac.new(key, b"msg-1.1614265330." + BODY, hashlib.sha256).digest()
    assert signature.headers(secret, "msg-1", 1614265330, BODY) == {
        "webhook-id": "msg-1",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1," + base64.b64encode(signed).decode(),
    }


def test_the_example_of_the_standard_is_signed_as_there():
    found = signature.headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

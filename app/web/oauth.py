"""`POST /oauth2/token`: tokens for operators that fetch them from the receiver (RFC 6749 §4.4).

Not here: who may have one (`security.oauth`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app import errors
from app.doors import deps, problems
from app.security import oauth

FORM: Final = "application/x-www-form-urlencoded"
LONGEST_FORM: Final = 16 * 1024
MOST_FIELDS: Final = 32
FIELDS: Final = frozenset({"grant_type", "client_id", "client_secret", "scope"})
"""What is read; RFC 6749 §3.2 has others ignored."""
CODES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "invalid_request": 23,
        "invalid_client": 41,
        "unsupported_grant_type": 24,
        "invalid_scope": 24,
    }
)

router = APIRouter()


@router.post("/oauth2/token")
async def token(request: Request, runtime: deps.The) -> Response:
    """Give a token, or say why not, both in the words of RFC 6749 and as `ErrorRepresentation`."""
    try:
        form = await _form(request)
    except errors.UnreadableBody as error:
        return _refused(error.code, "invalid_request", error.message)
    authorization = deps.presented(request).authorization
    match runtime.access.oauth_token(form, authorization):
        case oauth.Granted() as granted:
            return JSONResponse(
                {
                    "access_token": granted.access_token,
                    "token_type": "Bearer",
                    "expires_in": granted.expires_in,
                    "scope": granted.scope,
                },
                headers={"cache-control": "no-store", "x-content-type-options": "nosniff"},
            )
        case oauth.Denied(error=name, description=description):
            code = CODES[name]
            if name == "invalid_client" and not authorization and "client_secret" not in form:
                code = errors.NoCredentials.code
            return _refused(code, name, description)


def _refused(code: int, error: str, description: str) -> Response:
    found = problems.answer(code, description, error=error, error_description=description)
    return problems.response(found)


async def _form(request: Request) -> dict[str, str]:
    """The form's fields.

    Raises `errors.UnreadableBody` for anything but a small form with each field once, and
    `errors.BodyTooSlow`.
    """
    content_type = request.headers.get("content-type")
    if content_type is None:
        raise errors.UnreadableBody(25, f"Content-Type is missing; expected {FORM}")
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise errors.UnreadableBody(26, f"Content-Type is no form; expected {FORM}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            wanted = f"expected {LONGEST_FORM} bytes"
            raise errors.UnreadableBody(22, f"the form is too large; {wanted}")
    if not body:
        raise errors.UnreadableBody(21, "the body is empty; expected a form with grant_type")
    return _fields(bytes(body))


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise errors.UnreadableBody(22, "the body is no form in UTF-8") from None
    known = [(name, value) for name, value in pairs if name in FIELDS]
    fields = dict(known)
    if len(fields) < len(known):
        raise errors.UnreadableBody(24, "a field is given twice; expected each once")
    return fields

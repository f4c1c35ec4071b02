"""Sessions of the pages: the code of a sign-in link, and the cookie that follows it.

Both are claims sealed with a key made of our secret; they say who was let in and until when. What
that one may do is looked up on every request (`access.Access.standing`). Not here: cookies and
forms (`ui`), that a code is good for one use only (the audit trail, which keeps its id).
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from app import errors
from app.security import signing

CODE_TTL: Final = timedelta(seconds=60)
SESSION_TTL: Final = timedelta(hours=8)
LONGEST: Final = 3800
"""Most characters of a sealed text: a browser keeps cookies up to 4 096."""

Use = Literal["code", "session"]


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who was let in: by the code, or the token, `id`."""

    id: str
    claims: signing.Claims


class Seal:
    """Seals and opens; `key` is the pepper of the local issuer."""

    def __init__(self, key: bytes) -> None:
        self._key: Final = hmac.digest(key, b"tmf-listener: pages", "sha256")

    def code(self, id_: str, subject: str, scopes: Iterable[str], now: datetime) -> str:
        """The code of a sign-in link for `subject`, good for 60 s from `now`."""
        claims = signing.Claims(signing.LINK, subject, frozenset(scopes), now, now + CODE_TTL)
        return self._seal("code", Session(id_, claims))

    def opened(self, code: str, now: datetime) -> Session:
        """The session `code` opens. Raises InvalidCredentials, ExpiredCredentials."""
        found = self._open("code", code, now)
        return self.begun(found.id, found.claims, now, until=now + SESSION_TTL)

    def begun(
        self, id_: str, claims: signing.Claims, now: datetime, *, until: datetime | None = None
    ) -> Session:
        """A session with `claims`: until they end (or `until`), at most for 8 hours."""
        ends = min(until or claims.expires_at, now + SESSION_TTL)
        kept = signing.Claims(
            claims.issuer_name,
            claims.subject,
            claims.scopes,
            claims.issued_at,
            ends,
            claims.source,
            claims.credential,
        )
        return Session(id_, kept)

    def cookie(self, session: Session) -> str:
        """`session` as the text of its cookie."""
        return self._seal("session", session)

    def session(self, cookie: str, now: datetime) -> Session:
        """The session of a cookie. Raises InvalidCredentials, ExpiredCredentials."""
        return self._open("session", cookie, now)

    def form_token(self, session: Session) -> str:
        """What every form of `session` bears, so that no other site can post in its name."""
        return hmac.digest(self._key, b"form:" + session.id.encode(), "sha256").hex()

    def _seal(self, use: Use, session: Session) -> str:
        claims = session.claims
        document = {
            "id": session.id,
            "issuer": claims.issuer_name,
            "subject": claims.subject,
            "scopes": sorted(claims.scopes),
            "issued": claims.issued_at.timestamp(),
            "expires": claims.expires_at.timestamp(),
            "source": claims.source,
            "credential": claims.credential,
        }
        body = _text(json.dumps(document, separators=(",", ":")).encode())
        return f"{body}.{self._signature(use, body)}"

    def _open(self, use: Use, text: str, now: datetime) -> Session:
        body, _, signature = text.partition(".")
        if len(text) > LONGEST or not text.isascii():
            raise errors.InvalidCredentials
        if not same(signature, self._signature(use, body)):
            raise errors.InvalidCredentials
        document = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        claims = signing.Claims(
            issuer_name=document["issuer"],
            subject=document["subject"],
            scopes=frozenset(document["scopes"]),
            issued_at=datetime.fromtimestamp(document["issued"], UTC),
            expires_at=datetime.fromtimestamp(document["expires"], UTC),
            source=document["source"],
            credential=document["credential"],
        )
        if claims.expires_at <= now:
            raise errors.ExpiredCredentials
        return Session(document["id"], claims)

    def _signature(self, use: Use, body: str) -> str:
        return _text(hmac.digest(self._key, f"{use}:{body}".encode(), "sha256"))


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def same(given: str, expected: str) -> bool:
    """Whether two secret texts are the same; takes as long for any."""
    return hmac.compare_digest(given.encode(), expected.encode())

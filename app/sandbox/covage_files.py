"""Covage's intervention reports: links that live 30 minutes and differ at every read, and the file.

Source: seed 002, "CRI". Not here: the event that carries the link (`covage_events`).
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app import clock
from app.sandbox import chance

PDF: Final = b"""%%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 60]/Contents 4 0 R\
/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj
4 0 obj<</Length %d>>stream
%s
endstream endobj
trailer<</Root 1 0 R>>
%%%%EOF
"""
REFUSED: Final = """<?xml version="1.0" encoding="utf-8"?>
<Error><Code>AuthenticationFailed</Code><Message>Signature not valid in the specified time frame\
</Message></Error>"""


class Files:
    """Signs links and serves what they lead to."""

    def __init__(self, seed: int, lifetime: float, time: clock.Clock) -> None:
        self._key = chance.uuid(seed, "file key").encode()
        self._lifetime = timedelta(seconds=lifetime)
        self._clock = time
        self._signed = 0

    def link(self, base: str, path: str) -> str:
        """`base` and `path` with a token: no two alike, good for the lifetime."""
        self._signed += 1
        ends = self._clock.now() + self._lifetime
        token = f"{ends:%Y-%m-%dT%H:%M:%SZ}-{self._signed}"
        return f"{base}{path}?se={token}-{self._signature(path, token)}"

    async def serve(self, request: Request) -> Response:
        """The file, or 403 as a blob store says it."""
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        token, _, signature = request.query_params.get("se", "").rpartition("-")
        good = hmac.compare_digest(self._signature(path, token).encode(), signature.encode())
        if not good or not self._in_time(token):
            return Response(REFUSED, 403, media_type="application/xml")
        text = f"BT /F 12 Tf 10 25 Td ({path.split('/')[2]}) Tj ET".encode()
        return Response(PDF % (len(text), text), media_type="application/pdf")

    def _in_time(self, token: str) -> bool:
        return self._clock.now() <= datetime.fromisoformat(token.rpartition("-")[0])

    def _signature(self, path: str, token: str) -> str:
        return hmac.new(self._key, f"{path}?{token}".encode(), hashlib.sha256).hexdigest()

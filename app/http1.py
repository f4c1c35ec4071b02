"""HTTP/1.1 as real senders speak it: uvicorn's protocol, which loses bodies and answers in text.

Java's HttpClient, and what is built on it, offers `Upgrade: h2c` with every request over plain
HTTP. httptools takes that for the end of HTTP and drops the body (uvicorn issue 2722), though a
server that does not upgrade reads on (RFC 9110 §7.8). Here such a request is read again without
its offer. What is not HTTP is answered with an ErrorRepresentation, like every other refusal.
"""

from __future__ import annotations

from typing import Final

import httptools
from uvicorn.protocols.http import httptools_impl

from app.doors import problems

NOT_HTTP: Final = 22
UNREADABLE: Final = "This is no request we can read; expected HTTP/1.1"
CONNECT: Final = b"CONNECT"
OFFERS: Final = frozenset({b"upgrade", b"http2-settings"})


class Protocol(httptools_impl.HttpToolsProtocol):
    """One connection. `_offered`: the request being parsed offers an upgrade."""

    _offered = False

    def data_received(self, data: bytes) -> None:
        """Take what came; where a request offers an upgrade, take it again without the offer."""
        self._unset_keepalive_if_required()
        rest: bytes | None = data
        while rest is not None:
            rest = self._feed(rest)

    def _feed(self, data: bytes) -> bytes | None:
        """Parse `data`; gives what is to be parsed instead of the rest of it, if anything is."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as end:
            if not self._offered:
                return None  # CONNECT: refused already, and nothing after it is HTTP
            head = self._head_without_offer()
            self._offered = False
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            return head + data[end.args[0] :]
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response(UNREADABLE)
        return None

    def on_headers_complete(self) -> None:
        """Begin the request, unless it offers an upgrade and will be read again."""
        self._offered = self.parser.should_upgrade() and self.parser.get_method() != CONNECT
        if not self._offered:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request, unless it will be read again."""
        if not self._offered:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer 400/22 for what is not HTTP, and hang up."""
        found = problems.answer(NOT_HTTP, msg, headers=[(b"connection", b"close")])
        lines = [b"%s: %s\r\n" % pair for pair in found.headers]
        head = httptools_impl.STATUS_LINE[found.status]
        self.transport.write(b"".join([head, *lines, b"\r\n", found.body]))
        self.transport.close()

    def _head_without_offer(self) -> bytes:
        """The head of the request as it was parsed, its offer to upgrade left out."""
        version = self.parser.get_http_version().encode()
        first = b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, version)
        kept = [(n, _without_offer(n, v)) for n, v in self.headers if n not in OFFERS]
        return b"".join([first, *(b"%s: %s\r\n" % pair for pair in kept), b"\r\n"])


def _without_offer(name: bytes, value: bytes) -> bytes:
    """The value of a header; of Connection without the names of what is left out."""
    if name != b"connection":
        return value
    tokens = [token.strip() for token in value.split(b",")]
    return b", ".join(token for token in tokens if token.lower() not in OFFERS)

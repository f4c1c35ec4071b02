"""HTTP/1.1 as real senders speak it: uvicorn's protocol, which loses bodies and answers in text.

What it lets a stranger do is bounded here: the length of a head, how long a request may take to
come, and that fields after a body (trailers) count for nothing, for they came past every proxy.

Java's HttpClient, and what is built on it, offers `Upgrade: h2c` with every request over plain
HTTP. httptools takes that for the end of HTTP and drops the body (uvicorn issue 2722), though a
server that does not upgrade reads on (RFC 9110 §7.8). Here such a request is read again without
its offer. What is not HTTP is answered with an ErrorRepresentation, like every other refusal.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import httptools
from uvicorn.protocols.http import httptools_impl

from app import errors
from app.doors import problems

NOT_HTTP: Final = 22
TOO_LONG: Final = 26
TOO_SLOW: Final = errors.BodyTooSlow.code
LONGEST_HEAD: Final = 64 * 1024
"""Bytes of a head that are surely taken: a token of 8 kB, cookies and what proxies add fit in."""

PATIENCE: Final = 30.0
"""Seconds that the head of a request may take, and that an answer may wait to be read on."""

UNREADABLE: Final = "This is no request we can read; expected HTTP/1.1"
CONNECT: Final = b"CONNECT"
CLOSING: Final = ((b"connection", b"close"),)
OFFERS: Final = frozenset({b"upgrade", b"http2-settings"})


class Protocol(httptools_impl.HttpToolsProtocol):
    """One connection.

    `patience`: seconds from the first byte of a request to the end of its head; a connection on
    which nothing is asked ends after as long, if it was never used, and so does one on which
    nothing more of an answer is read. How long a body may take is for those to say who read it.
    """

    def __init__(self, *arguments: Any, patience: float = PATIENCE, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._patience = patience
        self._deadline: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._unread = 0
        self._in_head = False
        self._in_body = False
        self._offered = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._unwatch()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for the reader, not for ever."""
        super().pause_writing()
        if self._stuck is None:
            self._stuck = self.loop.call_later(self._patience, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on with the answer."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Take what came; where a request offers an upgrade, take it again without the offer."""
        self._unset_keepalive_if_required()
        self._unread += len(data)
        rest: bytes | None = data
        while rest is not None:
            rest = self._feed(rest)
        if self._unread > LONGEST_HEAD:
            self._end(TOO_LONG, f"The head of a request has at most {LONGEST_HEAD} bytes")
        elif self._is_answering():
            self._unwatch()
        else:
            self._watch()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer a sender that has said all it will say; one that hung up earlier gets nothing."""
        if self._in_head or self._in_body or not self._is_answering():
            return False
        if self.cycle.response_started or self.scheme != "http":
            return False
        self.cycle.keep_alive = False
        return True

    def _is_answering(self) -> bool:
        """Whether somebody of ours has a request, and so the word."""
        cycle: httptools_impl.RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

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

    def on_message_begin(self) -> None:
        """A head begins, with all its time."""
        self._in_head = True
        self._unwatch()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin the request, unless it offers an upgrade and will be read again.

        What headers still come are trailers, and belong to nothing.
        """
        self._unread = 0
        self._offered = self.parser.should_upgrade() and self.parser.get_method() != CONNECT
        if not self._offered:
            self._in_head, self._in_body = False, True
            super().on_headers_complete()
            self.headers = []

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request, unless it will be read again."""
        self._unread = 0
        if not self._offered:
            self._in_body = False
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer 400/22 for what is not HTTP, and hang up."""
        self._end(NOT_HTTP, msg)

    def _end(self, code: int, message: str) -> None:
        """Answer what no room was asked for, and hang up."""
        if self.transport.is_closing():
            return
        closing = () if problems.TABLE[code].closes else CLOSING
        found = problems.answer(code, message, headers=closing)
        lines = [b"%s: %s\r\n" % pair for pair in found.headers]
        head = httptools_impl.STATUS_LINE[found.status]
        self.transport.write(b"".join([head, *lines, b"\r\n", found.body]))
        self.transport.close()

    def _watch(self) -> None:
        """Have what is to come next come in time."""
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._patience, self._too_late)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        """End a connection on which a request did not come in time; tell where one had begun."""
        self._deadline = None
        if self._in_head:
            wanted = f"within {self._patience:g} s; send it faster"
            self._end(TOO_SLOW, f"The head of the request did not arrive {wanted}")
        elif not self.transport.is_closing():
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

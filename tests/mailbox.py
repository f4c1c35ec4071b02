"""A mail server of the test's own, over real SMTP on loopback, with TLS and a login if asked for.

    with mailbox.serving() as box:
        box.port, box.mails

Not here: mail clients.
"""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage

LOGIN = base64.b64encode(b"\0ops\0hunter2").decode()


@dataclass
class Mailbox:
    """A server that runs. `mails` are what came; `refuse` answers its commands instead."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    at_once: bool = False
    login: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)


class _Session(socketserver.StreamRequestHandler):
    box: Mailbox

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            if self.box.at_once:
                self._secure()
            self._say("220 box ESMTP")
            while line := self.rfile.readline():
                if not self._obey(line.decode().rstrip()):
                    return

    def _obey(self, line: str) -> bool:
        word = line.split(" ", maxsplit=1)[0].upper()
        answer = self.box.refuse.get(word)
        if answer is None:
            answer = getattr(self, f"_{word.lower()}", lambda _line: "250 ok")(line)
        self._say(answer)
        if word == "STARTTLS" and answer.startswith("220"):
            self._secure()
        return word != "QUIT"

    def _ehlo(self, _line: str) -> str:
        offers = ["250-box"]
        if self.box.tls and not self.box.at_once and not isinstance(self.request, ssl.SSLSocket):
            offers.append("250-STARTTLS")
        if self.box.login:
            offers.append("250-AUTH PLAIN")
        return "\r\n".join([*offers, "250 SMTPUTF8"])

    def _starttls(self, _line: str) -> str:
        return "220 go on"

    def _auth(self, line: str) -> str:
        return "235 in" if line.rsplit(" ", maxsplit=1)[-1] == LOGIN else "535 wrong: hunter2"

    def _data(self, _line: str) -> str:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        parsed = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.box.mails.append(parsed)
        return "250 taken"

    def _quit(self, _line: str) -> str:
        return "221 bye"

    def _secure(self) -> None:
        assert self.box.tls is not None
        self.request = self.box.tls.wrap_socket(self.request, server_side=True)
        self.connection = self.request
        self.rfile = self.request.makefile("rb")

    def _say(self, text: str) -> None:
        self.request.sendall(f"{text}\r\n".encode())

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
            self.request.close()


@contextlib.contextmanager
def serving(
    tls: ssl.SSLContext | None = None, *, at_once: bool = False, login: bool = False
) -> Iterator[Mailbox]:
    """Take mail on a free port of loopback until the block ends."""
    box = Mailbox(tls=tls, at_once=at_once, login=login)
    session = type("Session", (_Session,), {"box": box})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), session) as server:
        server.daemon_threads = True
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()

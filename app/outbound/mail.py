"""Sending one mail, synchronously, within hard limits. Not here: what it says, when it is sent."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final, Literal

from app.outbound import failures

TIMEOUT = 15.0
"""Seconds for each step of the exchange."""


@dataclass(frozen=True, slots=True)
class Server:
    """Who takes mail. `tls`: `starttls`, `tls` from the first byte, or `none`."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def send(server: Server, message: EmailMessage, trust: ssl.SSLContext) -> None:
    """Hand `message` to `server`, whose certificate must be one that `trust` believes.

    Raises `failures.ExchangeFailed` in words of ours: the server's may quote what was sent.
    """
    place = f"the mail server {server.host}:{server.port}"
    try:
        with _connected(server, trust) as session:
            if server.username is not None and server.password is not None:
                session.login(server.username, server.password)
            session.send_message(message)
    except OSError as error:  # smtplib's own are of that family
        raise _failure(place, error) from error


_TABLE: Final[tuple[tuple[type[OSError], type[failures.ExchangeFailed], str], ...]] = (
    (ssl.SSLCertVerificationError, failures.Untrusted, "its certificate is not believed"),
    (ssl.SSLError, failures.Untrusted, "TLS failed"),
    (smtplib.SMTPNotSupportedError, failures.Malformed, "it has no TLS, or no login we know"),
    (smtplib.SMTPServerDisconnected, failures.Cut, "it ended the connection"),
    (smtplib.SMTPException, failures.Malformed, "it does not speak as mail servers do"),
    (TimeoutError, failures.Timeout, "no answer in time"),
    (socket.gaierror, failures.Unreachable, "there is no such host"),
    (OSError, failures.Unreachable, "no connection"),
)
"""What a failure is in our words; the first row that fits."""


def _failure(place: str, error: OSError) -> failures.ExchangeFailed:
    match error:
        case smtplib.SMTPAuthenticationError():
            told = f"{place} does not accept our login"
            return failures.Unauthorized(told, status=error.smtp_code)
        case smtplib.SMTPRecipientsRefused():
            return failures.Refused(f"{place} takes mail for none of `to`", status=550)
        case smtplib.SMTPResponseException():
            told = f"{place} answered {error.smtp_code}"
            return failures.Refused(told, status=error.smtp_code)
        case _:
            _, family, told = next(row for row in _TABLE if isinstance(error, row[0]))
            return family(f"{place}: {told}")


def _connected(server: Server, trust: ssl.SSLContext) -> smtplib.SMTP:
    if server.tls == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=trust)
    session = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    if server.tls == "starttls":
        try:
            session.starttls(context=trust)
        except BaseException:
            session.close()
            raise
    return session

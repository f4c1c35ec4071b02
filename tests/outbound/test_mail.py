"""Mail over real SMTP: it arrives, only over TLS that is believed, and failures tell no secret."""

import smtplib
import ssl
from email.message import EmailMessage

import pytest

from app.outbound import exchange, failures, mail
from tests import mailbox
from tests.security import forging


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return forging.certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def tls(pem):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.fixture(scope="module")
def believed(pem):
    return ssl.create_default_context(cafile=pem)


def message():
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "listener@a.example", "ops@a.example", "Größe"
    made.set_content("It is so.\n.\n")
    return made


def server(box, tls="none", host="127.0.0.1", **login):
    return mail.Server(host, box.port, tls, **login)


def test_a_mail_arrives_as_it_was_made(believed):
    with mailbox.serving() as box:
        mail.send(server(box), message(), believed)
    (came,) = box.mails
    assert (came["Subject"], came["To"]) == ("Größe", "ops@a.example")


@pytest.mark.parametrize(("how", "at_once"), [("starttls", False), ("tls", True)])
def test_it_goes_over_tls_with_a_login(tls, believed, how, at_once):
    with mailbox.serving(tls, at_once=at_once, login=True) as box:
        by = server(box, how, username="ops", password="hunter2")
        mail.send(by, message(), believed)
    assert len(box.mails) == 1


@pytest.mark.parametrize(("how", "at_once"), [("starttls", False), ("tls", True)])
def test_a_certificate_that_is_not_believed_ends_it(tls, how, at_once):
    with mailbox.serving(tls, at_once=at_once) as box, pytest.raises(failures.Untrusted):
        mail.send(server(box, how, "localhost"), message(), exchange.trusted())
    assert box.mails == []


def test_a_certificate_is_held_against_the_name(tls, believed):
    with mailbox.serving(tls) as box, pytest.raises(failures.Untrusted):
        mail.send(server(box, "starttls", "localhost"), message(), believed)


def test_a_server_without_tls_gets_nothing(believed):
    with mailbox.serving() as box, pytest.raises(failures.Malformed, match="no TLS"):
        mail.send(server(box, "starttls"), message(), believed)
    assert box.mails == []


def test_a_wrong_login_tells_no_password(tls, believed):
    with mailbox.serving(tls, login=True) as box:
        by = server(box, "starttls", username="ops", password="secret7")
        with pytest.raises(failures.Unauthorized) as told:
            mail.send(by, message(), believed)
    assert "hunter2" not in str(told.value)
    assert "secret7" not in f"{told.value} {by}"


@pytest.mark.parametrize(
    ("command", "answer", "failure"),
    [
        ("RCPT", "550 nobody <secret>", failures.Refused),
        ("MAIL", "452 full of <secret>", failures.Refused),
        ("DATA", "554 no <secret>", failures.Refused),
    ],
)
def test_a_refusal_is_told_in_our_words(believed, command, answer, failure):
    with mailbox.serving() as box:
        box.refuse[command] = answer
        with pytest.raises(failure) as told:
            mail.send(server(box), message(), believed)
    assert "secret" not in str(told.value)


def test_where_nobody_listens_it_is_unreachable(believed):
    with mailbox.serving() as box:
        pass
    with pytest.raises(failures.Unreachable):
        mail.send(server(box), message(), believed)


def test_every_failure_of_the_library_has_a_row():
    for family in (smtplib.SMTPServerDisconnected, smtplib.SMTPException, TimeoutError, OSError):
        assert isinstance(mail._failure("there", family("secret")), failures.ExchangeFailed)

"""`listener alerts …`: a test at the keyboard, and what is open."""

from app.store import alerted, alerts
from tests import mailbox
from tests.arrivals import RECEIVED

MAIL = """
[[source]]
name = "local"

[[alert]]
name = "post"
[alert.mail]
host = "127.0.0.1"
tls = "none"
from = "l@a.example"
to = ["ops@a.example"]
"""


def test_a_test_is_sent_and_its_failure_is_told(command, home):
    with mailbox.serving() as box:
        (home / "listener.toml").write_text(f"{MAIL}port = {box.port}\n")
        done = command("alerts", "test")
        assert (done.code, done.err) == (0, "✓ post was told\n")
        box.refuse["MAIL"] = "450 later"
        done = command("alerts", "test", "post")
    assert (done.code, "answered 450" in done.err) == (1, True)
    assert [mail["Subject"] for mail in box.mails] == ["[tmf-listener] test"]


def test_without_a_channel_it_says_how_to_have_one(command, home):
    done = command("alerts", "test")
    assert done.code == 2
    assert "[[alert]]" in done.err
    (home / "listener.toml").write_text(f"{MAIL}port = 9\n")
    done = command("alerts", "test", "other")
    assert (done.code, "choose one of: post" in done.err) == (2, True)


def test_what_is_open_is_listed(command, database):
    assert "nothing is open" in command("alerts", "list").err
    holds = {alerts.Key("post", "local", "alarm"): alerts.Condition(1, "1 orders", ("O-1",))}
    with database.begin() as connection:
        alerts.observe(connection, holds, ["post"], RECEIVED, lambda: "a1")
    assert "alarm" in command("alerts", "list").out
    (told,) = command("alerts", "list", "--json").lines
    assert (told["id"], told["orders"]) == ("a1", ["O-1"])


def test_what_was_told_lately_is_listed_with_whether_it_arrived(command, database):
    assert "nothing was told yet" in command("alerts", "list", "--told").err
    attempt = alerted.Attempt(
        "post", "a1-opened", "opened", "local", "alarm", "1 orders", RECEIVED, "answered 450"
    )
    with database.begin() as connection:
        alerted.note(connection, attempt)
    assert "answered 450" in command("alerts", "list", "--told").out
    (told,) = command("alerts", "list", "--told", "--json").lines
    assert (told["id"], told["told_at"], told["attempts"]) == ("a1-opened", None, 1)

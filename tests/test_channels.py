"""`[[alert]]`: what may be said there, and what is wrong with the rest."""

import pytest

from app import errors, settings, sources

SOUND = 'name = "ops"\nwebhook = { url = "https://hooks.example/T0/abc?key=1" }'
MAIL = (
    'name = "ops"\nmail = { host = "mail.example", from = "a@b.example", to = ["c@d.example"]%s }'
)


def read(tmp_path, text):
    path = tmp_path / "listener.toml"
    path.write_text(f'[[source]]\nname = "local"\n[[alert]]\n{text}\n')
    return settings.read_configuration(settings.Settings(config=path), {}, kinds=sources.discover())


def test_a_channel_is_read_with_its_defaults(tmp_path):
    (channel,) = read(tmp_path, SOUND).alerts
    assert (channel.sources, len(channel.severities)) == (None, 5)
    assert channel.after.total_seconds() == 300
    assert "abc" not in repr(channel)
    (channel,) = read(tmp_path, MAIL % "").alerts
    assert (channel.mail.port, channel.mail.tls) == (587, "starttls")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('name = "ops"', "expected either webhook"),
        (SOUND + '\nmail = { host = "m", from = "a@b", to = ["c@d"] }', "expected either webhook"),
        (SOUND + '\nsources = ["nobody"]', "there is no source 'nobody'"),
        (SOUND + '\nseverities = ["loud"]', "severities"),
        (SOUND + '\nafter = "soon"', "no span of time"),
        (SOUND + "\nmore = 1", "unknown key"),
        ('name = "ops"\nwebhook = { url = "http://hooks.example/" }', "must be https://"),
        ('name = "ops"\nwebhook = { url = "mailto:a@b" }', "expected a URL"),
        (MAIL % ', tls = "none"', "only towards this machine"),
        (MAIL % ', username = "u"', "needed together"),
        (MAIL.replace("c@d.example", "c@d.example>\\r\\nBcc: x") % "", "expected addresses"),
        (MAIL.replace("a@b.example", "a@b, c@d") % "", "from"),
        (MAIL.replace('["c@d.example"]', "[]") % "", "mail.to"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, text, fault):
    with pytest.raises(errors.ConfigurationError, match=r"\[\[alert\]\] 1 \(ops\)") as told:
        read(tmp_path, text)
    assert fault in told.value.message
    assert "abc" not in told.value.message

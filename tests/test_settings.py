"""The environment, listener.toml, and the secret."""

from __future__ import annotations

import ipaddress
import re
import stat
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from app import errors, settings
from app.security import signing
from app.sources import auths, base, discover, on_api

KINDS = discover()
HOUSE = Path(__file__).parent.parent
SECRET = "0123456789abcdef0123456789abcdef"


# ── the environment ──────────────────────────────────────────────────────────────────────────────


def test_every_default_is_as_documented():
    found = settings.load({})
    assert found.model_dump(exclude={"log_format"}) == {
        "database_url": None,
        "data_dir": Path("data"),
        "config": None,
        "host": "127.0.0.1",
        "port": 8080,
        "public_url": None,
        "secret": None,
        "tls_cert": None,
        "tls_key": None,
        "trusted_proxies": (),
        "max_body": 1048576,
        "max_depth": 100,
        "body_deadline": 30.0,
        "drain_delay": 0.0,
        "queue_units": 2000,
        "queue_bytes": 67108864,
        "log_level": "info",
        "metrics_dir": None,
        "sign_in_command": None,
    }


def test_the_example_names_every_variable_with_its_default():
    lines = (HOUSE / ".env.example").read_text(encoding="utf-8").splitlines()
    written = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    depends_on_the_terminal = {"log_format": ""}
    defaults = settings.load({}).model_dump() | depends_on_the_terminal
    assert written == {
        f"LISTENER_{name.upper()}": "" if value in (None, ()) else str(value)
        for name, value in defaults.items()
    }


def test_the_example_can_be_used_as_it_is():
    lines = (HOUSE / ".env.example").read_text(encoding="utf-8").splitlines()
    written = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert settings.load(written) == settings.load({})


def test_every_variable_is_read(tmp_path):
    pem = tmp_path / "tls.pem"
    pem.touch()
    found = settings.load(
        {
            "LISTENER_DATABASE_URL": "postgresql://u:p@db/listener",
            "LISTENER_DATA_DIR": "/var/lib/listener",
            "LISTENER_CONFIG": "/etc/listener.toml",
            "LISTENER_HOST": "0.0.0.0",
            "LISTENER_PORT": "0",
            "LISTENER_PUBLIC_URL": "https://listener.example/in/",
            "LISTENER_SECRET": SECRET,
            "LISTENER_TLS_CERT": str(pem),
            "LISTENER_TLS_KEY": str(pem),
            "LISTENER_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1 ,",
            "LISTENER_MAX_BODY": "2MiB",
            "LISTENER_MAX_DEPTH": "50",
            "LISTENER_BODY_DEADLINE": "2.5",
            "LISTENER_DRAIN_DELAY": "5",
            "LISTENER_QUEUE_UNITS": "10",
            "LISTENER_QUEUE_BYTES": "1000",
            "LISTENER_LOG_LEVEL": "DEBUG",
            "LISTENER_LOG_FORMAT": "json",
            "LISTENER_METRICS_DIR": "/tmp/metrics",
            "LISTENER_SIGN_IN_COMMAND": "docker exec listener",
            "PATH": "/bin",
        }
    )
    assert found.model_dump() == {
        "database_url": "postgresql://u:p@db/listener",
        "data_dir": Path("/var/lib/listener"),
        "config": Path("/etc/listener.toml"),
        "host": "0.0.0.0",
        "port": 0,
        "public_url": "https://listener.example/in",
        "secret": SecretStr(SECRET),
        "tls_cert": pem,
        "tls_key": pem,
        "trusted_proxies": (
            ipaddress.ip_network("10.0.0.0/8"),
            ipaddress.ip_network("2001:db8::1/128"),
        ),
        "max_body": 2097152,
        "max_depth": 50,
        "body_deadline": 2.5,
        "drain_delay": 5.0,
        "queue_units": 10,
        "queue_bytes": 1000,
        "log_level": "debug",
        "log_format": "json",
        "metrics_dir": Path("/tmp/metrics"),
        "sign_in_command": "docker exec listener",
    }


def test_without_an_environment_the_process_s_own_is_read(monkeypatch):
    monkeypatch.setenv("LISTENER_PORT", "8081")
    assert settings.load().port == 8081
    assert settings.load({}).port == 8080
    assert settings.Settings().port == 8080


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "tcp://10.0.0.1:80", "LISTENER_PORT ('tcp://10.0.0.1:80'): Input should be a"),
        ("PORT", "65536", "less than or equal to 65535"),
        ("DATABASE_URL", "mysql://u:hush@db/x", "expected postgresql://user:password@host/name or"),
        ("DATABASE_URL", "sqlite://", "or sqlite:///path/to/file"),
        ("DATABASE_URL", "sqlite:///:memory:", "or sqlite:///path/to/file"),
        ("PUBLIC_URL", "listener.example", "expected a URL such as https://listener.example"),
        ("PUBLIC_URL", "https://listener.example/?a", "expected a URL"),
        ("SECRET", "hush", "it has 4 characters; expected at least 32 random ones"),
        ("TLS_CERT", "/nowhere.pem", "there is no such file; expected a PEM file"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "no network; expected e.g. 192.0.2.0/24"),
        ("TRUSTED_PROXIES", "proxy.example", "LISTENER_TRUSTED_PROXIES ('proxy.example'): no net"),
        ("MAX_BODY", "0", "greater than 0"),
        ("MAX_BODY", "much", "LISTENER_MAX_BODY ('much')"),
        ("MAX_DEPTH", "0", "greater than or equal to 1"),
        ("BODY_DEADLINE", "inf", "finite"),
        ("BODY_DEADLINE", "0", "greater than 0"),
        ("DRAIN_DELAY", "-1", "greater than or equal to 0"),
        ("QUEUE_UNITS", "0", "greater than 0"),
        ("QUEUE_BYTES", "0", "greater than 0"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("LOG_FORMAT", "xml", "'json' or 'console'"),
    ],
)
def test_a_variable_that_is_wrong_is_named_with_what_would_be_right(name, value, told):
    with pytest.raises(errors.ConfigurationError) as refused:
        settings.load({f"LISTENER_{name}": value})
    assert refused.value.message.startswith(f"LISTENER_{name}")
    assert told in refused.value.message
    assert "hush" not in refused.value.message


def test_every_variable_that_is_wrong_is_told_at_once():
    with pytest.raises(errors.ConfigurationError) as refused:
        settings.load({"LISTENER_PORT": "x", "LISTENER_SECRET": "x", "LISTENER_LOG_LEVEL": "x"})
    lines = refused.value.message.splitlines()
    assert [re.split(r"\W", line)[0] for line in lines] == [
        "LISTENER_PORT",
        "LISTENER_SECRET",
        "LISTENER_LOG_LEVEL",
    ]


@pytest.mark.parametrize("name", ["TLS_CERT", "TLS_KEY"])
def test_certificate_and_key_are_needed_together(tmp_path, name):
    (tmp_path / "one.pem").touch()
    with pytest.raises(errors.ConfigurationError, match="are needed together"):
        settings.load({f"LISTENER_{name}": str(tmp_path / "one.pem")})


def test_settings_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        settings.load({}).port = 1


def test_no_secret_is_shown_with_the_settings():
    found = settings.load(
        {"LISTENER_SECRET": SECRET, "LISTENER_DATABASE_URL": "postgresql://u:hush@db/x"}
    )
    assert SECRET not in repr(found) + str(found)
    assert "hush" not in repr(found) + str(found)


@pytest.mark.parametrize(
    ("given", "url", "sqlite"),
    [
        (None, "sqlite:///data/listener.db", True),
        ("sqlite:////var/x.db", "sqlite:////var/x.db", True),
        ("postgresql://u:p@db/x", "postgresql+psycopg://u:p@db/x", False),
        ("postgres://u:p@db:5433/x?sslmode=require", None, False),
        ("postgresql+psycopg://db/x", "postgresql+psycopg://db/x", False),
    ],
)
def test_the_database_s_url_names_its_driver(given, url, sqlite):
    found = settings.Settings(database_url=given)
    assert found.url() == (url or "postgresql+psycopg://u:p@db:5433/x?sslmode=require")
    assert found.is_sqlite() is sqlite


def test_the_default_database_is_in_the_data_folder(tmp_path):
    assert settings.Settings(data_dir=tmp_path).url() == f"sqlite:///{tmp_path}/listener.db"


# ── the secret ───────────────────────────────────────────────────────────────────────────────────


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path):
    found = settings.Settings(data_dir=tmp_path / "new" / "data")
    secret = settings.signing_secret(found)
    assert len(secret) == 64
    assert settings.signing_secret(found) == secret
    path = found.data_dir / "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().strip() == secret
    assert [one.name for one in found.data_dir.iterdir()] == ["secret"]


def test_processes_that_start_together_agree_on_the_secret(tmp_path):
    found = settings.Settings(data_dir=tmp_path)
    secrets, start = set(), threading.Barrier(8)

    def begin():
        start.wait()
        secrets.add(settings.signing_secret(found))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(secrets) == 1


def test_the_secret_of_the_environment_goes_first(tmp_path):
    found = settings.Settings(data_dir=tmp_path, secret=SECRET)
    assert settings.signing_secret(found) == SECRET.encode()
    assert list(tmp_path.iterdir()) == []


def test_with_postgresql_the_secret_must_be_given():
    with pytest.raises(errors.ConfigurationError, match=r"LISTENER_SECRET is missing.*openssl"):
        settings.signing_secret(settings.Settings(database_url="postgresql://db/x"))


def test_a_secret_file_that_was_cut_short_is_not_used(tmp_path):
    (tmp_path / "secret").touch()
    with pytest.raises(errors.ConfigurationError, match=r"secret is no usable secret: it has 0"):
        settings.signing_secret(settings.Settings(data_dir=tmp_path))


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "data").touch()
    with pytest.raises(errors.ConfigurationError, match="no usable secret"):
        settings.signing_secret(settings.Settings(data_dir=tmp_path / "data"))


# ── listener.toml ────────────────────────────────────────────────────────────────────────────────


def read(tmp_path, text, **environ):
    path = tmp_path / "listener.toml"
    path.write_text(text, encoding="utf-8")
    found = settings.Settings(config=path)
    return settings.read_configuration(found, environ, kinds=KINDS)


def faults(tmp_path, text, **environ):
    with pytest.raises(errors.ConfigurationError) as refused:
        read(tmp_path, text, **environ)
    prefix = f"{tmp_path / 'listener.toml'}: "
    lines = refused.value.message.splitlines()
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix) for line in lines]


SSO = """
[[issuer]]
name = "sso"
issuer = "https://sso.example"
audience = "tmf-listener"
jwks_url = "https://sso.example/certs"
"""
FEED = """
[[source]]
name = "x"
kind = "{kind}"
feed = {{ {feed} }}
"""
ON_API = 'url = "https://ko.example/", username = "u", password = "hush"'
KEYED = """
[[source]]
name = "{}"
auth = [{{ type = "api_key", key = "hush" }}]
"""


def test_without_a_file_there_is_one_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = settings.read_configuration(settings.Settings(), {}, kinds=KINDS)
    assert found == settings.Configuration((), (base.SourceConfig(name="local", kind="tmf"),))


def test_a_file_in_the_working_folder_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("listener.toml").write_text('[[source]]\nname = "orange"', encoding="utf-8")
    found = settings.read_configuration(settings.Settings(), {}, kinds=KINDS)
    assert [source.name for source in found.sources] == ["orange"]


def test_a_file_that_is_named_must_be_there(tmp_path):
    found = settings.Settings(config=tmp_path / "missing.toml")
    with pytest.raises(errors.ConfigurationError, match=r"missing.toml cannot be read: No such"):
        settings.read_configuration(found, {}, kinds=KINDS)


@pytest.mark.parametrize("content", [b"[[source", b"a = ", b"\xff", b"a = 1\na = 2"])
def test_a_file_that_is_no_toml_is_told_with_its_place(tmp_path, content):
    path = tmp_path / "listener.toml"
    path.write_bytes(content)
    with pytest.raises(errors.ConfigurationError, match=r"listener.toml is not TOML: .+"):
        settings.read_configuration(settings.Settings(config=path), {}, kinds=KINDS)


def test_issuers_and_sources_are_read_whole(tmp_path):
    text = (
        SSO
        + """
[[source]]
name = "orange"
auth = [
    { type = "jwt", issuer = "sso", client_id = "orange-notifier" },
    { type = "basic", username = "u", password = "${PASSWORD}" },
    { type = "api_key", key = { file = "key" } },
]
allow = ["192.0.2.0/24"]
tokens_not_before = 2026-01-01T00:00:00Z
[[source]]
name = "ko"
kind = "on_api"
enabled = false
zone = "Europe/Stockholm"
feed = { url = "https://ko.example/api/2.3.1/", username = "sp1", password = "${KO}", every = "1m" }
"""
    )
    (tmp_path / "key").write_text("the key\n", encoding="utf-8")
    found = read(tmp_path, text, PASSWORD="pass:word", KO="hush")
    assert found.issuers == (
        signing.IssuerConfig(
            name="sso",
            issuer="https://sso.example",
            audience="tmf-listener",
            jwks_url="https://sso.example/certs",
            algorithms=("RS256",),
        ),
    )
    orange, ko = found.sources
    assert (ko.name, ko.kind, ko.enabled) == ("ko", "on_api", False)
    assert ko.feed == on_api.OnApiFeed(
        url="https://ko.example/api/2.3.1/",
        username="sp1",
        password=SecretStr("hush"),
        every=timedelta(minutes=1),
        start="beginning",
        zone="Europe/Stockholm",
    )
    assert orange.feed is None
    assert orange.auth == (
        auths.JwtAuth(type="jwt", issuer="sso", client_id="orange-notifier"),
        auths.BasicAuth(type="basic", username="u", password=SecretStr("pass:word")),
        auths.ApiKeyAuth(type="api_key", key=SecretStr("the key")),
    )
    assert "pass:word" not in repr(found)
    assert "hush" not in repr(found)


def test_the_example_file_is_sound():
    found = settings.read_configuration(
        settings.Settings(config=HOUSE / "listener.example.toml"),
        dict.fromkeys(
            ("STADSNAT_PASSWORD", "COVAGE_PASSWORD", "GUIDE_KEY", "ALERT_SECRET", "MAIL_PASSWORD"),
            "x",
        ),
        kinds=KINDS,
    )
    assert [(source.name, source.kind) for source in found.sources] == [
        ("orange", "tmf"),
        ("stadsnat", "tmf"),
        ("fibernet", "tmf"),
        ("ko", "on_api"),
        ("covage", "covage"),
        ("guide", "tjansteguiden"),
    ]
    assert [alert.name for alert in found.alerts] == ["chat", "post"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[[sources]]\nname = "x"',
            ["sources: there is no such table; expected [[issuer]], [[source]], [[alert"],
        ),
        ('name = "x"', ["name: there is no such table"]),
        ('[source]\nname = "x"', ["source: expected tables that begin with [[source]]"]),
        ('source = ["x"]', ["source: expected tables that begin with [[source]]"]),
        ("[[source]]", ["[[source]] 1, name: missing"]),
        ('[[source]]\nname = "A b"', ["[[source]] 1 (A b), name: expected small letters"]),
        ('[[source]]\nname = "x"\nkindd = "tmf"', ["[[source]] 1 (x), kindd: unknown key"]),
        (
            '[[source]]\nname = "x"\nkind = "soap"',
            ["1 (x), kind: there is no kind 'soap'; expected covage, on_api, tjansteguiden, tmf"],
        ),
        (
            '[[source]]\nname = "x"\n[[source]]\nname = "y"\n[[source]]\nname = "x"',
            ["[[source]] 3 (x), name: the same as that of [[source]] 1 (x)"],
        ),
        (
            '[[source]]\nname = "x"\nzone = "Europe/Atlantis"',
            ["[[source]] 1 (x), zone: no IANA time zone; expected e.g. Europe/Stockholm"],
        ),
        ('[[source]]\nname = "x"\nzone = "../x"', ["[[source]] 1 (x), zone: no IANA time zone"]),
        ('[[source]]\nname = "x"\nzone = 1', ["[[source]] 1 (x), zone: Input should be a valid"]),
        (
            '[[source]]\nname = "x"\nallow = ["192.0.2.0/24", "192.0.2.1/24", "::1/x"]',
            [
                "[[source]] 1 (x), allow[1]: no network; expected e.g. 192.0.2.0/24 or",
                "[[source]] 1 (x), allow[2]: no network",
            ],
        ),
        ('[[source]]\nname = "x"\nrate = 0', ["[[source]] 1 (x), rate: Input should be greater"]),
        (
            '[[source]]\nname = "x"\nsuccess_status = 300',
            ["[[source]] 1 (x), success_status: Input should be less than or equal to 299"],
        ),
        (
            '[[source]]\nname = "x"\naccept = ["created", "creation"]',
            ["[[source]] 1 (x), accept[1]: Input should be 'created', 'state_changed'"],
        ),
        (
            '[[source]]\nname = "x"\ntokens_not_before = 2026-01-01T00:00:00',
            ["[[source]] 1 (x), tokens_not_before: has no zone; e.g. 2027-01-31T12:00:00Z"],
        ),
        (
            '[[source]]\nname = "x"\nauth = [{ type = "jwt", issuer = "sso", client_id = "c" }]',
            ["[[source]] 1 (x), auth[0].issuer: there is no issuer 'sso'; declared by [[issuer]]"],
        ),
        (
            '[[source]]\nname = "x"\nauth = [{ type = "api_key" }, { key = "k" }]',
            ["[[source]] 1 (x), auth[1]: has no type; expected jwt, api_key, basic, callback_key"],
        ),
        (
            '[[source]]\nname = "x"\nauth = [{ type = "apikey" }]',
            ["[[source]] 1 (x), auth[0]: Input tag 'apikey' found"],
        ),
        (
            '[[source]]\nname = "x"\nauth = ["api_key"]',
            ["[[source]] 1 (x), auth[0]: expected a table such as { type ="],
        ),
        (
            '[[source]]\nname = "x"\nauth = [{ type = "jwt", issuer = "s", cient_id = "c" }]',
            [
                "[[source]] 1 (x), auth[0].client_id: missing",
                "[[source]] 1 (x), auth[0].cient_id: unknown key",
            ],
        ),
        (
            '[[source]]\nname = "x"\nauth = [{ type = "client", scopes = ["write"] }]',
            ["[[source]] 1 (x), auth[0].scopes: there is no scope 'write'; expected notifications"],
        ),
        (
            '[[source]]\nname = "x"\nauth = [{ type = "basic", username = "u" }]',
            ["[[source]] 1 (x), auth[0]: username and password are needed together"],
        ),
        (
            '[[source]]\nname = "x"\nauth = [{ type = "basic", password = "hush" }]',
            ["[[source]] 1 (x), auth[0]: username and password are needed together"],
        ),
        (
            '[[source]]\nname = "x"\nauth = [{type="basic", username="a:b", password="hush"}]',
            ["[[source]] 1 (x), auth[0].username: a user name has no colon"],
        ),
        (
            '[[source]]\nname = "x"\nauth = [{ type = "api_key", key = "" }]',
            ["[[source]] 1 (x), auth[0].key: is empty"],
        ),
        (
            KEYED.format("x") + KEYED.format("y"),
            ["[[source]] 2 (y), auth[0]: the same is declared for x already"],
        ),
        (
            '[[source]]\nname = "x"\nauth = [{ type = "api_key", key = "${K}" }]\n',
            ["[[source]] 1 (x), auth[0].key: the environment variable K is not set"],
        ),
        (
            '[[source]]\nname = "x"\nauth = [{ type = "api_key", key = { file = "k" } }]\n',
            ["[[source]] 1 (x), auth[0].key: the file k cannot be read: No such file"],
        ),
        (FEED.format(kind="tmf", feed=""), ["[[source]] 1 (x), feed: a source of kind tmf sends"]),
        (
            '[[source]]\nname = "x"\nkind = "on_api"',
            ["1 (x), feed: missing: a source of kind on_api"],
        ),
        (
            FEED.format(kind="on_api", feed='surl = 1, every = "30"'),
            [
                "[[source]] 1 (x), feed.every: no span of time; expected e.g.",
                "[[source]] 1 (x), feed.password: missing",
                "[[source]] 1 (x), feed.surl: unknown key",
                "[[source]] 1 (x), feed.url: missing",
                "[[source]] 1 (x), feed.username: missing",
            ],
        ),
        (
            FEED.format(kind="on_api", feed=f"{ON_API}, start = 2026-01-01, zone = 'x'"),
            [
                '[[source]] 1 (x), feed.start: this feed has no times; expected "now" or',
                "[[source]] 1 (x), feed.zone: no IANA time zone",
            ],
        ),
        (
            FEED.format(kind="on_api", feed=f"{ON_API}, start = 1, hosts = ['https://a']"),
            [
                '[[source]] 1 (x), feed.start: expected "now", "beginning" or a day such as',
                "[[source]] 1 (x), feed.hosts[0]: expected a host such as files.example",
            ],
        ),
        (
            FEED.format(
                kind="on_api", feed='url = "http://ko.example/", username="a:b", password="hush"'
            ),
            [
                "[[source]] 1 (x), feed.url: must be https:// (http:// only towards this machine)",
                "[[source]] 1 (x), feed.username: expected a user name without a colon",
            ],
        ),
        (
            FEED.format(
                kind="covage",
                feed='url = "https://c.example/", email="u", password="hush", every="20s"',
            ),
            ["1 (x), feed: every is less than this operator allows; expected at least 30s"],
        ),
        (
            FEED.format(kind="tjansteguiden", feed='url = "https://t.example/x", api_user = "u"'),
            ["[[source]] 1 (x), feed: api_key is missing; expected one"],
        ),
        ('[[issuer]]\nname = "a"', ["issuer: missing", "audience: missing", "jwks_url: missing"]),
        (SSO + "algorithms = ['HS256']", ["[[issuer]] 1 (sso), algorithms[0]: Input should be"]),
        (SSO + "verify = false", ["[[issuer]] 1 (sso), verify: unknown key"]),
        (
            SSO + SSO,
            [
                "[[issuer]] 2 (sso), issuer: the same as that of [[issuer]] 1 (sso)",
                "[[issuer]] 2 (sso), name: the same as that of [[issuer]] 1 (sso)",
            ],
        ),
        (
            SSO.replace("https://sso.example/certs", "http://sso.example/certs"),
            ["[[issuer]] 1 (sso), jwks_url: 'http://sso.example/certs' must be https://"],
        ),
        (
            SSO.replace('"sso"', '"local"'),
            ["[[issuer]] 1 (local), name: 'local' is the built-in issuer; choose another name"],
        ),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path, text, expected):
    found = sorted(faults(tmp_path, text))
    assert len(found) == len(expected)
    for one, line in zip(sorted(expected), found, strict=True):
        assert one in line
        assert "hush" not in line


def test_all_faults_of_a_file_are_told_at_once(tmp_path):
    text = (
        SSO.replace("https://sso.example/certs", "ftp://x")
        + """
surprise = 1
[[source]]
name = "x"
zone = "Nowhere"
kind = "nothing"
auth = [
    { type = "jwt", issuer = "sso", client_id = "c" },
    { type = "basic", username = "${MISSING}", password = "hush" },
]
[[source]]
name = "y"
alow = []
rate = -1
auth = [{ type = "jwt", issuer = "other", client_id = "c" }]
[[source]]
name = "z"
auth = [{ type = "jwt", issuer = "other", client_id = "c" }]
[more]
"""
    )
    found = [line.split(": ")[0] for line in faults(tmp_path, text)]
    assert sorted(found) == [
        "[[issuer]] 1 (sso), jwks_url",
        "[[issuer]] 1 (sso), surprise",
        "[[source]] 1 (x), auth[1].username",
        "[[source]] 1 (x), kind",
        "[[source]] 1 (x), zone",
        "[[source]] 2 (y), alow",
        "[[source]] 2 (y), rate",
        "[[source]] 3 (z), auth[0].issuer",
        "more",
    ]


def test_no_fault_tells_a_secret(tmp_path):
    text = """
[[source]]
name = "x"
auth = [
    { type = "basic", username = "${U}", password = "${P}", passwort = "${P}" },
    { type = "api_key", key = 12345678, scopes = "${P}" },
    { type = "client", secret = "${P}" },
]
rate = "${P}"
zone = "${P}"
accept = ["${P}"]
allow = ["${P}"]
tokens_not_before = "${P}"
"""
    assert not [line for line in faults(tmp_path, text, U="user", P="hush") if "hush" in line]

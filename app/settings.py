"""What the environment and listener.toml say, read once, checked whole, frozen.

`load` reads `LISTENER_*`, `read_configuration` the file, `signing_secret` the secret. Not here:
what a source or an issuer is (`sources.base`, `security.jwt`), what is built of it (`runtime`).
Source: DESIGN §7, §13.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeGuard, TypeVar

import pydantic_settings
from pydantic import (
    BaseModel,
    ByteSize,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from app import channels, errors
from app.security import directory, references, signing
from app.sources import auths, base, feed_config

PREFIX: Final = "LISTENER_"
DEFAULT_FILE: Final = Path("listener.toml")
SECRET_LENGTH: Final = 32
TABLES: Final = ("issuer", "source", "alert")
FAULTS: Final = {
    "extra_forbidden": "unknown key",
    "missing": "missing",
    "ip_v4_network": "no network; expected e.g. 192.0.2.0/24 or 2001:db8::/32",
    "string_pattern_mismatch": "expected small letters, digits, - and _, at most 63",
    "union_tag_not_found": "has no type; expected jwt, api_key, basic, callback_key or client",
    "model_attributes_type": 'expected a table such as { type = "api_key" }',
}
"""What is wrong, in the words of the file, where pydantic's are those of Python."""

POSTGRESQL: Final = re.compile(r"^postgres(ql)?(\+psycopg)?://")


class Settings(pydantic_settings.BaseSettings):
    """The environment: each field is `LISTENER_<NAME>`, as `.env.example` explains it.

    Times are in seconds, sizes in bytes (`64MiB` is understood). Values come by `load` or by
    argument: making one reads no environment by itself.
    """

    model_config = pydantic_settings.SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    database_url: str | None = Field(default=None, repr=False)
    data_dir: Path = Path("data")
    config: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str | None = None
    secret: SecretStr | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...], pydantic_settings.NoDecode
    ] = ()
    max_body: ByteSize = Field(default=ByteSize(1048576), gt=0)
    max_depth: int = Field(default=100, ge=1, le=200)
    body_deadline: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    drain_delay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    queue_units: int = Field(default=2000, gt=0)
    queue_bytes: ByteSize = Field(default=ByteSize(67108864), gt=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = Field(
        default_factory=lambda: "console" if sys.stderr.isatty() else "json"
    )
    metrics_dir: Path | None = None
    sign_in_command: str | None = None

    @classmethod
    def settings_customise_sources(
        cls, *_settings_cls: Any, **sources: Any
    ) -> tuple[pydantic_settings.PydanticBaseSettingsSource, ...]:
        """Arguments alone."""
        return (sources["init_settings"],)

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _small(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        sqlite = value is not None and re.match(r"^sqlite:///[^:?]", value)
        if value is None or sqlite or POSTGRESQL.match(value):
            return value
        raise ValueError("expected postgresql://user:password@host/name or sqlite:///path/to/file")

    @field_validator("public_url")
    @classmethod
    def _is_public(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"^https?://[^/?#]+[^?#]*$", value):
            raise ValueError("expected a URL such as https://listener.example")
        return value.rstrip("/") if value is not None else None

    @field_validator("tls_cert", "tls_key")
    @classmethod
    def _is_there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("there is no such file; expected a PEM file")
        return value

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _check_length(value.get_secret_value().encode())
        return value

    @model_validator(mode="after")
    def _both_or_none(self) -> Settings:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("LISTENER_TLS_CERT and LISTENER_TLS_KEY are needed together")
        return self

    def url(self) -> str:
        """The SQLAlchemy URL: PostgreSQL by psycopg, or a SQLite file in the data directory."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir / 'listener.db'}"
        return POSTGRESQL.sub("postgresql+psycopg://", self.database_url)

    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return self.url().startswith("sqlite:")


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of `environ` (default: the process's own); an empty variable is as good as none.

    Raises ConfigurationError naming every variable that is wrong and what would be right.
    """
    source = pydantic_settings.EnvSettingsSource(Settings)
    given = os.environ if environ is None else environ
    source.env_vars = {name.lower(): value for name, value in given.items() if value}
    try:
        return Settings(**source())
    except ValidationError as error:
        faults: dict[str, str] = {}
        for one in error.errors(include_url=False):
            field = str(one["loc"][0]) if one["loc"] else ""
            faults.setdefault(field, _named(field, one["input"]) + _told(one["type"], one["msg"]))
        raise errors.ConfigurationError("\n".join(faults.values())) from None


def _named(field: str, value: Any) -> str:
    """The variable, with its value where that is no secret; nothing where it is about several."""
    if not field:
        return ""
    shown = "" if field in {"secret", "database_url"} else f" ({str(value)!r})"
    return f"{PREFIX}{field.upper()}{shown}: "


def signing_secret(settings: Settings) -> bytes:
    """The secret that signs our tokens: LISTENER_SECRET, else the file `secret` in the data folder.

    The file is made when it is missing (mode 0600, by exactly one of several processes), but not
    beside PostgreSQL, whose receivers must share one. Raises ConfigurationError.
    """
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    if not settings.is_sqlite():
        raise errors.ConfigurationError(
            "LISTENER_SECRET is missing; with PostgreSQL every process needs the same one. "
            "Make it once by: openssl rand -hex 32"
        )
    path = settings.data_dir / "secret"
    try:
        if not path.exists():
            _make_secret(path)
        secret = path.read_bytes().strip()
        _check_length(secret)
    except (OSError, ValueError) as error:
        raise errors.ConfigurationError(f"{path} is no usable secret: {error}") from error
    return secret


def _make_secret(path: Path) -> None:
    """Write a new secret to `path`, whole or not at all; another process may be first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".secret.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(32).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _check_length(secret: bytes) -> None:
    if len(secret) < SECRET_LENGTH:
        raise ValueError(
            f"it has {len(secret)} characters; expected at least {SECRET_LENGTH} random ones, "
            "such as `openssl rand -hex 32` prints"
        )


def _told(type_: str, message: str) -> str:
    """What pydantic found wrong, in our words where its own are those of Python."""
    return FAULTS.get(type_) or message.removeprefix("Value error, ")


Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What listener.toml declares."""

    issuers: tuple[signing.IssuerConfig, ...]
    sources: tuple[base.SourceConfig, ...]
    alerts: tuple[channels.AlertConfig, ...] = ()


WITHOUT_FILE: Final = Configuration(issuers=(), sources=(base.SourceConfig(name="local"),))


def read_configuration(
    settings: Settings,
    environ: Mapping[str, str] | None = None,
    *,
    kinds: Mapping[str, base.SourceKind],
) -> Configuration:
    """What the file of `settings.config` declares, else ./listener.toml, else one source `local`.

    `kinds`: of source that there are, by name; `environ` (default: the process's own) fills in
    `${NAME}`. Raises ConfigurationError with one line a fault: file, table, key, what is wrong.
    """
    path = settings.config or DEFAULT_FILE
    if settings.config is None and not path.exists():
        return WITHOUT_FILE
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise errors.ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise errors.ConfigurationError(f"{path} is not TOML: {error}") from error
    reading = _Reading(os.environ if environ is None else environ, path.parent, kinds)
    configuration = reading.read(document)
    if reading.faults:
        lines = [f"{path}: {place}: {fault}" for place, fault in reading.faults.items()]
        raise errors.ConfigurationError("\n".join(lines))
    return configuration


class _Reading:
    """Makes a Configuration of a parsed file, and gathers `faults`: by place, the first at each.

    A place is a table and a key: `[[source]] 2 (orange), auth[0].issuer`. No fault tells a value
    that could be secret.
    """

    def __init__(
        self, environ: Mapping[str, str], folder: Path, kinds: Mapping[str, base.SourceKind]
    ) -> None:
        self._environ = environ
        self._folder = folder
        self._feeds = {name: getattr(kind, "feed_config", None) for name, kind in kinds.items()}
        self.faults: dict[str, str] = {}

    def read(self, document: Mapping[str, Any]) -> Configuration:
        """What is declared, as far as it is sound."""
        for table, value in document.items():
            if table not in TABLES:
                self.faults[table] = (
                    "there is no such table; expected [[issuer]], [[source]], [[alert]]"
                )
            elif not _are_tables(value):
                self.faults[table] = f"expected tables that begin with [[{table}]]"
        issuers = self._entries(document, "issuer", signing.IssuerConfig)
        sources = self._entries(document, "source", base.SourceConfig)
        alerts = self._entries(document, "alert", channels.AlertConfig)
        for place, alert in alerts.items():
            for unknown in sorted(
                (alert.sources or frozenset()) - {s.name for s in sources.values()}
            ):
                self._fault(place, "sources", f"there is no source {unknown!r}")
        names = {str(one["name"]) for one in _tables(document, "issuer") if "name" in one}
        names |= {issuer.name for issuer in issuers.values()}
        for place, source in sources.items():
            self._check_source(place, source, names)
        places = {source.name: place for place, source in sources.items()}
        for name, key, fault in directory.faults(sources.values()):
            self._fault(places[name], key, fault)
        return Configuration(
            tuple(issuers.values()), tuple(sources.values()), tuple(alerts.values())
        )

    def _entries(
        self, document: Mapping[str, Any], table: str, model: type[Model]
    ) -> dict[str, Model]:
        """The sound entries of `table`, by their place."""
        found: dict[str, Model] = {}
        seen: dict[tuple[str, str], str] = {}
        for n, raw in enumerate(_tables(document, table), start=1):
            place = _place(table, n, raw)
            secret = references.References(self._environ, self._folder)
            entry = secret.resolve(raw)
            for key, fault in secret.faults.items():
                self._fault(place, key, fault)
            no_zone = _zone_fault(entry.get("zone"))
            if no_zone is not None:
                self._fault(place, "zone", no_zone)
                del entry["zone"]
            for key in ("name", "issuer"):
                first = seen.setdefault((key, str(entry.get(key, place))), place)
                if first != place:
                    self._fault(place, key, f"the same as that of {first}")
            try:
                found[place] = model.model_validate(entry, context={"feeds": self._feeds})
            except ValidationError as error:
                for one in error.errors(include_url=False, include_input=False):
                    self._fault(place, _key(one["loc"]), _told(one["type"], one["msg"]))
        return found

    def _check_source(
        self, place: str, source: base.SourceConfig, issuers: Collection[str]
    ) -> None:
        if source.kind not in self._feeds:
            known = ", ".join(sorted(self._feeds))
            self._fault(place, "kind", f"there is no kind {source.kind!r}; expected {known}")
        if source.tokens_not_before is not None and source.tokens_not_before.tzinfo is None:
            self._fault(place, "tokens_not_before", "has no zone; e.g. 2027-01-31T12:00:00Z")
        for n, entry in enumerate(source.auth):
            if isinstance(entry, auths.JwtAuth) and entry.issuer not in issuers:
                known = ", ".join(sorted(issuers)) or "none"
                fault = f"there is no issuer {entry.issuer!r}; declared by [[issuer]]: {known}"
                self._fault(place, f"auth[{n}].issuer", fault)

    def _fault(self, place: str, key: str, fault: str) -> None:
        self.faults.setdefault(f"{place}, {key}" if key else place, fault)


def _tables(document: Mapping[str, Any], table: str) -> list[dict[str, Any]]:
    value = document.get(table)
    return value if _are_tables(value) else []


def _are_tables(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _zone_fault(zone: Any) -> str | None:
    """What is wrong with `zone`; null for what is no text: pydantic tells that."""
    try:
        feed_config.existing_zone(zone if isinstance(zone, str) else None)
    except ValueError as fault:
        return str(fault)
    return None


def _place(table: str, number: int, entry: Mapping[str, Any]) -> str:
    name = entry.get("name")
    return f"[[{table}]] {number}" + (f" ({name})" if isinstance(name, str) else "")


def _key(loc: tuple[int | str, ...]) -> str:
    """A place within a model as it is written in the file: `auth[0].client_id`, `allow[1]`.

    The name after an index is the branch of a union, which the file does not show.
    """
    text = ""
    for before, part in zip((None, *loc), loc, strict=False):
        if isinstance(part, int):
            text += f"[{part}]"
        elif not isinstance(before, int):
            text += f".{part}"
    return text.removeprefix(".")

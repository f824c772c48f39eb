"""Every setting, read once: from ``RINGBACK_*``, a ``.env`` file and ``*_FILE`` secrets. Only cli and app read it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

from ringback.domain.addresses import Allowed, AllowedError
from ringback.domain.errors import RingbackError
from ringback.domain.mailing import MailServer, read_server
from ringback.domain.names import UnfitError, read_email
from ringback.domain.retention import Retention

PREFIX = "RINGBACK_"
ENV_FILE = ".env"

OF_THE_CLIENT = frozenset({"RINGBACK_URL", "RINGBACK_ACCOUNT", "RINGBACK_TOKEN", "RINGBACK_BASIC"})
"""What the Python client reads; no settings, but no mistakes either."""

_SQLITE = "sqlite:///"
_DATABASES = (_SQLITE, "postgresql://")
_PASSWORD = re.compile(r"(?<=://)(?P<user>[^:/?#]*):[^?#]*@|(?P<key>password=)[^&]*", re.IGNORECASE)


class SettingsError(RingbackError):
    """A setting that is unknown or can't be read; the message says which and what to do."""


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", frozen=True, env_ignore_empty=True
    )

    database_url: str = Field("", description="sqlite:///file or postgresql://…; default: SQLite in the data folder")
    data_dir: Path = Field(Path("data"), description="Folder for the SQLite file and generated keys")
    base_domain: str = Field("localhost", description="Accounts are served at <subdomain>.<base domain>")
    default_account: str = Field("", description="Subdomain that a bare host means; default: none")
    public_url: str = Field("", description="Where people and senders reach this server; links are built from it")
    trusted_proxies: str = Field("", description="CIDRs whose X-Forwarded-For counts, separated by commas")
    delivery_allow: str = Field(
        "", description="Networks and hosts beyond the internet's that deliveries may go to: 10.0.0.0/8, *.localhost"
    )
    secret_key: str = Field(
        "", repr=False, description="32 random bytes as base64, which seal what is secret; on SQLite made if not set"
    )
    smtp_url: str = Field(
        "",
        repr=False,
        description="smtps://user:password@host, smtp://…:587 or smtp://host:25?tls=none; empty: no mails",
    )
    mail_from: str = Field("", description="The address that mails come from")
    metrics_token: str = Field(
        "", repr=False, description="Who reads /metrics brings it as Bearer; empty: /metrics is for this machine alone"
    )
    auto_migrate: bool = Field(default=True, description="serve brings the schema up to date when it starts")
    log_format: Literal["auto", "pretty", "json"] = Field("auto", description="auto: pretty on a terminal, else JSON")
    queue_limit: int = Field(2000, ge=1, description="Updates that may wait to be written; beyond that 503 busy")
    wrong_credentials_per_minute: int = Field(30, ge=1, description="Wrong credentials an address may send a minute")
    keep_requests_days: int = Field(400, ge=0, le=36500, description="Days that what arrived is kept; 0: for ever")
    keep_deliveries_days: int = Field(400, ge=0, le=36500, description="Days that what was sent is kept; 0: for ever")
    keep_traces_days: int = Field(30, ge=0, le=36500, description="Days that wrong credentials are traced; 0: for ever")
    keep_waiting_days: int = Field(
        180, ge=0, le=36500, description="Days that updates are kept that waited and wait no longer; 0: for ever"
    )
    keep_audit_days: int = Field(0, ge=0, le=36500, description="Days that the audit log is kept; 0: for ever")

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        url = re.sub(r"^postgres(?:ql\+psycopg)?://", "postgresql://", value.strip())
        if url and (not url.startswith(_DATABASES) or url in _DATABASES):
            raise ValueError("write sqlite:///file or postgresql://user:password@host/database")
        if not url.startswith(_SQLITE):
            _check_password(url)
        return url

    @field_validator("base_domain", "default_account")
    @classmethod
    def _lower(cls, value: str) -> str:
        return value.strip().strip(".").lower()

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for network in filter(None, value.split(",")):
            ip_network(network.strip(), strict=False)
        return value

    @field_validator("delivery_allow")
    @classmethod
    def _allowed(cls, value: str) -> str:
        try:
            Allowed.parse(value)
        except AllowedError as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: str) -> str:
        if value:
            read_server(value)
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        try:
            return read_email(value) if value else value
        except UnfitError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _mails(self) -> Settings:
        for needed, why in (("mail_from", "mails come from"), ("public_url", "the links in mails lead to")):
            if self.smtp_url and not getattr(self, needed):
                raise ValueError(f"{PREFIX}SMTP_URL needs {PREFIX}{needed.upper()}, which {why}")
        return self

    @property
    def mail_server(self) -> MailServer | None:
        """The server that mails are handed to; None if none are sent."""
        return read_server(self.smtp_url) if self.smtp_url else None

    @property
    def database(self) -> str:
        """The URL of the database, the default filled in."""
        return self.database_url or f"{_SQLITE}{self.data_dir / 'ringback.db'}"

    @property
    def database_file(self) -> Path | None:
        """The file of a SQLite database."""
        url = self.database
        return Path(url.removeprefix(_SQLITE).partition("?")[0]) if url.startswith(_SQLITE) else None

    @property
    def key_file(self) -> Path | None:
        """Where the secret key is kept that isn't set: beside a SQLite file; None where it has to be set."""
        return self.database_file and self.database_file.parent / "secret.key"

    @property
    def retention(self) -> Retention:
        """How long things are kept."""
        return Retention(
            requests=self.keep_requests_days,
            deliveries=self.keep_deliveries_days,
            traces=self.keep_traces_days,
            waiting=self.keep_waiting_days,
            audit=self.keep_audit_days,
        )

    def make_data_dir(self) -> None:
        """Make the data folder, if the database is in it."""
        if not self.database_url:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)


def read_settings(**given: object) -> Settings:
    """Read the settings; what is given goes before the environment, None is not given.

    Raises:
        SettingsError: an unknown ``RINGBACK_`` name (with a suggestion), or a value that can't be read.
    """
    named = _named()
    _reject_unknown(named)
    values: dict[str, object] = {
        field: _content(name, named) for field, name in _names().items() if f"{name}_FILE" in named
    }
    values |= {field: value for field, value in given.items() if value is not None}
    try:
        return Settings(**values)  # type: ignore[arg-type] # pydantic checks them
    except ValidationError as error:
        first = error.errors()[0]
        name = _names()[str(first["loc"][0])] if first["loc"] else "the settings"
        raise SettingsError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from error


def origins() -> dict[str, str]:
    """Where each setting comes from: its file, the environment, ``.env`` or its default."""
    named = _named()
    return {
        field: named.get(f"{name}_FILE", ("", ""))[0] or named.get(name, ("", "default"))[1]
        for field, name in _names().items()
    }


def hand_on(**given: object) -> None:
    """Put settings into the environment, for the processes that this one starts."""
    os.environ.update({_names()[field]: str(value) for field, value in given.items() if value is not None})


def from_environment(name: str) -> str:
    """What somebody put into the environment under a name of his own; nothing if it isn't there."""
    return os.environ.get(name, "").strip()


def _check_password(url: str) -> None:
    """Refuse a URL that would be split inside its password: what is taken for host or port then would be shown."""
    try:
        parts = urlsplit(url)
        is_whole = parts.port != 0 and parts.netloc.count("@") <= 1 and "@" not in parts.path + parts.fragment
    except ValueError:  # the port is none
        is_whole = False
    if not is_whole:
        raise ValueError("percent-encode @ and / in the password, as %40 and %2F; the port is a number")


def without_password(url: str) -> str:
    """The URL of a database as it may be shown."""
    return _PASSWORD.sub(lambda found: found["key"] + "***" if found["key"] else f"{found['user']}:***@", url)


def _names() -> dict[str, str]:
    return {field: f"{PREFIX}{field}".upper() for field in Settings.model_fields}


def _named() -> dict[str, tuple[str, str]]:
    """What is named ``RINGBACK_…``: its value and where it stands; the environment goes before the file."""
    places: tuple[tuple[str, Mapping[str, str | None]], ...] = (
        (ENV_FILE, DotEnvSettingsSource(Settings).env_vars),
        ("environment", os.environ),
    )
    return {
        name.upper(): (value, place)
        for place, values in places
        for name, value in values.items()
        if value and name.upper().startswith(PREFIX)
    }


def _content(name: str, named: Mapping[str, tuple[str, str]]) -> str:
    """What the file of a setting holds."""
    if name in named:
        raise SettingsError(f"both {name} and {name}_FILE are set; one must go")
    try:
        return Path(named[f"{name}_FILE"][0]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}_FILE: {getattr(error, 'strerror', None) or error}") from error


def _reject_unknown(named: Mapping[str, tuple[str, str]]) -> None:
    known = [*_names().values(), *(f"{name}_FILE" for name in _names().values())]
    for name in named:
        if name not in known and name not in OF_THE_CLIENT:
            near = get_close_matches(name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in known], n=1)
            suggestion = f"; did you mean {PREFIX}{near[0]}?" if near else ""
            raise SettingsError(f"{name} is no setting of Ringback{suggestion}")

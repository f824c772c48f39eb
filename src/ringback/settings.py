"""Every setting, read once from ``RINGBACK_*``, a ``.env`` file and ``*_FILE`` secrets; imported by cli and app alone."""

from __future__ import annotations

import os
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "RINGBACK_"


class SettingsError(Exception):
    """A setting that is unknown or can't be read; the message says which and what to do."""


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    database_url: str = Field("", description="sqlite:///file or postgresql://…; default: SQLite in the data folder")
    data_dir: Path = Field(Path("data"), description="Folder for the SQLite file and generated keys")
    base_domain: str = Field("localhost", description="Accounts are served at <subdomain>.<base domain>")
    default_account: str = Field("", description="Subdomain that a bare host means; default: none")
    public_url: str = Field("", description="Where people and senders reach this server; links are built from it")
    trusted_proxies: str = Field("", description="CIDRs whose X-Forwarded-For counts, separated by commas")
    auto_migrate: bool = Field(True, description="serve brings the schema up to date when it starts")
    log_format: Literal["auto", "pretty", "json"] = Field("auto", description="auto: pretty on a terminal, else JSON")
    queue_limit: int = Field(2000, ge=1, description="Updates that may wait to be written; beyond that 503 busy")
    wrong_credentials_per_minute: int = Field(30, ge=1, description="Wrong credentials an address may send a minute")

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

    @property
    def database(self) -> str:
        """The URL of the database, the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'ringback.db'}"


def read_settings(**given: object) -> Settings:
    """Read the settings; what is given goes before the environment.

    Raises:
        SettingsError: an unknown ``RINGBACK_`` name (with a suggestion), or a value that can't be read.
    """
    _reject_unknown()
    secrets = {name: Path(os.environ[file]).read_text().strip() for name, file in _secret_files().items()}
    try:
        return Settings(**{**secrets, **{name: value for name, value in given.items() if value is not None}})  # type: ignore[arg-type] # pydantic checks them
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}: {first['msg']}") from error


def _names() -> dict[str, str]:
    return {f"{PREFIX}{name}".upper(): name for name in Settings.model_fields}


def _secret_files() -> dict[str, str]:
    names = _names()
    files = {f"{name}_FILE": field for name, field in names.items()}
    return {files[name]: name for name in os.environ if name in files}


def _reject_unknown() -> None:
    known = [*_names(), *(f"{name}_FILE" for name in _names())]
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1)
            suggestion = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{name} is no setting of Ringback{suggestion}")

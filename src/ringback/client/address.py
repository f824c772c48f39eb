"""Where an account is and who asks: address and credential, given or from the environment; never shown again."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict
from urllib.parse import urlsplit

from ringback.client.errors import NotConfigured

URL, ACCOUNT, TOKEN, BASIC = "RINGBACK_URL", "RINGBACK_ACCOUNT", "RINGBACK_TOKEN", "RINGBACK_BASIC"
"""The names in the environment."""

_READY = re.compile(r"[A-Za-z0-9+/_-]+={0,2}", re.ASCII)
_PLAIN = re.compile(r"[\x21-\x7e]+")
_SUBDOMAIN = re.compile(r"[a-z0-9-]{1,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """An account's address, ``https://acme.ringback.example`` or ``…/a/acme``, and the header that opens it."""

    base: str
    authorization: str = field(repr=False)

    @property
    def host(self) -> str:
        """The host alone."""
        return urlsplit(self.base).hostname or ""

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, where no proxy of the environment is in between."""
        return self.host in {"localhost", "127.0.0.1", "::1"} or self.host.endswith(".localhost")

    @property
    def by_path(self) -> str:
        """How a name under ``localhost`` is said where it doesn't resolve, as arguments of a client."""
        parts = urlsplit(self.base)
        port = "" if parts.port is None else f":{parts.port}"
        return f'{parts.scheme}://localhost{port} and account="{self.host.partition(".")[0]}"'


class Named(TypedDict):
    """What the environment names, as a client takes it."""

    base_url: str
    basic: str | None
    token: str | None
    account: str | None


def find_address(
    base_url: str, *, basic: str | tuple[str, str] | None, token: str | None, account: str | None
) -> Address:
    """The address that is meant.

    Raises:
        NotConfigured: it can't be one.
    """
    return Address(_base(base_url, account), _authorization(basic, token))


def read_environment(environment: Mapping[str, str] = os.environ) -> Named:
    """What the environment names.

    Raises:
        NotConfigured: a name is missing, or one too many is there.
    """
    found = {name: environment.get(name, "").strip() or None for name in (URL, ACCOUNT, TOKEN, BASIC)}
    base_url, basic, token = found[URL], found[BASIC], found[TOKEN]
    if base_url is None:
        raise NotConfigured(f"{URL} is not set: the address of Ringback, such as https://acme.ringback.example")
    if basic is None and token is None:
        raise NotConfigured(f"neither {BASIC} nor {TOKEN} is set: the credential of an access token")
    if basic is not None and token is not None:
        raise NotConfigured(f"both {BASIC} and {TOKEN} are set; one must go")
    return {"base_url": base_url, "basic": basic, "token": token, "account": found[ACCOUNT]}


def _base(base_url: str, account: str | None) -> str:
    base = base_url.strip().rstrip("/")
    try:
        parts = urlsplit(base)
        _ = parts.port
    except ValueError as error:
        raise NotConfigured(f"the address of Ringback is not a URL: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise NotConfigured("the address of Ringback has a credential in it; pass it as basic or token instead")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise NotConfigured(f"{base_url!r} is not an address such as https://acme.ringback.example")
    if "/api/" in f"{parts.path}/":
        raise NotConfigured(f"{base_url!r} goes too far: the address of Ringback ends before /api")
    if account is None:
        return base
    if not _SUBDOMAIN.fullmatch(account.lower()):
        raise NotConfigured(f"{account!r} is not the subdomain of an account")
    return f"{base}/a/{account.lower()}"


def _authorization(basic: str | tuple[str, str] | None, token: str | None) -> str:
    """The header's value; what is wrong with a credential is told without the credential."""
    if (basic is None) == (token is None):
        raise NotConfigured("pass either basic or token, the credential of an access token")
    if token is not None:
        if not _PLAIN.fullmatch(token.strip()):
            raise NotConfigured("the token is empty, or has spaces or foreign letters in it")
        return f"Token {token.strip()}"
    pair = ":".join(basic) if isinstance(basic, tuple) else (basic or "").strip()
    if ":" not in pair:
        if not _READY.fullmatch(pair):
            raise NotConfigured("basic is neither public key:private key nor the base64 of it")
        return f"Basic {pair}"
    public, _, private = pair.partition(":")
    if not _PLAIN.fullmatch(public.strip()) or not _PLAIN.fullmatch(private.strip()):
        raise NotConfigured("basic lacks one of its keys, or has spaces or foreign letters in them")
    return f"Basic {b64encode(f'{public.strip()}:{private.strip()}'.encode()).decode()}"

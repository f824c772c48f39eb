"""Where an account is and who asks: what is taken, what is refused, and that a credential is never shown."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from ringback import settings
from ringback.client import AsyncClient, Client, NotConfigured
from ringback.client.address import ACCOUNT, BASIC, TOKEN, URL, find_address

PAIR = b64encode(b"public:private").decode()


def named(base_url: str = "https://acme.example", **given: Any) -> Any:  # noqa: ANN401
    return find_address(base_url, **{"basic": None, "token": None, "account": None, **given})


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"basic": "public:private"}, f"Basic {PAIR}"),
        ({"basic": ("public", "private")}, f"Basic {PAIR}"),
        ({"basic": (" public", "private\n")}, f"Basic {PAIR}"),
        ({"basic": f" {PAIR}\n"}, f"Basic {PAIR}"),
        ({"token": " value\n"}, "Token value"),
    ],
)
def test_credentials_are_taken_as_they_are_shown(given: dict[str, Any], sent: str) -> None:
    address = named(**given)
    assert address.authorization == sent
    assert sent.split()[1] not in repr(address)


@pytest.mark.parametrize(
    ("base_url", "account", "base"),
    [
        ("https://acme.example/", None, "https://acme.example"),
        (" http://localhost:8080 ", "acme", "http://localhost:8080/a/acme"),
        ("https://example.com/ringback/", "Acme", "https://example.com/ringback/a/acme"),
    ],
)
def test_an_account_is_in_the_host_or_in_the_path(base_url: str, account: str | None, base: str) -> None:
    assert named(base_url, account=account, token="x").base == base


@pytest.mark.parametrize(
    ("base_url", "given", "said"),
    [
        ("acme.example", {}, "'acme.example' is not an address such as https://"),
        ("ftp://acme.example", {}, "is not an address"),
        ("https://", {}, "is not an address"),
        ("https://acme.example?x=1", {}, "is not an address"),
        ("https://acme.example:x", {}, "not a URL"),
        ("https://u:hidden@acme.example", {}, "has a credential in it"),
        ("https://acme.example/api/v1", {}, "ends before /api"),
        ("https://acme.example", {"account": "a/b"}, "'a/b' is not the subdomain"),
        ("https://acme.example", {"token": None}, "either basic or token"),
        ("https://acme.example", {"basic": "a:b"}, "either basic or token"),
        ("https://acme.example", {"token": "hid den"}, "the token is empty, or has spaces"),
        ("https://acme.example", {"token": " "}, "the token is empty"),
        ("https://acme.example", {"token": None, "basic": "hidden!"}, "neither public key:private key nor"),
        ("https://acme.example", {"token": None, "basic": ("hidden", "")}, "lacks one of its keys"),
        ("https://acme.example", {"token": None, "basic": "a:hid\u00fcden"}, "foreign letters"),
    ],
)
def test_what_can_not_be_one_is_refused_without_showing_it(base_url: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(NotConfigured, match=said) as refused:
        named(base_url, **{"token": "x", **given})
    assert "hid" not in str(refused.value)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in (URL, ACCOUNT, TOKEN, BASIC):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({URL: "https://acme.example", BASIC: "a:b"}, "'https://acme.example'"),
        ({URL: "https://example.com", ACCOUNT: "acme", TOKEN: "t", BASIC: ""}, "'https://example.com/a/acme'"),
    ],
)
def test_clients_of_the_environment(
    environment: pytest.MonkeyPatch, kind: type[Client | AsyncClient], given: dict[str, str], shown: str
) -> None:
    for name, value in given.items():
        environment.setenv(name, value)
    assert repr(kind.from_env()) == f"{kind.__name__}({shown})"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({TOKEN: "x"}, "RINGBACK_URL is not set: the address of Ringback, such as https://"),
        ({URL: "https://acme.example"}, "neither RINGBACK_BASIC nor RINGBACK_TOKEN is set"),
        ({URL: "https://acme.example", TOKEN: "x", BASIC: "a:b"}, "both RINGBACK_BASIC and RINGBACK_TOKEN are set"),
        ({URL: "acme", TOKEN: "x"}, "is not an address"),
    ],
)
def test_what_the_environment_lacks_is_named(environment: pytest.MonkeyPatch, given: dict[str, str], said: str) -> None:
    for name, value in given.items():
        environment.setenv(name, value)
    with pytest.raises(NotConfigured, match=said):
        Client.from_env()


def test_the_server_does_not_take_these_names_for_mistakes(environment: pytest.MonkeyPatch) -> None:
    assert {URL, ACCOUNT, TOKEN, BASIC} == settings.OF_THE_CLIENT
    for name in settings.OF_THE_CLIENT:
        environment.setenv(name, "x")
    assert settings.read_settings().base_domain == "localhost"

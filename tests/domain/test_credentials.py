"""Credentials: every row of clients.md 6.2 and 6.3 that speaks of one, and RECEIVING.md, 'Credentials'."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.credentials import (
    PRIVATE,
    PUBLIC,
    TOKEN,
    WARNINGS,
    Credential,
    basic_value,
    checksum_fits,
    make_key,
    read_credential,
    same,
)
from ringback.domain.errors import Refusal

PUB = make_key(PUBLIC, bytes(range(12)))
PRV = make_key(PRIVATE, bytes(range(100, 124)))
TOK = make_key(TOKEN, bytes(range(200, 224)))
OTHER = make_key(TOKEN, bytes(24))
BASIC = basic_value(PUB, PRV)

SCHEMES = st.sampled_from(["Basic", "Token", "Bearer", "Digest", ""])
VALUES = st.sampled_from([PUB, PRV, TOK, BASIC, ":", "=", '"', "<", "{{x}}", "undefined", "token=", ",", " ", "\xa0"])


def encoded(text: str | bytes) -> str:
    return b64encode(text.encode() if isinstance(text, str) else text).decode()


def read(*headers: str | bytes, auth_tokens: Sequence[str] = ()) -> Credential:
    authorization = [header.encode() if isinstance(header, str) else header for header in headers]
    return read_credential(authorization, auth_tokens)


def code_of(*headers: str | bytes, auth_tokens: Sequence[str] = ()) -> str:
    with pytest.raises(Refusal) as refusal:
        read(*headers, auth_tokens=auth_tokens)
    return refusal.value.code.name


def outcome(*headers: str | bytes, auth_tokens: Sequence[str] = ()) -> Credential | Refusal:
    try:
        return read(*headers, auth_tokens=auth_tokens)
    except Refusal as refusal:
        return refusal


@pytest.mark.parametrize(
    ("header", "warnings"),
    [
        (f"Basic {BASIC}", []),
        (f"basic {BASIC}", []),
        (f"BASIC {BASIC}", []),
        (f"Basic  {BASIC}", []),
        (f"Basic\t{BASIC}", []),
        (f" Basic {BASIC} ", []),
        (f"basic   {BASIC}  ", []),
        (f"Basic {BASIC.rstrip('=')}", []),
        (f"Basic {BASIC}, Basic {BASIC}", []),
        (f"Basic Basic {BASIC}", ["doubled_scheme"]),
        (f"Basic basic\tBASIC {BASIC}", ["doubled_scheme"]),
        (f"Basic {encoded(f'{PUB}:{PRV}' + chr(10))}", ["credential_whitespace"]),
        (f"Basic {encoded(f'{PUB}:{PRV}' + chr(13) + chr(10))}", ["credential_whitespace"]),
        (f"Basic {encoded(f' {PUB} : {PRV} ')}", ["credential_whitespace"]),
        (f"Basic Basic {encoded(f'{PUB}:{PRV} ')}", ["doubled_scheme", "credential_whitespace"]),
    ],
)
def test_reads_every_spelling_of_a_pair(header: str, warnings: list[str]) -> None:
    assert read(header) == Credential("basic", PUB, PRV, tuple(warnings))


@pytest.mark.parametrize(
    ("header", "scheme", "warnings"),
    [
        (f"Token {TOK}", "token", []),
        (f"TOKEN \t {TOK}", "token", []),
        (f"Bearer {TOK}", "bearer", []),
        (f"Token token={TOK}", "token", []),
        (f'Token token="{TOK}"', "token", []),
        (f'Token Token = "{TOK}"', "token", []),
        (f'Token token="{TOK}", nonce="x"', "token", []),
        (f"Token token={TOK}; realm=x", "token", []),
        (f'Token token=" {TOK}"', "token", ["credential_whitespace"]),
        (f"Token token {TOK}", "token", ["doubled_scheme"]),
        (f"Bearer Bearer {TOK}", "bearer", ["doubled_scheme"]),
        (f"Basic {encoded(TOK)}", "basic", ["basic_bare_token"]),
        (f"Basic {encoded(TOK + chr(10))}", "basic", ["credential_whitespace", "basic_bare_token"]),
        (f"Basic {encoded(f'{TOK}:')}", "basic", ["basic_bare_token"]),
        (f"Basic {encoded(f':{TOK}')}", "basic", ["basic_bare_token"]),
    ],
)
def test_reads_every_spelling_of_a_token(header: str, scheme: str, warnings: list[str]) -> None:
    assert read(header) == Credential(scheme, None, TOK, tuple(warnings))


@pytest.mark.parametrize("text", ["ü:ä", "user:päss"])
def test_reads_utf_8_then_latin_1(text: str) -> None:
    user, password = text.split(":")
    assert read(f"Basic {encoded(text)}") == Credential("basic", user, password)
    assert read(f"Basic {encoded(text.encode('latin-1'))}") == Credential("basic", user, password)


def test_reads_either_alphabet() -> None:
    pair = "user:~~~???"
    assert "/" in encoded(pair)
    assert read(f"Basic {encoded(pair)}") == read(f"Basic {encoded(pair).replace('/', '_').replace('+', '-')}")


def test_a_private_key_may_contain_colons() -> None:
    assert read(f"Basic {encoded('user:a:b')}") == Credential("basic", "user", "a:b")


def test_reads_foreign_values_which_only_the_store_can_refuse() -> None:
    assert read("Bearer eyJhbGciOiJIUzI1NiJ9.e30.x-y_z").secret == "eyJhbGciOiJIUzI1NiJ9.e30.x-y_z"
    assert read(f"Basic {encoded('0123456789abcdef')}").warnings == ("basic_bare_token",)


@pytest.mark.parametrize(
    ("code", "header"),
    [
        ("missing_credentials", ""),
        ("missing_credentials", "  "),
        ("missing_credentials", "Basic"),
        ("missing_credentials", "Basic  "),
        ("missing_credentials", "Basic Basic"),
        ("missing_credentials", 'Token token=""'),
        ("missing_credentials", "Token token="),
        ("unsupported_scheme", 'Digest username="x"'),
        ("unsupported_scheme", "Negotiate"),
        ("unsupported_scheme", TOK),
        ("unsupported_scheme", BASIC),
        ("basic_not_base64", f"Basic {PUB}:{PRV}"),
        ("basic_not_base64", "Basic user:pa$$"),
        ("basic_not_base64", f'Basic "{PUB}:{PRV}"'),
        ("basic_not_base64", f"Basic {TOK}"),
        ("basic_malformed", f'Basic "{BASIC}"'),
        ("basic_malformed", f'"Basic {BASIC}"'),
        ("basic_malformed", f"Basic <{BASIC}>"),
        ("basic_malformed", "Basic <xxx>"),
        ("basic_malformed", "Basic abc def"),
        ("basic_malformed", "Basic abc%3D"),
        ("basic_malformed", f"Basic {BASIC}==="),
        ("basic_malformed", "Basic abcde"),
        ("basic_malformed", "Basic =="),
        ("basic_malformed", "Basic AA=="),
        ("basic_malformed", "Basic ////"),
        ("basic_malformed", f"Basic {encoded(b'a:' + bytes([0]))}"),
        ("basic_malformed", f"Basic {encoded(f'<{PUB}>:{PRV}')}"),
        ("basic_malformed", f"Basic Token {TOK}"),
        ("basic_missing_secret", f"Basic {encoded(f'{PUB}:')}"),
        ("basic_missing_secret", f"Basic {encoded(f':{PRV}')}"),
        ("basic_missing_secret", f"Basic {encoded(PUB)}"),
        ("basic_missing_secret", f"Basic {encoded(PRV)}"),
        ("basic_missing_secret", f"Basic {encoded(f'{PRV}:{PUB}')}"),
        ("basic_missing_secret", f"Basic {encoded(f'{TOK}:x')}"),
        ("basic_missing_secret", f"Basic {encoded('user:')}"),
        ("basic_missing_secret", f"Basic {encoded(':')}"),
        ("basic_missing_secret", f"Basic {encoded(' ')}"),
        ("token_malformed", f'Token "{TOK}"'),
        ("token_malformed", f"'Token {TOK}'"),
        ("token_malformed", f"Bearer <{TOK}>"),
        ("token_malformed", f"Token {TOK} x"),
        ("token_malformed", f"Token Basic {BASIC}"),
        ("token_malformed", "Token a\x00b"),
        ("credential_placeholder", "[basic_auth]"),
        ("credential_placeholder", "undefined"),
        ("credential_placeholder", "Basic BASE64_ENCODED_PUBLIC_KEY_AND_PRIVATE_KEY"),
        ("credential_placeholder", "Basic user:undefined"),
        ("credential_placeholder", "Basic {{key}}:{{secret}}"),
        ("credential_placeholder", f"Basic {encoded('user:undefined')}"),
        ("credential_placeholder", f"Basic {encoded('undefined:undefined')}"),
        ("credential_placeholder", f"Basic {encoded('[public_key]:[private_key]')}"),
        ("credential_placeholder", f"Basic {encoded(f'{PUB}:YOUR_PRIVATE_KEY')}"),
        ("credential_mistyped", f"Token {TOK[:-1]}"),
        ("credential_mistyped", f"Token {TOK.swapcase().replace('RBTOK_', TOKEN)}"),
        ("credential_mistyped", f"Basic {encoded(f'{PUB[:-1]}:{PRV}')}"),
        ("credential_mistyped", f"Basic {encoded(f'{PUB}:{PRV}x')}"),
        ("credential_mistyped", f"Basic {encoded(f'{TOKEN}:')}"),
        ("ambiguous_credentials", f"Basic {BASIC}, Token {TOK}"),
    ],
)
def test_refuses_and_says_what_is_wrong(code: str, header: str) -> None:
    assert code_of(header) == code


@pytest.mark.parametrize(
    "value",
    [
        "[token]",
        "{{token}}",
        "{{ $json.token }}",
        "${TOKEN}",
        "$TOKEN",
        "%TOKEN%",
        "%7B%7Btoken%7D%7D",
        "#token#",
        "--A--token--B--",
        "undefined",
        "null",
        "None",
        "...",
        "xxxx",
        "******",
        "REPLACE_ME",
        "replaceme",
        "change-me",
        "YOUR_API_KEY",
        "your-token",
        "your token here",
        "insert_token_here",
        "paste key here",
        "example_token",
        "API_KEY",
        "access_token",
        "token",
        "secret",
        "password",
    ],
)
def test_knows_placeholders_wherever_they_stand(value: str) -> None:
    assert code_of(f"Basic {value}") == "credential_placeholder"
    assert code_of(f"Basic {encoded(f'{PUB}:{value}')}") == "credential_placeholder"
    assert code_of(f'Token token="{value}"') == "credential_placeholder"
    assert code_of(auth_tokens=[value]) == "credential_placeholder"


def test_reads_auth_token() -> None:
    assert read(auth_tokens=[TOK]) == Credential("auth_token", None, TOK)
    assert read(auth_tokens=[f" {TOK}\n"]) == Credential("auth_token", None, TOK, ("credential_whitespace",))
    assert read("", "Basic ", auth_tokens=["", TOK]).secret == TOK
    assert code_of() == code_of(auth_tokens=["", " "]) == "missing_credentials"
    assert code_of(auth_tokens=["\ud800"]) == code_of(auth_tokens=[f"Token {TOK}"]) == "token_malformed"


def test_equal_credentials_are_one_and_different_ones_are_refused() -> None:
    assert read(f"Token {TOK}", f"Bearer {TOK}", auth_tokens=[TOK, TOK]).scheme == "token"
    assert code_of(f"Token {TOK}", auth_tokens=[OTHER]) == "ambiguous_credentials"
    assert code_of(auth_tokens=[TOK, OTHER]) == "ambiguous_credentials"
    assert code_of(f"Basic {BASIC}", f"Basic {encoded(f'{PUB}:else')}") == "ambiguous_credentials"
    assert code_of(f"Basic {BASIC}", auth_tokens=[TOK]) == "ambiguous_credentials"
    assert code_of(f"Basic {BASIC}", auth_tokens=["{{token}}"]) == "credential_placeholder"


@pytest.mark.parametrize(
    ("header", "shown"),
    [("Digest a=b", "Digest"), ("Baisc x", "Baisc"), ("Basic: x", "Basic:"), (TOK, "(none)"), (f"{TOK} x", "(none)")],
)
def test_tells_a_scheme_but_never_a_secret(header: str, shown: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(header)
    assert refusal.value.details == {"scheme": shown}


def test_a_credential_knows_its_handle_and_hides_its_secret() -> None:
    pair, token = read(f"Basic {BASIC}"), read(f"Token {TOK}")
    assert pair.handle == PUB
    assert pair.digest == sha256(PRV.encode()).digest()
    assert token.handle == token.digest.hex() == sha256(TOK.encode()).hexdigest()
    assert PRV not in repr(pair)
    assert TOK not in repr(token)
    assert same(pair.digest, sha256(PRV.encode()).digest())
    assert not same(pair.digest, token.digest)


@given(
    scheme=st.sampled_from(["Basic", "basic", "BASIC", "bAsIc"]),
    gap=st.text(" \t", min_size=1, max_size=4),
    doubled=st.booleans(),
    around=st.sampled_from(["", " ", "\n", "\r\n", "\t"]),
    padded=st.booleans(),
    url_safe=st.booleans(),
)
def test_every_accepted_spelling_is_the_same_credential(
    *, scheme: str, gap: str, doubled: bool, around: str, padded: bool, url_safe: bool
) -> None:
    value = encoded(f"{PUB}:{PRV}{around}")
    value = value if padded else value.rstrip("=")
    value = value.replace("+", "-").replace("/", "_") if url_safe else value
    credential = read(f"{scheme}{gap}Basic{gap}{value}" if doubled else f"{scheme}{gap}{value}")
    assert (credential.handle, credential.digest) == (PUB, sha256(PRV.encode()).digest())
    assert ("credential_whitespace" in credential.warnings) == bool(around)


@given(
    st.lists(st.binary() | st.builds("{} {}".format, SCHEMES, st.lists(VALUES | st.text()).map("".join)), max_size=2),
    st.lists(VALUES | st.text(st.characters(codec=None)), max_size=2),
)
def test_whatever_comes_is_a_credential_or_a_refusal(headers: list[bytes | str], auth_tokens: list[str]) -> None:
    result = outcome(*headers, auth_tokens=auth_tokens)
    if isinstance(result, Refusal):
        assert result.code.status in {400, 401}
    else:
        assert result.handle.isprintable()
        assert result.secret.isprintable()
        assert set(result.warnings) <= set(WARNINGS)


@given(st.binary(), st.sampled_from([b"Basic ", b"Token ", b""]))
def test_any_bytes_encoded_or_not_raise_nothing_else(data: bytes, scheme: bytes) -> None:
    for header in (scheme + data, scheme + b64encode(data)):
        assert isinstance(outcome(header), Credential | Refusal)


@given(st.sampled_from([PUBLIC, PRIVATE, TOKEN]), st.binary(min_size=20, max_size=20))
def test_keys_are_of_one_length_and_check_themselves(prefix: str, random: bytes) -> None:
    key = make_key(prefix, random)
    assert re.fullmatch(prefix + "[0-9A-Za-z]{33}", key)
    assert checksum_fits(key)


@given(st.binary(min_size=20, max_size=20), st.integers(0, 38), st.sampled_from("09AZaz_é"))
def test_a_changed_character_is_noticed(random: bytes, place: int, character: str) -> None:
    key = make_key(TOKEN, random)
    changed = key[:place] + character + key[place + 1 :]
    assert checksum_fits(changed) == (changed == key)
    assert not checksum_fits(key[:place] + key[place + 1 :])


def test_keys_differ_and_keep_every_bit() -> None:
    assert make_key(TOKEN, b"\x00" * 20) != make_key(TOKEN, b"\x00" * 19 + b"\x01")
    assert len(make_key(TOKEN, b"\xff" * 20)) == len(make_key(TOKEN, b"\x00" * 20))
    assert not checksum_fits("")
    assert not checksum_fits("sk_live_0123456789")

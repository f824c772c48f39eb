"""Credentials as they are typed, and that nothing of them is shown, however a receiver sends them back."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.names import UnfitError
from ringback.domain.vault import MASK, Kind, Secret, hide, read_secret

PAIR = 'public/key:p/w?"x>>>&\\end'
READY = b64encode(PAIR.encode()).decode()


class TestReading:
    @pytest.mark.parametrize("typed", [PAIR, READY, f"Basic {READY}", f"Authorization: basic  {READY}", f" {PAIR}\n"])
    def test_a_pair_and_its_base64_are_the_same(self, typed: str) -> None:
        assert read_secret(Kind.BASIC, typed) == Secret("Authorization", f"Basic {READY}")

    @pytest.mark.parametrize(
        ("kind", "typed", "header", "value"),
        [
            (Kind.TOKEN, "abc/def", "Authorization", "Token abc/def"),
            (Kind.TOKEN, "token abc", "Authorization", "Token abc"),
            (Kind.BEARER, "Authorization: Bearer abc", "Authorization", "Bearer abc"),
            (Kind.HEADER, " abc ", "X-Api-Key", "abc"),
        ],
    )
    def test_others_are_read_with_or_without_their_scheme(
        self, kind: Kind, typed: str, header: str, value: str
    ) -> None:
        secret = read_secret(kind, typed, name="X-Api-Key")
        assert secret == Secret(header, value)
        assert Secret.read(secret.keep()) == secret
        assert value not in repr(secret)

    @pytest.mark.parametrize(
        ("kind", "typed", "name", "why"),
        [
            (Kind.BASIC, "nothing", "", "write the pair as public:private"),
            (Kind.BASIC, "a:b\nc", "", "on one line"),
            (Kind.TOKEN, "a\x00b", "", "printable characters"),
            (Kind.HEADER, "abc", "X Key", "write the name of a header"),
            (Kind.HEADER, "abc", "Cookie", "Cookie can't be a credential"),
            *(
                (Kind.HEADER, "abc", name, f"{name} is set by Ringback itself")
                for name in ("Host", "Accept-Encoding", "Expect", "Proxy-Authorization", "TE", "Ringback-Hops")
            ),
            *(
                (Kind.HEADER, "abc", name, f"{name} is set by Ringback itself")
                for name in ("ringback-test", "Webhook-Id", "webhook-timestamp", "webhook-signature")
            ),
        ],
    )
    def test_what_cannot_be_sent_is_refused_with_its_reason(self, kind: Kind, typed: str, name: str, why: str) -> None:
        with pytest.raises(UnfitError, match=why):
            read_secret(kind, typed, name=name)


def php(text: str) -> str:
    return json.dumps(text).replace("/", "\\/")


def dotnet(text: str) -> str:
    return "".join(f"\\u{ord(each):04X}" if each in "\"&'+<>`" or ord(each) > 126 else each for each in text)


WAYS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON of PHP": php,
    "JSON of .NET": lambda text: dotnet(text.replace("\\", "\\\\")),
    "JSON in capitals": lambda text: re.sub(r"(?<=u)00..", lambda found: found[0].upper(), json.dumps(text)),
    "JSON with letters": lambda text: json.dumps(text, ensure_ascii=False),
    "UTF-8 read as Latin-1": lambda text: text.encode().decode("latin-1"),
    "a URL": lambda text: quote(text, safe=""),
    "a URL in small letters": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "a form": quote_plus,
    "HTML": escape,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("password", ['p/w?"x>>>&+end', "pässwörd-é/+", "back\\slash'quote"])
def test_whatever_a_receiver_sends_back_is_masked(way: str, password: str) -> None:
    secret = read_secret(Kind.BASIC, f"user_name:{password}")
    for echoed in (password, f"user_name:{password}", secret.value, secret.value.removeprefix("Basic ")):
        shown = hide(f"You sent <{WAYS[way](echoed)}>.", [secret])
        assert MASK in shown
        assert WAYS[way](password)[1:-1] not in shown
        assert secret.value[6:] not in shown


def test_short_parts_are_words_and_stay() -> None:
    assert hide("the user is bob", [read_secret(Kind.BASIC, "bob:longer-secret")]) == "the user is bob"
    assert hide("nothing", []) == "nothing"


def test_the_longer_goes_first() -> None:
    secret = Secret("X-Key", "abcdef ghijkl")
    assert hide("abcdef ghijkl, ghijkl", [secret]) == f"{MASK}, {MASK}"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40))
def test_no_token_is_shown(token: str) -> None:
    secret = Secret("Authorization", f"Token {token}")
    for way in (str, json.dumps, php):
        assert token not in hide(f"[{way(token)}]", [secret])

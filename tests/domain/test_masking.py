"""Masking: no secret is left in any of its forms, all else stays, and hostile data ends soon."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ringback.domain.credentials import PRIVATE, PUBLIC, TOKEN, basic_value, make_key
from ringback.domain.masking import MASK, mask, mask_text

PUB = make_key(PUBLIC, bytes(range(12)))
PRV = make_key(PRIVATE, bytes(range(100, 124)))
TOK = make_key(TOKEN, bytes(range(200, 224)))
BASIC = basic_value(PUB, PRV)
TRACKDRIVE = "tdprv" + "0123456789abcdef" * 2 + "01234567"

SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=5, max_size=24)
SURROUNDINGS = st.binary(max_size=12)
FRAGMENTS = st.sampled_from(
    [
        *(
            "auth_token",
            "Authorization",
            "auth%5Ftoken",
            "auth\\u005ftoken",
            "authToken",
            'name="auth_token"',
            "Basic ",
        ),
        *("Token ", "bearer+", "Basic%20", "token=", "=", ":", "=>", "%3D", "%253A", "\\u003d", "&", "%26", '"', '\\"'),
        *(
            '\\\\\\"',
            "%22",
            "'",
            "\\u0022",
            "[",
            "]",
            "{",
            "}",
            ",",
            ";",
            "\r\n",
            "\r\n\r\n",
            "--",
            "\\",
            "\\n",
            "%",
            "25",
        ),
        *(" ", "+", "\t", "null", "123", "plan", "Words", "abcdefgh1", "s3cr3t-value", "[masked]", "41", "<", ">", "/"),
        *(PUB, PRV, TOK, BASIC, BASIC[4:], TRACKDRIVE, "rbtok_", "tdpub", "rbprv%5Fabcd1234"),
    ]
)


def forms(secret: str) -> Iterator[str]:
    """A secret as clients, logs and answers may carry it."""
    yield secret
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret), quote(quote(secret, safe=""), safe=""))
    yield re.sub("%..", lambda escape: escape[0].lower(), quote(secret, safe=""))
    yield "".join(f"%{byte:02x}" for byte in secret.encode())
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    yield "".join(f"\\u{unit:04X}" for unit in memoryview(secret.encode("utf-16")).cast("H")[1:])
    for prefix in ("", "x:", "xy:", f"{PUB}:"):
        pair = f"{prefix}{secret}".encode()
        for text in (b64encode(pair).decode(), urlsafe_b64encode(pair).decode()):
            yield from (text, text.rstrip("="), quote(text, safe=""), text.replace("/", "\\/"))


@pytest.mark.parametrize(
    ("data", "masked"),
    [
        # Keys
        (f"see {TOK}.", f"see {TOK[:10]}[masked]."),
        (f"{PRV} and {PUB}", f"{PRV[:10]}[masked] and {PUB}"),
        (f"x=rbtok%5F{TOK[6:]}&y", f"x={TOK[:10]}[masked]&y"),
        (f'"rbtok\\u005f{TOK[6:]}"', f'"{TOK[:10]}[masked]"'),
        (TRACKDRIVE, TRACKDRIVE[:9] + "[masked]"),
        (f"q={BASIC}&x=1", "q=[masked]&x=1"),
        (f"q={b64encode(f'x:{TOK}'.encode()).decode()}&x=1", "q=eDp[masked]&x=1"),
        # auth_token in queries and forms
        ("x=1&auth_token=abc&y=2", "x=1&auth_token=[masked]&y=2"),
        ("auth_token=a,b;c+d%26e&y", "auth_token=[masked]&y"),
        ("AUTH_TOKEN=abc#x", "AUTH_TOKEN=[masked]"),
        ("auth%5Ftoken=abc&y=2", "auth_token=[masked]&y=2"),
        ("%61uth_token=abc", "auth_token=[masked]"),
        ("f[auth_token]=abc&x", "f[auth_token]=[masked]&x"),
        ("f%5Bauth_token%5D=abc&x", "f%5Bauth_token%5D=[masked]&x"),
        ("auth_token[]=abc&x", "auth_token[]=[masked]&x"),
        ("auth_token=&x=1", "auth_token=&x=1"),
        ("u=http%3A%2F%2Fh%3Fauth_token%3Dabc%26y%3D1&z", "u=http%3A%2F%2Fh%3Fauth_token%3D[masked]%26y%3D1&z"),
        ("u=%253Fauth_token%253Da%25252Fb%2526y%253D1", "u=%253Fauth_token%253D[masked]%2526y%253D1"),
        ("p=%7B%22auth_token%22%3A%22a%2Cb%22%7D&z", "p=%7B%22auth_token%22%3A%22[masked]%22%7D&z"),
        # auth_token in JSON and its like
        ('{"auth_token": "abc", "x": 1}', '{"auth_token": "[masked]", "x": 1}'),
        ('{"auth\\u005ftoken":"a\\"b\\\\c"}', '{"auth_token":"[masked]"}'),
        ('{"auth_token":"","x":1}', '{"auth_token":"","x":1}'),
        ('{"auth_token":123,"x":1}', '{"auth_token":[masked],"x":1}'),
        ('{"auth_token":["abc","d]e"],"x":1}', '{"auth_token":[masked],"x":1}'),
        ('{"auth_token":{"a":"b"}}', '{"auth_token":[masked]}'),
        (r'{"b":"{\"auth_token\":\"abc\",\"x\":1}"}', r'{"b":"{\"auth_token\":\"[masked]\",\"x\":1}"}'),
        (r'"{\\\"auth_token\\\":\\\"a\\\",\\\"b\\\":1}"', r'"{\\\"auth_token\\\":\\\"[masked]\\\",\\\"b\\\":1}"'),
        (r"{\u0022auth_token\u0022:\u0022abc\u0022}", r"{\u0022auth_token\u0022:\u0022[masked]\u0022}"),
        (r'"https:\/\/h?auth_token\u003da\/b\u0026y"', r'"https:\/\/h?auth_token\u003d[masked]\u0026y"'),
        ("{'auth_token': 'abc', 'x': 1}", "{'auth_token': '[masked]', 'x': 1}"),
        ("['auth_token' => 'abc']", "['auth_token' => '[masked]']"),
        ("auth_token: abc\nx: y", "auth_token: [masked]\nx: y"),
        # auth_token in multipart
        (
            'Content-Disposition: form-data; name="auth_token"\r\nContent-Type: text/x\r\n\r\na\r\nb\r\n--b--',
            'Content-Disposition: form-data; name="auth_token"\r\nContent-Type: text/x\r\n\r\n[masked]\r\n--b--',
        ),
        ('name="auth_token"\n\nabc', 'name="auth_token"\n\n[masked]'),
        ('name="auth_token"\r\n\r\n\r\n--b--', 'name="auth_token"\r\n\r\n\r\n--b--'),
        # Authorization
        (f"Authorization: Basic {BASIC}\r\nHost: x", "Authorization: Basic [masked]\r\nHost: x"),
        ("authorization:token  abc\r\nHost: x", "authorization:token  [masked]\r\nHost: x"),
        ('Authorization: Token token="a b", x="c"\nHost: x', "Authorization: Token [masked]\nHost: x"),
        ("Authorization: Digest a=b, c=d", "Authorization: [masked]"),
        ('{"Authorization":"Basic abc"}', '{"Authorization":"Basic [masked]"}'),
        (r'{"h":"Authorization: Token token=\"abc\"\r\nHost: x"}', r'{"h":"Authorization: Token [masked]\r\nHost: x"}'),
        ("curl -H 'Authorization: Token abc' https://x", "curl -H 'Authorization: Token [masked]' https://x"),
        ("h=Authorization%3A+Basic+abc%3D%3D&z=1", "h=Authorization%3A+Basic+[masked]&z=1"),
        ("authorization=Basic abc&z=1", "authorization=Basic [masked]&z=1"),
        # Its values alone
        ("Basic xxxxx", "Basic [masked]"),
        ("  Bearer  abc\n", "  Bearer  [masked]"),
        ("Basic Basic abc", "Basic Basic [masked]"),
        (f"x=Basic+{quote(BASIC)}&y", "x=Basic+[masked]&y"),
        ("x=Basic%20YTpiYw&y", "x=Basic%20[masked]&y"),
        ("x: Basic ab\\/cd+ef0= y", "x: Basic [masked] y"),
        ('["Token token=\\"abc\\""]', '["Token token=\\"[masked]\\""]'),
        ("Basic Basic Basic Basic Basic abcdefg1", "Basic Basic Basic Basic Basic [masked]"),
    ],
)
def test_masks_secrets_by_their_looks(data: str, masked: str) -> None:
    assert mask(data.encode()).decode() == masked
    assert mask_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        '{"buyer_converted": true, "revenue": "42.00", "post_call_tokens": {"name": "Zoë", "note": "caf\\u00e9"}}',
        "buyer_converted=true&revenue=42.00&post_call_tokens%5Bfirst_name%5D=Jane&at=50%25&%63ity=Bonn",
        "He wants the Basic plan. A Token of love, the bearer arrives; Basic Information for 2. Token 1234",
        "note=Basic+plan+for+him&x=1",
        "tokens rbtok_ rbtok_abcd tdpublisher author authority authorized",
        f"{PUB} is public",
        "",
    ],
)
def test_leaves_the_rest_alone(text: str) -> None:
    assert mask_text(text) == text
    assert mask_text(text, ["another secret"]) == text


@given(SECRETS, SURROUNDINGS, SURROUNDINGS)
def test_leaves_no_given_secret_in_any_form(secret: str, before: bytes, after: bytes) -> None:
    assume(secret not in MASK.decode())
    for form in forms(secret):
        assert form.encode() not in mask(before + form.encode() + after, [secret])


@pytest.mark.parametrize("secret", ["s3cr3t/va+lue_Xy==", "100%25", "a\\b\\\\c", "%41%2541", "pass word", "péché🔑"])
def test_masks_given_secrets_whole(secret: str) -> None:
    for form in list(forms(secret))[:10]:
        assert mask_text(f"<{form}>", [secret]) == "<[masked]>"


@given(SECRETS)
def test_text_is_masked_like_bytes(secret: str) -> None:
    assert mask_text(f"\ud800{secret}é", [secret]).startswith("\ud800")
    assert mask_text(secret, iter([secret])) == mask(secret.encode(), [secret]).decode()


def test_longer_secrets_go_first_and_empty_ones_nowhere() -> None:
    assert mask(b"abcdef", ["abc", "", "abcdef"]) == MASK
    assert mask(b"abcdef", [""]) == b"abcdef"
    assert mask(b"abc YWJj", ["abc"]) == b"[masked] YWJj"
    assert mask(b"[masked] masked", ["masked"]) == b"[masked] [masked]"


@given(st.lists(FRAGMENTS, max_size=16).map("".join), st.lists(SECRETS, max_size=2))
def test_masking_twice_is_masking_once(text: str, secrets: list[str]) -> None:
    once = mask_text(text, secrets)
    assert mask_text(once, secrets) == once


@given(st.lists(FRAGMENTS | st.text(max_size=5), max_size=8).map("".join), st.sampled_from([PRV, TOK]))
def test_no_key_survives_anywhere(text: str, key: str) -> None:
    for place in {0, len(text) // 2, len(text)}:
        assert key not in mask_text(f"{text[:place]}{key}{text[place:]}")


@given(st.binary(), st.lists(st.text(max_size=8), max_size=2))
def test_any_bytes_and_any_secrets_go(data: bytes, secrets: list[str]) -> None:
    assert isinstance(mask(data, secrets), bytes)


@pytest.mark.parametrize(
    "unit",
    [
        *(
            'auth_token"',
            "auth_token=",
            "auth_token:",
            "auth_token:[",
            'auth_token:"',
            'auth_token:\\"',
            "auth_token    ",
        ),
        *(
            "auth_token%3D%22",
            'auth_token==\\"',
            'name="auth_token"\r\n',
            "name=",
            "name=auth_token\nA:b\n",
            "basic+a+",
        ),
        *(
            "basic ",
            "bearer\\t",
            'Token token="',
            "\\",
            "%25",
            "%",
            "cmJwdWJf",
            "rbtok_",
            "\\u0061",
            "a",
            "\\\\u005cu0041",
        ),
    ],
)
def test_hostile_data_takes_no_longer_than_its_length(unit: str) -> None:
    # Anything but linear time would take minutes here, not milliseconds.
    data = (unit * 400_000)[:400_000].encode()
    assert len(mask(data, ["\\" * 40, "%" * 40, "\\A" * 20, "%25" * 20 + "x"])) > 0

"""Requests made of templates and values: each value stays in its place, and the host among the allowed ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.compiling import UnfitDefinitionError, compile_definition
from ringback.domain.hosts import read_target
from ringback.domain.postbacks import Definition
from ringback.domain.presets import PRESETS
from ringback.domain.rendering import Compiled, Rendered
from ringback.domain.template_tokens import FIELD, sample_values
from ringback.domain.templates import HeldError

SEED = PRESETS[0].definition
UUID = "7d0c5a52-6d2c-4a53-9d0e-3b1f6a1c9e55"
NASTY = [
    "evil.example/", "evil.example", "a.b", "@x", "a@b", "%2e", "%2E%2e", "A", "ACME", "münchen", "xn--mnchen-3ya",
    "a" * 63, "a" * 64, "", " ", "-a", "a-", "a\r\nHost: evil.example", "a\nb", "\x00", "\t", "#", "?", "a?b=c#d", "/",
    "..", ".", "../..", "\\", ":8080", "a:b", "[x]", "[payout]", "[[", "{}", '"', '","revenue":"9', "\\u0022", "&a=b",
    "a=b", "+", "a b", "é", "😀", "\ud800", "\u202e", "localhost", "127", "0x7f", "①", "。", "\ue000", "<script>",
]  # fmt: skip
values = st.one_of(st.sampled_from(NASTY), st.text(max_size=80))


def is_public_suffix(name: str) -> bool:
    return name in {"com", "example", "co.uk", "uk"}


def compiled(definition: Definition, *fields: str) -> Compiled:
    return compile_definition(definition, fields=fields, is_public_suffix=is_public_suffix)


def everywhere(**changes: Any) -> Definition:  # noqa: ANN401
    """A definition with a token in every position, each of another name."""
    made = Definition(
        "POST",
        "https://[field:h].partner.example/a/[field:p]/x[field:p]y?q=[field:q]&r=1[field:q]",
        headers=(("X-Value", "[field:x]"),),
        body='{"one": "[field:j]", "two": "a [field:j] b", "list": ["[field:j]", 1.50, null, true], '
        '"[[t": "[[field:j]"}',
        allowed_hosts=("*.partner.example",),
    )
    return replace(made, **changes)


def render(definition: Definition, given: Mapping[str, object]) -> Rendered | str:
    """What is sent for these contact fields, or the code why it is held."""
    try:
        return compiled(definition).render({FIELD + name: value for name, value in given.items()})
    except HeldError as held:
        return held.code


@given(st.fixed_dictionaries(dict.fromkeys("hpqxj", values)))
def test_every_value_arrives_in_its_place_or_nothing_is_sent(given: dict[str, str]) -> None:
    made = render(everywhere(), given)
    if isinstance(made, str):
        assert made in {"hole", "unfit_host", "unfit_path", "unfit_header"}
        return
    split = urlsplit(made.url)
    assert split.scheme == "https"
    assert split.username is None
    assert split.port is None
    assert str(read_target(made.url).host) == made.host == f"{given['h']}.partner.example"
    _, first, second, third = split.path.split("/")
    assert [unquote(part, errors="replace") for part in (first, second, third)] == [
        "a", sendable(given["p"]), f"x{sendable(given['p'])}y",
    ]  # fmt: skip
    assert parse_qsl(split.query, keep_blank_values=True) == [
        ("q", sendable(given["q"])),
        ("r", "1" + sendable(given["q"])),
    ]
    assert dict(made.headers) == {"Content-Type": "application/json", "X-Value": given["x"]}
    assert made.body is not None
    assert json.loads(made.body) == {
        "one": given["j"],
        "two": f"a {given['j']} b",
        "list": [given["j"], 1.5, None, True],
        "[[t": "[field:j]",
    }


def sendable(text: str) -> str:
    """A text as UTF-8 can carry it: half a character becomes a question mark."""
    return text.encode(errors="replace").decode()


@given(values)
def test_no_value_leads_a_request_elsewhere(value: str) -> None:
    made = render(everywhere(), {**dict.fromkeys("pqxj", "v"), "h": value})
    if isinstance(made, str):
        assert made in {"hole", "unfit_host"}
    else:
        host = urlsplit(made.url).hostname
        assert host is not None
        assert host.endswith(".partner.example")
        assert host.count(".") == 2


@pytest.mark.parametrize(
    "value", ["evil.example/", "a.b", "@x", "%2e", "ACME", "münchen", "a" * 64, "a\r\nb", "-a", "a-"]
)
def test_a_value_that_is_no_label_is_held(value: str) -> None:
    assert render(everywhere(), {**dict.fromkeys("pqxj", "v"), "h": value}) == "unfit_host"


@given(values, values)
def test_a_form_has_the_fields_that_its_template_has(one: str, two: str) -> None:
    definition = everywhere(body_kind="form", body="a=[field:j]&b=x y&c=[field:k]")
    made = render(definition, {**dict.fromkeys("hpqx", "v"), "j": one, "k": two})
    if isinstance(made, str):
        assert made == "hole"
    else:
        assert made.body is not None
        fields = parse_qsl(made.body.decode(), keep_blank_values=True)
        assert fields == [("a", sendable(one)), ("b", "x y"), ("c", sendable(two))]


class TestTheSeed:
    given: Mapping[str, object] = {
        FIELD + "trackdrive_subdomain": "acme",
        FIELD + "trackdrive_call_uuid": UUID,
        "payout": Decimal("25.2"),
    }

    def test_is_sent_as_the_guide_has_it(self) -> None:
        made = compiled(SEED).render(self.given)
        assert (made.method, made.host) == ("POST", "acme.trackdrive.com")
        assert made.url == f"https://acme.trackdrive.com/api/v1/calls/update_call/{UUID}"
        assert made.headers == (("Content-Type", "application/json"),)
        assert made.body is not None
        assert json.loads(made.body) == {
            "buyer_converted": "true",
            "revenue": "25.20",
            "offer_converted": "true",
            "post_call_tokens": {},
        }

    @pytest.mark.parametrize("blank", [None, "", "  "])
    @pytest.mark.parametrize("name", ["payout", FIELD + "trackdrive_subdomain", FIELD + "trackdrive_call_uuid"])
    def test_is_held_rather_than_sent_with_a_hole(self, name: str, blank: str | None) -> None:
        with pytest.raises(HeldError, match="missing") as held:
            compiled(SEED).render({**self.given, name: blank})
        assert held.value.code == "hole"

    def test_says_what_each_token_became(self) -> None:
        trace = compiled(SEED).render(self.given).trace
        assert [(each.written, each.value, each.position, each.rule) for each in trace] == [
            ("trackdrive_subdomain", "acme", "host", "value"),
            ("trackdrive_call_uuid", UUID, "path", "value"),
            ("Call:ConversionPayout", "25.20", "json", "value"),
        ]


class TestHoles:
    @pytest.mark.parametrize(
        ("hole", "body", "sent"),
        [
            ("hold", '{"a": "[payout]"}', "hole"),
            ("blank", '{"a": "[payout]"}', b'{"a": ""}'),
            ("omit", '{"a": "[payout]", "b": 1}', b'{"b": 1}'),
            ("omit", '["[payout]", 2]', b"[2]"),
            ("hold", '{"a": "[payout]{0.00}"}', b'{"a": "0.00"}'),
        ],
    )
    def test_in_json(self, hole: str, body: str, sent: bytes | str) -> None:
        made = render(Definition("POST", "https://x.example/", body=body, holes={"payout": hole}), {})
        assert (made if isinstance(made, str) else made.body) == sent

    @pytest.mark.parametrize(
        ("hole", "url"), [("blank", "https://x.example/?a=&b=1"), ("omit", "https://x.example/?b=1")]
    )
    def test_in_a_query(self, hole: str, url: str) -> None:
        definition = Definition("GET", "https://x.example/?a=[payout]&b=1", body_kind="none", holes={"payout": hole})
        made = render(definition, {})
        assert isinstance(made, Rendered)
        assert (made.url, made.body) == (url, None)

    @pytest.mark.parametrize("hole", ["blank", "omit"])
    def test_in_a_header(self, hole: str) -> None:
        definition = Definition(
            "GET", "https://x.example/", headers=(("X-A", "[payout]"),), body_kind="none", holes={"payout": hole}
        )
        made = render(definition, {})
        assert isinstance(made, Rendered)
        assert made.headers == ((("X-A", ""),) if hole == "blank" else ())

    def test_in_host_and_path_are_held_whatever_is_wished(self) -> None:
        for url in ("https://[subdomain].partner.example/", "https://x.example/[subdomain]"):
            definition = Definition(
                "GET",
                url,
                body_kind="none",
                holes={"subdomain": "blank"},
                allowed_hosts=("*.partner.example", "x.example"),
            )
            assert render(definition, {}) == "hole"


@pytest.mark.parametrize(
    ("type_", "value", "sent"),
    [
        ("string", "7.50", '"7.50"'),
        ("number", "7.50", "7.50"),
        ("number", " -3 ", "-3"),
        ("number", "1e3", "unfit_number"),
        ("number", "1e999999999", "unfit_number"),
        ("number", "007", "unfit_number"),
        ("number", "$5", "unfit_number"),
        ("number", "٣", "unfit_number"),
        ("number", "seven", "unfit_number"),
        ("number", "NaN", "unfit_number"),
        ("boolean", "True", "true"),
        ("boolean", "yes", "unfit_boolean"),
    ],
)
def test_a_string_that_is_one_token_can_be_typed(type_: str, value: str, sent: str) -> None:
    definition = Definition("POST", "https://x.example/", body='{"a": "[field:v]"}', types={"field:v": type_})
    made = render(definition, {"v": value})
    assert made == sent if isinstance(made, str) else made.body == f'{{"a": {sent}}}'.encode()


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"method": "HEAD"}, "method", "POST"),
        ({"body_kind": "xml"}, "body_kind", "json"),
        ({"url": "ftp://x.example/"}, "url", "https://"),
        ({"url": "https://[payout].com/"}, "url", "domain without tokens"),
        ({"url": "https://[payout].co.uk/"}, "url", "domain without tokens"),
        ({"url": "https://[payout]/"}, "url", "domain without tokens"),
        ({"url": "https://a[payout].x.example/"}, "url", "whole part"),
        ({"url": "[payout]://x.example/"}, "url", "https://"),
        ({"url": "https://user:pw@x.example/"}, "url", "vault"),
        ({"url": "https://x.example/a b"}, "url", "without spaces"),
        ({"url": "https://x_y!.example/"}, "url", "can't be read"),
        ({"url": "https://x.example/[frist_name]"}, "url", "[first_name]"),
        ({"url": "https://x.example/[zzzzz]"}, "url", "[field:zzzzz]"),
        ({"body": '{"revenue": "[Call:ConversonPayout]"}'}, "body", "[Call:ConversionPayout]"),
        ({"body": "{"}, "body", "not JSON"),
        ({"body": '{"[payout]": 1}'}, "body", "tokens stand in values"),
        ({"body": '{"a": "[payout]{%s}"}' % ("x" * 201)}, "body", "What follows [payout] in braces can't be"),
        ({"body": "[payout]{{b}}", "body_kind": "text"}, "body", "What follows [payout] in braces can't be"),
        ({"url": "https://x.example/[payout]{b"}, "url", "What follows [payout] in braces can't be"),
        ({"body": "x" * 70_000, "body_kind": "text"}, "body", "64 KiB"),
        ({"headers": (("Host", "x"),)}, "headers", "Ringback itself"),
        ({"headers": (("webhook-ID", "x"),)}, "headers", "Webhook-ID is set by Ringback itself"),
        *(
            ({"headers": ((name, "x"),)}, "headers", f"{name} is set by Ringback itself")
            for name in ("Ringback-Hops", "Ringback-Test", "Expect", "Accept-Encoding")
        ),
        ({"headers": (("X Y", "x"),)}, "headers", "character"),
        ({"headers": (("Authorization", "Basic x"),)}, "headers", "vault"),
        ({"headers": (("X-A", "a\nb"),)}, "headers", "can't carry"),
        ({"headers": tuple((f"X-{n}", "x") for n in range(40))}, "headers", "at most 30"),
        ({"allowed_hosts": ("*.com",)}, "allowed_hosts", "anybody"),
        ({"allowed_hosts": ("a b",)}, "allowed_hosts", "a b"),
        ({"allowed_hosts": ()}, "allowed_hosts", "which hosts"),
    ],
)
def test_what_is_wrong_with_a_definition_is_said_with_its_field(changes: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(UnfitDefinitionError) as unfit:
        compiled(replace(SEED, **changes))
    told = {problem.field: problem.message for problem in unfit.value.problems}
    assert said in told[field]


def test_a_known_contact_field_needs_no_prefix() -> None:
    made = compiled(Definition("GET", "https://x.example/[Lead_Id]", body_kind="none"), "lead_id").render(
        {FIELD + "lead_id": "7"}
    )
    assert made.url == "https://x.example/7"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_every_preset_can_be_saved_and_rendered(preset: Any) -> None:  # noqa: ANN401
    named = dict.fromkeys(("ringba_call_uuid", "retreaver_call_uuid", "retreaver_call_key", "transaction_id"), "7")
    made = compiled(preset.definition).render(sample_values(named))
    assert made.url.startswith("https://")

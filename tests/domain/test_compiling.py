"""Definitions made ready: what is refused on save and why, and that nothing that is saved can fail in any other way."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringback.domain.compiling import (
    LONGEST_BODY,
    MOST_HEADERS,
    MOST_TOKENS,
    UnfitDefinitionError,
    compile_definition,
)
from ringback.domain.hosts import read_target
from ringback.domain.postbacks import Definition
from ringback.domain.template_tokens import FIELD
from ringback.domain.templates import HeldError
from tests.domain.definitions import URL, compiled, is_public_suffix, refused, rendered


class TestNamesOfFields:
    def test_brackets_in_the_name_of_a_form_field_are_text(self) -> None:
        body = "post_call_tokens[first_name]=[first_name]&data[zip]{x}=[zip]&q[[a]=1"
        made = rendered({"first_name": "Jane & Co", "zip": "07001"}, body_kind="form", body=body)
        assert made.body is not None
        assert parse_qsl(made.body.decode(), strict_parsing=True) == [
            ("post_call_tokens[first_name]", "Jane & Co"),
            ("data[zip]{x}", "07001"),
            ("q[a]", "1"),
        ]

    def test_the_same_in_a_query(self) -> None:
        made = rendered({"first_name": "Jané"}, url=URL + "?data[first_name]=[first_name]")
        assert parse_qsl(urlsplit(made.url).query) == [("data[first_name]", "Jané")]

    def test_a_query_may_be_one_token(self) -> None:
        assert rendered({"call_id": "a&b=c"}, url=URL + "?[call_id]").url == URL + "?a%26b%3Dc"

    def test_a_form_is_typed_in_lines_or_with_ampersands(self) -> None:
        made = rendered({}, body_kind="form", body="a=1\r\nb=x y\n&c=100%&d=%2B+\n")
        assert made.body == b"a=1&b=x+y&c=100%25&d=%2B+"
        assert made.headers == (("Content-Type", "application/x-www-form-urlencoded"),)

    def test_a_form_may_have_any_letter(self) -> None:
        made = rendered({}, body_kind="form", body="\ue000=\ufffd&é=1")
        assert made.body is not None
        assert parse_qsl(made.body.decode()) == [("\ue000", "\ufffd"), ("é", "1")]


class TestJson:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("", "ends too early"),
            ('{"a": NaN}', "NaN is not a number"),
            ('{"a": -Infinity}', "-Infinity is not a number"),
            ('{"a": 1, "a": 2}', "stands twice"),
            ("[" * 20 + "]" * 20, "nested"),
            ('{"a": [payout]}', "no quotes around it"),
            ('{"x[payout]": 1}', "tokens stand in values"),
            ('{"a": "[Call:Conversion/Payout]"}', "can't be read as a token"),
            ('{"a": "\x00"}', "NUL"),
            ('{"a": "\ud800"}', "half a character"),
            ('"' + "é" * LONGEST_BODY + '"', "at most 64 KiB"),
            ('"' + "[payout]" * (MOST_TOKENS + 1) + '"', "at most 200"),
        ],
    )
    def test_what_is_refused(self, body: str, said: str) -> None:
        told = refused(body_kind="json", body=body)
        assert [field for field, _ in told] == ["body"]
        assert said in told[0][1]
        assert told[0][1].endswith(".")
        assert not told[0][1].endswith("..")

    def test_what_is_no_token_is_sent_as_it_is(self) -> None:
        body = '{"a": [1, 2.50, -3e5, true, null, [], {}], "b[[c]": "[[payout] [] [1,2] é", "d": ["x"]}'
        sent = rendered({}, body_kind="json", body=body).body
        assert sent is not None
        assert json.loads(sent) == {
            "a": [1, 2.5, -3e5, True, None, [], {}],
            "b[c]": "[payout] [] [1,2] é",
            "d": ["x"],
        }

    @pytest.mark.parametrize("body", ['"[payout]"', '["[payout]"]', '"a [payout]"'])
    def test_the_whole_body_is_never_left_out(self, body: str) -> None:
        holes = {"payout": "omit"}
        if body.startswith("["):
            assert rendered({}, body_kind="json", body=body, holes=holes).body == b"[]"
        else:
            with pytest.raises(HeldError, match="missing"):
                rendered({}, body_kind="json", body=body, holes=holes)

    def test_an_empty_object_stays_one(self) -> None:
        assert rendered({}, body_kind="json", body='{"post_call_tokens": {}}').body == b'{"post_call_tokens": {}}'


class TestText:
    def test_is_sent_as_it_stands(self) -> None:
        made = rendered({"first_name": 'Jané "J" [payout]'}, body_kind="text", body="Hi [first_name],\n[[1,2],[3]]")
        assert made.body is not None
        assert made.body.decode() == 'Hi Jané "J" [payout],\n[[1,2],[3]]'
        assert made.headers == (("Content-Type", "text/plain; charset=utf-8"),)

    @pytest.mark.parametrize(("hole", "sent"), [("blank", b"<>"), ("hold", None), ("omit", None)])
    def test_a_hole_is_blank_or_held(self, hole: str, sent: bytes | None) -> None:
        definition = {"body_kind": "text", "body": "<[payout]>", "holes": {"payout": hole}}
        if sent is None:
            with pytest.raises(HeldError, match="missing"):
                rendered({}, **definition)
        else:
            assert rendered({}, **definition).body == sent


class TestHoles:
    @pytest.mark.parametrize("named", ["payout", "PAYOUT", "Call:ConversionPayout", "ts_payout"])
    def test_are_said_by_any_name_of_the_value(self, named: str) -> None:
        made = rendered({}, url=URL + "?a=[call:conversionpayout]&b=1", holes={named: "omit"})
        assert made.url == URL + "?b=1"

    def test_the_name_that_is_written_goes_first(self) -> None:
        made = rendered({}, url=URL + "?a=[payout]&b=[ts_payout]", holes={"payout": "blank", "ts_payout": "omit"})
        assert made.url == URL + "?a="

    @pytest.mark.parametrize("hole", ["hold", "blank", "omit"])
    @pytest.mark.parametrize("url", ["https://[subdomain].partner.example/", "https://x.partner.example/[subdomain]"])
    @pytest.mark.parametrize("default", ["", "{}", "{  }"])
    def test_host_and_path_are_never_blank(self, hole: str, url: str, default: str) -> None:
        definition = {"holes": {"subdomain": hole}, "allowed_hosts": ["*.partner.example"]}
        with pytest.raises(HeldError, match="missing"):
            rendered({}, url=url.replace("]", f"]{default}"), **definition)

    def test_an_empty_default_is_blank_elsewhere(self) -> None:
        made = rendered({}, url=URL + "?a=[payout]{}", headers=[("X-A", "[revenue]{none}")])
        assert (made.url, made.headers) == (URL + "?a=", (("X-A", "none"),))

    def test_a_default_is_text_of_any_kind(self) -> None:
        made = rendered({}, url=URL + "[first_name]{a/b c?}?n=[last_name]{x&y=#z}")
        assert made.url == URL + "a%2Fb%20c%3F?n=x%26y%3D%23z"

    @pytest.mark.parametrize("value", ["zap", "", "HOLD"])
    def test_there_are_three_kinds(self, value: str) -> None:
        assert refused(holes={"payout": value}) == [("holes", f"'{value}' is not one of hold, blank, omit.")]

    def test_are_of_tokens_that_can_be_kept(self) -> None:
        assert refused(holes={"a\x00": "hold"}) == [("holes", r"'a\x00' is not the name of a token.")]


class TestTypes:
    @pytest.mark.parametrize(
        ("token", "type_", "said"),
        [
            ("buyer", "number", "[buyer] is text, and can't be sent as number."),
            ("created_at", "number", "[created_at] is time, and can't be sent as number."),
            ("payout", "boolean", "[payout] is amount, and can't be sent as boolean."),
            ("payout", "float", "'float' is not one of string, number, boolean."),
        ],
    )
    def test_a_value_that_can_t_be_that_is_refused(self, token: str, type_: str, said: str) -> None:
        assert refused(body_kind="json", body=f'"[{token}]"', types={token: type_}) == [("types", said)]

    def test_a_blank_number_is_refused(self) -> None:
        told = refused(body_kind="json", body='"[payout]"', types={"payout": "number"}, holes={"payout": "blank"})
        assert told == [("holes", "[payout] can't be blank as number: hold it, or leave it out.")]

    def test_a_default_that_can_t_be_that_is_refused(self) -> None:
        told = refused(body_kind="json", body='"[payout]{none}"', types={"payout": "number"})
        assert told[0][0] == "body"
        assert told[0][1].startswith("The default of [payout] is to be sent as a number")

    @pytest.mark.parametrize(
        ("token", "type_", "value", "sent"),
        [
            ("payout", "number", "25.20", b"25.20"),
            ("caller_id", "number", "13055550123", b"13055550123"),
            ("buyer_converted", "boolean", True, b"true"),
            ("field:n", "number", 7, b"7"),
        ],
    )
    def test_what_fits_is_sent_so(self, token: str, type_: str, value: object, sent: bytes) -> None:
        values = {token: value, token.removeprefix(FIELD): value}
        assert rendered(values, body_kind="json", body=f'"[{token}]"', types={token: type_}).body == sent


class TestHeaders:
    def test_a_content_type_of_ones_own_replaces_ours(self) -> None:
        made = rendered({}, body_kind="text", body="<a/>", headers=[(" content-type ", "application/xml")])
        assert made.headers == (("content-type", "application/xml"),)

    @pytest.mark.parametrize("value", ["a\r\nX: y", "é", "a\tb", "\x7f", "[payout]{a\nb}"])
    def test_a_value_is_plain_text_on_one_line(self, value: str) -> None:
        assert ("headers", "The value of X-A has characters that a header can't carry.") in refused(
            headers=[("X-A", value)]
        )

    @pytest.mark.parametrize("name", ["Authorization", "cookie", "Host", "Content-Length", "", "X Y", "X:", "Ü"])
    def test_a_name_is_one_that_may_be_set(self, name: str) -> None:
        assert refused(headers=[(name, "x")])[0][0] == "headers"

    def test_there_are_so_many_and_no_more(self) -> None:
        assert len(compiled(headers=[(f"X-{n}", "x") for n in range(MOST_HEADERS)]).headers) == MOST_HEADERS
        assert "at most" in refused(headers=[(f"X-{n}", "x") for n in range(MOST_HEADERS + 1)])[0][1]

    @pytest.mark.parametrize("value", ["a\r\nb", "é", "\x00", "a\tb", "x\n"])
    def test_a_value_that_can_t_stand_there_is_held(self, value: str) -> None:
        with pytest.raises(HeldError) as held:
            rendered({"first_name": value}, headers=[("X-A", "[first_name]")])
        assert held.value.code == "unfit_header"

    def test_a_value_is_sent_without_the_space_around_it(self) -> None:
        assert rendered({"first_name": " Bob \t"}, headers=[("X-A", "[first_name]")]).headers[-1] == ("X-A", "Bob")


@pytest.mark.parametrize("label", ["a" * 64, "-a", "a-", "A", "a.b", "a_b"])
def test_a_value_that_is_no_label_says_what_one_is(label: str) -> None:
    with pytest.raises(HeldError, match="1 to 63 small letters, digits and hyphens, with no hyphen at either end"):
        rendered({"first_name": label}, url="https://[first_name].x.example/", allowed_hosts=["*.x.example"])


def test_everything_that_is_wrong_is_said_at_once() -> None:
    told = refused(
        method="HEAD",
        url="ftp://x",
        headers=[("Host", "x")],
        body_kind="json",
        body="{",
        allowed_hosts=["*.com", "a b"],
    )
    assert {field for field, _ in told} == {"method", "url", "headers", "body", "allowed_hosts"}


def test_the_same_mistake_is_said_once() -> None:
    assert len(refused(url=URL + "?a=[zzzzz]&b=[zzzzz]")) == 1


def test_an_unknown_name_says_how_to_mean_it() -> None:
    assert refused(body_kind="text", body="[see note]") == [
        (
            "body",
            (
                "[see note] is not known. For plain text, write [[see note]. "
                "A contact field that no call has yet is [field:see note]."
            ),
        )
    ]


def test_what_was_saved_keeps_its_meaning_when_its_contact_fields_are_gone() -> None:
    definition = Definition("GET", URL + "?a=[lead_id]&b=[payout]", body_kind="none", types={"lead_id": "number"})
    saved = compile_definition(definition, fields=None, is_public_suffix=is_public_suffix)
    assert saved == compile_definition(definition, fields=["Lead_Id"], is_public_suffix=is_public_suffix)
    assert saved.tokens == ("lead_id", "payout")


PIECES = st.sampled_from(
    ["[payout]", "[first_name]", "[field:a]", "[[", "[", "]", "{", "}", "{x}", "[payout]{d}", "[nope]", "https://", "/",
     "?", "&", "=", "#", ".", "..", "%", "%2e", ":", "@", "a", "x.partner.example", '"', '{"a": "', '"}', "\\", "\n",
     "é", "\ue000", "\x00", " ", "1", "NaN", "[subdomain].partner.example"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=20)
URLS = (
    TEXTS | TEXTS.map("https://x.partner.example/".__add__) | TEXTS.map("https://[subdomain].partner.example".__add__)
)
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from([".", "..", "1e999", "2e"])


@given(
    definition=st.builds(
        Definition,
        method=st.sampled_from(["POST", "GET", "HEAD"]),
        url=URLS,
        headers=st.lists(st.tuples(st.just("X-A") | TEXTS, TEXTS), max_size=2).map(tuple),
        body_kind=st.sampled_from(["json", "form", "text", "none", "?"]),
        body=TEXTS | TEXTS.map(json.dumps) | TEXTS.map(lambda text: json.dumps({"a": text, "b": [text]})),
        holes=st.dictionaries(st.sampled_from(["payout", "first_name"]), st.sampled_from(["hold", "blank", "omit"])),
        types=st.dictionaries(st.sampled_from(["payout", "first_name"]), st.sampled_from(["number", "boolean"])),
        allowed_hosts=st.lists(st.just("*.partner.example") | TEXTS, max_size=2).map(tuple),
    ),
    given=st.fixed_dictionaries(dict.fromkeys(["payout", "subdomain", "field:first_name", "field:a"], VALUES)),
)
@example(Definition("GET", URL + "../[payout]", body_kind="none"), {"payout": "1"})
@example(Definition("POST", URL, body="[payout]", body_kind="text", holes={"payout": "omit"}), {})
def test_any_definition_is_refused_with_reasons_or_held_with_one_or_sent(
    definition: Definition, given: dict[str, object]
) -> None:
    made, told = None, ["nothing."]
    try:
        made = compile_definition(definition, fields=[], is_public_suffix=is_public_suffix).render(given)
    except UnfitDefinitionError as unfit:
        told = [problem.message for problem in unfit.problems]
    except HeldError as held:
        told = [str(held)]
    if made is None:
        assert all(each.endswith(".") for each in told)
        return
    target = read_target(made.url)
    assert str(target.host) == made.host
    assert target.host == "x.partner.example" or made.host.endswith(".partner.example")
    assert made.url.isascii()
    assert made.url.isprintable()
    assert all(value.isascii() and value.isprintable() for _, value in made.headers)
    if definition.body_kind == "json":
        assert made.body is not None
        json.loads(made.body, parse_constant=pytest.fail)

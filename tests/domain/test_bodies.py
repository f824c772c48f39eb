"""Bodies as clients send them (reference/clients.md, 6.2), each rule of RECEIVING.md's "The body", and any bytes."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringback.domain.bodies import NOTES, Fields, Number, Value, read_fields
from ringback.domain.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=XX"
MISMATCH = ("content_type_mismatch",)

PAID: dict[str, Value] = {"buyer_converted": "true", "revenue": "42.50"}
PAID_JSON = b'{"buyer_converted": "true", "revenue": "42.50"}'
PAID_FORM = b"buyer_converted=true&revenue=42.50"


def read(body: bytes = b"", content_type: str = JSON, query: bytes = b"") -> Fields:
    return read_fields(query, content_type, body)


def refused(body: bytes = b"", content_type: str = JSON, query: bytes = b"") -> tuple[str, dict[str, str]]:
    with pytest.raises(Refusal) as caught:
        read_fields(query, content_type, body)
    return caught.value.code.name, dict(caught.value.details)


def reason(body: bytes, content_type: str = JSON) -> str:
    code, details = refused(body, content_type)
    assert code == "malformed_json"
    return details["reason"]


def part(name: str, value: str, extra: str = "", headers: str = "") -> bytes:
    return f'--XX\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n{headers}\r\n{value}\r\n'.encode()


CLIENTS: dict[str, tuple[str, bytes, dict[str, Value], str, tuple[str, ...]]] = {
    "curl -d '{…}'; PHP curl with a JSON string": (FORM, PAID_JSON, PAID, "json", MISMATCH),
    "curl --json; requests json=": (JSON, PAID_JSON, PAID, "json", ()),
    "curl -X POST": ("", b"", {}, "", ()),
    "curl -F; axios postForm; PHP curl with an array": (
        MULTIPART,
        part("revenue", "42.50") + part("post_call_tokens[first_name]", "Ann") + b"--XX--\r\n",
        {"revenue": "42.50", "post_call_tokens": {"first_name": "Ann"}},
        "multipart",
        (),
    ),
    "requests data=, nested dict flattened": (
        FORM,
        b"buyer_converted=True&revenue=10.1&post_call_tokens=a",
        {"buyer_converted": "True", "revenue": "10.1", "post_call_tokens": "a"},
        "form",
        (),
    ),
    "httpx2 data={True,None}": (FORM, b"a=true&x=", {"a": "true", "x": ""}, "form", ()),
    "node fetch with a string": ("text/plain;charset=UTF-8", PAID_JSON, PAID, "json", MISMATCH),
    "node URLSearchParams": (f"{FORM};charset=UTF-8", b"a=undefined", {"a": "undefined"}, "form", ()),
    "axios post(url, null)": (JSON, b"null", {}, "", ()),
    "the same, labelled as a form": (FORM, b"null", {}, "", ()),
    "Guzzle json with an empty array": (
        JSON,
        b'{"revenue":42,"post_call_tokens":[]}',
        {"revenue": "42", "post_call_tokens": []},
        "json",
        (),
    ),
    "PHP json_encode([])": (JSON, b"[]", {}, "", ()),
    "Guzzle form_params; PHP http_build_query": (
        FORM,
        b"buyer_converted=1&offer_converted=0&post_call_tokens%5Bfirst_name%5D=Ann",
        {"buyer_converted": "1", "offer_converted": "0", "post_call_tokens": {"first_name": "Ann"}},
        "form",
        (),
    ),
    "HTTPie k=v k:=v": (JSON, b'{"a": "1", "b": 1}', {"a": "1", "b": "1"}, "json", ()),
    "HTTPie -f": (f"{FORM}; charset=utf-8", b"a=1", {"a": "1"}, "form", ()),
    "newman with an unset variable": (FORM, b"revenue=%7B%7Brevenue%7D%7D", {"revenue": "{{revenue}}"}, "form", ()),
    "an empty FormData": (MULTIPART, b"--XX--\r\n", {}, "", ()),
}


@pytest.mark.parametrize(("content_type", "body", "values", "source", "notes"), CLIENTS.values(), ids=CLIENTS)
def test_what_clients_send(
    content_type: str, body: bytes, values: dict[str, Value], source: str, notes: tuple[str, ...]
) -> None:
    assert read(body, content_type) == Fields(values, dict.fromkeys(values, source), notes)


NESTED: dict[str, Value] = {"post_call_tokens": {"a": "x"}}
LENIENCIES: dict[str, tuple[str, bytes, dict[str, Value], set[str]]] = {
    "no label": ("", PAID_JSON, PAID, {"content_type_missing"}),
    "form without label": ("", PAID_FORM, PAID, {"content_type_missing"}),
    "JSON labelled as multipart": ("multipart/form-data", PAID_JSON, PAID, {*MISMATCH}),
    "text/json": ("text/json", PAID_JSON, PAID, set()),
    "+json, any case": ("Application/Problem+JSON ; x=y", PAID_JSON, PAID, set()),
    "white space around": (JSON, b" \r\n" + PAID_JSON + b"\n ", PAID, set()),
    "only white space": (JSON, b" \n", {}, set()),
    "empty list with a space": (JSON, b"[ ]", {}, set()),
    "empty object": (JSON, b"{}", {}, set()),
    "form labelled as JSON": (JSON, PAID_FORM, PAID, {*MISMATCH}),
    "form labelled as text": ("text/plain", PAID_FORM, PAID, {*MISMATCH}),
    "form labelled as multipart": (MULTIPART, PAID_FORM, PAID, {*MISMATCH}),
    "--data-urlencode": (FORM, quote_plus(PAID_JSON).encode(), PAID, {*MISMATCH, "percent_encoded_json"}),
    "jQuery": (FORM, quote(PAID_JSON).encode() + b"=", PAID, {*MISMATCH, "percent_encoded_json"}),
    "JSON in a JSON text": (JSON, json.dumps(PAID_JSON.decode()).encode(), PAID, {"double_encoded"}),
    "raw line break": (JSON, b'{"a": "x\ny\tz"}', {"a": "x\ny\tz"}, {"control_characters"}),
    "UTF-8 BOM": (JSON, codecs.BOM_UTF8 + PAID_JSON, PAID, set()),
    "UTF-8 BOM before a form": (FORM, codecs.BOM_UTF8 + PAID_FORM, PAID, set()),
    "UTF-16 with BOM": (JSON, PAID_JSON.decode().encode("utf-16"), PAID, set()),
    "UTF-32 with BOM": (JSON, PAID_JSON.decode().encode("utf-32"), PAID, set()),
    "UTF-16 of Windows": (JSON, PAID_JSON.decode().encode("utf-16-le"), PAID, set()),
    "Windows-1252": (JSON, '{"a": "Zoë €"}'.encode("cp1252"), {"a": "Zoë €"}, {"encoding_guessed"}),
    "Latin-1": (JSON, b'{"a": "\x81\xe9"}', {"a": "\x81é"}, {"encoding_guessed"}),
    "Latin-1 escapes": (FORM, b"a=Zo%EB&%E9=1", {"a": "Zoë", "é": "1"}, {"encoding_guessed"}),
    "UTF-8 escapes": (FORM, b"a=%C3%A9&b=%E2%82%AC", {"a": "é", "b": "€"}, set()),
    "lone surrogate and NUL stay": (JSON, rb'{"a": "\ud800\u0000"}', {"a": "\ud800\0"}, set()),
    "escapes": (FORM, b"a=1+2%2B%20&b=%zz%4&c=%", {"a": "1 2+ ", "b": "%zz%4", "c": "%"}, set()),
    "odd pairs": (FORM, b"&a&b=1=2&&=3&", {"a": "", "b": "1=2", "": "3"}, set()),
    "list": (FORM, b"data[]=x&data[]=x&data[]=y", {"data": ["x", "x", "y"]}, set()),
    "deep": (FORM, b"a[b][c]=1&a[b][d]=2&a[e][]=3", {"a": {"b": {"c": "1", "d": "2"}, "e": ["3"]}}, set()),
    "malformed brackets are plain": (
        FORM,
        b"a[=1&b]=2&[c]=3&d[e]f=4&g[]h]=5&i[[j]]=6&k[][l]=7&[]=8",
        {"a[": "1", "b]": "2", "[c]": "3", "d[e]f": "4", "g[]h]": "5", "i[[j]]": "6", "k[][l]": "7", "[]": "8"},
        set(),
    ),
    "repeated in a form": (FORM, b"a=1&a=1&b[c]=2&b[c]=2", {"a": "1", "b": {"c": "2"}}, {"repeated_name"}),
    "and in JSON": (JSON, b'{"a": [{"b": true, "b": true}]}', {"a": [{"b": True}]}, {"repeated_name"}),
    "JSON in a form's field": (FORM, b'post_call_tokens={"a":"x"}', NESTED, {"json_in_field"}),
    "and in a JSON text": (JSON, rb'{"post_call_tokens": " {\"a\":\"x\"}"}', NESTED, {"json_in_field"}),
    "empty contact fields": (FORM, b"data=", {"data": ""}, set()),
    "left alone": (FORM, b'data={"a":"x"&other={"a":1}', {"data": '{"a":"x"', "other": '{"a":1}'}, set()),
    "a text": (JSON, b'{"data": "x"}', {"data": "x"}, set()),
    "a number": (JSON, b'{"data": 1}', {"data": "1"}, set()),
    "no boundary": ("multipart/form-data", part("a", "x") + b"--XX--", {"a": "x"}, {"boundary_guessed"}),
    "wrong one": ("multipart/form-data; boundary=YY", part("a", "x") + b"--XX--", {"a": "x"}, {"boundary_guessed"}),
    "quoted": ('multipart/form-data; Boundary="XX"; charset=utf-8', part("a", "x") + b"--XX--", {"a": "x"}, set()),
    "multipart labelled as JSON": (JSON, part("a", "x") + b"--XX--", {"a": "x"}, {*MISMATCH, "boundary_guessed"}),
    "bare line feeds": (MULTIPART, (part("a", "x\r\ny\r\n") + b"--XX--").replace(b"\r", b""), {"a": "x\ny\n"}, set()),
    "lines within a part": (
        MULTIPART,
        part("a", "x\r\n\r\n--X\r\n", headers="Content-Type: text/plain; name=no\r\n") + b"--XX--\r\nepilogue",
        {"a": "x\r\n\r\n--X\r\n"},
        set(),
    ),
    "escaped and UTF-8 name": (MULTIPART, part(r"a\"\\ é", "é") + b"--XX--", {'a"\\ é': "é"}, set()),
    "Latin-1 part": (
        MULTIPART,
        part("a", "Zoë").replace("ë".encode(), b"\xeb") + b"--XX--",
        {"a": "Zoë"},
        {"encoding_guessed"},
    ),
    "files": (
        MULTIPART,
        part("a", "x", '; filename="C:\\a;name=b.txt"', "Content-Type: image/png\r\n")
        + part("b", "y", "; filename*=UTF-8''b")
        + b"--XX--",
        {"a": "C:\\a;name=b.txt", "b": ""},
        {"file_ignored"},
    ),
    "bare name, padded boundary": (
        MULTIPART,
        b"--XX \r\ncontent-disposition: form-data ; Name = a\r\n\r\nx\r\n--XX--",
        {"a": "x"},
        set(),
    ),
}


@pytest.mark.parametrize(("content_type", "body", "values", "notes"), LENIENCIES.values(), ids=LENIENCIES)
def test_is_read_leniently(content_type: str, body: bytes, values: dict[str, Value], notes: set[str]) -> None:
    fields = read(body, content_type)
    assert fields.values == values
    assert fields.notes == tuple(code for code in NOTES if code in notes)


@pytest.mark.parametrize(
    ("body", "cause"),
    [(b"'{revenue:42}'", "single quotes stand where"), (b"<?xml version='1.0'?>", "it is XML or HTML")],
)
def test_what_is_plainly_no_form_is_not_read_as_one(body: bytes, cause: str) -> None:
    assert reason(body, FORM).startswith(cause)


@pytest.mark.parametrize(
    ("body", "noun"),
    [
        (b"42", "a number"),
        (b"-1e5", "a number"),
        (b"NaN", "a number"),
        (b"true", "true or false"),
        (b'"x"', "a text"),
        (b'""', "a text"),
        (b'"null"', "a text"),
        (b"[1]", "a list"),
        (b'[{"a": 1}]', "a list"),
        (rb'"\"{}\""', "a text"),
    ],
)
def test_json_other_than_an_object_is_refused(body: bytes, noun: str) -> None:
    assert reason(body) == f"it is {noun}, not an object"


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"hello", "it doesn't begin with its boundary"),
        (b"[1]", "it doesn't begin with its boundary"),
        (part("a", "x"), "its closing boundary is missing; it may be cut off"),
        (part("a", "x")[:-3], "its closing boundary is missing; it may be cut off"),
        (b"--XX\r\n\r\nx\r\n--XX--", "one of its parts has no name or no value"),
        (part("a", "x").replace(b"; name", b"; no") + b"--XX--", "one of its parts has no name or no value"),
        (b"--XX\r\nContent-Disposition: form-data; name=a\r\n--XX--", "one of its parts has no name or no value"),
        (
            part("a", "eA==", headers="Content-Transfer-Encoding: BASE64\r\n") + b"--XX--",
            "one of its parts has a transfer encoding, which multipart/form-data doesn't know",
        ),
        (part("a[]", "x") * 1001 + b"--XX--", "it has more than 1,000 fields"),
    ],
)
def test_malformed_multipart_is_explained(body: bytes, cause: str) -> None:
    assert refused(body, MULTIPART) == ("malformed_body", {"form": "multipart", "reason": cause})


def test_a_form_has_a_thousand_fields_at_most() -> None:
    assert read(b"&".join([b"a[]=1"] * 1000), FORM).values == {"a": ["1"] * 1000}
    assert refused(b"&".join([b"a[]=1"] * 1001), FORM)[0] == "malformed_body"
    assert read(part("a[]", "1") * 1000 + b"--XX--", MULTIPART).values == {"a": ["1"] * 1000}


@pytest.mark.parametrize(
    ("body", "content_type", "name"),
    [
        (b'{"revenue": 1, "revenue": 2}', JSON, "revenue"),
        (b'{"a": 1.0, "a": 1}', JSON, "a"),
        (b'{"post_call_tokens": {"x": "1", "x": "2"}}', JSON, "x"),
        (b'{"a": [{"x": {"y": 1}, "x": {"y": 2}}]}', JSON, "x"),
        (rb'{"data": "{\"x\": 1, \"x\": 2}"}', JSON, "x"),
        (rb'"{\"x\": 1, \"x\": 2}"', JSON, "x"),
        (rb'{"\ud800\u0000": 1, "\ud800\u0000": 2}', JSON, "??"),
        (b'{"%s": 1, "%s": 2}' % (b"x" * 999, b"x" * 999), JSON, "x" * 80),
        (b"a=1&a=2", FORM, "a"),
        (b"a=1&a[b]=2", FORM, "a[b]"),
        (b"a[b]=2&a=1", FORM, "a"),
        (b"a[]=1&a[b]=2", FORM, "a[b]"),
        (b"a[b]=1&a[]=2", FORM, "a[]"),
        (b"a[b]=1&a[b]=2", FORM, "b"),
        (part("a", "1") + part("a", "2") + b"--XX--", MULTIPART, "a"),
    ],
)
def test_a_name_with_two_values_is_refused(body: bytes, content_type: str, name: str) -> None:
    assert refused(body, content_type) == ("duplicate_key", {"name": name})


def test_many_objects_side_by_side_are_read() -> None:
    updates: list[Value] = [{"uuid": str(number), "data": {}} for number in range(1000)]
    assert read(json.dumps({"updates": updates}).encode()) == Fields({"updates": updates}, {"updates": "json"}, ())


def test_names_nest_eight_levels_too() -> None:
    assert (
        read(b"a[b][c][d][e][f][g][h]=1", FORM).values
        == read(b'{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":"1"}}}}}}}}').values
    )
    assert refused(b"a[b][c][d][e][f][g][h][]=1", FORM) == ("too_deep", {"limit": "8"})
    assert refused(b"a[b][c][d][e][f][g][h][i]=1", FORM) == ("too_deep", {"limit": "8"})
    assert refused(b"data=" + b'{"a":' * 9 + b"1" + b"}" * 9, FORM) == ("too_deep", {"limit": "8"})


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[]", b"  "])
def test_the_query_alone_is_read(body: bytes) -> None:
    fields = read(body, query=PAID_FORM + b"&data[x]=1")
    assert fields == Fields({**PAID, "data": {"x": "1"}}, dict.fromkeys([*PAID, "data"], "query"), ())


def test_the_body_goes_before_the_query() -> None:
    fields = read(b'{"revenue": 42, "a": true}', query=b"revenue=41&x=1&auth_token=t")
    assert fields.values == {"revenue": "42", "a": True, "x": "1", "auth_token": "t"}
    assert fields.sources == {"revenue": "json", "a": "json", "x": "query", "auth_token": "query"}
    assert fields.notes == ("query_overridden",)


def test_the_same_in_body_and_query_is_nothing_to_note() -> None:
    fields = read(b'{"revenue": 42}', query=b"revenue=42")
    assert fields == Fields({"revenue": "42"}, {"revenue": "json"}, ())


def test_the_query_is_refused_as_a_form_is() -> None:
    assert refused(PAID_JSON, query=b"a=1&a=2") == ("duplicate_key", {"name": "a"})


@pytest.mark.parametrize(
    "literal", ["42", "42.50", "-0", "1e400", "0.1000", "9" * 10_000, "NaN", "Infinity", "-Infinity"]
)
def test_numbers_stay_as_written(literal: str) -> None:
    for content_type in (JSON, FORM):
        value = read(f'{{"revenue": {literal}}}'.encode(), content_type).values["revenue"]
        assert type(value) is Number
        assert value == literal


def test_every_note_has_a_sentence() -> None:
    noted = {note for *_, notes in LENIENCIES.values() for note in notes}
    assert noted | {"query_overridden"} == set(NOTES)
    assert all(sentence.endswith(".") for sentence in NOTES.values())


# --- any bytes -------------------------------------------------------------------------------------------------------

CONTENT_TYPES = st.sampled_from([JSON, FORM, MULTIPART, "multipart/form-data", "text/plain", ""]) | st.text(max_size=40)
JSON_SCRAPS = rb"""{ } [ ] " ' : , \ \u \ud800 1 - e NaN null true a "data": post_call_tokens"""
FORM_SCRAPS = rb"""a = & % %7B %e9 + a[ [] --XX -- ; name="a" filename= Content-Disposition:form-data;name=a"""
SPACES = [b" ", b"\n", b"\r", b"\r\n", b"\r\n\r\n", b"\0", b"\x81", b"\xff", codecs.BOM_UTF8, codecs.BOM_UTF16]
SCRAPS = st.sampled_from([*JSON_SCRAPS.split(), *FORM_SCRAPS.split(), *SPACES])
BODIES = st.binary(max_size=200) | st.lists(SCRAPS, max_size=30).map(b"".join)


@given(query=BODIES, content_type=CONTENT_TYPES, body=BODIES)
@example(query=b"", content_type=JSON, body=b"{" * 1_000_000)
@example(query=b"[" * 1_000_000, content_type=JSON, body=b"")
@example(query=b"", content_type="multipart/a; boundary=\ud800", body=b"--\r\ncontent-")
def test_any_bytes_are_read_or_refused(query: bytes, content_type: str, body: bytes) -> None:
    try:
        fields = read_fields(query, content_type, body)
    except Refusal as refusal:
        shown = f"{refusal.code.status} {refusal.title}"
    else:
        assert fields.sources.keys() == fields.values.keys()
        assert set(fields.sources.values()) <= {"json", "form", "multipart", "query"}
        shown = "400 " + " ".join(NOTES[note] for note in fields.notes)
    assert shown.startswith("400 ")
    assert shown.encode()  # no lone surrogates, whatever was sent


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# Without brackets, which nest in a form's names, and without what multipart would escape.
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='[]{"\\'), min_size=1, max_size=10)


def spellings(values: Mapping[str, str]) -> list[Fields]:
    plain = json.dumps(values)
    parts = b"".join(part(name, value) for name, value in values.items()) + b"--XX--"
    encodings = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
    return [
        *(read(plain.encode(encoding)) for encoding in encodings),
        read(json.dumps(values, ensure_ascii=False).encode()),
        read(json.dumps(values, indent=2).encode()),
        read(json.dumps(plain).encode()),
        *(read(plain.encode(), content_type) for content_type in (FORM, MULTIPART, "text/plain", "")),
        read(quote(plain).encode(), FORM),
        read(urlencode(values).encode(), FORM),
        read(codecs.BOM_UTF8 + urlencode(values).encode(), FORM),
        read(parts, MULTIPART),
        read(query=urlencode(values).encode()),
    ]


@given(st.dictionaries(NAMES, TEXTS, max_size=5))
@example({"data": '{"a": "x"}', "post_call_tokens": "{"})
@example({"a": "--", "null": ""})
def test_every_spelling_says_the_same(values: dict[str, str]) -> None:
    first, *others = spellings(values)
    assert all(fields.values == first.values for fields in others)
    if not values.keys() & {"data", "post_call_tokens"}:
        assert first.values == values


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, TEXTS, min_size=1, max_size=3), max_size=3))
def test_nested_names_say_what_nested_json_says(values: dict[str, dict[str, str]]) -> None:
    flat = {f"{outer}[{inner}]": value for outer, fields in values.items() for inner, value in fields.items()}
    assert read(urlencode(flat).encode(), FORM).values == read(json.dumps(values).encode()).values == values


@given(st.integers() | st.decimals(allow_nan=False, allow_infinity=False).map(lambda number: f"{number:f}"))
def test_any_number_keeps_its_digits(number: int | str) -> None:
    assert read(f'{{"revenue": {number}}}'.encode()).values == {"revenue": Number(number)}

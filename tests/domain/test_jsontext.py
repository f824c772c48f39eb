"""JSON mistakes and how they are explained; how deep JSON may go."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.errors import Refusal
from ringback.domain.jsontext import LEVELS, Number, read_json


def refused(text: str) -> tuple[str, dict[str, str]]:
    with pytest.raises(Refusal) as caught:
        read_json(text, set())
    return caught.value.code.name, dict(caught.value.details)


def reason(text: str) -> str:
    code, details = refused(text)
    assert code == "malformed_json"
    return details["reason"]


QUOTES = "a comma is missing, or a quote within a text has no backslash before it"
REASONS = {
    "Python's repr": ("{'revenue': 42}", "single quotes stand where double quotes belong", 1, 2),
    "cmd.exe": ("'{\"a\":1}'", "single quotes stand where double quotes belong", 1, 1),
    "missing value": ('{"revenue": , "a": 1}', "the value of revenue is missing", 1, 13),
    "missing last value": ('{"revenue": }', "the value of revenue is missing", 1, 13),
    "curly": ("{\u201crevenue\u201d: 42}", "typographic quotes stand where straight ones belong", 1, 2),
    "curly one": ("{\u2018revenue\u2019: 42}", "typographic quotes stand where straight ones belong", 1, 2),
    "cut off": ('{"a": 1', "it ends too early and may be cut off", 1, 8),
    "cut off before a value": ('{"a": ', "it ends too early and may be cut off", 1, 7),
    "cut off in a text": ('{"a": "x', "a text has no closing quote, or the body is cut off", 1, 7),
    "several objects": ('{"a": 1}\n{"b": 2}', "several objects stand one after the other", 2, 1),
    "something after": ('{"a": 1};', "something stands after its end", 1, 9),
    "grouping": ('{"a": 1,250.50}', "a number with a comma in it has no quotes around it", 1, 9),
    "leading zero": ('{"zip": 02134}', "a number that begins with 0 has no quotes around it", 1, 10),
    "bare name": ("{revenue: 42}", "a name has no double quotes around it", 1, 2),
    "XML": ("<call id='1'><a>b</a></call>", "it is XML or HTML", 1, 1),
    "prose": ("hello world", "it begins neither like JSON nor like a form", 1, 1),
    "bare text": ('{"a": True}', "a text has no double quotes around it", 1, 7),
    "missing comma": ('{"a": "x" "b": 1}', QUOTES, 1, 11),
    "bare quote": ('{"a": "he said "hi""}', QUOTES, 1, 17),
    "colon": ('{"a" 1}', "a colon is missing after a name", 1, 6),
    "backslash": (r'{"a": "C:\dir"}', "a backslash within a text is not doubled", 1, 10),
    "lone minus": ('{"a": -}', "a text has no double quotes around it", 1, 7),
    "brackets that differ": ('["a" }', QUOTES, 1, 6),
    "anything else": ("{1: 2}", "something else stands where a name or a value belongs", 1, 2),
}


@pytest.mark.parametrize(("text", "cause", "line", "column"), REASONS.values(), ids=REASONS)
def test_malformed_json_is_explained(text: str, cause: str, line: int, column: int) -> None:
    assert reason(text) == f"{cause} (line {line}, column {column})"


@pytest.mark.parametrize(
    "token",
    [
        "[Call:ConversionPayout]",
        "[revenue]",
        "[[revenue]]",
        "[tag:user:x]",
        "{{revenue}}",
        "{{ steps.revenue }}",
        "{revenue}",
        "#payout#",
        "%payout%",
        "--PAYOUT--",
        "${revenue}",
    ],
)
def test_an_unquoted_template_token_is_named(token: str) -> None:
    text = f'{{"revenue": {token}, "a": 1}}'
    assert reason(text).startswith(
        f"the template token {token} was not replaced by a value and has no quotes around it ("
    )


def test_what_may_be_a_secret_is_not_shown() -> None:
    assert "x" * 41 not in reason('{"auth_token": [' + "x" * 42 + "]}")


@pytest.mark.parametrize("text", ['{"a": 1,}', '{"a": 1 , }', '{"a": [1,\n]}'])
def test_a_trailing_comma_is_named(text: str) -> None:
    assert reason(text).startswith("a comma stands before a closing bracket (")  # where exactly differs by Python


def test_positions_within_a_long_body_are_right() -> None:
    lines = '"a": 1,\n' * 500
    assert reason("{" + lines + "'b': 2}") == "single quotes stand where double quotes belong (line 501, column 1)"


def nested(levels: int, inner: str = "1") -> str:
    return '{"a":' * levels + inner + "}" * levels


@pytest.mark.parametrize(
    "text",
    [
        nested(8),
        nested(7, "[]"),
        nested(6, "[{}]"),
        nested(1, '"' + "[{" * 50 + '"'),
        nested(1, r'"\"' + "[{" * 50 + r'\\"'),
        nested(1, "[" + ",".join(["[[{}]]"] * 50) + "]"),
    ],
)
def test_eight_levels_are_read(text: str) -> None:
    assert read_json(text, set()) == json.loads(text, parse_int=Number)


@pytest.mark.parametrize(
    "text",
    [
        nested(9),
        nested(8, "[]"),
        nested(8, "{}"),
        nested(100_000),
        '{"a":' * 100_000,
        '{"a":' + "[" * 100_000,
        '{"a":"\\"",' + '"a":{' * 100_000,
        '{"x":[],"y":[],"a":' + "[" * 100_000,
    ],
)
def test_nine_levels_are_refused(text: str) -> None:
    assert refused(text) == ("too_deep", {"limit": "8"})


def test_a_deep_but_cut_off_body_is_called_cut_off() -> None:
    assert "cut off" in reason('{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1],"g":[1],"h":{"i":')


JSON = st.recursive(
    st.text('[]{}"\\a', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('[{"', max_size=2), inner, max_size=3),
    max_leaves=20,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(value=JSON, levels=st.integers(0, LEVELS))
def test_depth_is_counted_right(value: object, levels: int) -> None:
    for _ in range(levels):
        value = ["[[[[[[[[[", value]
    text = json.dumps(value)
    if depth(value) > LEVELS:
        assert refused(text) == ("too_deep", {"limit": "8"})
    else:
        assert read_json(text, set()) == value

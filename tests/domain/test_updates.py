"""Understanding an update: every attribute in every spelling, and every mistake explained."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.attributes import BY_WIRE_NAME, CONTACT_FIELDS, UPDATABLE, Kind, Scalar
from ringback.domain.bodies import Number
from ringback.domain.calls import Operation, Patch, Write
from ringback.domain.jsontext import Value
from ringback.domain.money import format_amount
from ringback.domain.updates import CONTROL, Reading, Understood
from tests.domain.samples import AMOUNTS, named, understood

BOOLEANS = [wire for wire, attribute in BY_WIRE_NAME.items() if attribute.kind is Kind.BOOLEAN]
AMOUNT_NAMES = [wire for wire, attribute in BY_WIRE_NAME.items() if attribute.kind is Kind.MONEY]
FIELD_NAMES = [wire for wire, attribute in BY_WIRE_NAME.items() if attribute.kind is Kind.FIELDS]


def typed(value: object) -> str:
    """An id of a test that tells the number 1 from the text."""
    return f"{type(value).__name__} {value!a}"


def patch_of(**values: Value) -> Patch:
    reading = understood(values)
    assert reading.problems == ()
    return reading.patch


def faults(**values: Value) -> dict[str, tuple[str, str]]:
    """What is wrong, by field: its code and sentence."""
    return {problem.field: (problem.code, problem.message) for problem in understood(values).problems}


class TestBooleans:
    @pytest.mark.parametrize("name", BOOLEANS)
    @pytest.mark.parametrize(
        ("value", "meant"),
        [
            *((word, True) for word in (True, "1", "true", "yes", "on", "TRUE", "Yes", " on\n", Number("1"))),
            *((word, False) for word in (False, "0", "false", "no", "off", "False", "NO", "\toff ", Number("0"))),
        ],
        ids=typed,
    )
    def test_are_read_in_every_spelling(self, name: str, value: Value, *, meant: bool) -> None:
        assert patch_of(**{name: value}) == (Write(name, Operation.SET, meant),)

    @pytest.mark.parametrize("name", BOOLEANS)
    @pytest.mark.parametrize(
        "value", ["2", "-1", "t", "y", "converted", "null", "1.0", Number("2"), [], {}, ["1"]], ids=typed
    )
    def test_are_never_guessed(self, name: str, value: Value) -> None:
        sentence = f"{name} must be true or false (1, true, yes, on, 0, false, no, off)."
        assert faults(**{name: value}) == {name: ("invalid_value", sentence)}
        assert understood({name: value}).patch == ()


class TestAmounts:
    @pytest.mark.parametrize("name", AMOUNT_NAMES)
    @pytest.mark.parametrize("value", ["42.5", "$42.50", Number("42.50"), " 42.500 ", "4.25e1"])
    def test_are_set_or_added_by_their_name(self, name: str, value: Value) -> None:
        attribute, operation = BY_WIRE_NAME[name].name, Operation.ADD if "add_" in name else Operation.SET
        assert patch_of(**{name: value}) == (Write(attribute, operation, Decimal("42.5")),)

    @pytest.mark.parametrize("name", AMOUNT_NAMES)
    @pytest.mark.parametrize(
        ("value", "why"),
        [
            ("1,25", "{}: 1,25 is ambiguous: write 1.25 or 125."),
            ("-5", "{}: -5 is negative."),
            (Number("1000000"), "{}: 1000000 is more than 999,999.999999."),
            (Number("NaN"), "{}: NaN is not an amount."),
            ("none", "{}: none is not an amount."),
            (True, "{} must be an amount such as 42.50."),
            (False, "{} must be an amount such as 42.50."),
            ([], "{} must be an amount such as 42.50."),
            ({"amount": "5"}, "{} must be an amount such as 42.50."),
        ],
    )
    def test_are_refused_with_a_reason_rather_than_stored_as_0(self, name: str, value: Value, why: str) -> None:
        assert faults(**{name: value}) == {name: ("invalid_value", why.format(name))}
        assert understood({name: value}).patch == ()

    @given(AMOUNTS)
    def test_are_kept_exactly(self, amount: Decimal) -> None:
        assert patch_of(revenue=format_amount(amount)) == (Write("revenue", Operation.SET, amount),)


class TestContactFields:
    @pytest.mark.parametrize("name", FIELD_NAMES)
    def test_are_texts_numbers_booleans_and_removals(self, name: str) -> None:
        fields: dict[str, Value] = {"a": " x ", "b": Number("42"), "c": True, "d": False, "e": None, "f": ""}
        kept: dict[str, Scalar | None] = {"a": " x ", "b": 42, "c": True, "d": False, "e": None, "f": ""}
        (write,) = patch_of(**{name: fields})
        assert write == Write("contact_fields", Operation.MERGE, kept)
        assert [type(value) for value in dict(write.value).values()] == [str, int, bool, bool, type(None), str]  # type: ignore[arg-type] # a mapping

    @pytest.mark.parametrize(
        ("number", "kept"),
        [
            ("0", 0),
            ("-7", -7),
            ("999999999999999", 999_999_999_999_999),
            ("1000000000000000", "1000000000000000"),
            ("17195550123000000000", "17195550123000000000"),
            ("1.50", "1.50"),
            ("1e3", "1e3"),
        ],
    )
    def test_keep_numbers_digit_for_digit(self, number: str, kept: int | str) -> None:
        (write,) = patch_of(data={"n": Number(number)})
        assert write.value == {"n": kept}

    @pytest.mark.parametrize("name", FIELD_NAMES)
    @pytest.mark.parametrize("nothing", [None, [], {}, "", False])
    def test_of_nothing_name_no_attribute(self, name: str, nothing: Value) -> None:
        reading = understood({name: nothing})
        assert (reading.patch, reading.problems, reading.warnings) == ((), (), ())
        assert reading.trail == (Understood(name, "json", "none"),)

    @pytest.mark.parametrize("name", FIELD_NAMES)
    @pytest.mark.parametrize("value", ["first_name", Number("0"), True, ["a"]])
    def test_are_an_object(self, name: str, value: Value) -> None:
        sentence = f'{name} must be an object of contact fields, such as {{"first_name": "Jane"}}.'
        assert faults(**{name: value}) == {name: ("invalid_value", sentence)}

    @pytest.mark.parametrize(
        ("field", "value", "why"),
        [
            ("", "x", "a contact field needs a name of at most 255 bytes."),
            ("n" * 256, "x", "a contact field needs a name of at most 255 bytes."),
            ("é" * 128, "x", "a contact field needs a name of at most 255 bytes."),
            ("a", {"b": "c"}, "data.a must be text, a number, true, false or null."),
            ("a", [], "data.a must be text, a number, true, false or null."),
            ("a", "x" * 4097, "data.a is longer than 4096 bytes."),
            ("a", "é" * 2049, "data.a is longer than 4096 bytes."),
            ("a", "x\0", "data.a contains a NUL character or half a character."),
            ("a", "\ud83d", "data.a contains a NUL character or half a character."),
            ("a\0", "x", "data.a\ufffd contains a NUL character or half a character."),
            ("\udc00", None, "data.\ufffd contains a NUL character or half a character."),
            ("a", Number("NaN"), "data.a is not a number."),
            ("a", Number("-Infinity"), "data.a is not a number."),
        ],
    )
    def test_have_limits(self, field: str, value: Value, why: str) -> None:
        (problem,) = understood({"data": {field: value, "ok": "kept apart"}}).problems
        assert (problem.code, problem.message) == ("invalid_value", why)
        assert problem.field.startswith("data.")
        assert problem.field.isprintable()

    def test_reach_their_limits(self) -> None:
        fields: dict[str, Value] = {"n" * 255: "x" * 4096, **{f"f{number}": "" for number in range(199)}}
        (write,) = patch_of(data=fields)
        assert write.value == fields

    def test_are_at_most_200(self) -> None:
        fields: dict[str, Value] = {f"f{number}": "" for number in range(201)}
        assert faults(data=fields) == {
            "data": (
                "too_many_fields",
                "The call would have more than 200 contact fields, or more than 64 KiB of them.",
            )
        }

    def test_of_both_names_are_merged(self) -> None:
        (write,) = patch_of(post_call_tokens={"a": "1", "b": "2"}, data={"b": "2", "c": None})
        assert write.value == {"a": "1", "b": "2", "c": None}

    @pytest.mark.parametrize(("one", "other"), [("1", "2"), ("1", None), ("1", Number("1")), (True, Number("1"))])
    def test_of_both_names_must_agree(self, one: Value, other: Value) -> None:
        assert faults(post_call_tokens={"a": one}, data={"a": other}) == {
            "data.a": ("conflicting_values", "post_call_tokens.a and data.a can't stand in one request.")
        }

    def test_never_hold_a_key(self) -> None:
        key = "rbprv_0123456789abcdef"
        (write,) = patch_of(data={"note": f"my key is {key}", key: "x"})
        assert write.value == {"note": "my key is rbprv_0123[masked]", "rbprv_0123[masked]": "x"}


class TestAbsentNullAndBlank:
    def test_an_absent_attribute_is_left_alone(self) -> None:
        assert understood({}) == Reading()

    @pytest.mark.parametrize("name", [*BOOLEANS, *AMOUNT_NAMES])
    @pytest.mark.parametrize("blank", [None, "", "  ", "\r\n"])
    def test_a_blank_or_null_one_too_with_a_warning(self, name: str, blank: Value) -> None:
        reading = understood({name: blank})
        assert (reading.patch, reading.problems) == ((), ())
        assert [warned.message for warned in reading.warnings] == [f"{name} was blank, so it was left as it is."]
        assert reading.trail == (Understood(name, "json", "blank"),)

    def test_a_blank_one_does_not_conflict(self) -> None:
        assert patch_of(revenue="", add_revenue="5") == (Write("revenue", Operation.ADD, Decimal(5)),)


class TestTemplateTokens:
    @pytest.mark.parametrize("name", [*BOOLEANS, *AMOUNT_NAMES])
    @pytest.mark.parametrize(
        ("value", "text", "platform"),
        [
            ("[Call:ConversionPayout]", "[Call:ConversionPayout]", "Ringba"),
            ("$[revenue]", "[revenue]", "TrackDrive"),
            ("%7B%7Brevenue%7D%7D", "{{revenue}}", "Postman, n8n or Zapier"),
            ("{payout}", "{payout}", "Everflow or TUNE"),
        ],
    )
    def test_are_refused_anywhere_in_a_value(self, name: str, value: str, text: str, platform: str) -> None:
        sentence = f"{text} is a template token of {platform} that was sent before it was replaced by a value."
        assert faults(**{name: value}) == {name: ("unreplaced_token", sentence)}
        assert understood({name: value}).patch == ()

    def test_are_refused_as_a_contact_field_but_not_in_its_text(self) -> None:
        assert [*faults(data={"a": " [first_name] ", "b": "#id#"})] == ["data.a", "data.b"]
        assert patch_of(data={"a": "said [laughing] no"})[0].value == {"a": "said [laughing] no"}

    def test_that_hold_a_key_do_not_tell_it(self) -> None:
        assert "cdef" not in str(faults(revenue="[rbprv_0123456789abcdef]"))


class TestConflicts:
    @pytest.mark.parametrize(("sets", "adds"), [("revenue", "add_revenue"), ("payout", "add_payout")])
    def test_an_amount_is_not_both_set_and_added_to(self, sets: str, adds: str) -> None:
        assert faults(**{sets: "1", adds: "1"}) == {
            adds: ("conflicting_values", f"{sets} and {adds} can't stand in one request.")
        }

    def test_every_mistake_is_named_at_once(self) -> None:
        told = faults(buyer_converted="maybe", revenue="1,25", payout="[payout]", data={"a": []})
        assert {field: code for field, (code, _) in told.items()} == {
            "buyer_converted": "invalid_value",
            "revenue": "invalid_value",
            "payout": "unreplaced_token",
            "data.a": "invalid_value",
        }


def test_the_trail_says_where_each_name_stood_and_how_it_was_read() -> None:
    fields = named({"revenue": "5", "data": {"a": "1"}})
    fields.sources["revenue"] = "query"
    reading = understood(fields.values)
    assert reading.trail == (Understood("revenue", "json", "amount"), Understood("data", "json", "merged"))
    assert understood({"add_payout": "5", "buyer_converted": "1"}).trail == (
        Understood("add_payout", "json", "addition"),
        Understood("buyer_converted", "json", "boolean"),
    )


def test_a_patch_is_in_the_order_of_the_table_however_it_was_sent() -> None:
    values: dict[str, Value] = {"data": {"a": "1"}, "payout": "1", "revenue": "2", "buyer_converted": "1"}
    assert [write.attribute for write in patch_of(**values)] == [
        "buyer_converted",
        "revenue",
        "payout",
        "contact_fields",
    ]


RAW: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.text(max_size=10) | st.integers().map(Number),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
REQUESTS = st.dictionaries(st.sampled_from([*BY_WIRE_NAME, *CONTROL]) | st.text(max_size=5), RAW, max_size=6)


@given(REQUESTS)
def test_whatever_is_named_is_understood_explained_or_reported(values: dict[str, Any]) -> None:
    reading = understood(values)
    explained = {problem.field.partition(".")[0] for problem in reading.problems}
    read = {step.name for step in reading.trail}
    known = {name for name in values if name in BY_WIRE_NAME}
    assert explained | read == known
    assert len(reading.ignored) == len([name for name in values if name not in BY_WIRE_NAME and name not in CONTROL])
    places = [[each.name for each in UPDATABLE].index(write.attribute) for write in reading.patch]
    assert places == sorted(set(places))
    assert all(write.value for write in reading.patch if write.attribute == CONTACT_FIELDS.name)
    assert all(problem.message for problem in reading.problems)
    assert all(warned.message for warned in reading.warnings)

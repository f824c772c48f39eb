"""What steers an update rather than being written: keys, dry runs, names that nobody knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.bodies import NOTES, Fields, Number, read_fields
from ringback.domain.calls import Operation, Write
from ringback.domain.jsontext import Value
from ringback.domain.updates import CONTROL, Key, Reading, Understood, keep_unknown, read_patch
from tests.domain.samples import named, understood


class TestKeys:
    @pytest.mark.parametrize(
        ("headers", "values", "key"),
        [
            ({}, {}, None),
            ({"Idempotency-Key": "k"}, {}, ("Idempotency-Key", "k")),
            ({"webhook-id": "w"}, {}, ("webhook-id", "w")),
            ({"Idempotency-Key": "k", "webhook-id": "w"}, {"event_id": "e"}, ("Idempotency-Key", "k")),
            ({"Idempotency-Key": "", "webhook-id": "w"}, {"event_id": "e"}, ("webhook-id", "w")),
            ({}, {"transaction_id": "t", "event_id": " e "}, ("event_id", "e")),
            ({}, {"transaction_id": "t"}, ("transaction_id", "t")),
            ({}, {"event_id": Number("7")}, ("event_id", "7")),
            ({}, {"event_id": " ", "transaction_id": "t"}, ("transaction_id", "t")),
            ({}, {"event_id": "[Call:Id]", "transaction_id": "{{id}}"}, None),
            ({}, {"event_id": True, "transaction_id": ["t"]}, None),
            ({}, {"event_id": None}, None),
        ],
    )
    def test_headers_go_before_ids_in_the_body(
        self, headers: dict[str, str], values: dict[str, Value], key: tuple[str, str] | None
    ) -> None:
        assert understood(values, headers).key == (None if key is None else Key.of(*key))

    def test_only_a_digest_of_them_is_kept(self) -> None:
        key = Key.of("event_id", "a secret id")
        assert "secret" not in str(key)
        assert len(key.digest) == 64

    def test_the_same_value_under_another_name_is_another_key(self) -> None:
        names = ["Idempotency-Key", "webhook-id", "event_id", "transaction_id"]
        keys = [Key.of(name, "1") for name in names]
        assert len({key.digest for key in keys}) == len(names)
        assert [key.strict for key in keys] == [True, False, False, False]

    @given(st.text(st.characters()))
    def test_any_text_can_be_one(self, text: str) -> None:
        assert Key.of("event_id", text) == Key.of("event_id", text)
        assert Key.of("event_id", text) != Key.of("event_id", text + "x")


class TestDryRun:
    @pytest.mark.parametrize("value", ["1", "true", "YES", "on", "dry", "2", "null", "[dry]", "unknown"])
    def test_is_whatever_is_not_a_plain_no(self, value: str) -> None:
        assert understood({"dry_run": value}).dry_run
        assert understood({}, dry_run=value).dry_run

    @pytest.mark.parametrize("value", [True, ["1"], {"a": "b"}, Number("1"), Number("0.0")])
    def test_is_so_in_json_too(self, value: Value) -> None:
        assert understood({"dry_run": value}).dry_run

    @pytest.mark.parametrize("value", ["0", "false", "NO", " off ", "", " "])
    def test_is_not_a_plain_no(self, value: str) -> None:
        assert not understood({"dry_run": value}, dry_run=value).dry_run

    @pytest.mark.parametrize("value", [False, None, [], {}, Number("0")])
    def test_is_not_a_plain_no_in_json(self, value: Value) -> None:
        assert not understood({"dry_run": value}).dry_run

    def test_is_one_if_header_or_field_says_so(self) -> None:
        assert understood({"dry_run": "0"}, dry_run="1").dry_run
        assert understood({"dry_run": "1"}, dry_run="0").dry_run

    def test_is_found_in_a_nested_form_name(self) -> None:
        fields = read_fields(b"dry_run[]=1&revenue=5", "", b"")
        assert read_patch(fields, keys={}, dry_run=None).dry_run


class TestUnknownNames:
    def test_are_reported_as_ignored(self) -> None:
        reading = understood({"revenue": "1", "first_name": "Jane", "utm": {"a": "b"}})
        assert reading.ignored == ("first_name", "utm")
        assert [write.attribute for write in reading.patch] == ["revenue"]

    def test_are_not_those_that_steer_the_request(self) -> None:
        assert understood(dict.fromkeys(CONTROL, "x")).ignored == ()

    def test_are_reported_so_that_they_can_be_stored_and_tell_no_key(self) -> None:
        reading = understood({"a\0\ud800": "1", "rbprv_0123456789abcdef": "1"})
        assert reading.ignored == ("a\ufffd\ufffd", "rbprv_0123[masked]")

    def test_can_be_kept_as_contact_fields(self) -> None:
        reading = understood({"first_name": "Jane", "revenue": "1", "data": {"zip": "1"}, "age": Number("41")})
        kept = keep_unknown(reading)
        assert kept.ignored == ()
        assert [(write.attribute, write.value) for write in kept.patch] == [
            ("revenue", 1),
            ("contact_fields", {"zip": "1", "first_name": "Jane", "age": 41}),
        ]
        assert kept.trail == (*reading.trail, Understood("top level", "body", "merged"))
        assert keep_unknown(kept) is kept

    def test_can_be_kept_where_there_were_no_contact_fields(self) -> None:
        assert keep_unknown(understood({"first_name": "Jane"})).patch == (
            Write("contact_fields", Operation.MERGE, {"first_name": "Jane"}),
        )

    def test_are_held_to_the_rules_when_they_are_kept(self) -> None:
        kept = keep_unknown(understood({"data": {"a": "1"}, "a": "2", "b": [], "c": "[c]"}))
        assert [(problem.field, problem.code) for problem in kept.problems] == [
            ("top level.b", "invalid_value"),
            ("top level.c", "unreplaced_token"),
            ("top level.a", "conflicting_values"),
        ]

    def test_are_kept_beside_what_was_wrong_before(self) -> None:
        kept = keep_unknown(understood({"revenue": "x", "a": []}, {"webhook-id": "w"}, dry_run="1"))
        assert [problem.field for problem in kept.problems] == ["revenue", "top level.a"]
        assert kept.dry_run
        assert kept.key == Key.of("webhook-id", "w")

    def test_of_which_there_are_none_leave_the_reading_as_it_is(self) -> None:
        reading = understood({"revenue": "1"})
        assert keep_unknown(reading) is reading


@pytest.mark.parametrize(("note", "sentence"), NOTES.items())
def test_every_leniency_is_told(note: str, sentence: str) -> None:
    reading = read_patch(Fields({}, {}, (note,)), keys={}, dry_run=None)
    assert [warned.message for warned in reading.warnings] == [sentence]


def test_a_request_that_names_nothing_asks_for_nothing() -> None:
    assert read_patch(named({}), keys={}, dry_run=None) == Reading()

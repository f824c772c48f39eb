"""Recordings: what is reported of a call, and what of it can't be meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.answers import iso
from ringback.domain.bodies import Number
from ringback.domain.calls import Operation, Write
from ringback.domain.details import LONGEST_DURATION, read_moment
from ringback.domain.recordings import PARTNERS, Recording, read_recording
from tests.domain.samples import UUID, named

NOON = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


def recorded(**values: Any) -> Recording:  # noqa: ANN401
    return read_recording(named(values), keys={}, dry_run=None)


def faults(recording: Recording) -> list[tuple[str, str]]:
    return [(problem.field, problem.message) for problem in recording.reading.problems]


def test_what_is_reported_is_told_apart() -> None:
    recording = recorded(
        caller_number=" 719-555-0123 ",
        uuid=UUID.upper(),
        buyer="Bright Roofing",
        traffic_source_id=Number("7"),
        offer_id="3f2b8c1e00004000800000000000abcd",
        status="finished",
        total_duration=Number("61"),
        answered_duration=" 42 ",
        ended_at="2026-05-01T12:30:00Z",
        revenue="42.50",
        zip="02134",
        post_call_tokens={"first_name": "Jane"},
        event_id="e1",
    )
    assert faults(recording) == []
    assert (recording.uuid, recording.caller_number) == (UUID, "719-555-0123")
    assert recording.partners == {
        "buyer": "Bright Roofing",
        "traffic_source": "7",
        "offer": "3f2b8c1e00004000800000000000abcd",
    }
    assert recording.details == {
        "status": "finished",
        "total_duration": 61,
        "answered_duration": 42,
        "ended_at": NOON,
    }
    assert [(write.attribute, write.value) for write in recording.reading.patch] == [
        ("revenue", 42.5),
        ("contact_fields", {"first_name": "Jane", "zip": "02134"}),
    ]
    assert recording.reading.key is not None
    assert recording.reading.ignored == ()


@pytest.mark.parametrize("blank", ["", " \n", None])
def test_what_is_blank_is_not_reported(blank: str | None) -> None:
    recording = recorded(**dict.fromkeys([*PARTNERS, "uuid", "status", "total_duration", "ended_at"], blank))
    assert (recording.uuid, recording.partners, recording.details, faults(recording)) == (None, {}, {}, [])


@pytest.mark.parametrize(("name", "noun"), PARTNERS.items())
def test_a_partner_has_two_names(name: str, noun: str) -> None:
    assert recorded(**{name: "7"}).partners == {noun: "7"}


def test_the_two_must_not_name_different_ones() -> None:
    assert faults(recorded(buyer="7", buyer_id=Number("7"))) == []
    assert faults(recorded(buyer_id="7", buyer="Bright")) == [
        ("buyer", "buyer and buyer_id can't stand in one request.")
    ]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("uuid", "7", "uuid must be a UUID such as 3f2b8c1e-0000-4000-8000-000000000000."),
        ("total_duration", "1.5", "total_duration must be whole seconds."),
        ("total_duration", "-1", "total_duration must be whole seconds."),
        ("total_duration", "٤٢", "total_duration must be whole seconds."),
        ("total_duration", "01:02", "total_duration must be whole seconds."),
        ("total_duration", str(LONGEST_DURATION + 1), "total_duration must be whole seconds."),
        ("answered_duration", "0" * 11 + "9" * 12, "answered_duration must be whole seconds."),
        ("answered_duration", "0" * 5_000, "answered_duration must be whole seconds."),
        ("ended_at", "yesterday", "ended_at must be a time such as 2026-05-01T12:30:00+00:00."),
        ("ended_at", "0001-01-01T00:00:00Z", "ended_at must be a time such as 2026-05-01T12:30:00+00:00."),
        ("ended_at", "9999-12-31T23:59:59-12:00", "ended_at must be a time such as 2026-05-01T12:30:00+00:00."),
        ("status", True, "status must be plain text."),
        ("status", {"a": "b"}, "status must be plain text."),
        ("status", "a\0b", "status must be plain text."),
        ("buyer", ["Bright"], "buyer must be plain text."),
        ("buyer", "\ud800", "buyer must be plain text."),
        (
            "caller_number",
            "[caller_number]",
            "[caller_number] is a template token of TrackDrive that was sent before it was replaced by a value.",
        ),
        ("offer", "{offer_id}", None),
    ],
)
def test_what_can_not_be_meant_is_refused(name: str, value: Any, message: str | None) -> None:  # noqa: ANN401
    recording = recorded(**{name: value})
    assert [field for field, _ in faults(recording)] == [name]
    assert message is None or faults(recording) == [(name, message)]
    assert (recording.uuid, recording.caller_number, recording.partners, recording.details) == (None, None, {}, {})


def test_what_is_wrong_with_the_call_is_told_before_what_is_wrong_with_its_worth() -> None:
    fields = [field for field, _ in faults(recorded(revenue="1,25", status=True, uuid="x"))]
    assert fields == ["status", "uuid", "revenue"]


def test_a_name_that_contact_fields_have_too_must_say_the_same() -> None:
    assert faults(recorded(zip="1", post_call_tokens={"zip": "1"})) == []
    assert faults(recorded(zip="1", post_call_tokens={"zip": "2"})) == [
        ("top level.zip", "contact_fields.zip and top level.zip can't stand in one request.")
    ]


def test_a_long_status_is_cut() -> None:
    assert recorded(status="x" * 101).details == {"status": "x" * 100}


def test_a_recording_can_be_a_dry_run_under_a_key() -> None:
    fields = named({"caller_number": "1"})
    recording = read_recording(fields, keys={"Idempotency-Key": "k"}, dry_run="1")
    assert recording.reading.dry_run
    assert recording.reading.key is not None
    assert recording.reading.patch == ()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01T12:30:00+00:00", NOON),
        ("2026-05-01T08:30:00.000-04:00", NOON),
        ("2026-05-01 12:30:00", NOON.replace(tzinfo=None)),
        ("2026-05-01 12:30:00 UTC", NOON),
        ("20260501T123000Z", NOON),
        (" 2026-05-01T12:30:00Z\n", NOON),
        ("2026-05-01 12:30:00 +0000", NOON),
        ("2026-05-01", datetime(2026, 5, 1)),  # noqa: DTZ001
        ("2026-5-1", datetime(2026, 5, 1)),  # noqa: DTZ001
        ("1970-01-01", datetime(1970, 1, 1)),  # noqa: DTZ001
        ("1969-12-31", None),
        ("2026-05-01 25:00", None),
        ("1777638600", None),
        ("", None),
    ],
)
def test_a_moment_has_no_offset_unless_it_names_one(text: str, moment: datetime | None) -> None:
    assert read_moment(text) == moment


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(9998, 12, 31)),  # noqa: DTZ001 - the zone is drawn
    st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)
def test_every_moment_that_is_read_can_be_shown_in_any_zone(moment: datetime, zone: timezone) -> None:
    read = read_moment(moment.replace(tzinfo=zone).isoformat())
    assert read == moment.replace(tzinfo=zone)
    assert [iso(read, name) for name in ("America/New_York", "Pacific/Kiritimati", "Etc/GMT+12")]


@given(st.integers(0, LONGEST_DURATION))
def test_every_duration_that_fits_is_read(seconds: int) -> None:
    assert recorded(total_duration=Number(seconds)).details == {"total_duration": seconds}


@given(
    st.dictionaries(st.sampled_from(["status", "total_duration", "ended_at", "uuid", "buyer"]), st.text(max_size=40))
)
def test_any_text_is_read_or_explained(values: dict[str, str]) -> None:
    recording = recorded(**values)
    told = {field for field, _ in faults(recording)}
    read = {*recording.details, *recording.partners, *(["uuid"] if recording.uuid else [])}
    assert told | read == {name for name, value in values.items() if value.strip()}
    assert not told & read
    assert recording.reading.patch == ()


def test_contact_fields_come_with_the_call() -> None:
    assert recorded(first_name="Jane").reading.patch == (
        Write("contact_fields", Operation.MERGE, {"first_name": "Jane"}),
    )

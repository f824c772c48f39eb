"""Applying an update: its effects, its limits, its events, and that the ledger adds up to the state."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ringback.domain.attributes import Value, blank_state
from ringback.domain.calls import Applied, Change, Operation, Origin, Patch, Terms, Write, apply, replay
from ringback.domain.errors import Refusal
from ringback.domain.money import MAXIMUM, Payout, parse_payout
from tests.domain.samples import AMOUNTS, BRIGHT, STATES, make_call, patches, understood

SHARE = Payout(percent=Decimal(60))
AGREED = Decimal("42.00")


def applied(values: Mapping[str, Any], terms: Terms | None = None, /, **state: Any) -> Applied:  # noqa: ANN401
    reading = understood(values)
    assert reading.problems == ()
    return apply({**blank_state(), **state}, reading.patch, terms or Terms())


def changed(result: Applied) -> dict[str, tuple[object, object]]:
    return {change.name: (change.before, change.after) for change in result.changes}


class TestSetting:
    @pytest.mark.parametrize(
        ("values", "state", "changes", "unchanged"),
        [
            ({"revenue": "42"}, {}, {"revenue": (None, 42)}, []),
            ({"revenue": "42"}, {"revenue": Decimal("42.00")}, {}, ["revenue"]),
            ({"revenue": "0"}, {}, {"revenue": (None, 0)}, []),
            ({"revenue": "0"}, {"revenue": Decimal(0)}, {}, ["revenue"]),
            ({"payout": "1.5"}, {"payout": Decimal(2)}, {"payout": (2, Decimal("1.5"))}, []),
            ({"buyer_converted": "0"}, {}, {}, ["buyer_converted"]),
            ({"buyer_converted": "1"}, {"buyer_converted": True}, {}, ["buyer_converted"]),
            ({"offer_converted": "0"}, {"offer_converted": True}, {"offer_converted": (True, False)}, []),
            ({}, {}, {}, []),
        ],
    )
    def test_changes_what_differs(
        self,
        values: dict[str, str],
        state: dict[str, Value],
        changes: dict[str, tuple[object, object]],
        unchanged: list[str],
    ) -> None:
        result = applied(values, **state)
        assert changed(result) == changes
        assert list(result.unchanged) == unchanged
        assert result.state == {**blank_state(), **state, **{name: after for name, (_, after) in changes.items()}}

    def test_leaves_the_given_state_as_it_was(self) -> None:
        state = blank_state()
        apply(state, understood({"revenue": "1", "data": {"a": "1"}}).patch, Terms())
        assert state == blank_state()

    def test_carries_its_origin(self) -> None:
        patch = understood({"buyer_converted": "1", "data": {"a": "1"}}).patch
        result = apply(blank_state(), patch, Terms(AGREED), Origin.LATE)
        assert [(change.name, change.origin) for change in result.changes] == [
            ("buyer_converted", Origin.LATE),
            ("contact_fields.a", Origin.LATE),
            ("revenue", Origin.EFFECT),
        ]


class TestAdding:
    @pytest.mark.parametrize(
        ("before", "added", "after"), [(None, "2.5", "2.5"), ("10.50", "2.5", "13"), ("0", "0.000001", "0.000001")]
    )
    def test_is_to_what_is_there_or_to_nothing(self, before: str | None, added: str, after: str) -> None:
        result = applied({"add_revenue": added}, revenue=None if before is None else Decimal(before))
        assert result.state["revenue"] == Decimal(after)

    def test_of_nothing_to_an_amount_changes_nothing(self) -> None:
        assert applied({"add_payout": "0"}, payout=Decimal(5)).unchanged == ("payout",)
        assert changed(applied({"add_payout": "0"})) == {"payout": (None, 0)}

    @pytest.mark.parametrize(("name", "attribute"), [("add_revenue", "revenue"), ("add_payout", "payout")])
    def test_past_the_largest_amount_is_refused(self, name: str, attribute: str) -> None:
        with pytest.raises(Refusal) as caught:
            applied({name: "0.000001", "buyer_converted": "1"}, **{attribute: MAXIMUM})
        (problem,) = caught.value.problems
        sentence = "The result would be 1000000.00; an amount lies between 0 and 999,999.999999."
        assert (problem.field, problem.message, str(caught.value)) == (attribute, sentence, sentence)

    def test_below_nothing_is_refused(self) -> None:
        with pytest.raises(Refusal, match=r"The result would be -1\.00;"):
            apply(blank_state(), (Write("revenue", Operation.ADD, Decimal(-1)),), Terms())

    @given(AMOUNTS, AMOUNTS)
    def test_is_exact(self, before: Decimal, added: Decimal) -> None:
        assume(before + added <= MAXIMUM)
        patch = (Write("revenue", Operation.ADD, added),)
        assert apply({**blank_state(), "revenue": before}, patch, Terms()).state["revenue"] == before + added


class TestMerging:
    def test_keeps_what_is_not_named(self) -> None:
        result = applied({"data": {"b": "2", "c": "3"}}, contact_fields={"a": "1", "b": "1", "c": "3"})
        assert result.state["contact_fields"] == {"a": "1", "b": "2", "c": "3"}
        assert changed(result) == {"contact_fields.b": ("1", "2")}

    def test_removes_what_is_null(self) -> None:
        result = applied({"data": {"a": None, "z": None}}, contact_fields={"a": "1", "b": "2"})
        assert result.state["contact_fields"] == {"b": "2"}
        assert changed(result) == {"contact_fields.a": ("1", None)}

    @pytest.mark.parametrize(("before", "after"), [(1, True), (True, 1), (0, False), ("1", 1)])
    def test_tells_a_number_from_a_boolean_and_a_text(self, before: Any, after: Any) -> None:  # noqa: ANN401
        patch = (Write("contact_fields", Operation.MERGE, {"a": after}),)
        (change,) = apply({**blank_state(), "contact_fields": {"a": before}}, patch, Terms()).changes
        assert (change.before, change.after) == (before, after)

    def test_of_the_same_changes_nothing(self) -> None:
        result = applied({"data": {"a": "1"}}, contact_fields={"a": "1"})
        assert (result.changes, result.unchanged) == ((), ("contact_fields",))

    @pytest.mark.parametrize(
        "fields", [{f"f{n}": "x" for n in range(201)}, {f"{n}": "x" * 4096 for n in range(16)}, {"é" * 9: "é" * 32_768}]
    )
    def test_past_200_fields_or_64_kib_is_refused(self, fields: dict[str, str]) -> None:
        first, *rest = fields.items()
        with pytest.raises(Refusal) as caught:
            apply(
                {**blank_state(), "contact_fields": dict(rest)},
                (Write("contact_fields", Operation.MERGE, dict([first])),),
                Terms(),
            )
        assert caught.value.code.name == "too_many_fields"
        assert [problem.field for problem in caught.value.problems] == ["contact_fields"]

    def test_up_to_200_fields_and_64_kib_is_not(self) -> None:
        full = {f"{n:03}": "" for n in range(199)} | {"last": "x" * (64 * 1024 - 199 * 3 - 4)}
        result = apply(blank_state(), (Write("contact_fields", Operation.MERGE, full),), Terms())
        assert result.state["contact_fields"] == full

    def test_makes_room_by_what_it_removes(self) -> None:
        full: dict[str, Any] = {f"f{n}": "x" for n in range(200)}
        patch = (Write("contact_fields", Operation.MERGE, {"new": "x", "f0": None}),)
        result = apply({**blank_state(), "contact_fields": full}, patch, Terms())
        assert result.state["contact_fields"] == {**{f"f{n}": "x" for n in range(1, 200)}, "new": "x"}


class TestEffects:
    """RECEIVING, "Effects"."""

    @pytest.mark.parametrize(
        ("values", "state", "revenue"),
        [
            ({"buyer_converted": "1"}, {}, AGREED),
            ({"buyer_converted": "1"}, {"buyer_converted": True}, None),
            ({"buyer_converted": "1"}, {"revenue": Decimal(1)}, Decimal(1)),
            ({"buyer_converted": "1"}, {"revenue": Decimal(0)}, Decimal(0)),
            ({"buyer_converted": "1", "revenue": "5"}, {}, Decimal(5)),
            ({"buyer_converted": "1", "add_revenue": "5"}, {}, Decimal(5)),
            ({"buyer_converted": "0"}, {}, None),
            ({"buyer_converted": "0"}, {"buyer_converted": True, "revenue": Decimal(1)}, Decimal(1)),
            ({"offer_converted": "1"}, {}, None),
            ({"data": {"buyer_converted": True}}, {}, None),
        ],
    )
    def test_a_buyer_conversion_takes_the_agreed_revenue(
        self, values: dict[str, Value], state: dict[str, Value], revenue: Decimal | None
    ) -> None:
        assert applied(values, Terms(AGREED), **state).state["revenue"] == revenue

    @pytest.mark.parametrize(
        ("values", "state", "payout"),
        [
            ({"offer_converted": "1"}, {"revenue": Decimal(15)}, "9.00"),
            ({"offer_converted": "1", "revenue": "15"}, {}, "9.00"),
            ({"offer_converted": "1", "add_revenue": "5"}, {"revenue": Decimal(10)}, "9.00"),
            ({"offer_converted": "1", "buyer_converted": "1"}, {}, "25.20"),
            ({"offer_converted": "1"}, {"revenue": Decimal(0)}, "0.00"),
            ({"offer_converted": "1", "payout": "1"}, {"revenue": Decimal(15)}, "1"),
            ({"offer_converted": "1", "add_payout": "1"}, {"revenue": Decimal(15)}, "1"),
            ({"offer_converted": "1"}, {"revenue": Decimal(15), "payout": Decimal(2)}, "2"),
            ({"offer_converted": "1"}, {"revenue": Decimal(15), "offer_converted": True}, None),
            ({"offer_converted": "0"}, {"revenue": Decimal(15)}, None),
            ({"revenue": "15"}, {"offer_converted": True}, None),
        ],
    )
    def test_an_offer_conversion_takes_the_share_of_the_revenue_after_the_update(
        self, values: dict[str, Value], state: dict[str, Value], payout: str | None
    ) -> None:
        result = applied(values, Terms(AGREED, SHARE), **state)
        assert result.state["payout"] == (None if payout is None else Decimal(payout))
        assert result.warnings == ()

    def test_a_fixed_payout_needs_no_revenue(self) -> None:
        result = applied({"offer_converted": "1"}, Terms(payout=parse_payout("9")))
        assert changed(result)["payout"] == (None, 9)

    def test_a_share_of_no_revenue_is_told(self) -> None:
        result = applied({"offer_converted": "1"}, Terms(payout=SHARE))
        assert (changed(result), result.warnings) == ({"offer_converted": (False, True)}, ("payout_needs_revenue",))

    def test_without_terms_there_are_none(self) -> None:
        result = applied({"buyer_converted": "1", "offer_converted": "1"})
        assert changed(result).keys() == {"buyer_converted", "offer_converted"}

    @given(AMOUNTS, st.decimals(min_value=0, max_value=100, places=4))
    def test_a_payout_is_never_past_the_largest_amount(self, revenue: Decimal, percent: Decimal) -> None:
        terms = Terms(payout=Payout(percent=percent))
        payout = apply({**blank_state(), "revenue": revenue}, understood({"offer_converted": "1"}).patch, terms)
        assert 0 <= Decimal(str(payout.state["payout"])) <= MAXIMUM

    def test_not_even_by_rounding_up(self) -> None:
        result = applied({"offer_converted": "1"}, Terms(payout=Payout(percent=Decimal(100))), revenue=MAXIMUM)
        assert result.state["payout"] == MAXIMUM


class TestEvents:
    @pytest.mark.parametrize(
        ("values", "state", "events"),
        [
            ({}, {}, []),
            ({"buyer_converted": "1"}, {}, ["buyer_converted", "revenue_changed", "call_changed"]),
            ({"buyer_converted": "0"}, {"buyer_converted": True}, ["buyer_unconverted", "call_changed"]),
            ({"buyer_converted": "1"}, {"buyer_converted": True}, []),
            ({"offer_converted": "1", "payout": "1"}, {}, ["offer_converted", "payout_changed", "call_changed"]),
            ({"offer_converted": "0"}, {"offer_converted": True}, ["offer_unconverted", "call_changed"]),
            ({"data": {"a": "1", "b": "2"}}, {}, ["contact_fields_changed", "call_changed"]),
            ({"data": {"a": False}}, {}, ["contact_fields_changed", "call_changed"]),
        ],
    )
    def test_are_the_words_for_what_happened_each_once(
        self, values: dict[str, Value], state: dict[str, Value], events: list[str]
    ) -> None:
        assert list(applied(values, Terms(AGREED), **state).events) == events


class TestTheLedger:
    @given(STATES, patches(), st.builds(Terms, st.none() | AMOUNTS, st.none() | st.just(SHARE)))
    def test_adds_up_to_the_state(self, state: dict[str, Value], patch: Patch, terms: Terms) -> None:
        try:
            result = apply(state, patch, terms)
        except Refusal:
            return
        assert replay(result.changes, state) == result.state
        assert set(result.unchanged) | {change.attribute for change in result.changes} >= {w.attribute for w in patch}
        assert len({change.name for change in result.changes}) == len(result.changes)
        assert all(
            change.before != change.after or type(change.before) is not type(change.after) for change in result.changes
        )

    @given(STATES, patches())
    def test_of_the_same_state_twice_is_empty_the_second_time(self, state: dict[str, Value], patch: Patch) -> None:
        once = tuple(write for write in patch if write.operation is not Operation.ADD)
        first = apply(state, once, Terms())
        assert apply(first.state, once, Terms()).changes == ()

    @given(st.lists(patches(), max_size=4))
    def test_of_a_history_adds_up_too(self, history: list[Patch]) -> None:
        state: Mapping[str, Value] = blank_state()
        ledger: list[Change] = []
        for patch in history:
            try:
                result = apply(state, patch, Terms(AGREED, SHARE))
            except Refusal:
                continue
            state, ledger = result.state, [*ledger, *result.changes]
        assert replay(ledger, blank_state()) == state

    def test_leaves_the_state_before_as_it_was(self) -> None:
        before: dict[str, Value] = {**blank_state(), "contact_fields": {"a": "1"}}
        change = Change("contact_fields", "1", None, Origin.UPDATE, "a")
        assert replay([change], before)["contact_fields"] == {}
        assert before["contact_fields"] == {"a": "1"}

    @given(STATES, patches(), patches())
    def test_independent_updates_may_come_in_any_order(self, state: dict[str, Value], one: Patch, other: Patch) -> None:
        assume(not {write.attribute for write in one} & {write.attribute for write in other})
        try:
            there = apply(apply(state, one, Terms()).state, other, Terms()).state
        except Refusal:
            return
        assert apply(apply(state, other, Terms()).state, one, Terms()).state == there


def test_a_change_is_named_by_its_field() -> None:
    assert Change("revenue", None, Decimal(1), Origin.UPDATE).name == "revenue"
    assert Change("contact_fields", None, "x", Origin.UPDATE, "a.b").name == "contact_fields.a.b"


def test_a_call_without_buyer_has_no_buyers_number() -> None:
    assert (make_call().buyer_id, make_call(None).buyer_id) == (BRIGHT.id, None)

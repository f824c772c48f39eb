from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.errors import Refusal
from ringback.domain.queries import Paging, Query, read_paging


def refused(query: Query) -> dict[str, str]:
    with pytest.raises(Refusal) as told:
        query.check()
    return {problem.field: problem.code for problem in told.value.problems}


def test_values_are_read_without_the_spaces_around_them() -> None:
    query = Query({"a": " x ", "b": " YES ", "c": " 7 ", "d": "b , a,, b", "e": " Desc"})
    assert (query.text("a"), query.truth("b"), query.names("d")) == ("x", True, ("b", "a"))
    assert query.whole("c", least=0, most=9, form="") == 7
    assert query.choice("e", ("desc", "asc")) == "desc"
    query.check()
    assert query.ignored == []


def test_what_is_not_given_is_nothing() -> None:
    query = Query({})
    assert (query.text("a"), query.truth("a"), query.names("a"), query.choice("a", ("b",))) == ("", None, (), "")
    assert query.whole("a", least=0, most=9, form="") is None
    assert read_paging(query) == Paging(1, 25, None)
    query.check()


def test_all_that_is_wrong_is_said_each_name_once() -> None:
    query = Query({"a": "x", "b": "{{b}}", "c": "\0"})
    query.truth("a")
    query.whole("a", least=0, most=1, form="a number")
    query.text("b")
    query.text("c")
    query.require("d")
    assert refused(query) == {
        "a": "invalid_value",
        "b": "unreplaced_token",
        "c": "invalid_value",
        "d": "missing_value",
    }


def test_names_that_nobody_asks_after_are_ignored_keys_in_them_masked() -> None:
    key = "rbprv_" + "a" * 40
    query = Query({"a": "1", "auth_token": "secret", key: "", **{f"n{number}": "" for number in range(30)}})
    query.text("a")
    assert query.ignored[1] == "n0"
    assert len(query.ignored) == 20
    assert key not in str(query.ignored)


@given(st.dictionaries(st.sampled_from(["page", "per_page", "cursor"]), st.text(max_size=30)))
def test_no_text_breaks_paging(given_: dict[str, str]) -> None:
    query = Query(given_)
    paging = read_paging(query)
    assert paging.page >= 1
    assert 1 <= paging.per_page <= 1000
    assert paging.cursor is None or paging.cursor >= -1

from __future__ import annotations

from contextlib import suppress
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.money import parse_amount
from ringback.domain.names import read_email, read_name
from ringback.domain.tomltext import Path, SpoiledError, Table, line_of, read_document

TEXT = dedent(
    """\
    # a comment that speaks of name and teams
    [[accounts]]
    name = "Acme"

    [[accounts.teams]]
    name = "One"   # name

    [[accounts.teams]]
    users = [
        "a@x.example",
        "name@x.example",
    ]
    name = '''
    Two
    name = "not this"
    '''

    [[accounts]]
    "name" = "Zeta"
    inline = [
        { flag = 1 },
    ]
    """
)


@pytest.mark.parametrize(
    ("at", "value", "line"),
    [
        (("accounts",), "", 2),
        (("accounts", 0), "", 2),
        (("accounts", 0, "name"), "", 3),
        (("accounts", 0, "teams"), "", 5),
        (("accounts", 0, "teams", 0), "", 5),
        (("accounts", 0, "teams", 0, "name"), "", 6),
        (("accounts", 0, "teams", 1), "", 8),
        (("accounts", 0, "teams", 1, "users"), "", 9),
        (("accounts", 0, "teams", 1, "users"), "name@x.example", 11),
        (("accounts", 0, "teams", 1, "users"), "nowhere@x.example", 9),
        (("accounts", 0, "teams", 1, "name"), "", 13),
        (("accounts", 1), "", 18),
        (("accounts", 1, "name"), "", 19),
        (("accounts", 1, "inline", 0, "flag"), "", 20),
        ((), "", 1),
    ],
)
def test_the_line_is_that_of_what_is_declared_not_of_what_looks_like_it(at: Path, value: str, line: int) -> None:
    assert line_of(TEXT, at, value) == line


@given(st.lists(st.sampled_from(["", "# name = 1", "[[t]]", "x = 1", "y = '''", "name = 2", "'''"]), max_size=12))
def test_the_line_of_a_key_is_one_that_begins_with_it(lines: list[str]) -> None:
    text = "\n".join(lines)
    with suppress(SpoiledError):
        for key in read_document(text).values:
            assert lines[line_of(text, (key,)) - 1].startswith((key, f"[[{key}"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \n", 2),
        ("a = 1\n\nb = [1,\n2\n", 4),
        ("a = 1\na = 2\n", 2),
        ("a = 'x", 1),
        ("a = 1\n[t\n", 2),
        ("=", 1),
    ],
)
def test_what_is_not_toml_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(SpoiledError) as caught:
        read_document(text)
    assert caught.value.line == line
    assert caught.value.reason.startswith("not TOML: ")
    assert "(at line" not in caught.value.reason


def table(text: str) -> Table:
    return read_document(dedent(text))


def test_texts_are_read_by_the_function_that_is_given() -> None:
    assert table('name = " Acme  Media "').name("name", read_name) == "Acme Media"
    assert table("").name("name", read_name) is None
    assert table('name = "Acme"').required("name", read_name, "an account") == "Acme"
    assert table('users = ["a@x.example", "b@x.example"]').names("users", read_email) == ("a@x.example", "b@x.example")
    assert table("").names("users", read_email) is None
    assert table("flag = true").flag("flag") is True
    assert table("").flag("flag") is None


@pytest.mark.parametrize("text", ['revenue = "42.50"', "revenue = 42.50", "revenue = 42.5"])
def test_an_amount_may_be_a_number_and_stays_exact(text: str) -> None:
    amount = table(text).amount("revenue", parse_amount)
    assert str(amount) in {"42.50", "42.5"}


def test_tables_of_a_list_know_where_they_stand() -> None:
    tables = table("[[a]]\nx = 1\n[[a]]\nx = 2").tables("a")
    assert [each.at for each in tables] == [("a", 0), ("a", 1)]
    assert [each.values for each in tables] == [{"x": 1}, {"x": 2}]
    assert table("").tables("a") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name = 1", 'name must be text in quotes, as in name = "…"'),
        ('name = ""', "name: a name is empty"),
        ("x = 1", "it needs the key name"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(text: str, reason: str) -> None:
    with pytest.raises(SpoiledError) as caught:
        table(text).required("name", read_name, "it")
    assert caught.value.reason == reason


@pytest.mark.parametrize("text", ["users = 'a@x.example'", "users = [1]", "users = {a = 1}", "users = [['a']]"])
def test_a_list_of_texts_is_nothing_else(text: str) -> None:
    with pytest.raises(SpoiledError, match="users must be a list of texts"):
        table(text).names("users", read_email)


def test_a_list_names_everything_once_however_it_is_spelt() -> None:
    with pytest.raises(SpoiledError, match=r"line 2: A@X\.example stands twice in users"):
        table('users = ["a@x.example",\n"A@X.example"]').names("users", read_email)


@pytest.mark.parametrize("text", ["flag = 1", "flag = 'true'", "flag = []"])
def test_a_flag_is_true_or_false(text: str) -> None:
    with pytest.raises(SpoiledError, match="flag must be true or false, without quotes"):
        table(text).flag("flag")


@pytest.mark.parametrize("text", ["revenue = true", "revenue = [1]", "revenue = 2026-01-01"])
def test_an_amount_is_no_boolean_list_or_date(text: str) -> None:
    with pytest.raises(SpoiledError, match="revenue must be text"):
        table(text).amount("revenue", parse_amount)


@pytest.mark.parametrize(
    "text", ["revenue = inf", "revenue = nan", "revenue = -1", 'revenue = "1,25"', "revenue = 1e9"]
)
def test_an_amount_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SpoiledError, match="line 1: revenue: "):
        table(text).amount("revenue", parse_amount)


@pytest.mark.parametrize("text", ["a = 1", "[a]\nx = 1", "a = [1]"])
def test_tables_of_a_list_are_written_in_double_brackets(text: str) -> None:
    with pytest.raises(SpoiledError, match=r"a must be written as \[\[a\]\]"):
        table(text).tables("a")


def test_unknown_keys_are_refused_with_what_may_be_meant() -> None:
    table("a = 1").only("a", "b")
    with pytest.raises(SpoiledError, match=r"line 2: there is no key usrs here; did you mean users\?"):
        table("a = 1\nusrs = 1").only("a", "users")

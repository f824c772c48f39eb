from __future__ import annotations

import pytest

from ringback.domain.names import (
    UnfitError,
    did_you_mean,
    name_key,
    read_email,
    read_name,
    read_subdomain,
    read_time_zone,
)


@pytest.mark.parametrize("other", ["bright roofing", " Bright   Roofing ", "BRIGHT\tROOFING"])
def test_spellings_of_one_name_have_one_key(other: str) -> None:
    assert name_key(other) == name_key("Bright Roofing")


def test_a_name_keeps_its_spelling_but_for_spaces() -> None:
    assert read_name("  Bright \n Roofing, Ümläut & Söhne ") == "Bright Roofing, Ümläut & Söhne"


@pytest.mark.parametrize("text", ["", "  ", "x" * 201, "a\x00b", "a\x1b[31mb", "a\u202eb"])
def test_a_name_that_nobody_can_read_is_unfit(text: str) -> None:
    with pytest.raises(UnfitError, match="a name"):
        read_name(text)


@pytest.mark.parametrize(
    "text", ["ops@bright.example", "a.b+c@sub.bright.example", " ops@bright.example\n", "ä@ö.example"]
)
def test_an_address_is_read(text: str) -> None:
    assert read_email(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    ["", "ops", "ops@", "@bright.example", "ops@bright", "o ps@b.example", "a@b@c.example", "<a@b.example>", "a@b..c"],
)
def test_what_is_no_address_is_unfit(text: str) -> None:
    with pytest.raises(UnfitError, match="is not an e-mail address"):
        read_email(text)


@pytest.mark.parametrize(
    ("text", "read"), [("acme", "acme"), (" ACME ", "acme"), ("4-legal", "4-legal"), ("a" * 63, "a" * 63)]
)
def test_a_subdomain_is_read_in_small_letters(text: str, read: str) -> None:
    assert read_subdomain(text) == read


@pytest.mark.parametrize("text", ["", "-acme", "acme-", "ac me", "ac_me", "ac.me", "127", "a" * 64, "äcme"])
def test_what_no_host_name_may_have_is_no_subdomain(text: str) -> None:
    with pytest.raises(UnfitError, match="is not a subdomain"):
        read_subdomain(text)


def test_a_time_zone_is_one_of_the_worlds() -> None:
    assert read_time_zone("America/New_York") == "America/New_York"
    with pytest.raises(UnfitError, match=r"did you mean America/New_York\?"):
        read_time_zone("America/NewYork")
    with pytest.raises(UnfitError, match="as America/New_York is"):
        read_time_zone("xyzzy")
    with pytest.raises(UnfitError, match="is not a time zone"):
        read_time_zone("../../etc/passwd")


def test_what_was_meant_is_guessed_only_where_it_is_near() -> None:
    assert did_you_mean("brigth roofing", ["Bright Roofing", "Summit Solar"]) == "; did you mean Bright Roofing?"
    assert did_you_mean("xyzzy", ["Bright Roofing"]) == ""
    assert did_you_mean("x", []) == ""

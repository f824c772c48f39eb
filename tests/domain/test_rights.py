from __future__ import annotations

import pytest

from ringback.domain.access import Level
from ringback.domain.attributes import ATTRIBUTES
from ringback.domain.names import UnfitError
from ringback.domain.rights import Rights, declared, differences, raised, read_attribute, without

READ, UPDATE = Level.READ, Level.UPDATE


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.name)
def test_an_attribute_is_meant_by_its_name_or_its_label(attribute: object) -> None:
    for text in (attribute.name, attribute.label, attribute.label.upper(), f" {attribute.name} "):  # type: ignore[attr-defined]
        assert read_attribute(text) is attribute


def test_an_unknown_attribute_is_told_with_what_may_be_meant() -> None:
    with pytest.raises(UnfitError, match=r"revenu is no attribute of a call; did you mean revenue\?"):
        read_attribute("revenu")
    with pytest.raises(UnfitError, match=r"did you mean TS Converted\?"):
        read_attribute("TS Convertd")
    with pytest.raises(UnfitError, match="there are buyer_converted, revenue, offer_converted, payout, contact_fields"):
        read_attribute("xyzzy")


@pytest.mark.parametrize(
    ("before", "update", "read", "after"),
    [
        ({}, None, None, {}),
        ({}, ["revenue"], None, {"revenue": UPDATE}),
        ({}, None, ["revenue"], {"revenue": READ}),
        ({}, ["revenue"], ["revenue", "payout"], {"revenue": UPDATE, "payout": READ}),
        ({"revenue": UPDATE, "payout": READ}, None, None, {"revenue": UPDATE, "payout": READ}),
        ({"revenue": UPDATE, "payout": READ}, [], None, {"payout": READ}),
        ({"revenue": UPDATE, "payout": READ}, None, [], {"revenue": UPDATE}),
        ({"revenue": UPDATE}, ["payout"], ["revenue"], {"revenue": READ, "payout": UPDATE}),
        ({"revenue": UPDATE}, None, ["revenue"], {"revenue": UPDATE}),
    ],
)
def test_a_declared_list_is_the_whole_list_of_its_level(
    before: Rights, update: list[str] | None, read: list[str] | None, after: Rights
) -> None:
    assert declared(before, update, read) == after


def test_raising_never_lowers() -> None:
    assert raised({"revenue": UPDATE, "payout": READ}, READ, ["revenue", "payout"]) == {
        "revenue": UPDATE,
        "payout": READ,
    }
    assert raised({"payout": READ}, UPDATE, ["payout", "revenue"]) == {"payout": UPDATE, "revenue": UPDATE}


def test_what_is_taken_is_gone_altogether() -> None:
    assert without({"revenue": UPDATE, "payout": READ}, ["revenue", "contact_fields"]) == {"payout": READ}


def test_differences_are_told_in_the_order_of_the_team_page() -> None:
    before = {"revenue": UPDATE, "payout": UPDATE, "contact_fields": READ}
    after = {"revenue": READ, "buyer_converted": UPDATE, "offer_converted": UPDATE, "contact_fields": UPDATE}
    assert differences(before, after) == [
        "Update on Buyer Converted?, TS Converted, Contact Fields added",
        "Update on Buyer Revenue removed, Read left",
        "Update on TS Payout removed",
    ]
    assert differences(after, after) == []
    assert differences({}, {"revenue": READ}) == ["Read on Buyer Revenue added"]

from __future__ import annotations

import pytest

from ringback.domain.errors import Refusal
from ringback.domain.money import parse_amount
from ringback.domain.names import read_email, read_name
from ringback.services.fields import Fields, read_field


def test_every_field_is_looked_at_before_anything_is_refused() -> None:
    fields = Fields()
    assert fields.read("name", read_name, "") is None
    assert fields.read("amount", parse_amount, "much") is None
    assert fields.read("email", read_email, " a@b.example ") == "a@b.example"
    fields.refuse("form", "say more")
    with pytest.raises(Refusal) as refused:
        fields.check()
    assert [(problem.field, problem.message) for problem in refused.value.problems] == [
        ("name", "A name is empty."),
        ("amount", "much is not an amount."),
        ("form", "Say more."),
    ]


def test_what_is_right_goes_through() -> None:
    fields = Fields()
    fields.check()
    assert read_field("name", read_name, " Ada  Lovelace ") == "Ada Lovelace"


def test_a_reason_that_begins_with_what_was_typed_keeps_it_as_it_is() -> None:
    with pytest.raises(Refusal, match=r"^bob@ is not an e-mail address\.$"):
        read_field("email", read_email, "bob@")

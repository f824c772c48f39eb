"""What can be chosen for a template is what a template can name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.template_tokens import PARTNER_FIELDS, TOKENS, resolve, sample_values
from ringback.domain.templates import names
from ringback.domain.token_choices import label_of, list_choices


def test_every_value_of_a_call_can_be_chosen_in_its_order() -> None:
    chosen = list_choices([])
    assert [each.key for each in chosen[: len(TOKENS)]] == [token.name for token in TOKENS]
    assert {each.key for each in chosen[len(TOKENS) :]} == {f"field:{name}" for name in PARTNER_FIELDS}
    assert all(each.key in sample_values([]) for each in chosen)


@given(st.lists(st.text(min_size=1, max_size=20), max_size=5))
def test_what_is_chosen_means_what_it_says(fields: list[str]) -> None:
    for choice in list_choices([*fields, "Shoe_Size", "payout"]):
        assert names(choice.written) == [choice.name]
        assert resolve(choice.name, [*fields, "Shoe_Size"]) == choice.key


def test_a_field_that_is_called_like_a_value_is_named_apart() -> None:
    written = {each.key: each.written for each in list_choices(["Payout", "Shoe_Size"])}
    assert written["payout"] == "[payout]"
    assert written["field:payout"] == "[field:payout]"
    assert written["field:shoe_size"] == "[shoe_size]"


def test_labels_are_words() -> None:
    assert label_of("field:state") == "State"
    assert label_of("field:shoe_size") == "Contact field shoe_size"
    assert label_of("payout").startswith("What we pay")

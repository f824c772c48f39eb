"""Definitions of postbacks, as the tests of templates need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ringback.domain.compiling import UnfitDefinitionError, compile_definition
from ringback.domain.postbacks import Definition
from ringback.domain.rendering import Compiled, Rendered
from ringback.domain.template_tokens import FIELD

URL = "https://hooks.example/"


def is_public_suffix(name: str) -> bool:
    """Whether a name is one of the few suffixes that tests use."""
    return name in {"com", "example", "co.uk", "uk"}


def compiled(fields: Sequence[str] = (), **changes: Any) -> Compiled:  # noqa: ANN401
    """A definition that posts no body to a literal URL, but for what is given."""
    values = {"method": "POST", "url": URL, "body_kind": "none", **changes}
    return compile_definition(Definition(**values), fields=fields, is_public_suffix=is_public_suffix)


def rendered(given: Mapping[str, object], **changes: Any) -> Rendered:  # noqa: ANN401
    """What is sent for these values, each of which is that of a contact field of the name, too."""
    return compiled(**changes).render({**given, **{FIELD + name: value for name, value in given.items()}})


def refused(**changes: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    """What is wrong with a definition: fields and sentences."""
    with pytest.raises(UnfitDefinitionError) as unfit:
        compiled(**changes)
    assert str(unfit.value) == unfit.value.problems[0].message
    return [(problem.field, problem.message) for problem in unfit.value.problems]

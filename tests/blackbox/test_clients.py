"""Each client as its own program, in every way it can write an update; ``make test-all`` asks the further ones too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.blackbox.checks import check_answers, check_explained, check_update
from tests.blackbox.clients import FURTHER, USUAL, Client, Running, combinations
from tests.blackbox.stage import Stage

Run = Callable[[Client], Running]

MARKED = [(client, ()) for client in USUAL] + [(client, (pytest.mark.wide,)) for client in FURTHER]

by_client = pytest.mark.parametrize(
    "client", [pytest.param(client, id=client.name, marks=marks) for client, marks in MARKED]
)


@pytest.mark.parametrize(
    ("client", "body", "credential"),
    [
        pytest.param(client, *both, id=f"{client.name}-{'-'.join(both)}", marks=marks)
        for client, marks in MARKED
        for both in combinations(client)
    ],
)
def test_the_update_is_applied(stage: Stage, running: Run, client: Client, body: str, credential: str) -> None:
    check_update(stage, running(client), body, credential)


@by_client
def test_what_is_not_applied_is_answered_in_full(stage: Stage, running: Run, client: Client) -> None:
    check_answers(stage, running(client))


@by_client
def test_a_refusal_says_what_is_missing(stage: Stage, running: Run, client: Client) -> None:
    check_explained(stage, running(client))

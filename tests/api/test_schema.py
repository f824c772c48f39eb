"""Whatever the OpenAPI document allows, and what it doesn't: schemathesis finds no 5xx, and no answer outside of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from docs.generate import FOLDER
from ringback.app import build
from ringback.services.tokens import NewToken
from ringback.settings import read_settings
from tests.api.wire import PATIENCE
from tests.live import Live, running
from tests.world import build_world

load_all_checks()
DOCUMENT = schemathesis.openapi.from_dict(json.loads((FOLDER / "openapi.json").read_text(encoding="utf-8")))
OPERATIONS = {each.ok().label: each.ok() for each in DOCUMENT.get_all_operations() if isinstance(each, Ok)}
CHECKED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
USUAL, MANY = 20, 300
"""How many requests each operation gets."""


@pytest.fixture(scope="module")
def server(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server for all operations, on which nobody is throttled."""
    url = f"sqlite:///{copy(migrated_file, tmp_path_factory.mktemp('schema') / 'ringback.sqlite')}"
    app = build(read_settings(database_url=url, default_account="acme", wrong_credentials_per_minute=1_000_000))
    with running(app, build_world(app.database)) as live:
        yield live


def fuzz(server: Live, label: str, requests: int) -> None:
    """Send generated requests to an operation: about a call and partners that are there, or about any."""
    operation, world = OPERATIONS[label], server.world
    call = world.call()
    there = {"uuid": call.uuid, "call": call.uuid, "partner": "1", "webhook": "1"}
    there |= dict.fromkeys(("caller_id", "caller_number"), "17195550100")

    @settings(max_examples=requests, suppress_health_check=list(HealthCheck))
    @given(
        case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)),
        is_there=st.booleans(),
        token=st.sampled_from([world.ada_token, world.ada_token, world.bob_token, world.charlie_token]),
    )
    def ask(case: Any, is_there: bool, token: NewToken) -> None:  # noqa: FBT001, ANN401 - as schemathesis makes it
        if is_there:
            case.path_parameters = {name: there[name] for name in case.path_parameters or {}}
        assume(not any(_leads_elsewhere(str(value)) for value in (case.path_parameters or {}).values()))
        headers = {"Authorization": token.authorization}
        case.call_and_validate(
            base_url=f"http://127.0.0.1:{server.port}", headers=headers, checks=CHECKED, timeout=PATIENCE
        )

    ask()


def _leads_elsewhere(segment: str) -> bool:
    """Whether a part of a path would make it another path."""
    return not segment.strip() or "/" in segment or segment.strip(".") == ""


def test_every_operation_of_the_document_is_understood() -> None:
    assert len(OPERATIONS) == len(list(DOCUMENT.get_all_operations()))


@pytest.mark.parametrize("label", OPERATIONS)
def test_an_operation_answers_as_it_is_described(server: Live, label: str) -> None:
    fuzz(server, label, USUAL)


@pytest.mark.wide
@pytest.mark.parametrize("label", OPERATIONS)
def test_an_operation_always_answers_as_it_is_described(server: Live, label: str) -> None:
    fuzz(server, label, MANY)

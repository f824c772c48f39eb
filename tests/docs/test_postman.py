"""The Postman collection has every operation; newman runs it in tests/blackbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from docs.generate import FOLDER, openapi
from docs.generate.postman import VARIABLES

COLLECTION = FOLDER / "ringback.postman_collection.json"
ENVIRONMENT = FOLDER / "ringback.postman_environment.json"


@pytest.fixture
def folders() -> list[Any]:
    found: list[Any] = json.loads(COLLECTION.read_text(encoding="utf-8"))["item"]
    return found


def test_every_operation_that_differs_is_in_its_folder(folders: list[Any]) -> None:
    paths = openapi.document()["paths"]
    described = {(told["tags"][0], told["summary"]) for item in paths.values() for told in item.values()}
    assert {(folder["name"], each["name"]) for folder in folders for each in folder["item"]} == described


def test_what_stands_in_double_braces_is_a_variable() -> None:
    named = {each.partition("}}")[0] for each in COLLECTION.read_text(encoding="utf-8").split("{{")[1:]}
    told = {each["key"]: each["value"] for each in json.loads(ENVIRONMENT.read_text(encoding="utf-8"))["values"]}
    assert {each for each in named if not each.startswith("$")} == {*VARIABLES, *told}
    assert not told["private_key"]

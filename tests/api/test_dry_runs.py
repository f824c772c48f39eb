"""Asking changes nothing: a dry run is one wherever a request says so, whatever it says elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.api.rows import of_call
from tests.live import Live

YES, NO = "true", "false"


@pytest.mark.parametrize(
    ("header", "query", "body"), [(NO, NO, True), (NO, YES, False), (YES, NO, NO), ("", YES, NO), ("", "[dry]", 0)]
)
@pytest.mark.parametrize("form", ["json", "form"])
def test_of_one_update(stage: Live, header: str, query: str, body: object, form: str) -> None:
    call = stage.world.call()
    before = of_call(stage.world.database, call)
    fields = {"revenue": "9", "dry_run": body}
    reply = stage.request(
        "POST",
        f"/api/v1/calls/update_call/{call.uuid}?dry_run={query}",
        body=fields if form == "json" else f"revenue=9&dry_run={body}",
        headers=headed(header),
        auth=stage.world.bob_token.authorization,
    )
    assert reply.json["dry_run"] is True
    assert of_call(stage.world.database, call) == before


@pytest.mark.parametrize(
    ("header", "query", "body", "item"),
    [(NO, "", True, None), (NO, YES, False, False), (NO, NO, NO, True), (YES, NO, NO, NO), ("", YES, NO, None)],
)
def test_of_many(stage: Live, header: str, query: str, body: object, item: object) -> None:
    call = stage.world.call()
    before = of_call(stage.world.database, call)
    reply = stage.request(
        "POST",
        f"/api/v1/calls/bulk_update?dry_run={query}",
        body={"dry_run": body, "updates": [{"uuid": call.uuid, "revenue": "9", "dry_run": item}]},
        headers=headed(header),
        auth=stage.world.bob_token.authorization,
    )
    assert [result["dry_run"] for result in reply.json["results"]] == [True]
    assert of_call(stage.world.database, call) == before


def test_is_none_where_everybody_says_no(stage: Live) -> None:
    call = stage.world.call()
    body: Mapping[str, Any] = {"dry_run": False, "updates": [{"uuid": call.uuid, "revenue": "9", "dry_run": "no"}]}
    stage.request(
        "POST",
        "/api/v1/calls/bulk_update?dry_run=0",
        body=body,
        headers=headed(NO),
        auth=stage.world.bob_token.authorization,
    )
    assert stage.world.state(call)["revenue"] == 9


def headed(value: str) -> dict[str, str]:
    return {"Ringback-Dry-Run": value} if value else {}

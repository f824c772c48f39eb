"""The OpenAPI document as a Postman collection: a walk through the API that makes what it needs as it goes.

One request for each operation, with its first example as the body; what an answer says of ids is kept for what follows.
What has to be new is named by the time, so that it can be run again, on any account.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = dict[str, Any]

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
FIRST = ("Buyers, traffic sources and offers", "Recording and reading calls", "Updating calls")
"""The folders that the others need to have been run."""

ENVIRONMENT = {
    "base_url": "http://localhost:8080/a/acme",
    "public_key": "",
    "private_key": "",
}
SECRETS = {"private_key"}
VARIABLES = {
    "call_uuid": "",
    "caller_id": "17195550123",
    "buyer": "",
    "traffic_source": "",
    "offer": "",
    "offer_token": "",
    "webhook": "",
}
"""What the collection fills as it goes, but for the caller, who is the one of the examples."""

KEPT: Mapping[str, Mapping[str, str]] = {
    "make_buyer": {"buyer": "buyer.id"},
    "make_traffic_source": {"traffic_source": "traffic_source.id"},
    "make_offer": {"offer": "offer.id", "offer_token": "offer.offer_token"},
    "record_call": {"call_uuid": "call.uuid"},
    "list_outgoing_webhooks": {"webhook": "outgoing_webhooks[0]?.id"},
}
"""What is kept of which answer, by variable."""

ASKED: Mapping[str, Mapping[str, str]] = {
    "update_call_by_query": {"buyer_converted": "true", "revenue": "42.00"},
    "list_call_logs": {"call_id": "{{call_uuid}}"},
    "read_call_stats": {
        "group_by": "buyer_converted",
        "stat": "revenue",
        "created_at_from": "2026-01-01",
        "created_at_to": "2099-12-31",
    },
}
"""What a query string has to say; the other parameters stand beside it, switched off."""

UNIQUE = ("name", "user_buyer_id", "user_traffic_source_id", "user_offer_id")
"""What no two of an account may share."""

MADE = {
    "uuid": "{{$guid}}",
    "buyer": "{{buyer}}",
    "traffic_source": "{{traffic_source}}",
    "offer": "{{offer}}",
    "offer_token": "{{offer_token}}",
}
"""What stands in a body for the example's own: what was made before, or is to be new."""

_PLACES = {
    "{uuid}": "{{call_uuid}}",
    "{call}": "{{call_uuid}}",
    "{caller_id}": "{{caller_id}}",
    "{caller_number}": "{{caller_id}}",
    "{webhook}": "{{webhook}}",
}
_PARTNERS = {"buyers": "{{buyer}}", "traffic_sources": "{{traffic_source}}", "offers": "{{offer}}"}


def collection(document: Json) -> Json:
    """The collection."""
    folders: dict[str, list[Json]] = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method, told in _distinct(item):
            folders[told["tags"][0]].append(_request(document, path, method, told))
    described = {tag["name"]: tag["description"] for tag in document["tags"]}
    order = sorted(folders, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    return {
        "info": {
            "name": "Ringback",
            "description": f"{document['info']['description']}\n\nRun it from top to bottom, as often as you like; the "
            "credential is an owner's, of the Access Type Everything.",
            "schema": SCHEMA,
        },
        "auth": {"type": "basic", "basic": [_text("username", "{{public_key}}"), _text("password", "{{private_key}}")]},
        "variable": [_text(name, value) for name, value in VARIABLES.items()],
        "item": [{"name": name, "description": described[name], "item": folders[name]} for name in order],
    }


def environment() -> Json:
    """The environment: where the account is, and a credential."""
    values = [
        {"key": name, "value": value, "type": "secret" if name in SECRETS else "default", "enabled": True}
        for name, value in ENVIRONMENT.items()
    ]
    return {"name": "Ringback", "values": values, "_postman_variable_scope": "environment"}


def _distinct(item: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """The operations of a path; of methods that do the same, the first."""
    seen: set[str] = set()
    for method, told in item.items():
        if told["summary"] not in seen:
            yield method, told
        seen.add(told["summary"])


def _request(document: Json, path: str, method: str, told: Json) -> Json:
    parameters = [_found(document, each) for each in told.get("parameters", ())]
    request: Json = {
        "method": method.upper(),
        "description": told["description"],
        "header": [_header(each) for each in parameters if each["in"] == "header"],
        "url": _url(path, ASKED.get(told["operationId"], {}), parameters),
    }
    if not told["security"]:
        request["auth"] = {"type": "noauth"}
    if "requestBody" in told:
        request["header"].insert(0, _text("Content-Type", "application/json"))
        examples = told["requestBody"]["content"]["application/json"]["examples"]
        first = _found(document, next(iter(examples.values())))["value"]
        request["body"] = {"mode": "raw", "raw": _body(first), "options": {"raw": {"language": "json"}}}
    tests = {"listen": "test", "script": {"type": "text/javascript", "exec": _tests(told)}}
    return {"name": told["summary"], "request": request, "event": [tests], "response": []}


def _url(path: str, asked: Mapping[str, str], parameters: Sequence[Json]) -> Json:
    for place, variable in _PLACES.items():
        path = path.replace(place, variable)
    segments = [
        _PARTNERS[before] if each == "{partner}" else each for before, each in _pairs(path.strip("/").split("/"))
    ]
    names = [each["name"] for each in parameters if each["in"] == "query"]
    query: list[Json] = [{"key": name, "value": value} for name, value in asked.items()]
    query += [{"key": name, "value": "", "disabled": True} for name in names if name not in asked]
    raw = "&".join(f"{name}={value}" for name, value in asked.items())
    url: Json = {"raw": "{{base_url}}/" + "/".join(segments) + (f"?{raw}" if raw else "")}
    return {**url, "host": ["{{base_url}}"], "path": segments, "query": query}


def _pairs(segments: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(["", *segments], segments, strict=False)


def _header(parameter: Json) -> Json:
    return {"key": parameter["name"], "value": "", "description": parameter["description"], "disabled": True}


def _body(example: Json) -> str:
    """An example, about what was made here."""
    told: Json = {name: MADE.get(name, value) for name, value in example.items()}
    told |= {name: f"{value} {{{{$timestamp}}}}" for name, value in example.items() if name in UNIQUE}
    if "updates" in told:
        told["updates"] = [
            {**each, **({"uuid": "{{call_uuid}}"} if "uuid" in each else {})} for each in told["updates"]
        ]
    return json.dumps(told, indent=2, ensure_ascii=False)


def _tests(told: Json) -> list[str]:
    done = [int(status) for status in told["responses"] if status.startswith("2")]
    lines = [
        f'pm.test("is answered as described", () => pm.expect(pm.response.code).to.be.oneOf({json.dumps(done)}));',
    ]
    for variable, place in KEPT.get(told["operationId"], {}).items():
        lines.append(f'pm.collectionVariables.set("{variable}", pm.response.json().{place});')
    return lines


def _found(document: Json, told: Json) -> Json:
    """What is told, or what it refers to."""
    while "$ref" in told:
        found: Any = document
        for part in told["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        told = found
    return told


def _text(key: str, value: str) -> Json:
    return {"key": key, "value": value, "type": "string"}

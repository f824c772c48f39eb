"""The OpenAPI document in the shape in which a page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringback.api.examples import BODIES
from ringback.api.prose import as_json

Told = Mapping[str, Any]

_TYPES = {
    "object": "object",
    "array": "list",
    "boolean": "boolean",
    "number": "number",
    "integer": "whole number",
    "string": "text",
}
_FIRST_REFUSAL = 400
_PERIOD = "created_at_from=2026-05-01&created_at_to=2026-05-31"
_QUERIES = {
    "update_call_by_query": "?buyer_converted=true&revenue=42.00",
    "list_calls": "?created_at_label=Today&per_page=100",
    "read_call_stats": f"?group_by=created_at_day&stat=revenue&{_PERIOD}",
    "list_call_logs": "?call_id=<call_uuid>",
}
"""The query strings of requests that need one, or are told by one, by the ids of their operations."""


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a name in a body."""

    name: str
    place: str
    types: str
    description: str
    required: bool
    right: str


@dataclass(frozen=True, slots=True)
class Example:
    """An example with its title; JSON, as people like to read it."""

    title: str
    text: str
    status: str = ""


@dataclass(slots=True)
class Endpoint:
    """One operation, or several that differ in nothing but their method."""

    id: str
    path: str
    summary: str
    description: str
    methods: list[str] = field(default_factory=list)
    parameters: list[Field] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    bodies: list[Example] = field(default_factory=list)
    answers: list[Example] = field(default_factory=list)
    refusals: list[tuple[str, list[str]]] = field(default_factory=list)
    request: str = ""


@dataclass(slots=True)
class Section:
    """The endpoints under one heading."""

    name: str
    description: str
    endpoints: list[Endpoint] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        return self.name.lower().replace(" ", "-")


def sections(document: Told, base: str) -> list[Section]:
    """The endpoints by tag; ``base`` is what the addresses in examples begin with."""
    found = {tag["name"]: Section(tag["name"], tag["description"]) for tag in document["tags"]}
    known: dict[tuple[str, str], Endpoint] = {}
    for path, item in document["paths"].items():
        for method, told in item.items():
            endpoint = known.get((path, told["summary"]))
            if endpoint is None:
                endpoint = known[path, told["summary"]] = _Reader(document, base).endpoint(path, method, told)
                found[told["tags"][0]].endpoints.append(endpoint)
            endpoint.methods.append(method.upper())
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _Reader:
    document: Told
    base: str

    def endpoint(self, path: str, method: str, told: Told) -> Endpoint:
        """What a page shows of an operation."""
        endpoint = Endpoint(told["operationId"], path, told["summary"], told["description"])
        endpoint.parameters = [self._parameter(self._found(each)) for each in told.get("parameters", ())]
        content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
        if content:
            properties = self._found(content["schema"])["properties"]
            endpoint.fields = [_field(name, "body", schema) for name, schema in properties.items()]
            endpoint.bodies = [Example(name, as_json(value)) for name, value in self._examples(content)]
        for status, response in told["responses"].items():
            self._add_answers(endpoint, status, response)
        endpoint.request = self._curl(path, method, told, content)
        return endpoint

    def _add_answers(self, endpoint: Endpoint, status: str, response: Told) -> None:
        examples = self._examples(response["content"]["application/json"])
        if int(status) < _FIRST_REFUSAL or "application/problem+json" not in response["content"]:
            endpoint.answers.extend(Example(_words(name), as_json(value), status) for name, value in examples)
        else:
            endpoint.refusals.append((status, [name for name, _ in examples]))

    def _curl(self, path: str, method: str, told: Told, content: Told) -> str:
        query = _QUERIES.get(told["operationId"], "")
        body = next(value for _, value in self._examples(content)) if content else None
        return curl(method, f"{self.base}{path}{query}", body, secured=bool(told["security"]))

    def _parameter(self, told: Told) -> Field:
        return _field(told["name"], told["in"], {**told["schema"], **told}, required=told.get("required", False))

    def _examples(self, content: Told) -> list[tuple[str, object]]:
        return [(name, self._found(each)["value"]) for name, each in content["examples"].items()]

    def _found(self, told: Told) -> Told:
        """What is told, or what it refers to."""
        while "$ref" in told:
            found: Any = self.document
            for part in told["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            told = found
        return told


def curl(method: str, url: str, body: object = None, *, secured: bool = True) -> str:
    """A request as a line for the shell; what the reader has to fill in stands in angle brackets."""
    url = url.replace("{uuid}", "<call_uuid>").replace("{call}", "<call_uuid>").replace("{caller_id}", "17195550123")
    url = url.replace("{caller_number}", "17195550123").replace("{partner}", "<id>").replace("{webhook}", "<id>")
    lines = [f"curl -X POST '{url}'" if method == "post" else f"curl '{url}'"]
    if secured:
        lines.append("-H 'Authorization: Basic <credential>'")
    if body is not None:
        lines += ["-H 'Content-Type: application/json'", f"-d '{as_json(body)}'".replace("\n", "\n  ")]
    return " \\\n  ".join(lines)


def first_steps(base: str) -> list[Example]:
    """The requests of a first update, in their order."""
    update = f"{base}/api/v1/calls/update_call/{{uuid}}"
    return [
        Example("1 · Who am I?", curl("get", f"{base}/api/v1/me")),
        Example("2 · Rehearse", curl("post", f"{update}?dry_run=true", BODIES["guide"])),
        Example("3 · Post the update", curl("post", update, BODIES["guide"])),
    ]


def _field(name: str, place: str, schema: Told, *, required: bool = False) -> Field:
    types = schema.get("type", "string")
    given = {types} if isinstance(types, str) else {*types}
    *words, last = [word for each, word in _TYPES.items() if each in given]
    words = [", ".join(words), last] if words else [last]
    told = " or ".join(words)
    if "enum" in schema:
        told = f"one of {', '.join(map(str, schema['enum']))}"
    return Field(name, place, told, schema.get("description", ""), required, schema.get("x-right", ""))


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()

"""The OpenAPI document: what the framework knows of its routes, completed by what it doesn't."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ringback.api import call_document, partner_document
from ringback.api.examples import examples
from ringback.api.lists import PARAMETERS
from ringback.api.operations import OPERATIONS, OUTSIDE_THE_FRAMEWORK, TAGS, Body, Operation, Success
from ringback.api.schemas import Schema, schemas, written
from ringback.domain.attributes import UPDATABLE, Kind
from ringback.domain.errors import CODES

Document = dict[str, Any]

DESCRIPTION = """\
Ringback records what phone calls were worth. Who knows it posts it back: one request for each call, in the form that \
TrackDrive understands.

Every path may end in `.json`. The account is named by the host, or by the path: \
`/a/{account}/api/v1/…` is the same as `/api/v1/…` at the account's own host."""

SERVERS: list[Document] = [
    {"url": "/", "description": "The account's own host, or the default account"},
    {
        "url": "/a/{account}",
        "description": "The account named by the path, where there is no host name for it",
        "variables": {"account": {"default": "acme", "description": "The account's subdomain"}},
    },
]

_SECURITY: dict[str, Document] = {
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "`Authorization: Basic base64(public key:private key)`, as made under API & Access Tokens.",
    },
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Authorization: Token <value>`, as made under Developer Access Tokens.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "The same value as `Authorization: Bearer <value>`."},
    "auth_token": {
        "type": "apiKey",
        "in": "query",
        "name": "auth_token",
        "description": "The same value in the query string, a form or JSON: TrackDrive's old way, which an account "
        "may switch off.",
    },
}

_FORMS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_JSON, _PROBLEM = "application/json", "application/problem+json"


def complete(generated: Document) -> Document:
    """The document that the framework made of its routes, with bodies, answers, examples and the other routes."""
    outside = _outside()
    paths = {path: item for path, item in outside.items() if path not in generated["paths"]}
    paths |= {path: {**outside.get(path, {}), **item} for path, item in generated["paths"].items()}
    known = {operation.id: operation for operation in OPERATIONS}
    for item in paths.values():
        for method, told in item.items():
            _complete(told, known[told.pop("x-operation", told["operationId"])], method)
    return {
        **generated,
        "info": {**generated["info"], "description": DESCRIPTION, "license": {"name": "Apache-2.0"}},
        "servers": SERVERS,
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": _SECURITY,
            "schemas": schemas() | call_document.schemas() | partner_document.schemas(),
            "parameters": _parameters(),
            "examples": {name: {"value": value} for name, value in examples().items()},
        },
    }


def _outside() -> dict[str, Document]:
    """The paths that the framework doesn't see."""
    paths: dict[str, Document] = {}
    for path, methods, operation in OUTSIDE_THE_FRAMEWORK:
        for method in methods:
            paths.setdefault(path, {})[method] = _told(operation, method, several=len(methods) > 1)
    return paths


def _told(operation: Operation, method: str, *, several: bool) -> Document:
    """What the framework would have said of an operation that isn't its own."""
    return {
        "x-operation": operation.id,
        "operationId": f"{method}_{operation.id}" if several else operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
    }


def _complete(told: Document, operation: Operation, method: str) -> None:
    told.setdefault("parameters", []).extend(_ref("parameters", name) for name in operation.parameters)
    if method == "get" and "update" in operation.id:
        told["parameters"].extend(_ref("parameters", name) for name in _wire_names())
    if operation.body is not None:
        told["requestBody"] = _body(operation.body)
    told["responses"] = dict(_responses(operation))
    told["security"] = [{name: []} for name in _SECURITY] if operation.secured else []


def _body(body: Body) -> Document:
    named = {name: _ref("examples", name) for name in body.examples}
    content = {form: {"schema": _ref("schemas", body.schema)} for form in (_FORMS[:1] if body.only_json else _FORMS)}
    return {"required": body.required, "content": {**content, _JSON: {**content[_JSON], "examples": named}}}


def _responses(operation: Operation) -> Iterable[tuple[str, Document]]:
    by_status: dict[int, list[str]] = {}
    for name, code in CODES.items():
        if name in operation.refusals:
            by_status.setdefault(code.status, []).append(name)
    for success in operation.successes:
        by_status.pop(success.status, None)
        yield str(success.status), _done(success)
    for status, names in sorted(by_status.items()):
        yield str(status), _refused(status, names)


def _done(success: Success) -> Document:
    named = {name: _ref("examples", name) for name in success.examples}
    content: Document = {_JSON: {"schema": _ref("schemas", success.schema), "examples": named}}
    if success.as_csv:
        content["text/csv"] = {"schema": {"type": "string"}}
    return {"description": success.description, "content": content}


def _refused(status: int, codes: Iterable[str]) -> Document:
    names = list(codes)
    answer: Document = {
        "description": ", ".join(f"`{name}`" for name in names),
        "content": {
            _JSON: {
                "schema": _ref("schemas", "Refused"),
                "examples": {name: _ref("examples", name) for name in names},
            },
            _PROBLEM: {
                "schema": _ref("schemas", "Problem"),
                "examples": {name: _ref("examples", f"{name}.problem") for name in names},
            },
        },
    }
    if status in _HEADERS:
        name, told = _HEADERS[status]
        answer["headers"] = {name: {"description": told, "schema": {"type": "string"}}}
    return answer


_HEADERS = {
    401: ("WWW-Authenticate", 'Always `Basic realm="Ringback", charset="UTF-8"`.'),
    429: ("Retry-After", "Seconds to wait."),
    503: ("Retry-After", "Seconds to wait."),
}


def _parameters() -> dict[str, Document]:
    def told(place: str, name: str, description: str, schema: Schema | None = None) -> Document:
        parameter = {"name": name, "in": place, "description": description, "schema": schema or {"type": "string"}}
        return {**parameter, "required": True} if place == "path" else parameter

    return {
        "uuid": told("path", "uuid", "The call's UUID, as it came with the forward post."),
        "call": told("path", "call", "The call's UUID, or its number in this account."),
        "caller_id": told("path", "caller_id", "The caller's telephone number, best as `+17195550123`."),
        "dry_run": told("query", "dry_run", "`true`: decide everything, change nothing."),
        "Ringback-Dry-Run": told("header", "Ringback-Dry-Run", "The same as `dry_run`, as a header."),
        "Idempotency-Key": told(
            "header",
            "Idempotency-Key",
            "The same key with the same content gets the first answer again for 24 hours; with other content: 409.",
        ),
        "webhook-id": told(
            "header", "webhook-id", "An id of this update: the same id with the same content counts once."
        ),
        **{name: told("query", name, *each) for name, each in PARAMETERS.items()},
        **call_document.parameters(),
        **partner_document.parameters(),
        **_wire_parameters(told),
    }


def _wire_names() -> list[str]:
    return [name for attribute in UPDATABLE for name in written(attribute)]


def _wire_parameters(told: Callable[..., Document]) -> Mapping[str, Document]:
    parameters: dict[str, Document] = {}
    for attribute in UPDATABLE:
        for name, schema in written(attribute).items():
            parameters[name] = {**told("query", name, schema["description"]), "x-right": attribute.label}
            if attribute.kind is Kind.FIELDS:
                fields: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
                parameters[name] |= {"style": "deepObject", "explode": True, "schema": fields}
    return parameters


def _ref(kind: str, name: str) -> Document:
    return {"$ref": f"#/components/{kind}/{name}"}

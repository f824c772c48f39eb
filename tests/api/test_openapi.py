"""The OpenAPI document: valid, complete, and true of what the server answers."""

from __future__ import annotations

import asyncio
import string
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, cast

import pytest
from fastapi import FastAPI
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from starlette.exceptions import HTTPException

from ringback import entropy
from ringback.api import openapi
from ringback.api.examples import BODIES, DETAILS, PROBLEMS
from ringback.api.operations import NOWHERE_DESCRIBED, OPERATIONS
from ringback.domain.attributes import ATTRIBUTES
from ringback.domain.errors import CODES, Refusal
from tests.live import Live, Reply
from tests.world import EVERY_RIGHT

Document = Mapping[str, Any]

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
PAGES = ("/api/docs", "/api/docs/errors", "/api/docs/attributes", "/api/openapi.json", "/api/static")
UUID = "3f2b8c1e-5d0a-4f6b-9c7d-2e1a0b3c4d5e"


@pytest.fixture(scope="module")
def document(served: Live) -> Document:
    reply = served.request("GET", "/api/openapi.json")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    found: Document = reply.json
    return found


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Path, method and operation of everything that is described."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), operation


def real(path: str) -> str:
    return path.replace("{uuid}", UUID).replace("{call}", UUID)


class TestTheDocument:
    def test_is_valid(self, document: Document) -> None:
        assert document["openapi"].startswith("3.1")
        validate(dict(document))

    def test_names_both_ways_to_an_account(self, document: Document) -> None:
        assert [server["url"] for server in document["servers"]] == ["/", "/a/{account}"]

    def test_names_every_kind_of_credential(self, document: Document) -> None:
        assert set(document["components"]["securitySchemes"]) == {"basic", "token", "bearer", "auth_token"}

    def test_asks_a_credential_of_every_operation_but_those_for_monitors(self, document: Document) -> None:
        open_paths = {path for path, _, operation in operations(document) if not operation["security"]}
        assert open_paths == {"/healthz", "/readyz", "/version"}

    def test_gives_every_operation_an_id_of_its_own(self, document: Document) -> None:
        ids = [operation["operationId"] for _, _, operation in operations(document)]
        assert len(ids) == len(set(ids))
        assert all(operation["summary"] and operation["description"] for _, _, operation in operations(document))

    def test_uses_every_component_and_no_other(self, document: Document) -> None:
        text = str(document)
        for kind in ("schemas", "parameters", "examples"):
            for name in document["components"][kind]:
                used = f"#/components/{kind}/{name}'" in text
                assert used, (kind, name)

    def test_is_not_told_of_words_that_only_we_need(self, document: Document) -> None:
        assert "x-operation" not in str(document)
        assert "HTTPValidationError" not in str(document)


class TestItIsComplete:
    def test_every_route_is_described(self, served: Live, document: Document) -> None:
        for route in served.app.web.routes:
            if route.path in PAGES or not getattr(route, "include_in_schema", True):
                continue
            for method in route.methods - {"HEAD"}:
                assert method.lower() in document["paths"][route.path], (method, route.path)

    def test_what_is_described_is_understood_and_nothing_else_is(self, served: Live, document: Document) -> None:
        described = {(path, method) for path, method, _ in operations(document)}
        described |= {(path, "HEAD") for path, method in described if method == "GET" and "/update_call/" not in path}
        for path in document["paths"]:
            understood = [method for method in METHODS if (path, method) in described]
            for method in METHODS:
                reply = served.request(method, real(path))
                assert (reply.status == 405) is (method not in understood), (method, path, reply.status)
                assert reply.status != 404 or method in understood
                if reply.status == 405:
                    assert set(reply.headers["allow"].split(", ")) == set(understood)

    def test_every_name_that_writes_an_attribute_is_in_every_body(self, document: Document) -> None:
        names = {name for attribute in ATTRIBUTES for name in (*attribute.sets, *attribute.adds)}
        for schema in ("Update", "Recording"):
            assert names <= set(document["components"]["schemas"][schema]["properties"])
        query = document["paths"]["/api/v1/calls/update_call/{uuid}"]["get"]["parameters"]
        assert names <= {parameter["$ref"].rpartition("/")[2] for parameter in query}

    def test_every_name_of_the_call_object_is_described(self, document: Document) -> None:
        names = {name for attribute in ATTRIBUTES for name in attribute.reads}
        assert names <= set(document["components"]["schemas"]["Call"]["properties"])

    def test_every_code_can_be_the_answer_of_some_operation(self) -> None:
        refusals = {name for name, code in CODES.items() if code.status >= 400}
        assert {code for operation in OPERATIONS for code in operation.refusals} == refusals - NOWHERE_DESCRIBED

    def test_every_refusal_stands_under_its_status_in_both_shapes(self, document: Document) -> None:
        for path, method, operation in operations(document):
            for status, response in operation["responses"].items():
                if "application/problem+json" not in response["content"]:
                    continue
                for media_type, suffix in (("application/json", ""), ("application/problem+json", ".problem")):
                    examples = response["content"][media_type]["examples"]
                    assert examples, (path, method, status)
                    for code, example in examples.items():
                        assert CODES[code].status == int(status)
                        assert example["$ref"].endswith(f"/{code}{suffix}")


class TestItIsTrue:
    def check(self, document: Document, reply: Reply, path: str, method: str) -> None:
        """Check that an answer is one that the document describes."""
        response = document["paths"][path][method]["responses"][str(reply.status)]
        content = response["content"][reply.headers["content-type"]]
        OAS31Validator({**content["schema"], "components": document["components"]}).validate(reply.json)
        for header in response.get("headers", ()):
            assert header.lower() in reply.headers
        if isinstance(reply.json, dict) and not reply.json.get("success", True):
            assert reply.json["code"] in content["examples"]

    def test_every_example_fits_its_schema(self, document: Document) -> None:
        examples = document["components"]["examples"]
        for _, _, operation in operations(document):
            bodies = operation.get("requestBody", {}).get("content", {})
            answers = [each for response in operation["responses"].values() for each in response["content"].values()]
            for content in (*bodies.values(), *answers):
                validator = OAS31Validator({**content["schema"], "components": document["components"]})
                for example in content.get("examples", {}).values():
                    validator.validate(examples[example["$ref"].rpartition("/")[2]]["value"])

    @pytest.mark.parametrize("accept", ["*/*", "application/problem+json"])
    def test_updates_are_answered_as_described(self, stage: Live, document: Document, accept: str) -> None:
        world, headers = stage.world, {"Accept": accept}
        path = "/api/v1/calls/update_call/{uuid}"
        for rights in (EVERY_RIGHT, {}):
            world.grant(rights)
            call = world.call()
            bodies: list[Mapping[str, Any] | str] = [BODIES["guide"], BODIES["guide"], BODIES["fields"], "{"]
            bodies += [{"revenue": "1,25"}, {"revenue": "[Call:ConversionPayout]"}, {"revenue": 1, "add_revenue": 1}]
            for body in [*bodies, {"revenue": 1, "dry_run": "1"}]:
                for uuid in (call.uuid, entropy.new_call_uuid()):
                    reply = stage.update(uuid, body, auth=world.bob_token.authorization, headers=headers)
                    self.check(document, reply, path, "post")
        for auth in (None, "Basic !", world.charlie_token.authorization):
            self.check(document, stage.update(UUID, {}, auth=auth, headers=headers), path, "post")

    def test_recording_and_reading_are_answered_as_described(self, stage: Live, document: Document) -> None:
        world = stage.world
        ada, bob = world.ada_token.authorization, world.bob_token.authorization
        body: Mapping[str, Any] = {"uuid": entropy.new_call_uuid(), **BODIES["smallest_recording"]}
        for sent, auth in ((body, ada), (body, ada), (body, bob), ({}, ada), ({"buyer": "x"}, ada), (body, None)):
            reply = stage.request("POST", "/api/v1/calls", body=sent, auth=auth)
            self.check(document, reply, "/api/v1/calls", "post")
        for call in (body["uuid"], entropy.new_call_uuid(), 1, "%5Bcall_uuid%5D"):
            for query in ("", "?root=false", "?columns=uuid,revenue&root=false"):
                for auth in (ada, bob, None):
                    reply = stage.request("GET", f"/api/v1/calls/{call}{query}", auth=auth)
                    self.check(document, reply, "/api/v1/calls/{call}", "get")

    def test_partners_are_answered_as_described(self, stage: Live, document: Document) -> None:
        world = stage.world
        tokens = (world.ada_token, world.bob_token, world.charlie_token)
        for several in ("buyers", "offers", "traffic_sources"):
            path, name = f"/api/v1/{several}", f"Somebody {entropy.new_id()}"
            for auth in (None, *(token.authorization for token in tokens)):
                for body in (
                    {"name": name},
                    {"name": name},
                    {"name": "[x]", "paused": "?"},
                    {},
                    {"name": name, "dry_run": 1},
                ):
                    self.check(document, stage.request("POST", path, body=body, auth=auth), path, "post")
                for query in ("", "?root=false", "?columns=id,uuid", "?cursor=-1&per_page=1&x=y", "?page=x"):
                    self.check(document, stage.request("GET", f"{path}{query}", auth=auth), path, "get")
                for where in ("1", "nobody", "1?root=false"):
                    reply = stage.request("GET", f"{path}/{where}", auth=auth)
                    self.check(document, reply, f"{path}/{{partner}}", "get")
                for method in ("put", "patch", "post"):
                    reply = stage.request(method.upper(), f"{path}/1", body={"paused": method == "put"}, auth=auth)
                    self.check(document, reply, f"{path}/{{partner}}", method)

    def test_lists_of_calls_are_answered_as_described(self, stage: Live, document: Document) -> None:
        world = stage.world
        call = world.call()
        stage.update(call.uuid, BODIES["guide"], auth=world.bob_token.authorization)
        period = "group_by=created_at_day&stat=profit&created_at_from=2020-01-01&created_at_to=2090-01-01"
        asked = {
            "/api/v1/calls": ("", "?cursor=-1&x=1", "?root=0", "?columns=id,hold_duration", "?page=x", "?page=999999"),
            "/api/v1/calls/live_calls": ("", "?order=revenue"),
            "/api/v1/calls/{caller_number}/by_caller_number": ("", "?per_page=1"),
            "/api/v1/calls/stats": ("", f"?{period}", f"?root=no&{period}"),
            "/api/v1/calls/{call}/events": ("", "?root=false"),
            "/api/v1/call_logs": ("", f"?call_id={call.uuid}", f"?root=false&call_id={call.number}", "?call_id=[id]"),
        }
        for path, queries in asked.items():
            at = path.replace("{caller_number}", "17195550100").replace("{call}", call.uuid)
            for query in queries:
                for auth in (world.ada_token.authorization, world.bob_token.authorization, None):
                    self.check(document, stage.request("GET", at + query, auth=auth), path, "get")

    def test_the_rest_is_answered_as_described(self, stage: Live, document: Document) -> None:
        world = stage.world
        for token in (world.ada_token, world.bob_token, world.charlie_token):
            for query in ("", "?root=false"):
                reply = stage.request("GET", f"/api/v1/me{query}", auth=token.authorization)
                self.check(document, reply, "/api/v1/me", "get")
        for path in ("/healthz", "/readyz", "/version"):
            self.check(document, stage.request("GET", path), path, "get")


class TestExamplesOfRefusals:
    @pytest.mark.parametrize("code", [code for code in CODES.values() if code.name != "permission_denied"])
    def test_every_gap_of_a_sentence_is_filled(self, code: Any) -> None:  # noqa: ANN401
        gaps = {name for _, name, _, _ in string.Formatter().parse(code.title + code.hint) if name}
        problem = PROBLEMS.get(code.name)
        filled = set(problem.details) if problem else set(DETAILS.get(code.name, {}))
        assert gaps <= filled

    def test_no_example_is_of_what_isn_t_there(self) -> None:
        assert {*DETAILS, *PROBLEMS} <= set(CODES)


class TestWhatTheFrameworkRefuses:
    @pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v1/nothing", "/api/v1/calls/1/2", "/api/v1/me/x"])
    def test_an_unknown_path_is_not_found_in_our_words(self, stage: Live, path: str) -> None:
        reply = stage.request("DELETE", path)
        assert (reply.status, reply.json["code"]) == (404, "not_found")
        assert path.rstrip("/") in reply.json["message"]
        assert reply.headers["cache-control"] == "no-store"

    def test_a_method_is_refused_with_those_that_are_allowed_as_problem_details_too(self, stage: Live) -> None:
        reply = stage.request("DELETE", f"/api/v1/calls/{UUID}", headers={"Accept": "application/problem+json"})
        assert (reply.status, reply.json["code"]) == (405, "method_not_allowed")
        assert reply.headers["allow"] == "GET, HEAD, POST, PUT, PATCH"
        assert reply.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize("path", ["/api/v1/calls", "/api/v1/me", f"/api/v1/calls/{UUID}"])
    def test_options_is_not_understood_and_other_origins_are_told_nothing(self, stage: Live, path: str) -> None:
        asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
        replies = [stage.request("OPTIONS", path, headers=asked), stage.request("GET", path, headers=asked)]
        assert replies[0].status == 405
        assert not [name for reply in replies for name in reply.headers if name.startswith("access-control")]

    def test_a_value_that_the_framework_can_t_read_is_refused_by_field(self) -> None:
        with pytest.raises(Refusal) as refused:
            ask_framework(b"number=many")
        assert refused.value.code.name == "invalid_value"
        assert [problem.field for problem in refused.value.problems] == ["number"]

    def test_what_it_refuses_otherwise_is_passed_on(self) -> None:
        with pytest.raises(HTTPException, match="teapot"):
            ask_framework(b"number=418")

    def test_a_sender_who_goes_away_is_no_failure(self, stage: Live) -> None:
        begun: dict[str, Any] = {"type": "http.request", "body": b"{", "more_body": True}
        messages = iter([begun, {"type": "http.disconnect"}])
        asyncio.run(stage.app(scope("/api/v1/calls", "POST"), partial(_next, messages), _ignore))


async def _next(messages: Iterator[dict[str, Any]]) -> dict[str, Any]:
    return next(messages)


async def _ignore(_message: dict[str, Any]) -> None:
    """Nobody is there to hear it."""


def scope(path: str, method: str = "GET", query: bytes = b"") -> dict[str, Any]:
    headers = [(b"host", b"acme.localhost")]
    asked = {"type": "http", "method": method, "path": path, "query_string": query, "headers": headers}
    return {**asked, "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1), "server": ("localhost", 80)}


def ask_framework(query: bytes) -> None:
    """Ask a page that wants a number, of an application whose refusals are in our words."""
    web = FastAPI(openapi_url=None)

    async def page(number: int) -> None:
        raise HTTPException(number, "I'm a teapot")

    web.add_api_route("/page", page, methods=["GET"])
    openapi.refuse(web)
    messages = iter([{"type": "http.request"}])
    asyncio.run(web(scope("/page", query=query), partial(_next, messages), cast("Any", _ignore)))

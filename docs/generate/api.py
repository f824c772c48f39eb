"""The page of the HTTP API, made of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from docs.generate.markdown import anchor, block, code, prose, table
from ringback.api.reference import Endpoint, Field, sections
from ringback.app import build
from ringback.settings import read_settings

_BASE = "https://acme.ringback.example"
_TOP = f"""# The API

Every server describes itself at `/api/docs`, with its own addresses in the examples, and at `/api/openapi.json`.
This page is the same on paper.

An account is named by the host (`{_BASE}/api/v1/…`) or by the path
(`https://ringback.example/a/acme/api/v1/…`).
A credential is `Authorization: Basic <base64 of public key:private key>`, `Authorization: Token <value>` or
`Authorization: Bearer <value>`. Every path may end in `.json`. What an answer's `code` means is in [codes](errors.md),
what can be updated in [attributes](attributes.md).
"""


def page() -> str:
    """The page."""
    settings = read_settings(database_url="sqlite:///:memory:", auto_migrate=False)
    found = sections(build(settings).web.openapi(), _BASE)
    common = set.intersection(*(_codes(each) for section in found for each in section.endpoints if _is_secured(each)))
    contents = "".join(f"- [{section.name}](#{anchor(section.name)})\n" for section in found)
    told = [f"{_TOP}\nWhatever wants a credential can be refused with {_listed(sorted(common))}.\n\n{contents}"]
    for section in found:
        told.append(f"## {section.name}\n\n{prose(section.description)}\n")
        told += [_endpoint(each, common) for each in section.endpoints]
    return "\n".join(told)


def _is_secured(endpoint: Endpoint) -> bool:
    return "unknown_credentials" in _codes(endpoint)


def _codes(endpoint: Endpoint) -> set[str]:
    return {name for _, names in endpoint.refusals for name in names}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}](errors.md#{name})" for name in names)


def _endpoint(endpoint: Endpoint, common: set[str]) -> str:
    return "\n".join(
        [
            f"### {endpoint.summary}\n",
            f"`{', '.join(endpoint.methods)} {endpoint.path}`\n",
            prose(endpoint.description) + "\n",
            *_fields(endpoint),
            block(endpoint.request, "sh"),
            *_answers(endpoint, common),
        ]
    )


def _fields(endpoint: Endpoint) -> Iterator[str]:
    fields: list[Field] = [*endpoint.parameters, *endpoint.fields]
    if fields:
        rows = [
            (code(each.name), each.place, each.types, _needed(each) + prose(each.description), each.right)
            for each in fields
        ]
        yield table(("Name", "In", "Is", "", "Right"), rows)


def _needed(field: Field) -> str:
    return "Required. " if field.required and "equired" not in field.description else ""


def _answers(endpoint: Endpoint, common: set[str]) -> Iterator[str]:
    if endpoint.answers:
        first = endpoint.answers[0]
        yield f"{first.status}, {first.title.lower()}:\n"
        yield block(first.text, "json")
    own = [name for _, names in endpoint.refusals for name in names if not (_is_secured(endpoint) and name in common)]
    if own:
        yield f"Refused with {_listed(own)}.\n"

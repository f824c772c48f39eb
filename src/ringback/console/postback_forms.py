"""A postback as the fields of its form, all of them texts, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ringback.console.pages import Visit
from ringback.domain import conditions
from ringback.domain.deliveries import SuccessRule
from ringback.domain.postbacks import Definition, Owner
from ringback.domain.templates import Hole, Type, names
from ringback.services.postbacks import PostbackForm

Typed = Mapping[str, str]
"""The fields of the form by name."""

FIELDS = (
    *("name", "owner", "trigger", "method", "url", "headers", "body_kind", "body", "allowed_hosts", "credential"),
    *("success_path", "success_value", "timeout", "delay", "signed"),
)
EMPTY_ROWS = 2
"""How many rows are offered for further conditions."""

_PREFIXES = ("field-", "operator-", "value-", "hole-", "type-")
_ROWS = range(conditions.MOST + EMPTY_ROWS)
_WHOLE = re.compile(r"[0-9]{1,9}")
_UNREADABLE = -1
_HOLES = frozenset({Hole.BLANK, Hole.OMIT})
_TYPES = frozenset({Type.NUMBER, Type.BOOLEAN})


def typed(visit: Visit) -> dict[str, str]:
    """The form as it was sent."""
    wanted = [name for name in visit.form if name in FIELDS or name.startswith(_PREFIXES)]
    sent = {name: visit.exactly(name).replace("\0", "").replace("\r\n", "\n") for name in wanted}
    return dict.fromkeys(FIELDS, "") | {name: text if name == "body" else text.strip() for name, text in sent.items()}


def read(fields: Typed) -> PostbackForm:
    """The postback that the fields say; what can't be read is left for the rules to refuse."""
    owner, _, number = fields["owner"].partition("-")
    headers = tuple(_header(line) for line in fields["headers"].splitlines() if line.strip())
    used = {name.lower() for name in _used(fields["url"], fields["body"], *(value for _, value in headers))}
    success = SuccessRule(fields["success_path"], fields["success_value"])
    definition = Definition(
        method=fields["method"],
        url=fields["url"],
        headers=headers,
        body_kind=fields["body_kind"],
        body=fields["body"],
        holes={name: each for name, each in _settings(fields, "hole-") if name in used and each in _HOLES},
        types={name: each for name, each in _settings(fields, "type-") if name in used and each in _TYPES},
        conditions=tuple((name, operator, value) for _, name, operator, value in rows(fields)),
        allowed_hosts=tuple(fields["allowed_hosts"].split()),
        credential=fields["credential"],
        success=success if success.path or success.value else None,
        timeout=_whole(fields["timeout"]),
        delay=_whole(fields["delay"]),
        signed=bool(fields["signed"]),
    )
    return PostbackForm(
        fields["name"], fields["trigger"], definition, owner, _whole(number) if owner != Owner.ACCOUNT else None
    )


def write(form: PostbackForm) -> dict[str, str]:
    """The fields of a postback."""
    definition = form.definition
    fields = {
        "name": form.name,
        "owner": form.owner if form.owner_id is None else f"{form.owner}-{form.owner_id}",
        "trigger": form.trigger,
        "method": definition.method,
        "url": definition.url,
        "headers": "\n".join(f"{name}: {value}" for name, value in definition.headers),
        "body_kind": definition.body_kind,
        "body": definition.body,
        "allowed_hosts": "\n".join(definition.allowed_hosts),
        "credential": definition.credential,
        "success_path": definition.success.path if definition.success else "",
        "success_value": definition.success.value if definition.success else "",
        "timeout": str(definition.timeout),
        "delay": str(definition.delay),
        "signed": "1" if definition.signed else "",
    }
    for place, (name, operator, value) in enumerate(definition.conditions):
        fields |= {f"field-{place}": name, f"operator-{place}": operator, f"value-{place}": value}
    fields |= {f"hole-{name.lower()}": hole for name, hole in definition.holes.items()}
    return fields | {f"type-{name.lower()}": type_ for name, type_ in definition.types.items()}


def rows(fields: Typed) -> list[tuple[int, str, str, str]]:
    """The conditions that say something, each with the number of its row."""
    found = [
        (each, fields.get(f"field-{each}", ""), fields.get(f"operator-{each}", ""), fields.get(f"value-{each}", ""))
        for each in _ROWS
    ]
    return [row for row in found if row[1] or row[3]]


def offered_rows(fields: Typed) -> list[tuple[int, str, str, str]]:
    """The same, and some empty ones, as the form shows them."""
    said = [(name, operator, value) for _, name, operator, value in rows(fields)]
    return [(place, *row) for place, row in enumerate([*said, *[("", "=", "")] * EMPTY_ROWS])][: len(_ROWS)]


def _settings(fields: Typed, prefix: str) -> Iterator[tuple[str, str]]:
    return ((name.removeprefix(prefix).lower(), each) for name, each in fields.items() if name.startswith(prefix))


def _used(*templates: str) -> Iterator[str]:
    return (name for template in templates for name in names(template))


def _header(line: str) -> tuple[str, str]:
    """Name and value; a line that has no colon is a value without a name, which is refused."""
    name, colon, value = line.partition(":")
    return (name.strip(), value.strip()) if colon else ("", line.strip())


def _whole(text: str) -> int:
    return int(text) if _WHOLE.fullmatch(text) else _UNREADABLE

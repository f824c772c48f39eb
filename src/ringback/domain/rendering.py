"""A compiled definition, filled with the values of a call: the request that is sent, or the reason why it is held.

What a value can do is bounded by its position, and the host is checked before a credential is looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from ringback.domain.hosts import HostPattern
from ringback.domain.template_tokens import Values
from ringback.domain.templates import Filled, Filling, HeldError, OmittedError, Parts, Position, Token

_DOTS = frozenset({".", ".."})


@dataclass(frozen=True, slots=True)
class Rendered:
    """A request as it goes out, but for its credential; ``trace`` says what each token became."""

    method: str
    url: str
    host: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    trace: tuple[Filled, ...]


@dataclass(frozen=True, slots=True)
class Object:
    """An object of a JSON body: names as JSON, and values."""

    members: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Array:
    """An array of a JSON body."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A value of a JSON body without tokens, as JSON."""

    text: str


Node: TypeAlias = "Object | Array | Literal | Parts"
"""A value of a JSON body: a string with tokens is its parts."""

Pairs = tuple[tuple[Parts, Parts | None], ...]
"""The fields of a query string or form: names and values, which may be missing with their sign."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A definition that is ready to be filled."""

    method: str
    scheme: str
    host: tuple[Parts, ...]
    port: str
    path: tuple[Parts, ...]
    query: Pairs
    headers: tuple[tuple[str, Parts], ...]
    body_kind: str
    body: Node | Pairs | None
    allowed: tuple[HostPattern, ...]
    tokens: tuple[str, ...]

    def render(self, values: Values) -> Rendered:
        """The request for these values.

        Raises:
            HeldError: a value is missing or unfit, or leads to a host that is not allowed.
        """
        filling = Filling(values)
        host = ".".join(filling.text(label, Position.HOST) for label in self.host)
        if self.allowed and not any(pattern.matches(host) for pattern in self.allowed):
            raise HeldError("host_not_allowed", host)
        path = "/".join([_segment(filling, segment) for segment in self.path])
        query = _pairs(filling, self.query, Position.QUERY)
        place = f"[{host}]" if ":" in host else host
        url = f"{self.scheme}://{place}{self.port}{path}" + (f"?{query}" if query else "")
        headers = tuple(_headers(filling, self.headers))
        body = self._body(filling)
        return Rendered(self.method, url, host, headers, body, tuple(filling.trace))

    def _body(self, filling: Filling) -> bytes | None:
        if self.body_kind == "json":
            return _json(filling, cast("Node", self.body)).encode()
        if self.body_kind == "form":
            fields = cast("Pairs", self.body)
            return _pairs(filling, fields, Position.FORM).encode()
        if self.body_kind == "text":
            return filling.text(cast("Parts", self.body), Position.TEXT).encode(errors="replace")
        return None


def _segment(filling: Filling, parts: Parts) -> str:
    text = filling.text(parts, Position.PATH)
    if text in _DOTS:  # then there is a token: a literal one can't be saved
        raise HeldError("unfit_path", next(part.written for part in parts if isinstance(part, Token)))
    return text


def _pairs(filling: Filling, fields: Pairs, position: Position) -> str:
    made = []
    for name, value in fields:
        try:
            text = filling.text(name, position)
            made.append(text if value is None else f"{text}={filling.text(value, position)}")
        except OmittedError:
            continue
    return "&".join(made)


def _headers(filling: Filling, headers: Sequence[tuple[str, Parts]]) -> list[tuple[str, str]]:
    made = []
    for name, value in headers:
        try:
            made.append((name, filling.text(value, Position.HEADER)))
        except OmittedError:
            continue
    return made


def _json(filling: Filling, node: Node) -> str:
    if isinstance(node, Literal):
        return node.text
    if isinstance(node, tuple):
        if len(node) == 1 and isinstance(node[0], Token):
            return filling.typed(node[0])
        return f'"{filling.text(node, Position.JSON)}"'
    made = []
    if isinstance(node, Array):
        for item in node.items:
            try:
                made.append(_json(filling, item))
            except OmittedError:
                continue
        return f"[{', '.join(made)}]"
    for key, member in node.members:
        try:
            made.append(f"{key}: {_json(filling, member)}")
        except OmittedError:
            continue
    return f"{{{', '.join(made)}}}"

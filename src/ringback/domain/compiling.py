"""From a definition as a person saved it to one that is ready to be filled, or to everything that is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar
from urllib.parse import quote_plus, unquote_plus

from ringback.domain import reserved
from ringback.domain.errors import Refusal, RingbackError
from ringback.domain.exchanges import Outgoing
from ringback.domain.hosts import HostPattern, UrlError
from ringback.domain.jsontext import Number, read_json
from ringback.domain.postbacks import Definition
from ringback.domain.rendering import Array, Compiled, Literal, Node, Object, Pairs
from ringback.domain.template_tokens import BY_NAME, Kind, Unknown, key_of, resolve
from ringback.domain.templates import (
    HeldError,
    Hole,
    Parts,
    Position,
    Reference,
    Token,
    Type,
    joined,
    scan,
    write,
    write_typed,
)
from ringback.domain.unreplaced import LONGEST_DEFAULT
from ringback.domain.updates import UNSTORABLE
from ringback.domain.url_templates import MARK, UrlTemplate, encoded_query, encoded_segment, read_url

METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE")
BODY_KINDS = ("json", "form", "text", "none")
MOST_HEADERS = 30
MOST_TOKENS = 200
LONGEST_BODY = 64 * 1024

CONTENT_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}

_FITTING: Mapping[Type, frozenset[Kind]] = {
    Type.NUMBER: frozenset({Kind.NUMBER, Kind.AMOUNT}),
    Type.BOOLEAN: frozenset({Kind.BOOLEAN}),
    Type.STRING: frozenset(Kind),
}
_NEVER_BLANK = frozenset({Position.HOST, Position.PATH})
_MISREAD = re.compile(r"\[(?:field|tag|call):[^\[\]]*\]?", re.IGNORECASE)
_SECRET_HEADERS = frozenset({"authorization", "cookie"})
_Setting = TypeVar("_Setting", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a definition: the field, and a sentence that says what to do."""

    field: str
    message: str


class UnfitDefinitionError(RingbackError):
    """A definition that can't be saved; ``problems`` say why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].message)
        self.problems = tuple(problems)


def compile_definition(
    definition: Definition, *, fields: Collection[str] | None, is_public_suffix: Callable[[str], bool]
) -> Compiled:
    """Make a definition ready to be filled.

    Args:
        definition: what a person saved.
        fields: the contact fields that calls of the account have; other names must be ours, or said with ``field:``.
            None if every name was known when it was saved.
        is_public_suffix: whether anybody can register names right below a name (``com``, ``co.uk``).

    Raises:
        UnfitDefinitionError: something is wrong with it; says everything that is.
    """
    return _Compiler(definition, fields, is_public_suffix).compile()


class _Compiler:
    """Compiles one definition, and gathers what is wrong."""

    def __init__(
        self, definition: Definition, fields: Collection[str] | None, is_public_suffix: Callable[[str], bool]
    ) -> None:
        self._definition = definition
        self._fields = fields
        self._is_public_suffix = is_public_suffix
        self._problems: list[Problem] = []
        self._tokens: list[str] = []
        self._holes = self._settings("holes", definition.holes, Hole)
        self._types = self._settings("types", definition.types, Type)

    def compile(self) -> Compiled:
        definition = self._definition
        if definition.method not in METHODS:
            self._note("method", f"The method is one of {', '.join(METHODS)}.")
        if definition.body_kind not in BODY_KINDS:
            self._note("body_kind", f"The body is one of {', '.join(BODY_KINDS)}.")
        allowed = self._allowed()
        url = self._url(allowed)
        headers = self._headers()
        body = self._body()
        if len(self._tokens) > MOST_TOKENS:
            self._note("body", f"A postback has at most {MOST_TOKENS} template tokens.")
        if url is None or self._problems:
            raise UnfitDefinitionError(self._problems)
        scheme, port, host, path, query = url
        return Compiled(
            method=definition.method,
            scheme=scheme,
            host=host,
            port=port,
            path=path,
            query=query,
            headers=headers,
            body_kind=definition.body_kind,
            body=body,
            allowed=allowed,
            tokens=tuple(dict.fromkeys(self._tokens)),
        )

    def _note(self, field: str, message: str) -> None:
        problem = Problem(field, message)
        if problem not in self._problems:
            self._problems.append(problem)

    def _settings(self, field: str, settings: Mapping[str, str], kind: type[_Setting]) -> dict[str, _Setting]:
        """What is said of tokens, by the name as it was written and by the key of what it means."""
        read: dict[str, _Setting] = {}
        for name, value in settings.items():
            if UNSTORABLE.search(name):
                self._note(field, f"{name[:40]!a} is not the name of a token.")
            elif value not in set(kind):
                self._note(field, f"{value[:40]!a} is not one of {', '.join(kind)}.")
            else:
                read[name.lower()] = kind(value)
                read.setdefault(key_of(name), kind(value))
        return read

    def _token(self, field: str, reference: Reference, position: Position, *, can_be_left_out: bool = True) -> Token:
        name, default = reference.name, reference.default
        key = key_of(name) if self._fields is None else resolve(name, self._fields)
        if isinstance(key, Unknown):
            hint = f"Did you mean [{key.suggestion}]?" if key.suggestion else f"For plain text, write [[{name}]."
            self._note(field, f"[{name}] is not known. {hint} A contact field that no call has yet is [field:{name}].")
            key = name
        self._tokens.append(name)
        hole = self._holes.get(name.lower()) or self._holes.get(key, Hole.HOLD)
        type_ = self._types.get(name.lower()) or self._types.get(key, Type.STRING)
        if position in _NEVER_BLANK:
            hole, default = Hole.HOLD, default if default and default.strip() else None
        elif hole is Hole.OMIT and not can_be_left_out:
            hole = Hole.HOLD
        token = Token(key, name, default, hole, type_)
        self._try_default(field, token, lambda text: write(token, text, position))
        return token

    def _try_default(self, field: str, token: Token, use: Callable[[str], str]) -> None:
        """A default that can't stand in its place would hold every delivery that needs it."""
        if token.default is not None:
            try:
                use(token.default)
            except HeldError as held:
                self._note(field, f"The default of {held}")

    def _parts(self, field: str, text: str, position: Position, **settings: bool) -> Parts:
        return joined(
            self._token(field, each, position, **settings) if isinstance(each, Reference) else each
            for each in self._scan(field, text)
        )

    def _scan(self, field: str, text: str) -> list[str | Reference]:
        pieces = list(scan(text))
        for piece in pieces:
            if isinstance(piece, str) and (misread := _MISREAD.search(piece)):
                self._note(field, f"{misread[0][:80]} can't be read as a token: names have letters, digits and spaces.")
        for piece, rest in pairwise(pieces):
            if isinstance(piece, Reference) and piece.default is None and isinstance(rest, str) and rest[0] == "{":
                self._note(
                    field,
                    f"What follows [{piece.name}] in braces can't be its default: that has at most {LONGEST_DEFAULT} "
                    "characters, no braces or brackets among them, and is closed.",
                )
        return pieces

    def _marked(self, field: str, text: str) -> tuple[str, Iterator[Reference]]:
        """A template with a mark in place of each token, so that its structure can be read without them."""
        pieces = self._scan(field, text)
        marked = "".join(MARK if isinstance(piece, Reference) else piece for piece in pieces)
        return marked, iter([piece for piece in pieces if isinstance(piece, Reference)])

    def _allowed(self) -> tuple[HostPattern, ...]:
        patterns = []
        for text in self._definition.allowed_hosts:
            try:
                pattern = HostPattern.parse(text.strip().lower())
            except UrlError as error:
                self._note("allowed_hosts", f"{text.strip()[:80]}: {error}.")
                continue
            if pattern.below and self._is_public_suffix(pattern.name):
                self._note("allowed_hosts", f"{pattern}: anybody can have a name below {pattern.name}; name a domain.")
            patterns.append(pattern)
        return tuple(patterns)

    def _url(
        self, allowed: Sequence[HostPattern]
    ) -> tuple[str, str, tuple[Parts, ...], tuple[Parts, ...], Pairs] | None:
        text = self._definition.url.strip()
        marked, references = self._marked("url", text)
        try:
            url = read_url("\n" if UNSTORABLE.search(text) else marked)
        except UrlError as error:
            self._note("url", f"{error}.")
            return None
        self._check_host(url, allowed)
        return (
            url.scheme,
            url.port,
            tuple(self._filled("url", label, references, Position.HOST, str) for label in url.labels),
            tuple(self._filled("url", each, references, Position.PATH, encoded_segment) for each in url.segments),
            self._pairs("url", url.query, references, Position.QUERY, encoded_query),
        )

    def _check_host(self, url: UrlTemplate, allowed: Sequence[HostPattern]) -> None:
        """No value may lead to hosts that nobody meant, and some must lead to one that is allowed."""
        suffix = url.suffix
        if suffix is not None and (not suffix or self._is_public_suffix(suffix)):
            self._note("url", "The host must end in a domain without tokens, so that no value leads elsewhere.")
        elif suffix is not None and not self._definition.allowed_hosts:
            self._note("allowed_hosts", "With a token in the host, say which hosts may be sent to: *.example.com.")
        elif allowed and not any(map(url.may_match, allowed)):
            self._note("allowed_hosts", "None of these is the host of the URL, so nothing would ever be sent.")

    def _filled(
        self, field: str, marked: str, references: Iterator[Reference], position: Position, write: Callable[[str], str]
    ) -> Parts:
        """A text whose tokens are marks, with its tokens; what is between them is written as its position wants it."""
        first, *others = marked.split(MARK)
        parts: list[str | Token] = [write(first)]
        for other in others:
            parts += [self._token(field, next(references), position), write(other)]
        return joined(parts)

    def _pairs(
        self, field: str, marked: str, references: Iterator[Reference], position: Position, write: Callable[[str], str]
    ) -> Pairs:
        """The fields of a query string or form. Brackets within a name are text, as in ``post_call_tokens[zip]=``."""
        made: list[tuple[Parts, Parts | None]] = []
        for pair in filter(None, marked.split("&")):
            name, equals, value = pair.partition("=")
            if not equals:
                made.append((self._filled(field, name, references, position, write), None))
                continue
            if name.startswith(MARK):
                self._note(field, "The name of a field can't be a token; tokens stand in values.")
            for _ in range(name.count(MARK)):
                name = name.replace(MARK, next(references).source, 1)
            made.append(((write(name),), self._filled(field, value, references, position, write)))
        return tuple(made)

    def _headers(self) -> tuple[tuple[str, Parts], ...]:
        named = [*content_type(self._definition).items(), *self._definition.headers]
        if len(named) > MOST_HEADERS:
            self._note("headers", f"A request has at most {MOST_HEADERS} headers.")
        return tuple((name.strip(), self._header(name.strip(), value.strip())) for name, value in named)

    def _header(self, name: str, value: str) -> Parts:
        objection = Outgoing("POST", "https://x/", ((name, "x"),)).objection
        reason = reserved.objection(name) or (objection and objection.reason)
        if not name:
            self._note("headers", f"{value[:80]!a} is no header: write its name, a colon and its value.")
        elif reason:
            self._note("headers", f"{reason[:1].upper()}{reason[1:]}.")
        elif name.lower() in _SECRET_HEADERS:
            self._note(
                "headers", f"{name} is a secret: keep it as a credential of the vault, which is bound to a host."
            )
        if not value.isascii() or not value.isprintable():
            self._note("headers", f"The value of {name[:80]} has characters that a header can't carry.")
        return self._parts("headers", value, Position.HEADER)

    def _body(self) -> Node | Pairs | None:
        kind, text = self._definition.body_kind, self._definition.body
        if UNSTORABLE.search(text):
            self._note("body", "The body has a NUL character or half a character in it.")
        elif len(text.encode()) > LONGEST_BODY:
            self._note("body", f"A body has at most {LONGEST_BODY // 1024} KiB.")
        elif kind == "json":
            return self._json_body(text)
        elif kind == "form":
            marked, references = self._marked("body", text.replace("\r\n", "\n").replace("\n", "&").strip("&"))
            return self._pairs("body", marked, references, Position.FORM, _encoded_form)
        elif kind == "text":
            return self._parts("body", text, Position.TEXT, can_be_left_out=False)
        return None

    def _json_body(self, text: str) -> Node:
        try:
            return self._node(read_json(text, set()), can_be_left_out=False)
        except Refusal as refusal:
            reason = refusal.details.get("reason")
            self._note("body", f"The body is not JSON: {reason}." if reason else refusal.title)
            return Literal("null")

    def _node(self, value: object, *, can_be_left_out: bool = True) -> Node:
        if isinstance(value, dict):
            return Object(tuple((self._key(key), self._node(each)) for key, each in value.items()))
        if isinstance(value, list):
            return Array(tuple(self._node(each) for each in value))
        if isinstance(value, str) and not isinstance(value, Number):
            return self._string(value, can_be_left_out=can_be_left_out)
        if isinstance(value, Number) and not value.lstrip("-")[:1].isdigit():
            self._note("body", f"The body is not JSON: {value} is not a number.")
        return Literal(str(value) if isinstance(value, Number) else json.dumps(value))

    def _string(self, value: str, *, can_be_left_out: bool) -> Node:
        parts = self._parts("body", value, Position.JSON, can_be_left_out=can_be_left_out)
        if len(parts) == 1 and isinstance(parts[0], Token):
            self._check_type(parts[0])
            return parts
        if any(isinstance(part, Token) for part in parts):
            return tuple(part if isinstance(part, Token) else json.dumps(part)[1:-1] for part in parts)
        return Literal(json.dumps("".join(map(str, parts))))

    def _key(self, name: str) -> str:
        """A name of a JSON object, as JSON."""
        parts = list(scan(name))
        if any(isinstance(part, Reference) for part in parts):
            self._note(
                "body", f"The name {name[:80]} has a token in it; tokens stand in values. [[ is a plain bracket."
            )
        return json.dumps("".join(str(part) for part in parts))

    def _check_type(self, token: Token) -> None:
        """A string that is just one token may be sent as something else, if the token can be that."""
        known = BY_NAME.get(token.key)
        if known is not None and known.kind not in _FITTING[token.type]:
            self._note("types", f"[{token.written}] is {known.kind}, and can't be sent as {token.type}.")
        elif token.type is not Type.STRING and token.hole is Hole.BLANK:
            self._note("holes", f"[{token.written}] can't be blank as {token.type}: hold it, or leave it out.")
        else:
            self._try_default("body", token, lambda text: write_typed(token, text))


def _encoded_form(literal: str) -> str:
    return quote_plus(unquote_plus(literal))


def content_type(definition: Definition) -> Mapping[str, str]:
    """The header that tells what the body is, unless the definition has one."""
    named = {name.strip().lower() for name, _ in definition.headers}
    kind = CONTENT_TYPES.get(definition.body_kind)
    return {} if kind is None or "content-type" in named else {"Content-Type": kind}

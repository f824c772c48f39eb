"""From a definition as a person saved it to one that is ready to be filled, or to everything that is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote, quote_plus, unquote_plus

from ringback.domain.errors import Refusal
from ringback.domain.exchanges import Outgoing
from ringback.domain.hosts import HostPattern, UrlError, read_target
from ringback.domain.jsontext import Number, read_json
from ringback.domain.postbacks import Definition
from ringback.domain.rendering import Array, Compiled, Literal, Node, Object, Pairs
from ringback.domain.template_tokens import Unknown, resolve
from ringback.domain.templates import Hole, Parts, Token, Type, parse

METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE")
BODY_KINDS = ("json", "form", "text", "none")
MOST_HEADERS = 30
LONGEST_BODY = 64 * 1024
LONGEST_URL = 4_000

CONTENT_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded", "text": "text/plain"}

_URL = re.compile(r"(https?)://([^/?#\\]*)([^?#]*)(?:\?([^#]*))?")
_HOST = re.compile(r"([a-z0-9.\ue000-\uefff-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.IGNORECASE)
_MARK = re.compile("[\ue000-\uefff]")
_FIRST_MARK, _LAST_MARK = 0xE000, 0xEFFF
_PATH_SAFE = "%/:@!$&'()*+,;=~"
_QUERY_SAFE = "%:@!$'()*,;~/?"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a definition: the field, and a sentence that says what to do."""

    field: str
    message: str


class UnfitDefinitionError(Exception):
    """A definition that can't be saved; ``problems`` say why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].message)
        self.problems = tuple(problems)


def compile_definition(
    definition: Definition, *, fields: Collection[str], is_public_suffix: Callable[[str], bool]
) -> Compiled:
    """Make a definition ready to be filled.

    Args:
        definition: what a person saved.
        fields: the contact fields that calls of the account have; other names must be ours, or said with ``field:``.
        is_public_suffix: whether anybody can register names right below a name (``com``, ``co.uk``).

    Raises:
        UnfitDefinitionError: something is wrong with it; says everything that is.
    """
    return _Compiler(definition, fields, is_public_suffix).compile()


class _Compiler:
    """Compiles one definition, and gathers what is wrong."""

    def __init__(
        self, definition: Definition, fields: Collection[str], is_public_suffix: Callable[[str], bool]
    ) -> None:
        self._definition = definition
        self._fields = fields
        self._is_public_suffix = is_public_suffix
        self._problems: list[Problem] = []
        self._tokens: dict[str, None] = {}
        self._holes = {name.lower(): hole for name, hole in definition.holes.items()}
        self._types = {name.lower(): type_ for name, type_ in definition.types.items()}

    def compile(self) -> Compiled:
        definition = self._definition
        if definition.method not in METHODS:
            self._note("method", f"The method is one of {', '.join(METHODS)}.")
        if definition.body_kind not in BODY_KINDS:
            self._note("body_kind", f"The body is one of {', '.join(BODY_KINDS)}.")
        allowed = self._allowed()
        scheme, host, port, path, query = self._url()
        named = [*content_type(definition).items(), *definition.headers]
        headers = tuple((name.strip(), self._header(name.strip(), value)) for name, value in named)
        if len(headers) > MOST_HEADERS:
            self._note("headers", f"A request has at most {MOST_HEADERS} headers.")
        body = self._body()
        if self._problems:
            raise UnfitDefinitionError(self._problems)
        tokens = tuple(self._tokens)
        return Compiled(
            definition.method, scheme, host, port, path, query, headers, definition.body_kind, body, allowed, tokens
        )

    def _note(self, field: str, message: str) -> None:
        problem = Problem(field, message)
        if problem not in self._problems:
            self._problems.append(problem)

    def _parts(self, field: str, text: str) -> Parts:
        return parse(text, lambda name, default: self._token(field, name, default))

    def _token(self, field: str, name: str, default: str | None) -> Token:
        key = resolve(name, self._fields)
        if isinstance(key, Unknown):
            hint = f" Did you mean [{key.suggestion}]?" if key.suggestion else ""
            way = f"For a contact field that no call has yet, write [field:{name}]."
            self._note(field, f"[{name}] is not known.{hint or ' ' + way}")
            key = name
        self._tokens[name] = None
        hole = Hole(self._holes.get(name.lower(), Hole.HOLD))
        return Token(key, name, default, hole, Type(self._types.get(name.lower(), Type.STRING)))

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
        self,
    ) -> tuple[str, tuple[Parts, ...], str, Parts, Pairs]:
        nothing: tuple[str, tuple[Parts, ...], str, Parts, Pairs]
        nothing = ("https", (), "", (), ())
        text = self._definition.url.strip()
        if _MARK.search(text) or not text.isprintable() or " " in text or len(text) > LONGEST_URL:
            self._note("url", f"A URL is one line without spaces, at most {LONGEST_URL} characters.")
            return nothing
        marked, tokens = _marked(self._parts("url", text))
        found = _URL.fullmatch(marked)
        if found is None:
            self._note("url", "Write a URL that begins with https:// and a host; neither can be a token.")
            return nothing
        scheme, authority, path, query = found[1], found[2], found[3], found[4]
        host = self._host(authority, tokens)
        if host is None:
            return nothing
        port = authority.rpartition("]")[2].partition(":")[2]
        return (
            scheme,
            host,
            f":{port}" if port else "",
            _unmarked(path or "/", tokens, lambda literal: quote(literal, safe=_PATH_SAFE)),
            _fields_of(query or "", tokens, lambda literal: quote(literal, safe=_QUERY_SAFE)),
        )

    def _host(self, authority: str, tokens: Sequence[Token]) -> tuple[Parts, ...] | None:
        if "@" in authority:
            self._note("url", "Put no user name or password into the URL; use a credential of the vault.")
            return None
        found = _HOST.fullmatch(authority)
        if found is None:
            self._note("url", "The host can't be read: use letters a to z, digits, hyphens and dots.")
            return None
        host = found[1].lower()
        if not _MARK.search(host):
            try:
                return ((str(read_target(f"https://{host}/").host),),)
            except UrlError as error:
                self._note("url", f"{error}.")
                return None
        labels = host.rstrip(".").split(".")
        if any(len(label) > 1 and _MARK.search(label) for label in labels):
            self._note(
                "url", "A token in the host must be a whole part of it, between dots: https://[name].example.com."
            )
        literal = labels[max(place for place, label in enumerate(labels) if _MARK.search(label)) + 1 :]
        if not literal or self._is_public_suffix(".".join(literal)):
            self._note("url", "The host must end in a domain without tokens, so that no value leads elsewhere.")
        if not self._definition.allowed_hosts:
            self._note("allowed_hosts", "With a token in the host, say which hosts may be sent to: *.example.com.")
        return tuple(_unmarked(label, tokens, str) for label in labels)

    def _header(self, name: str, value: str) -> Parts:
        objection = Outgoing("POST", "https://x/", ((name, "x"),)).objection
        if objection is not None:
            self._note("headers", f"{objection.reason[:1].upper()}{objection.reason[1:]}.")
        elif name.lower() in {"authorization", "cookie"}:
            self._note(
                "headers", f"{name} is a secret: keep it as a credential of the vault, which is bound to a host."
            )
        if not value.isascii() or not value.isprintable():
            self._note("headers", f"The value of {name[:80]} has characters that a header can't carry.")
        return self._parts("headers", value.strip())

    def _body(self) -> Node | Pairs | None:
        kind, text = self._definition.body_kind, self._definition.body
        if len(text.encode()) > LONGEST_BODY:
            self._note("body", f"A body has at most {LONGEST_BODY // 1024} KiB.")
        elif kind == "json":
            return self._json_body(text)
        elif kind == "form":
            marked, tokens = _marked(self._parts("body", text.replace("\r\n", "\n").replace("\n", "&").strip("&")))
            return _fields_of(marked, tokens, lambda literal: quote_plus(unquote_plus(literal)))
        elif kind == "text":
            return self._parts("body", text)
        return None

    def _json_body(self, text: str) -> Node:
        try:
            return self._node(read_json(text, set()))
        except Refusal as refusal:
            self._note("body", f"The body is not JSON: {refusal.details.get('reason', refusal.title)}.")
            return Literal("null")

    def _node(self, value: object) -> Node:
        if isinstance(value, dict):
            for key in value:
                if any(isinstance(part, Token) for part in self._parts("body", key)):
                    self._note("body", f"The name {key[:80]} has a token in it; tokens stand in values.")
            return Object(tuple((json.dumps(key), self._node(each)) for key, each in value.items()))
        if isinstance(value, list):
            return Array(tuple(self._node(each) for each in value))
        if isinstance(value, str) and not isinstance(value, Number):
            parts = self._parts("body", value)
            if any(isinstance(part, Token) for part in parts):
                return tuple(part if isinstance(part, Token) else json.dumps(part)[1:-1] for part in parts)
            return Literal(json.dumps("".join(cast("tuple[str, ...]", parts))))
        return Literal(str(value) if isinstance(value, Number) else json.dumps(value))


def _marked(parts: Parts) -> tuple[str, list[Token]]:
    """A template with one character in place of each token, so that its structure can be read without them."""
    tokens: list[Token] = []
    text = ""
    for part in parts:
        if isinstance(part, Token):
            text += chr(min(_FIRST_MARK + len(tokens), _LAST_MARK))
            tokens.append(part)
        else:
            text += part
    return text, tokens


def _unmarked(text: str, tokens: Sequence[Token], write: Callable[[str], str]) -> Parts:
    parts: list[str | Token] = []
    end = 0
    for match in _MARK.finditer(text):
        parts += [write(text[end : match.start()]), tokens[ord(match[0]) - _FIRST_MARK]]
        end = match.end()
    parts.append(write(text[end:]))
    return tuple(part for part in parts if part)


def _fields_of(text: str, tokens: Sequence[Token], write: Callable[[str], str]) -> Pairs:
    """The fields of a query string or form, each name and value with its tokens."""
    made = []
    for pair in filter(None, text.split("&")):
        name, equals, value = pair.partition("=")
        made.append((_unmarked(name, tokens, write), _unmarked(value, tokens, write) if equals else None))
    return tuple(made)


def content_type(definition: Definition) -> Mapping[str, str]:
    """The header that tells what the body is, unless the definition has one."""
    named = {name.lower() for name, _ in definition.headers}
    kind = CONTENT_TYPES.get(definition.body_kind)
    return {} if kind is None or "content-type" in named else {"Content-Type": kind}

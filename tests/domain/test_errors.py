"""Every answer has its sentences, and wherever one is given, its gaps are filled."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from string import Formatter

import pytest

from ringback.domain.bodies import NOTES
from ringback.domain.credentials import WARNINGS as CREDENTIAL_WARNINGS
from ringback.domain.errors import CODES, Code, Problem, Refusal, RingbackError
from ringback.domain.updates import WARNINGS, Warned
from tests.house.source import SRC, read

SOURCES = read(SRC)
CODE_AT = {"Refusal": 0, "Problem": 1, "Warned": 0}
"""What carries a code, and which of its arguments the code is."""


def gaps(sentence: str) -> set[str]:
    """What a sentence leaves to be filled in."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@dataclass(frozen=True)
class Use:
    """A place where a code is written out, with the names of the details that are given with it."""

    place: str
    maker: str
    code: str
    details: frozenset[str]
    names_fields: bool


def uses() -> Iterator[Use]:
    for source in SOURCES:
        for scope in ast.walk(source.tree):
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
                known = {name: keys for node in ast.walk(scope) for name, keys in _assigned(node)}
                for node in ast.walk(scope):
                    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CODE_AT:
                        yield from _uses(f"{source.path}:{node.lineno}", node, node.func.id, known)


def _assigned(node: ast.AST) -> Iterator[tuple[str, set[str]]]:
    """The dict literals that names stand for."""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, _keys(node.value, {})


def _uses(place: str, call: ast.Call, maker: str, known: Mapping[str, set[str]]) -> Iterator[Use]:
    codes = _texts(call.args[CODE_AT[maker]])
    if not codes:
        return
    details = {keyword.arg for keyword in call.keywords if keyword.arg}
    for given in [*call.args[CODE_AT[maker] + 1 :], *(each.value for each in call.keywords if each.arg is None)]:
        details |= _keys(given, known)
    for code in codes:
        yield Use(place, maker, code, frozenset(details) - {"problems"}, "problems" in details)


def _keys(node: ast.expr, known: Mapping[str, set[str]]) -> set[str]:
    if isinstance(node, ast.Name):
        return set(known[node.id])
    assert isinstance(node, ast.Dict), ast.dump(node)
    return {key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def _texts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return _texts(node.body) + _texts(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


USES = list(dict.fromkeys(uses()))


def test_the_uses_are_found() -> None:
    assert {use.maker for use in USES} == CODE_AT.keys()
    assert len(USES) > 40
    assert {"unconfirmed", "busy"} <= {use.code for use in USES}


def unfilled(use: Use) -> set[str]:
    """What the sentences of a code would have filled in, but isn't given there."""
    if use.maker == "Warned":
        return gaps(WARNINGS[use.code]) ^ use.details
    code = CODES[use.code]
    # A refusal of fields without details of its own says what its first problem says.
    title = set() if use.names_fields and not use.details else gaps(code.title)
    return (title | (gaps(code.hint) if use.maker == "Refusal" else set())) - use.details


def test_wherever_a_code_is_given_its_sentences_have_no_gaps() -> None:
    assert {f"{use.place} {use.code}": unfilled(use) for use in USES if unfilled(use)} == {}


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_every_answer_says_what_happened_and_what_to_do(code: Code) -> None:
    assert code.status in {status.value for status in HTTPStatus}
    assert code.title.endswith(".")
    assert code.title[0].isupper() or code.title[0] == "{"
    assert (code.hint != "") is (code.status >= 400)
    assert code.hint == "" or code.hint.endswith(".")
    refusal = Refusal(code.name)
    refusal.details = {name: f"<{name}>" for name in gaps(code.title) | gaps(code.hint)}
    for name in gaps(code.title):
        assert f"<{name}>" in refusal.title
    for sentence in (refusal.title, refusal.hint):
        assert "{" not in sentence.replace('{"', "").replace(": {}", "")  # but in the example of a body


def test_no_code_stands_twice() -> None:
    (source,) = (each for each in SOURCES if each.path.endswith("domain/codes.py"))
    made = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    names = [text for node in made if getattr(node.func, "id", "") == "Code" for text in _texts(node.args[0])]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert names == list(CODES)


def test_every_code_fits_its_column() -> None:
    assert max(map(len, CODES)) <= 32


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_given_somewhere(code: str) -> None:
    assert any(f'"{code}"' in source.text for source in SOURCES if not source.path.endswith("domain/codes.py"))


class TestWarnings:
    @pytest.mark.parametrize(("code", "sentence"), WARNINGS.items())
    def test_are_sentences(self, code: str, sentence: str) -> None:
        message = Warned(code, {name: f"<{name}>" for name in gaps(sentence)}).message
        assert message.endswith(".")
        assert "{" not in message

    def test_have_one_meaning_each(self) -> None:
        own = WARNINGS.keys() - NOTES.keys() - CREDENTIAL_WARNINGS.keys()
        assert len(own) + len(NOTES) + len(CREDENTIAL_WARNINGS) == len(WARNINGS)

    @pytest.mark.parametrize("code", WARNINGS)
    def test_are_given_somewhere(self, code: str) -> None:
        spelt = sum(source.text.count(f'"{code}"') for source in SOURCES)
        assert spelt >= 2  # once as the name of its sentence

    def test_noted_anywhere_have_a_sentence(self) -> None:
        noted = [
            text
            for source in SOURCES
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add"
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "notes"
            for text in _texts(node.args[0])
        ]
        assert noted
        assert set(noted) <= NOTES.keys()


class TestRefusals:
    def test_are_errors_of_ours_that_read_as_sentences(self) -> None:
        refusal = Refusal("call_not_found", call="7")
        assert isinstance(refusal, RingbackError)
        assert str(refusal) == refusal.title == "This account has no call 7."
        assert refusal.hint == "Send the call UUID that came with the forward post, to the subdomain that it came from."

    def test_read_as_their_first_problem_unless_they_have_details(self) -> None:
        problems = [Problem("a", "missing_value", {"name": "a"}), Problem("b", "missing_value", {"name": "b"})]
        assert str(Refusal("missing_value", problems=problems)) == "a is required."
        assert str(Refusal("missing_value", problems=problems, name="c")) == "c is required."

    def test_a_detail_that_is_not_known_reads_as_nothing(self) -> None:
        assert str(Refusal("call_not_found")) == "This account has no call ."
        assert Problem("a", "invalid_value").message == "."

    def test_of_a_code_that_is_none_can_not_be_made(self) -> None:
        with pytest.raises(KeyError):
            Refusal("no_such_code")

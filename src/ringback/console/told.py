"""Receipts as rows for pages: what was read, how it was decided step by step, what changed, each in words."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringback.console.shown import code_title
from ringback.domain.access import EVERY_ATTRIBUTE
from ringback.domain.answers import is_told
from ringback.domain.attributes import BY_NAME
from ringback.domain.calls import Change, Origin
from ringback.domain.decisions import Step
from ringback.domain.errors import CODES, Problem, Refusal
from ringback.domain.explanations import SOURCES, STEPS, resent
from ringback.domain.receipts import Result, changed_document
from ringback.domain.updates import Warned

Document = Mapping[str, Any]
"""What a receipt keeps of one of its parts."""

RESULTS: Mapping[Result, tuple[str, str]] = {
    Result.APPLIED: ("applied", "green"),
    Result.UNCHANGED: ("unchanged", "azure"),
    Result.DENIED: ("denied", "red"),
    Result.EARLY: ("early", "yellow"),
    Result.REFUSED: ("refused", "orange"),
    Result.REPLAYED: ("replayed", "secondary"),
}
"""The word and the colour of each outcome."""

_RULES = {
    "boolean": "yes or no",
    "amount": "an amount to set",
    "addition": "an amount to add",
    "reapplied": "what conversions entail, worked out anew",
    "refire": "postbacks to be sent anew",
    "merged": "contact fields to keep",
    "none": "nothing in it",
    "blank": "blank, so left alone",
    "text": "a text",
    "cleared": "to be taken away",
    "detail": "how the call went",
    "partner": "whom the call is to belong to",
    "newest_of_caller": "names the call: the newest one of this caller, of the offer that is named",
    "names_offer": "names the offer of the call, by its token",
    "looks_back": "how many minutes back the call may be",
}
_ORIGINS = {
    Origin.UPDATE: "named in the update",
    Origin.EFFECT: "follows from the conversion",
    Origin.RECORDING: "named when the call was recorded",
    Origin.LATE: "named in the update, applied late",
    Origin.PERSON: "changed by hand",
}
_ALL_STEPS = {Step.SIZE: "It is not too large.", Step.BODY: "It can be read.", **STEPS}
_OF_THE_CALL = frozenset({Step.CALL, Step.SHARED})
_FAILURES = 400


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that changed."""

    label: str
    before: str
    after: str
    why: str


@dataclass(frozen=True, slots=True)
class StepTold:
    """One step of a decision: ``passed``, ``failed``, ``skipped`` or ``open``."""

    sentence: str
    state: str


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision: its steps, what it came to, what to do, and each attribute that was looked at."""

    steps: Sequence[StepTold]
    title: str
    hint: str
    problems: Sequence[tuple[str, str]]
    verdicts: Sequence[tuple[str, bool, str, int]]
    warnings: Sequence[str]

    @property
    def is_refused(self) -> bool:
        """Whether nothing was done."""
        return any(step.state == "failed" for step in self.steps)


def label(name: str) -> str:
    """The label of an attribute, of a contact field, or of something else that is known of a call."""
    attribute, _, field = name.partition(".")
    if field:
        return f"Contact field {field}"
    return BY_NAME[attribute].label if attribute in BY_NAME else attribute.replace("_", " ").capitalize()


def value(given: object) -> str:
    """A value of an attribute."""
    if given is None or given == "":
        return "none"
    return ("yes" if given else "no") if isinstance(given, bool) else str(given)


def changes(rows: Iterable[Sequence[Any]], readable: frozenset[str]) -> list[Changed]:
    """What changed, of that which the reader may read."""
    return [
        Changed(label(name), *_from_to(before, after), _ORIGINS.get(origin, ""))
        for name, before, after, origin in rows
        if name.partition(".")[0] in readable or name.partition(".")[0] not in EVERY_ATTRIBUTE
    ]


def _from_to(before: object, after: object) -> tuple[str, str]:
    """The values of a change; of a person who was erased, neither is known."""
    return ("…", "erased") if before is None and after is None else (value(before), value(after))


def would_change(made: Iterable[Change]) -> list[Changed]:
    """What changes would be made."""
    return [
        Changed(label(str(name)), *_from_to(before, after), _ORIGINS[Origin(str(origin))])
        for name, before, after, origin in changed_document(tuple(made))
    ]


def understood(document: Document) -> list[tuple[str, str, str]]:
    """Each name that was read: where it stood, and as what it was taken."""
    trail = document["trail"]
    return [(name, SOURCES.get(source, "the request"), _RULES.get(rule, rule)) for name, source, rule in trail]


def asked(patch: Iterable[Sequence[Any]]) -> list[tuple[str, str]]:
    """What an update asks for: label, and what of it."""
    told: list[tuple[str, str]] = []
    for attribute, operation, wanted in patch:
        if isinstance(wanted, Mapping):
            fields = ((label(f"{attribute}.{name}"), each) for name, each in wanted.items())
            told += [(field, "remove" if each is None else value(each)) for field, each in fields]
        else:
            told.append((label(attribute), f"add {value(wanted)}" if operation == "add" else value(wanted)))
    return told


def warnings(rows: Iterable[tuple[str, Mapping[str, str]]], readable: frozenset[str]) -> list[str]:
    """The sentences of warnings, but for those that tell of a value that the reader may not read."""
    told = [_sentence(code, details) for code, details in rows if is_told(code, readable)]
    return list(dict.fromkeys(told))


def _sentence(code: str, details: Mapping[str, str]) -> str:
    if code == "later_value_kept":
        details = {"name": label(details["name"])}
    return Warned(code, details).message


def decided(code: str, document: Document, read: Document, readable: frozenset[str], *, runs_account: bool) -> Decided:
    """How it was decided. A call that was named by number and may not be seen must look like none."""
    failed = CODES[code].status >= _FAILURES
    ended = Step(document["step"])
    if code == "call_not_found" and not runs_account:
        ended = Step.CALL
    problems = [Problem(field, problem, details) for field, problem, details in read["problems"]] if failed else []
    refusal = Refusal(code, problems=problems, **document.get("details", {}))
    noted = [*read["warnings"], *document.get("warnings", ())]
    is_unknown = any(warning == "call_unknown" for warning, _ in noted)
    missing = {name: (team_id, team) for name, team_id, team in document.get("missing", ())}
    return Decided(
        steps=_steps(ended, failed=failed, is_unknown=is_unknown),
        title=refusal.title,
        hint=refusal.hint if failed else "",
        problems=[(problem.field, problem.message) for problem in problems if problem.field != "base"],
        verdicts=[
            (label(name), verdict == "allowed", *reversed(missing.get(name, (0, ""))))
            for name, verdict in document["verdicts"].items()
        ],
        warnings=warnings(noted, readable),
    )


def _steps(ended: Step, *, failed: bool, is_unknown: bool) -> list[StepTold]:
    order = [step for step in Step if step in _ALL_STEPS]
    reached = order.index(ended) if failed else len(order)
    states = ["passed"] * reached + ["failed"] * failed
    states += ["open"] * (len(order) - len(states))
    return [
        StepTold(_ALL_STEPS[step], "skipped" if is_unknown and step in _OF_THE_CALL else state)
        for step, state in zip(order, states, strict=True)
    ]


def glance(result: Result, code: str, document: Document, made: Sequence[Changed]) -> str:
    """What became of an update, in a line."""
    if missing := document.get("missing"):
        return f"No right to update {', '.join(label(name) for name, _, _ in missing)}"
    if CODES[code].status >= _FAILURES:
        details = document.get("details", {})
        return Refusal(code, **details).title if details or "{" not in CODES[code].title else code_title(code)
    if result is Result.REPLAYED:
        return "The first answer was given again"
    return "" if made else resent(document) or "Nothing had to change"


def curl(method: str, url: str, content_type: str, body: bytes) -> str:
    """A command that sends a request again, with a placeholder in place of the credential."""
    parts = [f"curl -X {shlex.quote(method)} {shlex.quote(url)}", "-H 'Authorization: Basic <your credential>'"]
    if content_type:
        parts.append(f"-H {shlex.quote(f'Content-Type: {content_type}')}")
    if body:
        parts.append(f"--data-binary {shlex.quote(body.decode(errors='replace'))}")
    return " \\\n  ".join(parts)

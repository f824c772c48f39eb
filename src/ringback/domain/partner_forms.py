"""What a request says of a buyer, a traffic source or an offer: flat, or nested under the word for one.

Nothing here refuses: what can't be read is kept as a problem, so that the answer can name all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringback.domain.bodies import Fields, Value
from ringback.domain.errors import Problem, Refusal
from ringback.domain.masking import mask_keys
from ringback.domain.unreplaced import find_unreplaced
from ringback.domain.updates import CONTROL, UNSTORABLE, Warned, is_dry, read_truth

COLUMNS: Mapping[str, Mapping[str, str]] = {
    noun: {"name": "name", **terms, f"user_{noun}_id": "external_id"}
    for noun, terms in (
        ("buyer", {"email": "email", "agreed_revenue": "agreed_revenue"}),
        ("traffic_source", {}),
        ("offer", {"payout": "payout"}),
    )
}
"""Of each kind of partner the names that a request writes, and the columns that they mean."""

PAUSED = "paused"

_OF_TEAMS = frozenset({"generate_team", "team_users_emails"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks of a partner: ``form`` by column, None for what shall not be agreed any more."""

    noun: str
    form: Mapping[str, str | None]
    paused: bool | None
    problems: tuple[Problem, ...]
    ignored: tuple[str, ...]
    warnings: tuple[Warned, ...]
    dry_run: bool = False

    def refused(self, refusal: Refusal | None = None) -> Refusal:
        """Why it can't be done: what could not be read, and what the columns can't be, by the names that were sent."""
        wire = {column: name for name, column in COLUMNS[self.noun].items()}
        unread = {problem.field for problem in self.problems}
        further = [
            Problem(wire[problem.field], problem.code, problem.details)
            for problem in (refusal.problems if refusal else ())
            if wire[problem.field] not in unread
        ]
        problems = [*self.problems, *further]
        return Refusal(problems[0].code, problems=problems)


def read_partner(fields: Fields, noun: str, dry_run: str | None) -> Asked:
    """Understand what a request says of a partner of this kind; ``dry_run`` is the header, if it was sent."""
    form: dict[str, str | None] = {}
    paused: bool | None = None
    ignored: list[str] = []
    warnings = [Warned(note, {}) for note in fields.notes]
    values, problems = _flat(fields, noun)
    for name, raw in values.items():
        column = COLUMNS[noun].get(name)
        if column is None and name != PAUSED:
            ignored.append(_printable(name))
        elif (problem := _unreadable(name, raw)) is not None:
            problems.append(problem)
        elif column is not None:
            form[column] = str(raw) if str(raw or "").strip() else None
        elif raw is None or not str(raw).strip():
            warnings.append(Warned("blank_ignored", {"name": name}))
        elif (paused := read_truth(raw)) is None:
            problems.append(_invalid(name, f"{name} must be true or false (1, true, yes, on, 0, false, no, off)"))
    if _OF_TEAMS & values.keys():
        warnings.append(Warned("team_not_made", {}))
    return Asked(noun, form, paused, tuple(problems), tuple(ignored), tuple(warnings), is_dry(fields, dry_run))


def _flat(fields: Fields, noun: str) -> tuple[dict[str, Value], list[Problem]]:
    """What is named, wherever it stands; in both places it has to be the same."""
    values = {name: raw for name, raw in fields.values.items() if name not in CONTROL}
    nested = values.pop(noun, None) if isinstance(values.get(noun), dict) else None
    problems: list[Problem] = []
    for name, raw in nested.items() if isinstance(nested, dict) else ():
        if values.setdefault(name, raw) != raw:
            details = {"first": _printable(name), "second": f"{noun}[{_printable(name)}]"}
            problems.append(Problem(_printable(name), "conflicting_values", details))
            del values[name]
    return values, problems


def _unreadable(name: str, raw: Value) -> Problem | None:
    if raw is None or (isinstance(raw, bool) and name == PAUSED):
        return None
    if not isinstance(raw, str):
        return _invalid(name, f"{name} must be plain text")
    if UNSTORABLE.search(raw):
        return _invalid(name, f"{name} contains a NUL character or half a character")
    token = find_unreplaced(raw)
    if token is None:
        return None
    details = {"value": mask_keys(token.text), "platform": f"of {token.platform} "}
    return Problem(name, "unreplaced_token", details)


def _invalid(name: str, reason: str) -> Problem:
    return Problem(name, "invalid_value", {"reason": reason})


def _printable(name: str) -> str:
    return mask_keys(UNSTORABLE.sub("\ufffd", name))

"""A receipt, told in words: what arrived, what we understood, how it was decided, what changed.

Receipts keep codes and details; these are the sentences for whoever reads them, at the console or the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringback.domain.attributes import BY_NAME, BY_WIRE_NAME
from ringback.domain.decisions import Step
from ringback.domain.errors import CODES, Problem, Refusal
from ringback.domain.updates import Warned

Document = Mapping[str, Any]
"""What a receipt keeps of one of its parts."""

PASSED, FAILED, TO_DO = "✓", "✗", "→"
"""What stands before a step that was passed, the one that wasn't, and what cures it."""

SOURCES = {
    "json": "the JSON body",
    "form": "the form",
    "multipart": "the form",
    "query": "the query string",
    "path": "the path",
    "console": "the console",
}
STEPS: Mapping[Step, str] = {
    Step.CREDENTIAL: "The sender is known.",
    Step.TOKEN: "The access token is valid, and may be used here.",
    Step.TEAM: "The sender is on a team here that has Developer API Access, or runs the account.",
    Step.VALUES: "Every value can be read.",
    Step.CALL: "The call is there.",
    Step.SHARED: "The buyer of the call is shared with a team of the sender, or the sender runs the account.",
    Step.RIGHTS: "Everything that is named may be updated.",
    Step.KEY: "Its key was not used for something else.",
    Step.EFFECT: "The result can be kept.",
}
_ORDER = tuple(Step)


def arrived(method: str, path: str, content_type: str, ip: str, sender: str, body: bytes) -> list[str]:
    """What arrived."""
    if not method:
        done = f"Nothing from outside: it was done here, in the name of {sender}."
        return [done, body.decode(errors="replace")] if body else [done]
    if not path:
        return [f"{method}, by {sender}; the rest of what arrived is no longer kept."]
    told = [f"{method} {path}", f"from {ip or 'this machine'}, by {sender}"]
    if body:
        told.append(f"{content_type or 'no content type'}, {len(body)} bytes: {body.decode(errors='replace')}")
    return told


def understood(document: Document) -> list[str]:
    """What was understood of it."""
    places = {BY_WIRE_NAME[name].name: (name, where) for name, where, _ in document["trail"] if name in BY_WIRE_NAME}
    told = [_asked(attribute, operation, value, places) for attribute, operation, value in document["patch"]]
    if any(rule == "newest_of_caller" for _, _, rule in document["trail"]):
        told.insert(0, "The call: the newest one of the caller in the path, of the offer whose token was sent.")
    if document["ignored"]:
        told.append(f"Ignored, since nothing here has these names: {', '.join(document['ignored'])}")
    told += [Problem(field, code, details).message for field, code, details in document["problems"]]
    told += [Warned(code, details).message for code, details in document["warnings"]]
    if document["key"]:
        told.append(f"Repeats are known by {document['key']}.")
    if document["dry_run"]:
        told.append("It asks what would happen, and wants nothing changed.")
    return told or ["Nothing that could be updated."]


def decided(code: str, document: Document) -> list[str]:
    """How it was decided: the steps that were passed, and the one that wasn't, with what cures it."""
    ended = Step(document["step"])
    failed = CODES[code].status >= 400  # noqa: PLR2004 - where HTTP's errors begin
    passed = _ORDER[: _ORDER.index(ended) + (0 if failed else 1)]
    told = [f"{PASSED} {STEPS[step]}" for step in passed if step in STEPS]
    if failed:
        refusal = Refusal(code, **document.get("details", {}))
        told.append(f"{FAILED} {refusal.title}")
        told += [f"   {BY_NAME[name].label}: team {team} lacks Update" for name, _, team in document.get("missing", ())]
        told.append(f"{TO_DO} {refusal.hint}")
    else:
        told.append(f"{TO_DO} {CODES[code].title}")
    return told + [Warned(warning, details).message for warning, details in document.get("warnings", ())]


def resent(document: Document) -> str:
    """That postbacks were sent anew, if so: an update that asks for nothing else has nothing to change."""
    told = (Warned(code, details).message for code, details in document.get("warnings", ()) if code == "refired")
    return next(told, "")


def changed(rows: Sequence[Sequence[Any]], *, dry_run: bool = False) -> list[str]:
    """What changed; of a dry run, what would have."""
    told = [_change(*row) for row in rows]
    if dry_run:
        return [f"It would be: {each}" for each in told] or ["Nothing, and nothing would."]
    return told or ["Nothing."]


def _asked(attribute: str, operation: str, value: object, places: Mapping[str, tuple[str, str]]) -> str:
    said = f"{BY_NAME[attribute].label}: {'add ' if operation == 'add' else ''}{worded(value)}"
    if attribute not in places:
        return said
    name, where = places[attribute]
    return f"{said} ({name} in {SOURCES.get(where, 'the request')})"


def _change(name: str, before: object, after: object, origin: str) -> str:
    attribute, _, field = name.partition(".")
    known = BY_NAME[attribute].label if attribute in BY_NAME else attribute.replace("_", " ").capitalize()
    label = known + (f", {field}" if field else "")
    why = " (follows from the conversion)" if origin == "effect" else ""
    if before is None and after is None:
        return f"{label}: erased"
    return f"{label}: {worded(before)} → {worded(after)}{why}"


def worded(value: object) -> str:
    """A value as people write it: yes and no, amounts, contact fields one after another."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} removed" if each is None else f"{name} = {each}" for name, each in value.items())
    if value is None:
        return "nothing"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)

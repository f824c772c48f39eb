"""What a postback that is being written would send for a call, and what is to be said about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from ringback.console import postback_forms
from ringback.console.pages import Visit
from ringback.console.postback_forms import Typed
from ringback.domain import lint
from ringback.domain.calls import Call
from ringback.domain.conditions import OPERATORS, WITHOUT_VALUE, all_hold
from ringback.domain.decisions import read_ref
from ringback.domain.errors import Problem, Refusal
from ringback.domain.postbacks import Definition, Owner
from ringback.domain.rendering import Rendered
from ringback.domain.template_tokens import FIELD, Values, call_values, resolve, sample_values
from ringback.domain.templates import HeldError, Position, names, spelled
from ringback.domain.token_choices import Choice, label_of, list_choices
from ringback.domain.unreplaced import UnreplacedToken
from ringback.services import postbacks, vault
from ringback.services.postbacks import PostbackForm
from ringback.store import calls, contact_fields

LABELS: Mapping[str, str] = {
    "method": "Method",
    "url": "URL",
    "headers": "Headers",
    "body_kind": "Kind of body",
    "body": "Body",
    "allowed_hosts": "Allowed hosts",
    "conditions": "Conditions",
    "credential": "Credential",
    "success_path": "Place in the answer",
    "timeout": "Timeout",
    "delay": "Delay",
    "call": "Call",
}
"""The fields that something can be said about, as the form calls them."""

RULES: Mapping[str, str] = {
    "value": "its value",
    "default": "the default in the template",
    "blank": "no value: sent blank",
    "omitted": "no value: left out",
}


@dataclass(frozen=True, slots=True)
class Used:
    """A template token of a postback: its value for the call, how it was filled, and what the form says of it.

    ``is_typed`` if it stands in a JSON body, where it can be something else than a text.
    """

    name: str
    label: str
    value: str
    rule: str
    hole: str
    type: str
    is_typed: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """A postback looked at with the values of a call, or with samples; ``aside`` is why it would not be sent at all."""

    call: Call | None = None
    rendered: Rendered | None = None
    body: str = ""
    credential: str = ""
    held: str = ""
    problems: Sequence[Problem] = ()
    used: Sequence[Used] = ()
    unused: Typed = field(default_factory=dict)
    aside: Sequence[str] = ()
    notes: Sequence[lint.Note] = ()
    foreign: Sequence[UnreplacedToken] = ()


def find_call(visit: Visit, text: str) -> Call | None:
    """The call that a person named by its UUID or number; None for nothing.

    Raises:
        Refusal: there is none.
    """
    if not text:
        return None
    call = calls.find(visit.tx, visit.here.id, read_ref(text, numbers=True))
    if call is None:
        raise Refusal("invalid_value", problems=[Problem("call", "invalid_value", {"reason": "There is no such call"})])
    return call


def list_picks(visit: Visit, call: Call | None) -> list[tuple[Choice, str]]:
    """Every template token with its value for a call, or with a sample."""
    fields = contact_fields.list_names(visit.tx, visit.here.id)
    values = _values(visit, PostbackForm("", "", Definition("", "")), call)
    return [(choice, spelled(values.get(choice.key))) for choice in list_choices(fields)]


def preview(visit: Visit, fields: Typed) -> Preview:
    """Look at a form with the values of the call that it names."""
    form = postback_forms.read(fields)
    problems: list[Problem] = []
    call, compiled = None, None
    try:
        call = find_call(visit, visit.text("call") or visit.query("call"))
    except Refusal as refusal:
        problems += refusal.problems
    try:
        compiled = postbacks.check(visit.tx, visit.here.id, form.definition)
    except Refusal as refusal:
        problems += refusal.problems
    values = _values(visit, form, call)
    rendered, held, credential, unbound_host = None, "", "", ""
    if compiled is not None:
        try:
            rendered = compiled.render(values)
        except HeldError as error:
            held = str(error)
    if rendered is not None and form.definition.credential:
        found = vault.find_for(visit.tx, visit.here.id, form.definition.credential, rendered.host)
        credential, unbound_host = (found.name, "") if found else ("", rendered.host)
    in_host = rendered is not None and any(each.position is Position.HOST for each in rendered.trace)
    used = _used(visit, form.definition, values, rendered, fields)
    named = {f"hole-{each.name.lower()}" for each in used}
    named |= {f"type-{each.name.lower()}" for each in used if each.is_typed}
    return Preview(
        call=call,
        rendered=rendered,
        body=_shown(rendered, form.definition.body_kind),
        credential=credential,
        held=held,
        problems=problems,
        used=used,
        unused={
            name: text for name, text in fields.items() if name.startswith(("hole-", "type-")) and name not in named
        },
        aside=_aside(form, call, values) if call is not None else (),
        notes=list(lint.notes(form.definition, unbound_host=unbound_host, is_sample=call is None and in_host)),
        foreign=lint.foreign(form.definition),
    )


def _values(visit: Visit, form: PostbackForm, call: Call | None) -> Values:
    here, known = visit.here, contact_fields.list_names(visit.tx, visit.here.id)
    keys = [resolve(name, known) for name in _named(form.definition)]
    said_here = [key.removeprefix(FIELD) for key in keys if isinstance(key, str) and key.startswith(FIELD)]
    samples = sample_values([*known, *said_here])
    own = {"subdomain": here.subdomain, "account_name": here.name}
    said = {name: text for name, text in (("trigger", form.trigger), ("postback", form.name)) if text}
    if call is None:
        return {**samples, **own, **said}
    told = {name: spelled(samples[name]) for name in ("trigger", "postback", "delivery_id")} | said
    return call_values(call, subdomain=here.subdomain, account=here.name, **told)


def _used(visit: Visit, definition: Definition, values: Values, rendered: Rendered | None, fields: Typed) -> list[Used]:
    known = contact_fields.list_names(visit.tx, visit.here.id)
    typed = {name.lower() for name in names(definition.body)} if definition.body_kind == "json" else set()
    rules = {each.written.lower(): (each.value, RULES[each.rule]) for each in (rendered.trace if rendered else ())}
    used = []
    for name in _named(definition):
        key = resolve(name, known)
        if isinstance(key, str):
            value, rule = rules.get(name.lower(), (spelled(values.get(key)), ""))
            hole, type_ = (fields.get(f"{prefix}-{name.lower()}", "") for prefix in ("hole", "type"))
            used.append(Used(name, label_of(key), value, rule, hole, type_, name.lower() in typed))
    return used


def _named(definition: Definition) -> list[str]:
    """The names of the template tokens in use, each once, as they stand there."""
    texts = (definition.url, *(value for _, value in definition.headers), definition.body)
    return list({name.lower(): name for text in texts for name in names(text)}.values())


def _aside(form: PostbackForm, call: Call, values: Values) -> list[str]:
    """Why nothing would be sent for a call, whatever happened to it."""
    said = [
        f"{name} {OPERATORS[operator]}{'' if operator in WITHOUT_VALUE else f' {value}'}"
        for name, operator, value in form.definition.conditions
        if operator in OPERATORS and not all_hold([(name, operator, value)], values)
    ]
    if form.owner in set(Owner) and form.owner != Owner.ACCOUNT:
        partner = getattr(call, form.owner)
        if partner is None or partner.id != form.owner_id:
            said.append(f"the {form.owner.replace('_', ' ')} is the one chosen above")
    return said


def _shown(rendered: Rendered | None, kind: str) -> str:
    """The body as a reader reads it."""
    if rendered is None or rendered.body is None:
        return ""
    body = msgspec.json.format(rendered.body, indent=2) if kind == "json" else rendered.body
    return body.decode(errors="replace")

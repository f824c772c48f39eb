"""An update: what a request asks of a call, as it was understood, and by which rule.

Nothing here refuses: what is wrong with a value is kept as a problem, so that the answer can name every one of them
after the sender is known to be allowed to hear it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from ringback.domain.attributes import (
    BY_WIRE_NAME,
    CONTACT_FIELDS,
    PAYOUT,
    REVENUE,
    UPDATABLE,
    Attribute,
    Kind,
    Scalar,
)
from ringback.domain.bodies import NOTES, Fields, Number, is_no
from ringback.domain.bodies import Value as Raw
from ringback.domain.calls import FIELDS_LIMIT, Operation, Patch, Write
from ringback.domain.credentials import WARNINGS as CREDENTIAL_WARNINGS
from ringback.domain.errors import Problem
from ringback.domain.masking import mask_keys
from ringback.domain.money import AmountError, parse_amount
from ringback.domain.unreplaced import UnreplacedToken, find_unreplaced, is_unreplaced

FIELD_BYTES = 4 * 1024
"""Bytes that the value of one contact field may have."""

NAME_BYTES = 255
"""Bytes that the name of a contact field may have."""

SAFE_INTEGER_DIGITS = 15
"""Longer JSON numbers are kept as text, digit for digit, since many readers would round them."""

CONTROL = frozenset({"auth_token", "dry_run", "event_id", "transaction_id", "serializer", "root", "columns", "format"})
"""Names that steer the request itself; they are neither written nor reported as ignored."""

REAPPLY = "reapply_conversions"
"""Asks for what conversions entail anew: it may change both amounts, and needs the right to each that isn't named."""

WARNINGS: Mapping[str, str] = {
    **NOTES,
    **CREDENTIAL_WARNINGS,
    "blank_ignored": "{name} was blank, so it was left as it is.",
    "payout_needs_revenue": "The offer pays a percentage of the revenue, and there is no revenue yet.",
    "duplicate_suppressed": "The same addition came a moment ago; it was taken for a retry and not added again.",
    "applied_before": "The same update was applied before, so this one does not wait to be applied.",
    "too_many_hops": "Too many postbacks in a row led to this update, so it starts no further one.",
    "correction": "This {name} was used before with other content; this was taken for a correction.",
    "detail_ignored": "{name} was left alone: how calls went is said by who may record them.",
    "refire_ignored": "{name} was left alone: postbacks are sent anew by who runs the account.",
    "refired": "Postbacks sent anew for this call, where their conditions hold: {count}.",
    "postback_unknown": "The account has no postback {id} that is for this call.",
    "call_unknown": "No call has this UUID yet, so the step that looks at the call was skipped.",
    "partner_paused": "The {noun} {name} is paused; the call was recorded all the same.",
    "team_not_made": "Teams are not made by the API; the buyer's edit page has Team Access for that.",
    "later_value_kept": "{name} was changed since this update was sent; the newer value was kept.",
}

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
"""What no database keeps in a text: NUL, and halves of characters."""


class Warned(Struct, frozen=True):
    """Something that was done, but that the sender should know of: a code and its details."""

    code: str
    details: Mapping[str, str]

    @property
    def message(self) -> str:
        """The sentence for a reader."""
        return WARNINGS[self.code].format(**self.details)


class Understood(Struct, frozen=True):
    """How one name of the request was read: where it stood and by which rule."""

    name: str
    source: str
    rule: str


class Key(Struct, frozen=True):
    """What makes two requests the same update: from a header (strict) or an id in the body (may be corrected)."""

    name: str
    digest: str

    @classmethod
    def of(cls, name: str, value: str) -> Key:
        """The key of this name and value; only a digest of the value is kept."""
        return cls(name, sha256(f"{name}:{value}".encode(errors="surrogatepass")).hexdigest())

    @property
    def strict(self) -> bool:
        """Other content under the same key is a conflict, not a correction."""
        return self.name == "Idempotency-Key"


class Reading(Struct, frozen=True):
    """What was understood of a request."""

    patch: Patch = ()
    trail: tuple[Understood, ...] = ()
    ignored: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    problems: tuple[Problem, ...] = ()
    key: Key | None = None
    dry_run: bool = False
    unknown: Fields | None = None


def read_patch(fields: Fields, *, keys: Mapping[str, str], dry_run: str | None) -> Reading:
    """Understand the fields of a request.

    Args:
        fields: the body and query, merged.
        keys: ``Idempotency-Key`` and ``webhook-id``, of the headers that were sent.
        dry_run: the header ``Ringback-Dry-Run``, if it was sent.
    """
    return _Reader(fields).read(keys, dry_run)


def keep_unknown(reading: Reading) -> Reading:
    """The same reading with the names that would be ignored as contact fields (a switch of the account)."""
    if reading.unknown is None:
        return reading
    reader = _Reader(reading.unknown)
    reader.writes = {write.attribute: (write.attribute, write) for write in reading.patch}
    reader.read_fields(CONTACT_FIELDS, "top level", reading.unknown.values)
    return replace(
        reading,
        patch=reader.patch,
        trail=(*reading.trail, *reader.trail),
        ignored=(),
        problems=(*reading.problems, *reader.problems),
        unknown=None,
    )


def is_dry(fields: Fields, header: str | None) -> bool:
    """Whether a request says, as a field or by the header ``Ringback-Dry-Run``, that nothing shall change."""
    asked: Iterable[Raw] = (header, fields.values.get("dry_run"))
    return not all(is_no(value) for value in asked)


def read_truth(raw: Raw) -> bool | None:
    """True or false in the words of senders; None if it is neither."""
    word = str(raw).strip().lower() if isinstance(raw, (str, bool)) else ""
    return word in _TRUE if word in _TRUE_OR_FALSE else None


class _Reader:
    """One pass over the fields of a request, collecting what is understood of them."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.writes: dict[str, tuple[str, Write]] = {}
        self.trail: list[Understood] = []
        self.warnings: list[Warned] = []
        self.problems: list[Problem] = []

    def read(self, keys: Mapping[str, str], dry_run: str | None) -> Reading:
        unknown: dict[str, Raw] = {}
        self.warnings.extend(Warned(note, {}) for note in self.fields.notes)
        for name, raw in self.fields.values.items():
            attribute = BY_WIRE_NAME.get(name)
            if attribute is not None:
                self._read_attribute(attribute, name, raw)
            elif name not in CONTROL and name != REAPPLY:
                unknown[name] = raw
        if REAPPLY in self.fields.values:
            self._read_reapply(self.fields.values[REAPPLY])
        return Reading(
            patch=self.patch,
            trail=tuple(self.trail),
            ignored=tuple(_printable(name) for name in unknown),
            warnings=tuple(self.warnings),
            problems=tuple(self.problems),
            key=self._key(keys),
            dry_run=is_dry(self.fields, dry_run),
            unknown=Fields(unknown, self.fields.sources, ()) if unknown else None,
        )

    @property
    def patch(self) -> Patch:
        return tuple(sorted((write for _, write in self.writes.values()), key=lambda write: _PLACE[write.attribute]))

    def _read_attribute(self, attribute: Attribute, name: str, raw: Raw) -> None:
        if attribute.kind is Kind.FIELDS:
            self.read_fields(attribute, name, raw)
        elif attribute.kind is Kind.TEXT and raw is None:
            self._add(name, "cleared", Write(attribute.name, Operation.SET, None))
        elif raw is None or (isinstance(raw, str) and not raw.strip()):
            self._note(name, "blank")
            self.warnings.append(Warned("blank_ignored", {"name": name}))
        elif isinstance(raw, str) and (token := _hole(attribute, raw)) is not None:
            self._unreplaced(name, token.text, token.platform)
        elif attribute.kind is Kind.TEXT:
            self._read_text(attribute, name, raw)
        elif attribute.kind is Kind.BOOLEAN:
            self._read_boolean(attribute, name, raw)
        elif attribute.kind is Kind.PARTNER:
            self._read_partner(attribute, name, raw)
        else:
            self._read_amount(attribute, name, raw)

    def _read_boolean(self, attribute: Attribute, name: str, raw: Raw) -> None:
        truth = read_truth(raw)
        if truth is not None:
            self._add(name, "boolean", Write(attribute.name, Operation.SET, truth))
        else:
            self._invalid(name, f"{name} must be true or false (1, true, yes, on, 0, false, no, off)")

    def _read_reapply(self, raw: Raw) -> None:
        asked = read_truth(raw)
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            self._note(REAPPLY, "blank")
            self.warnings.append(Warned("blank_ignored", {"name": REAPPLY}))
        elif asked:
            self._note(REAPPLY, "reapplied")
            for attribute in (REVENUE, PAYOUT):
                self.writes.setdefault(attribute.name, (REAPPLY, Write(attribute.name, Operation.REAPPLY, None)))
        elif asked is None:
            self._invalid(REAPPLY, f"{REAPPLY} must be true or false")

    def _read_amount(self, attribute: Attribute, name: str, raw: Raw) -> None:
        if not isinstance(raw, str):
            self._invalid(name, f"{name} must be an amount such as 42.50")
            return
        try:
            amount = parse_amount(raw)
        except AmountError as error:
            self._invalid(name, f"{name}: {error.reason}")
            return
        operation = Operation.ADD if name in attribute.adds else Operation.SET
        self._add(
            name, "amount" if operation is Operation.SET else "addition", Write(attribute.name, operation, amount)
        )

    def _read_partner(self, attribute: Attribute, name: str, raw: Raw) -> None:
        if not isinstance(raw, str) or len(raw) > NAME_BYTES or UNSTORABLE.search(raw):
            self._invalid(name, f"{name} must be the number, the UUID or your own id of a {attribute.label.lower()}")
        else:
            self._add(name, "partner", Write(attribute.name, Operation.SET, mask_keys(raw.strip())))

    def _read_text(self, attribute: Attribute, name: str, raw: Raw) -> None:
        if not isinstance(raw, str) or UNSTORABLE.search(raw):
            self._invalid(name, f"{name} must be plain text")
        elif len(raw.encode()) > FIELD_BYTES:
            self._invalid(name, f"{name} is longer than {FIELD_BYTES} bytes")
        else:
            self._add(name, "text", Write(attribute.name, Operation.SET, mask_keys(raw.strip())))

    def _add(self, name: str, rule: str, write: Write) -> None:
        other = self.writes.get(write.attribute)
        if other is not None:
            details = {"first": other[0], "second": name}
            self.problems.append(Problem(name, "conflicting_values", details))
            return
        self.writes[write.attribute] = (name, write)
        self._note(name, rule)

    def read_fields(self, attribute: Attribute, name: str, raw: Raw) -> None:
        if not raw:
            self._note(name, "none")
            return
        if not isinstance(raw, dict):
            self._invalid(name, f'{name} must be an object of contact fields, such as {{"first_name": "Jane"}}')
            return
        if len(raw) > FIELDS_LIMIT:
            details = {"limit": str(FIELDS_LIMIT), "kib": "64"}
            self.problems.append(Problem(name, "too_many_fields", details))
            return
        wanted = {}
        for field, value in raw.items():
            if self._is_good_field(f"{name}.{field}", field, value):
                wanted[mask_keys(field)] = _scalar(cast("str | bool | Number | None", value))
        self._merge(attribute, name, wanted)

    def _merge(self, attribute: Attribute, name: str, wanted: Mapping[str, Scalar | None]) -> None:
        from_name, write = self.writes.get(attribute.name, (name, None))
        merged = dict(cast("Mapping[str, Scalar | None]", write.value)) if write else {}
        for field, value in wanted.items():
            if field in merged and (merged[field] != value or type(merged[field]) is not type(value)):
                details = {"first": f"{from_name}.{field}", "second": f"{name}.{field}"}
                self.problems.append(Problem(f"{name}.{field}", "conflicting_values", details))
            merged[field] = value
        if merged:
            self.writes[attribute.name] = (name, Write(attribute.name, Operation.MERGE, merged))
        self._note(name, "merged")

    def _is_good_field(self, path: str, field: str, value: Raw) -> bool:
        if not field or len(field.encode(errors="replace")) > NAME_BYTES:
            self._invalid(path, f"a contact field needs a name of at most {NAME_BYTES} bytes")
        elif isinstance(value, (dict, list)):
            self._invalid(path, f"{path} must be text, a number, true, false or null")
        elif UNSTORABLE.search(field) or (isinstance(value, str) and UNSTORABLE.search(value)):
            self._invalid(path, f"{_printable(path)} contains a NUL character or half a character")
        elif isinstance(value, Number) and not value.lstrip("-")[:1].isdigit():
            self._invalid(path, f"{path} is not a number")
        elif isinstance(value, str) and len(value.encode()) > FIELD_BYTES:
            self._invalid(path, f"{path} is longer than {FIELD_BYTES} bytes")
        elif isinstance(value, str) and (token := is_unreplaced(value)) is not None:
            self._unreplaced(path, token.text, token.platform)
        else:
            return True
        return False

    def _key(self, headers: Mapping[str, str]) -> Key | None:
        for name in ("Idempotency-Key", "webhook-id"):
            if headers.get(name):
                return Key.of(name, headers[name])
        for name in ("event_id", "transaction_id"):
            value = self.fields.values.get(name)
            if isinstance(value, str) and value.strip() and find_unreplaced(value) is None:
                return Key.of(name, value.strip())
        return None

    def _note(self, name: str, rule: str) -> None:
        self.trail.append(Understood(name, self.fields.sources.get(name, "body"), rule))

    def _invalid(self, name: str, reason: str) -> None:
        self.problems.append(Problem(_printable(name), "invalid_value", {"reason": _printable(reason)}))

    def _unreplaced(self, name: str, value: str, platform: str) -> None:
        details = {"value": mask_keys(value), "platform": platform and f"of {platform} "}
        self.problems.append(Problem(_printable(name), "unreplaced_token", details))


_PLACE = {attribute.name: place for place, attribute in enumerate(UPDATABLE)}
_TRUE_OR_FALSE = _TRUE | _FALSE


def _hole(attribute: Attribute, raw: str) -> UnreplacedToken | None:
    """The template token that a value still is; of what people write, only where it is nothing else."""
    return is_unreplaced(raw) if attribute.kind is Kind.TEXT else find_unreplaced(raw)


def _scalar(value: str | bool | Number | None) -> Scalar | None:  # noqa: FBT001 - a value, not a flag
    if isinstance(value, Number):
        digits = value.lstrip("-")
        is_safe = digits.isdigit() and len(digits) <= SAFE_INTEGER_DIGITS
        return int(value) if is_safe else str(value)
    return mask_keys(value) if isinstance(value, str) else value


def _printable(text: str) -> str:
    return mask_keys(UNSTORABLE.sub("\ufffd", text))

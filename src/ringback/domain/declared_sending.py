"""Credentials and postbacks as the apply file declares them (SETUP, "apply file")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from ringback.domain import declared_keys as keys
from ringback.domain.deliveries import SuccessRule
from ringback.domain.names import UnfitError, did_you_mean, read_name
from ringback.domain.postbacks import BY_HOST, TIMEOUT, Definition, Owner, Trigger
from ringback.domain.tomltext import Table
from ringback.domain.vault import Kind

_PLACES = ("env", "file")


@dataclass(frozen=True, slots=True)
class DeclaredCredential:
    """A credential of the vault; its secret is said by where it is: the environment (``env``) or a ``file``."""

    source: Table
    name: str
    host: str
    kind: Kind
    header: str
    place: str
    where: str


@dataclass(frozen=True, slots=True)
class DeclaredPostback:
    """A postback; ``credential`` is the name of a credential or ``by host``, ``owner_name`` that of a partner."""

    source: Table
    name: str
    trigger: Trigger
    owner: Owner
    owner_name: str
    credential: str
    definition: Definition = field(repr=False)


def read_credential(table: Table) -> DeclaredCredential:
    """One of ``[[accounts.credentials]]``.

    Raises:
        SpoiledError: it can't be taken.
    """
    table.only(*keys.names(keys.CREDENTIAL))
    kinds = [kind for kind in Kind if kind.value in table.values]
    if kinds == [Kind.HEADER] or (len(kinds) == 2 and Kind.HEADER in kinds):  # noqa: PLR2004 - a name and a value
        raise table.refuse("header", 'write header = { name = "X-Api-Key", env = "…" }')
    if len(kinds) != 1:
        raise table.refuse("name", f'a credential has one of {", ".join(Kind)}, as in basic = {{ env = "…" }}')
    return _credential(table, kinds[0])


def _credential(table: Table, kind: Kind) -> DeclaredCredential:
    said = table.values[kind.value]
    places = [place for place in _PLACES if isinstance(said, dict) and isinstance(said.get(place), str)]
    if not isinstance(said, dict) or len(places) != 1:
        reason = f'a secret is never written here: write {kind.value} = {{ env = "NAME" }} or {{ file = "path" }}'
        raise table.refuse(kind.value, reason)
    return DeclaredCredential(
        source=table,
        name=table.required("name", read_name, "a credential"),
        host=table.required("host", str, "a credential"),
        kind=kind,
        header=str(said.get("name", "")),
        place=places[0],
        where=str(said[places[0]]),
    )


def read_postback(table: Table) -> DeclaredPostback:
    """One of ``[[accounts.postbacks]]``.

    Raises:
        SpoiledError: it can't be taken.
    """
    table.only(*keys.names(keys.POSTBACK))
    owners = [owner for owner in Owner if owner.value in table.values]
    if len(owners) > 1:
        raise table.refuse(owners[1].value, "a postback has one owner: a buyer, a traffic_source or an offer")
    credential = table.name("credential", str) or ""
    owner = owners[0] if owners else Owner.ACCOUNT
    return DeclaredPostback(
        source=table,
        name=table.required("name", read_name, "a postback"),
        trigger=table.required("trigger", _read_trigger, "a postback"),
        owner=owner,
        owner_name="" if owner is Owner.ACCOUNT else table.required(owner.value, read_name, "a postback"),
        credential=credential,
        definition=_definition(table, BY_HOST if credential == BY_HOST else ""),
    )


def _definition(table: Table, credential: str) -> Definition:
    body = table.values.get("body", "")
    has_none = "body" not in table.values
    kind = table.name("body_kind", str) or ("none" if has_none else "text" if isinstance(body, str) else "json")
    return Definition(
        method=table.name("method", str.upper) or "POST",
        url=table.required("url", str, "a postback"),
        headers=tuple(_texts(table, "headers").items()),
        body_kind=kind,
        body=body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False, default=_number),
        holes=_texts(table, "holes"),
        types=_texts(table, "types"),
        conditions=tuple(_condition(each) for each in table.tables("conditions")),
        allowed_hosts=table.names("allowed_hosts", str) or (),
        credential=credential,
        success=_success(table),
        timeout=_seconds(table, "timeout", TIMEOUT),
        delay=_seconds(table, "delay", 0),
        signed=bool(table.flag("signed")),
    )


def _read_trigger(text: str) -> Trigger:
    try:
        return Trigger(text)
    except ValueError:
        raise UnfitError(f"there is no trigger {text}{did_you_mean(text, list(Trigger))}") from None


def _texts(table: Table, key: str) -> Mapping[str, str]:
    value = table.values.get(key, {})
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise table.refuse(key, f'{key} must be a table of texts, as in {key} = {{ name = "…" }}')
    return value


def _condition(table: Table) -> tuple[str, str, str]:
    table.only(*keys.names(keys.CONDITION))
    value = table.values.get("value", "")
    if not isinstance(value, (str, int, Decimal)):
        raise table.refuse("value", "a value is a text or a number")
    return table.required("field", str, "a condition"), table.required("operator", str, "a condition"), str(value)


def _success(table: Table) -> SuccessRule | None:
    said = _texts(table, "success")
    if said and said.keys() != {"path", "value"}:
        raise table.refuse("success", 'write success = { path = "status", value = "ok" }')
    return SuccessRule(said["path"], said["value"]) if said else None


def _seconds(table: Table, key: str, default: int) -> int:
    value = table.values.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise table.refuse(key, f"{key} is a whole number of seconds")
    return value


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError

"""The keys of the apply file, table by table: what each means, and what it is where it isn't named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ringback.domain.compiling import BODY_KINDS
from ringback.domain.postbacks import LONGEST_DELAY, LONGEST_TIMEOUT, SHORTEST_TIMEOUT, TIMEOUT
from ringback.domain.vault import Kind

REQUIRED = "required"
OF_A_NEW_ONE = "required of a new account"


@dataclass(frozen=True, slots=True)
class Key:
    """A key; ``usual`` is what something new has without it, ``REQUIRED`` where it has to be there."""

    name: str
    type: str
    meaning: str
    usual: str = "none"


_TEXT, _TEXTS, _TRUTH, _TABLE = "text", "list of texts", "true or false", "table of texts"
_EMAILS, _SECONDS, _TABLES = "list of addresses", "whole number", "tables"
_ATTRIBUTES = "list of attributes"
_KEPT = 'the secret: `{ env = "NAME" }` or `{ file = "path" }`, never the secret itself'
_OF_FOUR = "one of the four"
_BODY_KINDS = f"one of {', '.join(f'`{kind}`' for kind in BODY_KINDS)}"

USER = (
    Key("email", _TEXT, "the e-mail address, by which the person is known", REQUIRED),
    Key("name", _TEXT, "the person's name"),
    Key("verified", _TRUTH, "whether the address is taken for the person's own; an owner's always is", "false"),
)
ACCOUNT = (
    Key("subdomain", _TEXT, "the name in its address, by which the account is known", REQUIRED),
    Key("name", _TEXT, "the company's name", OF_A_NEW_ONE),
    Key("owners", _EMAILS, "who may do everything; made as users where they aren't there", OF_A_NEW_ONE),
    Key("managers", _EMAILS, "who may do all but what is left to owners"),
    Key("time_zone", _TEXT, "the zone that its times are shown in, as `America/New_York`", "`UTC`"),
    Key("reads_auth_token", _TRUTH, "whether a credential is also read from `auth_token` in URL or body", "true"),
    Key("keeps_unknown_fields", _TRUTH, "whether unknown names in a body are kept as contact fields", "false"),
    Key("offers", _TABLES, "`[[accounts.offers]]`"),
    Key("traffic_sources", _TABLES, "`[[accounts.traffic_sources]]`"),
    Key("buyers", _TABLES, "`[[accounts.buyers]]`"),
    Key("teams", _TABLES, "`[[accounts.teams]]`"),
    Key("credentials", _TABLES, "`[[accounts.credentials]]`"),
    Key("postbacks", _TABLES, "`[[accounts.postbacks]]`"),
)
OFFER = (
    Key("name", _TEXT, "the offer's name, by which it is known", REQUIRED),
    Key("payout", "amount or percentage", 'what a conversion pays: `"9.00"`, or of its revenue `"60%"`'),
    Key("token", _TEXT, "names it in `update_by_caller_id`: 8 to 64 letters, digits, `-` and `_`", "from its UUID"),
)
TRAFFIC_SOURCE = (Key("name", _TEXT, "the traffic source's name, by which it is known", REQUIRED),)
BUYER = (
    Key("name", _TEXT, "the buyer's name, by which he is known", REQUIRED),
    Key("revenue", "amount", "the agreed revenue, which a conversion without an amount gets"),
)
TEAM = (
    Key("name", _TEXT, "the team's name, by which it is known", REQUIRED),
    Key("users", _EMAILS, "who is on it; made as users where they aren't there"),
    Key("buyers", 'list of names, or `"every"`', "the buyers whose calls it sees", '`"every"`'),
    Key("developer_api", _TRUTH, "whether its users may use the API", "false"),
    Key("update", _ATTRIBUTES, "what of a call it may update, and read; by name or label"),
    Key("read", _ATTRIBUTES, "what of a call it may read only"),
    Key("record_calls", _TRUTH, "whether it may record calls", "false"),
)
CREDENTIAL = (
    Key("name", _TEXT, "the credential's name, by which it is known", REQUIRED),
    Key("host", _TEXT, "where it may be sent to: `partner.example` or `*.partner.example`", REQUIRED),
    Key(Kind.BASIC, _TABLE, f"Basic auth; {_KEPT}", _OF_FOUR),
    Key(Kind.TOKEN, _TABLE, "`Authorization: Token …`; the same", _OF_FOUR),
    Key(Kind.BEARER, _TABLE, "`Authorization: Bearer …`; the same", _OF_FOUR),
    Key(
        Kind.HEADER,
        _TABLE,
        'another header; the same with its `name`: `{ name = "X-Key", env = "NAME" }`',
        _OF_FOUR,
    ),
)
POSTBACK = (
    Key("name", _TEXT, "the postback's name, by which it is known", REQUIRED),
    Key("trigger", _TEXT, "what has to happen to a call: one of those below", REQUIRED),
    Key("url", _TEXT, "where it is sent to, with template tokens", REQUIRED),
    Key("method", _TEXT, "the HTTP method", "`POST`"),
    Key("headers", _TABLE, "further headers by name, with template tokens"),
    Key("body", "text or table", "what is sent, with template tokens; a form has a line `name=value` each"),
    Key("body_kind", _TEXT, _BODY_KINDS, "a table: `json`, a text: `text`"),
    Key("types", _TABLE, "by token, what it is in JSON: `string`, `number` or `boolean`", "`string`"),
    Key("holes", _TABLE, "by token, what becomes of it without a value: `hold`, `blank` or `omit`", "`hold`"),
    Key("conditions", _TABLES, "what must hold of the call, all of it: `field`, `operator`, `value`"),
    Key("allowed_hosts", _TEXTS, "hosts that a token in the host may lead to", "required with such a token"),
    Key("credential", _TEXT, "the name of a credential, or `by host`: the one whose host is closest"),
    Key("success", _TABLE, 'which answers count: `{ path = "status", value = "ok" }` in its JSON', "any 2xx"),
    Key("timeout", _SECONDS, f"seconds to wait for an answer, {SHORTEST_TIMEOUT} to {LONGEST_TIMEOUT}", f"{TIMEOUT}"),
    Key("delay", _SECONDS, f"seconds before the first attempt, up to {LONGEST_DELAY}", "0"),
    Key("signed", _TRUTH, "whether it is signed; its secret is made on its page", "false"),
    Key("buyer", _TEXT, "only calls of this buyer; one of `buyer`, `traffic_source`, `offer`", "all calls"),
    Key("traffic_source", _TEXT, "only calls of this traffic source", "all calls"),
    Key("offer", _TEXT, "only calls of this offer", "all calls"),
)
CONDITION = (
    Key("field", _TEXT, "a template token without brackets", REQUIRED),
    Key("operator", _TEXT, "one of those below", REQUIRED),
    Key("value", "text or number", "what it is compared with"),
)

TABLES: Mapping[str, Sequence[Key]] = {
    "users": USER,
    "accounts": ACCOUNT,
    "accounts.offers": OFFER,
    "accounts.traffic_sources": TRAFFIC_SOURCE,
    "accounts.buyers": BUYER,
    "accounts.teams": TEAM,
    "accounts.credentials": CREDENTIAL,
    "accounts.postbacks": POSTBACK,
    "accounts.postbacks.conditions": CONDITION,
}
"""The keys that each table has."""


def names(keys: Sequence[Key]) -> tuple[str, ...]:
    """The names of keys."""
    return tuple(str(key.name) for key in keys)
